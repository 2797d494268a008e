"""Ad-hoc commands, both ways (XEP-0050): others' are run step by step, own ones are served.

async with me[Commands].run("example.org", node) as command:
    command.form          # what it wants to know
    await command.complete({"accountjid": jid})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.cache import Cache
from ....kit.clock import Timer
from ....wire import commands, dataforms, disco
from ....wire.commands import Command
from ...feature import Feature, Request, opens, serves
from .admin import Administration, UserStatistics
from .running import CommandFailed, Running
from .serving import Call, Handler, Offered, Serving

if TYPE_CHECKING:
    from ...entity import Entity

__all__ = [
    "Administration",
    "Call",
    "CommandFailed",
    "Commands",
    "CommandsAnnounced",
    "Running",
    "UserStatistics",
]

MOST = 100  # commands of ours that are under way
MOST_OF_ONE = 5  # that one person (bare JID) has under way
LIFE = 600.0  # seconds that one may wait for its next step
MOST_ENDED = 500  # that are remembered, to tell who comes too late

H = TypeVar("H", bound=Handler)


@frozen
class CommandsAnnounced:
    """`jid` can be told to do this, as it says of itself unasked (§2.3)."""

    jid: JID
    commands: tuple[disco.Item, ...]


class Commands(Feature):
    """Commands of others, and our own."""

    spec = commands.SPEC
    features = (commands.NS, dataforms.NS, dataforms.NS_VALIDATION)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._offered: dict[str, Offered] = {}
        self._sessions: dict[tuple[JID | None, str], tuple[Serving, Timer]] = {}
        self._ended: Cache[tuple[JID | None, str], bool] = Cache(MOST_ENDED)

    # --- others' ---------------------------------------------------------------------

    async def list(self, jid: JID | str) -> list[disco.Item]:
        """What `jid` can be told to do (§2.2). Raises `StanzaError`."""
        asked = disco.Items(commands.NS)
        of = JID.parse(jid) if isinstance(jid, str) else jid
        found = (await self.client.request(asked, of, expect=disco.Items)).items
        return [*self._own_to(of, found)]

    def _own_to(self, jid: JID, found: Sequence[disco.Item]) -> Sequence[disco.Item]:
        """Whoever lists commands of somebody else means to deceive (§7)."""
        own = [item for item in found if item.jid == jid]
        self.client.forged["command"] += len(found) - len(own)
        return own

    @opens(disco.Items)
    async def announced(self, message: Message) -> bool:
        """Somebody tells unasked what it can be told to do (§2.3)."""
        try:
            told = message.get(disco.Items)
        except StanzaError:
            return False
        sender = message.sender
        if told is None or told.node != commands.NS or sender is None or message.type == "error":
            return False
        items = tuple(self._own_to(sender, told.items))
        await self.client.tell(CommandsAnnounced(sender, items), sender.bare)
        return True

    @asynccontextmanager
    async def run(
        self, jid: JID | str, node: str, *, lang: str | None = None
    ) -> AsyncIterator[Running]:
        """Begin a command; one that is not completed when the block ends is cancelled (§3.2).

        `lang`: in which its forms and notes are wanted. Raises `StanzaError`.
        """
        running = Running(self.client, JID.parse(jid) if isinstance(jid, str) else jid, node, lang)
        await running.begin()
        try:
            yield running
        finally:
            await running.leave()

    # --- our own ---------------------------------------------------------------------

    def offer(
        self,
        node: str,
        name: str,
        *,
        allows: Callable[[JID | None], bool] | None = None,
        can_go_back: bool = False,
    ) -> Callable[[H], H]:
        """Let the decorated function be the command `node`: ``async (call) -> words or form``.

        It asks with ``await call.ask(form)``, and raises `CommandFailed` if it cannot be done.
        `allows` says of a sender whether it may run it; without, only the own account may. With
        `can_go_back`, who goes back a step has it run from its beginning, with the answers up to
        there: it is to do nothing before its last question. Raises `ValueError` for a node that
        is there.
        """
        if node in self._offered:
            raise ValueError(f"{node} is offered already")

        def remember(handler: H) -> H:
            allowed = allows or self._is_own
            self._offered[node] = Offered(node, name, handler, allowed, can_go_back)
            return handler

        return remember

    async def announce(self, to: JID | str) -> None:
        """Tell somebody unasked what it may tell us to do (§2.3)."""
        whom = JID.parse(to) if isinstance(to, str) else to
        items = tuple(self.shown(commands.NS, whom))
        await self.client.send(whom, disco.Items(commands.NS, items), type="normal")

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

    def described(self, node: str, sender: JID | None) -> disco.Info | None:
        """What a command is, and the list of all (§2.2). Raises `StanzaError` ``forbidden``."""
        if node == commands.NS:
            kind = disco.Identity("automation", "command-list")
        else:
            offered = self._offered.get(node)
            if offered is None:
                return None
            if not offered.allows(sender):
                raise StanzaError("forbidden")
            kind = disco.Identity("automation", "command-node", offered.name)
        found = disco.info([kind], self.features)
        return disco.Info(node, found.identities, found.features)

    @serves("set", Command, apart=True)
    async def execute(self, request: Request[Command]) -> Command:
        """One step of a command of ours (§4)."""
        command, sender = request.payload, request.sender
        offered = self._offered.get(command.node)
        if offered is None:
            raise StanzaError("item-not-found", "no such command")
        if not offered.allows(sender):
            raise StanzaError("forbidden", type="cancel")
        serving = self._find(offered, request)
        key = sender, serving.id
        try:
            return await serving.step(command)
        finally:
            self._keep(key, serving)

    def _find(self, offered: Offered, request: Request[Command]) -> Serving:
        """The run that a step belongs to, or a new one."""
        command, sender = request.payload, request.sender
        if command.sessionid is None:
            self._check(command, sender)
            lang = command.lang or request.iq.lang
            return Serving(self.client, offered, sender, lang)
        key = sender, command.sessionid
        serving, timer = self._sessions.get(key, (None, None))
        if timer is not None:
            timer.cancel()
        if serving is None or serving.offered is not offered:
            if self._ended.get(key):
                raise commands.refusal("not-allowed", "session-expired")
            raise commands.refusal("bad-request", "bad-sessionid")
        return serving

    def _check(self, command: Command, sender: JID | None) -> None:
        """Whether another run may begin; nobody can have them all."""
        if command.action not in (None, *commands.ACTIONS):
            raise commands.refusal("bad-request", "malformed-action")
        if command.action not in (None, "execute"):
            raise commands.refusal("bad-request", "bad-action")
        by = Counter(who.bare if who is not None else None for who, _ in self._sessions)
        whose = sender.bare if sender is not None else None
        if by[whose] >= MOST_OF_ONE:
            raise StanzaError("not-allowed", "too many commands are under way")  # §3.3
        if by.total() >= MOST:
            raise StanzaError("resource-constraint", "too many commands are under way")

    def _keep(self, key: tuple[JID | None, str], serving: Serving) -> None:
        """Wait for the next step, or forget the run."""
        if serving.is_over:
            self._sessions.pop(key, None)
            self._ended.put(key, True)
            return
        timer = self.client.clock.call_later(LIFE, lambda: self._expire(key))
        self._sessions[key] = serving, timer

    def _expire(self, key: tuple[JID | None, str]) -> None:
        found = self._sessions.pop(key, None)
        if found is not None:
            found[0].end()
            self._ended.put(key, True)

    def stop(self) -> None:
        for serving, timer in self._sessions.values():
            timer.cancel()
            serving.end()
