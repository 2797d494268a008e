"""Jingle sessions: what may be said when, and what the other side said (XEP-0166)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import jingle
from ...errors import ClientError
from .part import Part, State, Step

if TYPE_CHECKING:
    from ...entity import Entity

MOST_PARTS = 20  # files of one session

#: (state of the session, action of the other side) -> whether we may be its initiator then
HEARD: dict[tuple[State, str], tuple[bool, ...]] = {
    (State.PENDING, "session-accept"): (True,),
    (State.PENDING, "content-accept"): (True, False),
    (State.PENDING, "transport-info"): (True, False),
    **{
        (state, action): (True, False)
        for state in (State.PENDING, State.ACTIVE)
        for action in (
            *("session-info", "session-terminate"),
            *("content-add", "content-reject", "content-remove"),
        )
    },
    (State.ACTIVE, "content-accept"): (True, False),
    (State.ACTIVE, "transport-info"): (True, False),
    (State.ACTIVE, "transport-replace"): (False,),
    (State.ACTIVE, "transport-accept"): (True,),
    (State.ACTIVE, "transport-reject"): (True,),
}
KNOWN = {action for _, action in HEARD}


class Session:
    """A session for files: (creator, name) -> the file."""

    def __init__(
        self,
        client: Entity,
        peer: JID,
        sid: str,
        over: Callable[[Session], None],
        *,
        is_initiator: bool,
    ) -> None:
        """`over` is called once, when it has ended."""
        self.client, self.peer, self.sid, self._call = client, peer, sid, over
        self.is_initiator = is_initiator
        self.role: jingle.Role = "initiator" if is_initiator else "responder"
        self.state = State.PENDING
        self.parts: dict[tuple[str, str], Part] = {}

    def add(self, name: str, creator: jingle.Role, senders: jingle.Role) -> Part:
        """One more file. Raises `StanzaError`."""
        if (creator, name) in self.parts:
            raise StanzaError("bad-request", "two contents of one name")
        if len(self.parts) >= MOST_PARTS:
            raise StanzaError("resource-constraint", f"{MOST_PARTS} files of one session")
        part = self.parts[creator, name] = Part(self, name, creator, senders)
        return part

    @property
    def has_others(self) -> bool:
        """Whether any file of it goes on."""
        return any(part.state is not State.ENDED for part in self.parts.values())

    # --- saying ----------------------------------------------------------------------

    async def say(
        self,
        action: jingle.Action,
        *contents: jingle.Content,
        reason: jingle.Reason | None = None,
        info: jingle.Checksum | jingle.Received | None = None,
    ) -> None:
        """Take a step. Raises `StanzaError` if it is not taken well."""
        own = self.client.jid
        step = jingle.Jingle(
            action,
            self.sid,
            initiator=(own if self.is_initiator else self.peer) if contents else None,
            responder=own if action == "session-accept" else None,
            contents=contents,
            reason=reason,
            info=info,
        )
        await self.client.request(step, self.peer, type="set")

    async def try_to_say(
        self,
        action: jingle.Action,
        *contents: jingle.Content,
        reason: jingle.Reason | None = None,
        info: jingle.Checksum | jingle.Received | None = None,
    ) -> None:
        """As `say`; if it is not taken well, the other side is gone, or knows no such thing."""
        try:
            await self.say(action, *contents, reason=reason, info=info)
        except (StanzaError, TimeoutError, ClientError):
            return

    async def initiate(self, *contents: jingle.Content) -> None:
        """Begin it. Raises `StanzaError`: then there is none."""
        try:
            await self.say("session-initiate", *contents)
        except StanzaError:
            self._over()
            raise

    async def end(self, reason: jingle.Reason) -> None:
        """End it, if it has not ended; whether the other side hears it or not."""
        if self.state is State.ENDED:
            return
        self._over()
        await self.try_to_say("session-terminate", reason=reason)

    # --- hearing ---------------------------------------------------------------------

    def hear(self, step: jingle.Jingle) -> None:
        """Take a step of the other side's. Raises `StanzaError` for one that may not be.

        What ``content-add`` adds is not taken here.
        """
        if step.action not in KNOWN:
            raise StanzaError("feature-not-implemented", "files alone")
        if self.is_initiator not in HEARD.get((self.state, step.action), ()):
            raise jingle.out_of_order()
        if step.action == "session-terminate":
            self.terminated(step.reason or jingle.Reason())
        elif step.action == "session-info":
            self._informed(step.info)
        elif step.action != "content-add":
            self._about_contents(step)

    def _about_contents(self, step: jingle.Jingle) -> None:
        about = [(self._part(one.creator, one.name), one) for one in step.contents]
        if not about:
            raise StanzaError("bad-request", "about which file?")
        for part, _ in about:
            part.check_step(step.action)
        for part, content in about:
            part.hear(Step(step.action, content), step.reason)
        if step.action == "session-accept":
            self.state = State.ACTIVE
        elif not self.has_others:  # a session of nothing is over (XEP-0166 §7.2)
            self.client.start(self.end(step.reason or jingle.Reason(cancel=True)))

    def _informed(self, info: jingle.Checksum | jingle.Received | None) -> None:
        if info is None:
            return  # is it still there? It is (XEP-0166 §6.7)
        part = self._part(info.creator, info.name)
        if part.is_sent is isinstance(info, jingle.Checksum):
            raise jingle.out_of_order()
        if isinstance(info, jingle.Checksum):
            part.told(info)
        elif part.state is not State.PENDING:
            part.received()

    def _part(self, creator: str, name: str) -> Part:
        part = self.parts.get((creator, name))
        if part is None:
            raise StanzaError("item-not-found", "no such file in this session")
        return part

    def terminated(self, reason: jingle.Reason) -> None:
        """The other side has ended it, or all below it is gone."""
        for part in self.parts.values():
            part.ended(reason)
        self._over()

    def _over(self) -> None:
        if self.state is not State.ENDED:
            self.state = State.ENDED
            self._call(self)
        for part in self.parts.values():
            part.state = State.ENDED
