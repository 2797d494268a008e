"""Ad-hoc commands, both ways (XEP-0050): others' are run step by step, own ones are served.

async with me[Commands].run("example.org", node) as command:
    command.form          # what it wants to know
    await command.complete({"accountjid": jid})
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from ....core.errors import StanzaError
from ....core.jid import JID
from ....kit.cache import Cache
from ....wire import commands, disco
from ....wire.commands import Command
from ...feature import Feature, Request, serves
from .running import Running
from .serving import Call, Handler, Offered, Serving

if TYPE_CHECKING:
    from ...entity import Entity

__all__ = ["Call", "Commands", "Running"]

SESSIONS = 100  # commands of others that are under way here
LIFE = 600.0  # seconds that one may wait for its next step

H = TypeVar("H", bound=Handler)


class Commands(Feature):
    """Commands of others, and our own."""

    spec = commands.SPEC
    features = (commands.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._offered: dict[str, Offered] = {}
        self._sessions: Cache[tuple[JID | None, str], Serving] = Cache(
            SESSIONS, LIFE, client.clock.monotonic
        )

    # --- others' ---------------------------------------------------------------------

    async def list(self, jid: JID | str) -> list[disco.Item]:
        """What `jid` can be told to do (§2.2). Raises `StanzaError`."""
        asked = disco.Items(commands.NS)
        return [*(await self.client.request(asked, jid, expect=disco.Items)).items]

    @asynccontextmanager
    async def run(self, jid: JID | str, node: str) -> AsyncIterator[Running]:
        """Begin a command; one that is not completed when the block ends is cancelled (§3.2).

        Raises `StanzaError`.
        """
        running = Running(self.client, JID.parse(jid) if isinstance(jid, str) else jid, node)
        await running.begin()
        try:
            yield running
        finally:
            await running.leave()

    # --- our own ---------------------------------------------------------------------

    def offer(
        self, node: str, name: str, *, allows: Callable[[JID | None], bool] | None = None
    ) -> Callable[[H], H]:
        """Let the decorated function be the command `node`: ``async (call) -> words or form``.

        It asks with ``await call.ask(form)``. `allows` says of a sender whether it may run it;
        without, only the own account may. Raises `ValueError` for a node that is there.
        """
        if node in self._offered:
            raise ValueError(f"{node} is offered already")

        def remember(handler: H) -> H:
            self._offered[node] = Offered(node, name, handler, allows or self._is_own)
            return handler

        return remember

    def _is_own(self, sender: JID | None) -> bool:
        return sender is None or sender.bare == self.client.jid.bare

    def shown(self, node: str | None, sender: JID | None) -> Sequence[disco.Item]:
        """What `sender` may tell us to do (§2.2)."""
        if node != commands.NS:
            return ()
        return [
            disco.Item(self.client.jid, one.node, one.name)
            for one in self._offered.values()
            if one.allows(sender)
        ]

    @serves("set", Command)
    async def execute(self, request: Request[Command]) -> Command:
        """One step of a command of ours (§4)."""
        command, sender = request.payload, request.sender
        offered = self._offered.get(command.node)
        if offered is None:
            raise StanzaError("item-not-found", "no such command")
        if not offered.allows(sender):
            raise StanzaError("forbidden")
        if command.sessionid is None:
            if command.action not in (None, "execute"):
                raise commands.refusal("bad-request", "bad-action")
            serving = Serving(offered, Call(sender), self.client.ids(), self.client.start)
            self._sessions.put((sender, serving.id), serving)
        else:
            found = self._sessions.get((sender, command.sessionid))
            if found is None or found.offered is not offered:
                raise commands.refusal("bad-request", "bad-sessionid")
            serving = found
        answer = await serving.step(command)
        if answer.status != "executing":
            self._sessions.pop((sender, serving.id))
        return answer
