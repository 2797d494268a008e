"""One Jingle session: what may be said when, and what the other side said (XEP-0166)."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import jingle
from ...errors import ClientError
from ...transfer import TransferFailed, TransferRefused

if TYPE_CHECKING:
    from ...entity import Entity

ANSWERING = 600.0  # seconds for a person to decide
STEP = 40.0  # seconds for the other side's next step, in which it may try to connect
MOST_STEPS = 50  # that were heard and are not looked at yet


class State(Enum):
    """How far it is (§5)."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


#: (state, action that the other side takes) -> whose it is: ours as initiator, responder, or both
HEARD: dict[tuple[State, str], tuple[bool, ...]] = {
    (State.PENDING, "session-accept"): (True,),
    (State.PENDING, "transport-info"): (True, False),
    (State.PENDING, "session-info"): (True, False),
    (State.PENDING, "session-terminate"): (True, False),
    (State.ACTIVE, "transport-info"): (True, False),
    (State.ACTIVE, "transport-replace"): (False,),
    (State.ACTIVE, "transport-accept"): (True,),
    (State.ACTIVE, "transport-reject"): (True,),
    (State.ACTIVE, "session-info"): (True, False),
    (State.ACTIVE, "session-terminate"): (True, False),
}
KNOWN = {action for _, action in HEARD}


class Session:
    """A session for one file."""

    def __init__(
        self, client: Entity, peer: JID, sid: str, content: str, *, is_initiator: bool
    ) -> None:
        self.client, self.peer, self.sid, self.content = client, peer, sid, content
        self.is_initiator = is_initiator
        self.state = State.PENDING
        self.checksum: jingle.Checksum | None = None
        self.reason: jingle.Reason | None = None  # with which the other side ended it
        self._steps: asyncio.Queue[jingle.Jingle] = asyncio.Queue(MOST_STEPS)

    # --- saying ----------------------------------------------------------------------

    async def say(
        self,
        action: jingle.Action,
        transport: jingle.Socks5 | jingle.Ibb | None = None,
        description: jingle.Description | None = None,
        reason: jingle.Reason | None = None,
    ) -> None:
        """Take a step. Raises `StanzaError` if it is not taken well."""
        contents: tuple[jingle.Content, ...] = ()
        if transport is not None:
            senders: Any = "initiator"
            contents = (
                jingle.Content(
                    self.content, senders=senders, description=description, transport=transport
                ),
            )
        own = self.client.jid
        step = jingle.Jingle(
            action,
            self.sid,
            initiator=(own if self.is_initiator else self.peer) if contents else None,
            responder=own if action == "session-accept" else None,
            contents=contents,
            reason=reason,
        )
        await self.client.request(step, self.peer, type="set")

    async def accept(
        self, transport: jingle.Socks5 | jingle.Ibb, description: jingle.Description
    ) -> None:
        """Take what is offered."""
        self.check()
        self.state = State.ACTIVE
        await self.say("session-accept", transport, description)

    async def end(self, reason: jingle.Reason) -> None:
        """End it, if it has not ended; whether the other side hears it or not."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        try:
            await self.say("session-terminate", reason=reason)
        except (StanzaError, TimeoutError, ClientError):
            return  # it is gone, or knows of no session: then it is over, too

    # --- hearing ---------------------------------------------------------------------

    def hear(self, step: jingle.Jingle) -> None:
        """Take a step of the other side's. Raises `StanzaError` for one that may not be."""
        if step.action not in KNOWN:
            raise StanzaError("feature-not-implemented", "one file in one session")
        if self.is_initiator not in HEARD.get((self.state, step.action), ()):
            raise jingle.out_of_order()
        if isinstance(step.info, jingle.Checksum):
            self.checksum = step.info
        if step.action == "session-terminate":
            self.state, self.reason = State.ENDED, step.reason or jingle.Reason()
        elif self._steps.full():
            raise StanzaError("resource-constraint", "too many steps at once")
        elif step.action == "session-accept":
            self.state = State.ACTIVE
        if not self._steps.full():
            self._steps.put_nowait(step)

    async def next(self, *actions: str, within: float = STEP) -> jingle.Jingle:
        """The other side's next step of these. Raises `TransferFailed` if it ends instead."""
        try:
            async with asyncio.timeout(within):
                while True:
                    if self._steps.empty():
                        self.check()
                    step = await self._steps.get()
                    if step.action in actions:
                        return step
        except TimeoutError:
            raise TransferFailed("the other side says nothing any more") from None

    def check_reason(self) -> None:
        """Raises `TransferRefused` if the other side has ended it."""
        if self.reason is not None:
            raise TransferRefused(f"the other side has ended it: {self.reason.name}")

    def check(self) -> None:
        """Is it still going on? Raises `TransferFailed`."""
        self.check_reason()
        if self.state is State.ENDED:
            raise TransferFailed("it has ended")

    def lose(self) -> None:
        """The streams below are gone, and so is everything else."""
        if self.state is not State.ENDED:
            self.state = State.ENDED
            self.reason = jingle.Reason(gone=True)
            if not self._steps.full():
                self._steps.put_nowait(jingle.Jingle("session-terminate", self.sid))
