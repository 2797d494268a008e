"""Copies what an account says and hears to those of its clients that ask for it (XEP-0280).

Whatever looks like a copy and comes from elsewhere is taken off on its way in: whoever believed
it would let others speak as its contacts (§11). Marks against copying stay for the receiver.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf

from ...core.errors import StanzaError
from ...core.jid import JID
from ...core.stanza import Message
from ...kit.hooks import Remove, Stage
from ...wire import carbons, delay, stanzaid
from ..copying import SINCE, lets_in
from ..module import At, Module, Request, binding, delivering, on, request
from ..naming import SENT
from ..session import Key, Session, SessionEnded

NS = carbons.NS

#: Whether the session gets copies.
ENABLED = Key("carbons", default=False)


class Carbons(Module):
    """Message carbons."""

    spec = carbons.SPEC
    features = (carbons.NS,)

    async def start(self) -> None:
        self._ours = (self.host.jid,)
        self._copies = self.meter.counter("copies", "Copies of messages given to clients.")
        self._undo: list[Remove] = []  # the copying, as long as any session wants copies
        self._count = 0  # of those sessions
        for session in self.host.sessions.at(self.host.domain):
            self._note(session)
            self._want(session[ENABLED])

    async def stop(self) -> None:
        for session in self.host.sessions.at(self.host.domain):
            session[SINCE] = inf
        self._want(-self._count)

    @request("set", carbons.Enable, at=At.OWN)
    def enable(self, _: carbons.Enable, request: Request) -> None:
        """Copies from now on; once more is no mistake (§4, §10.1)."""
        self._switch(request.session, True)

    @binding(carbons.Enable)
    def enable_inline(self, _: carbons.Enable, session: Session) -> None:
        """Along with the resource (XEP-0386 §3.2), so that no message falls in between."""
        self._switch(session, True)

    @request("set", carbons.Disable, at=At.OWN)
    def disable(self, _: carbons.Disable, request: Request) -> None:
        """No more copies (§5)."""
        self._switch(request.session, False)

    def _switch(self, session: Session | None, is_enabled: bool) -> None:
        if session is None or self.host.sessions.find(session.jid) is not session:
            raise StanzaError("not-allowed", "copies are for clients that are connected here")
        self._want(is_enabled - session[ENABLED])
        if session[ENABLED] != is_enabled:
            session[ENABLED] = is_enabled
            self._note(session)

    def _note(self, session: Session) -> None:
        """Since when it has got copies: what came before, it has not got."""
        session[SINCE] = self.clock.monotonic() if session[ENABLED] else inf

    @on(SessionEnded)
    def ended(self, event: SessionEnded) -> None:
        self._want(-event.session[ENABLED])
        event.session[ENABLED] = False

    def _want(self, more: int) -> None:
        """So many sessions more want copies: the last one to go takes the handlers along."""
        self._count += more
        if self._count and not self._undo:
            self._undo = [
                self.host.sending.add(Stage.COPY, self._sent, Message),
                self.host.delivering.add(Stage.COPY, self._received, Message),
            ]
        elif not self._count:
            for undo in self._undo:
                undo()
            self._undo = []

    # --- messages --------------------------------------------------------------------

    @delivering(Stage.REWRITE, Message)
    def strip_forged(self, message: Message, owner: JID, _: Sequence[Session]) -> Message | None:
        """Copies are given to clients and never sent: none comes this way (§11).

        Raises `StanzaError` for a copy of ours whose client went before taking it: it was for
        that client alone.
        """
        for element in message.payloads:
            if element.name.ns == NS:  # every message comes by here, and hardly one has any
                break
        else:
            return None
        honest = carbons.without_forged(message)
        if honest is message:
            return None
        if message.sender == owner:
            raise StanzaError("service-unavailable")
        return honest

    def _sent(self, message: Message, session: Session) -> None:
        """To the other clients of who sends it, whether or not its own asked for copies (§8)."""
        if message.to is None or message.to.bare == session.jid.bare:
            return  # what one says to oneself is copied on its way in
        others = self._others(session.jid.bare, (session,))
        if others and carbons.is_eligible(message, is_received=False):
            named = session[SENT]
            if named is not None and named.message is message:
                message = stanzaid.stamped(message, named.id, session.jid.bare)
            self._copy(message, carbons.Sent, others)

    def _received(self, message: Message, owner: JID, targets: Sequence[Session]) -> None:
        """To those clients of who receives it that it does not reach anyway (§7)."""
        others = self._others(owner, targets)
        if not others or not carbons.is_eligible(message, is_received=True):
            return
        if delay.without_forged(message, self._ours) is not message:
            return  # it has waited here for a client in vain, and was copied when it came
        sender = message.sender
        if sender is not None and sender.bare == owner:
            others = [session for session in others if session.jid != sender]
            self._copy(message, carbons.Sent, others)
        else:
            self._copy(message, carbons.Received, [s for s in others if lets_in(s, message)])

    def _others(self, owner: JID, besides: Collection[Session]) -> list[Session]:
        """The account's sessions that want copies and are none of these."""
        sessions = self.host.sessions.of(owner).values()
        return [s for s in sessions if s[ENABLED] and s not in besides]

    def _copy(
        self,
        message: Message,
        kind: type[carbons.Sent] | type[carbons.Received],
        sessions: Sequence[Session],
    ) -> None:
        for session in sessions:
            session.send(carbons.wrap(message, kind, session.jid))
        self._copies.value += len(sessions)
