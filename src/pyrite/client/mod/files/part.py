"""One file of a session: what is said of it, and what the other side said (XEP-0166 §7.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ....core.errors import StanzaError
from ....kit.clock import Timer
from ....wire import jingle
from ...transfer import TransferFailed, TransferRefused

if TYPE_CHECKING:
    from .session import Session

STEP = 40.0  # seconds for the other side's next step, in which it may try to connect
LAST_WORDS = 2.0  # seconds for the reason of what has ended already
ARRIVING = 300.0  # seconds for what was sent to arrive, over a slow connection
MOST_STEPS = 50  # of one file that were heard and are not looked at yet

Transport = jingle.Socks5 | jingle.Ibb


class State(Enum):
    """How far it is (§5)."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


#: action -> states of the content that it is about
ABOUT: dict[str, tuple[State, ...]] = {
    "session-accept": (State.PENDING,),
    "content-accept": (State.PENDING,),
    "content-reject": (State.PENDING,),
    "content-remove": (State.PENDING, State.ACTIVE),
    "transport-info": (State.PENDING, State.ACTIVE),
    "transport-replace": (State.ACTIVE,),
    "transport-accept": (State.ACTIVE,),
    "transport-reject": (State.ACTIVE,),
}
ANSWERS = ("session-accept", "content-accept", "content-reject")  # to what the other one added


class Step(NamedTuple):
    """What the other side says of one file."""

    action: str
    content: jingle.Content


class Part:
    """One file of a session: a content (§7.3)."""

    def __init__(
        self, session: Session, name: str, creator: jingle.Role, senders: jingle.Role
    ) -> None:
        self.session, self.name, self.creator, self.senders = session, name, creator, senders
        self.client, self.peer = session.client, session.peer
        self.is_initiator = session.is_initiator
        self._state = State.PENDING
        self.deadline: Timer | None = None  # until when somebody here has to decide
        self.checksum: jingle.Checksum | None = None
        self.is_received = False  # the other side has all of it, and says so
        self.reason: jingle.Reason | None = None  # with which the other side ended it
        self._steps: asyncio.Queue[Step | None] = asyncio.Queue(MOST_STEPS)
        self._limit: asyncio.Timeout | None = None

    @property
    def state(self) -> State:
        """How far it is."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    @property
    def is_ours(self) -> bool:
        """Whether we have added it to the session."""
        return self.creator == self.session.role

    @property
    def is_sent(self) -> bool:
        """Whether the file goes from us to the other side."""
        return self.senders == self.session.role

    # --- saying ----------------------------------------------------------------------

    def content(
        self, transport: Transport | None = None, about: jingle.File | None = None
    ) -> jingle.Content:
        """What is said of it."""
        return jingle.Content(
            self.name,
            self.creator,
            self.senders,
            description=jingle.Description(about) if about is not None else None,
            transport=transport,
        )

    async def say(self, action: jingle.Action, transport: Transport) -> None:
        """Take a step. Raises `StanzaError` if it is not taken well."""
        await self.session.say(action, self.content(transport))

    async def accept(self, transport: Transport, about: jingle.File) -> None:
        """Take what the other side has added; with the first of them, the session (§7.2)."""
        self.check_pending()
        self.state = State.ACTIVE
        first = self.session.state is State.PENDING and not self.is_initiator
        if first:
            self.session.state = State.ACTIVE
        action: jingle.Action = "session-accept" if first else "content-accept"
        await self.session.say(action, self.content(transport, about))

    async def end(self, reason: jingle.Reason) -> None:
        """It is over, and with the last one the session; if the other side hears it or not."""
        if self.state is State.ENDED:
            return None
        was_pending, self.state = self.state is State.PENDING, State.ENDED
        if not self.session.has_others:
            return await self.session.end(reason)
        if reason.success:
            told = jingle.Received(self.name, self.creator)
            return await self.session.try_to_say("session-info", info=told)
        is_answer = was_pending and not self.is_ours
        action: jingle.Action = "content-reject" if is_answer else "content-remove"
        return await self.session.try_to_say(action, self.content(), reason=reason)

    # --- hearing ---------------------------------------------------------------------

    def check_step(self, action: str) -> None:
        """May it be taken? Raises `StanzaError`."""
        if self.state not in ABOUT[action] or (action in ANSWERS and not self.is_ours):
            raise jingle.out_of_order()
        if self._steps.full():
            raise StanzaError("resource-constraint", "too many steps at once")

    def hear(self, step: Step, reason: jingle.Reason | None) -> None:
        """Take a step of the other side's that was checked."""
        match step.action:
            case "session-accept" | "content-accept":
                self.state = State.ACTIVE
            case "content-reject" | "content-remove":
                is_refusal = step.action == "content-reject"
                return self.ended(
                    reason or jingle.Reason(decline=is_refusal, cancel=not is_refusal)
                )
        return self._steps.put_nowait(step)

    def received(self) -> None:
        """The other side has all of it."""
        self.is_received = True
        self._wake()

    def told(self, checksum: jingle.Checksum) -> None:
        """The other side says what its hash is (XEP-0234 §8.1)."""
        self.checksum = checksum
        self._wake()

    def ended(self, reason: jingle.Reason) -> None:
        """The other side has ended it: what goes on is broken off, unless all is well."""
        if self.state is State.ENDED:
            return
        self.state, self.reason = State.ENDED, reason
        self._wake()
        if self._limit is not None and not reason.success:
            self._limit.reschedule(asyncio.get_running_loop().time())

    def _wake(self) -> None:
        if not self._steps.full():
            self._steps.put_nowait(None)

    # --- waiting ---------------------------------------------------------------------

    async def next(self, *actions: str, within: float = STEP) -> Step:
        """The other side's next step of these. Raises `TransferFailed` if it ends instead."""
        async with self._patience(within):
            while True:
                if self._steps.empty():
                    self.check()
                step = await self._steps.get()
                if step is not None and step.action in actions:
                    return step
        raise AssertionError  # pragma: no cover (left by the loop alone)

    async def next_checksum(self) -> jingle.Checksum:
        """The hash that was promised. Raises `TransferFailed`."""
        async with self._patience(STEP):
            while self.checksum is None:
                self.check()
                await self._steps.get()
        return self.checksum

    async def arrived(self) -> None:
        """Wait until the other side has it whole, and says so. Raises `TransferFailed`."""
        async with self._patience(ARRIVING):
            while not self.is_received and self.state is not State.ENDED:
                await self._steps.get()
        if not self.is_received and (self.reason is None or not self.reason.success):
            self.check()
        self.state = State.ENDED
        if not self.session.has_others:
            await self.session.end(jingle.Reason(success=True))

    async def last_words(self) -> None:
        """Wait a moment for the other side to end it."""
        with suppress(TransferFailed):
            async with self._patience(LAST_WORDS):
                while self.state is not State.ENDED:
                    await self._steps.get()

    @asynccontextmanager
    async def _patience(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise TransferFailed("the other side says nothing any more") from None

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """While octets flow: broken off with `TimeoutError` when the other side ends it."""
        self.check()
        try:
            async with asyncio.timeout(None) as self._limit:
                yield
        finally:
            self._limit = None

    def check_reason(self) -> None:
        """Raises `TransferRefused` if the other side has ended it."""
        if self.reason is not None:
            name = self.reason.name
            special = {
                "file-not-available": self.reason.file_not_available,
                "file-too-large": self.reason.file_too_large,
            }
            names = [name, *(one for one, is_so in special.items() if is_so)]
            raise TransferRefused(f"the other side has ended it: {', '.join(names)}", names[-1])

    def check(self) -> None:
        """Is it still going on? Raises `TransferFailed`."""
        self.check_reason()
        if self.state is State.ENDED:
            raise TransferFailed("it has ended")

    def check_pending(self) -> None:
        """Is it still to be decided? Raises `TransferFailed`."""
        self.check()
        if self.state is not State.PENDING:
            raise TransferFailed("it was answered already")
