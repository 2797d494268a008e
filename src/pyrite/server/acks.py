"""What a session and its client have acknowledged to each other (XEP-0198 §4).

The session keeps what it has sent until the client answers for it. It asks with what it sends
anyway: at once when it has not asked for a while, else after so many stanzas, and never again
before it is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from ..core.ack import MODULUS, Acks, WrongCountError
from ..core.errors import StanzaError
from ..core.payload import decode, encode, name_of
from ..core.stanza import Stanza
from ..core.xml import Element
from ..wire import acks as wire
from .session import Nonza

if TYPE_CHECKING:
    from ..kit.clock import Timer
    from .session import Session

WAIT = 30.0  # seconds that who gives a client much waits for it to acknowledge any of it

#: Seconds that an answer waits for the disk: mostly that has all within some milliseconds, and
#: one answer says it. It "MUST NOT be withheld for any condition other than a timeout" (§4).
PATIENCE = 0.25

ASK = encode(wire.Ask())
ACKED, ASKED = name_of(wire.Ack), name_of(wire.Ask)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one session, from its beginning to its end."""

    keep: float  # seconds for which it waits for its client after a break; 0: it does not
    ask_every: int  # stanzas
    ask_after: float  # seconds


class SessionAcks:
    """Of one session whose client has enabled it, however many streams it has had since."""

    __slots__ = (
        *("_asked_at", "_base", "_came", "_clock", "_counts", "_has_nonzas", "_is_asked"),
        *("_due", "_impatient", "_is_open", "_is_silent", "_roomy", "_session", "_unpaid"),
        *("id", "is_paused", "octets", "terms", "unacknowledged"),
    )

    def __init__(self, session: Session, id: str, terms: Terms, *, is_queued: bool) -> None:
        """The client's stanzas count from now on, ours from ``<enabled/>`` on.

        That is queued when `is_queued`, and written already if not.
        """
        self.id, self.terms = id, terms
        self.is_paused = False  # there is no connection
        self._session, self._clock = session, session.host.clock
        self._base = session.handled
        self._counts: Acks[tuple[Stanza, float]] = Acks()  # with the moment at which it came
        self.unacknowledged = self._counts.unacknowledged
        self.octets = 0  # of these
        self._came: list[float] = []  # the moments of what has been in the queue for a while
        self._is_open = not is_queued
        self._has_nonzas = False  # in the queue
        self._is_asked = False
        self._asked_at = float("-inf")
        self._unpaid = 0  # our count when the client asked; it is told when all is paid
        self._due: float | None = None  # when it is told how far we are if it is not
        self._impatient: Timer | None = None  # what looks whether that is so
        self._roomy: asyncio.Future[None] | None = None  # what `more` waits on
        self._is_silent = False  # the client was waited for in vain

    # --- of the client's stanzas -----------------------------------------------------

    @property
    def handled(self) -> int:
        """Our `h`: the client's stanzas that have left nothing behind that is not kept."""
        session = self._session
        settled = session.debts.settled if session.debts else session.handled
        return max(0, settled - self._base) % MODULUS  # what came before may be owed for still

    def tell(self) -> None:
        """Say how far we are: when all that came until now is kept, or in a moment (§4).

        In the latter case, when all is kept, once more.
        """
        session = self._session
        if not session.debts:
            session.say(encode(wire.Ack(self.handled)))
            return
        self._unpaid = session.handled
        session.debts.on_paid = self._paid
        if self._due is None:
            self._due = self._clock.monotonic() + PATIENCE
        if self._impatient is None:
            self._impatient = self._clock.call_later(PATIENCE, self._tell_late)

    def _paid(self) -> None:
        session = self._session
        if session.debts is not None and session.debts.settled >= self._unpaid:
            session.debts.on_paid = None
            self._due = None  # the timer stays for the next question: to make one takes longer
            if not self.is_paused:
                session.say(encode(wire.Ack(self.handled)))

    def _tell_late(self) -> None:
        self._impatient = None
        if self._due is None:
            return
        left = self._due - self._clock.monotonic()
        if left > 0:  # that was another question
            self._impatient = self._clock.call_later(left, self._tell_late)
            return
        self._due = None
        self._session.say(encode(wire.Ack(self.handled)))

    def _no_longer_impatient(self) -> None:
        self._due = None
        if self._impatient is not None:
            self._impatient.cancel()
            self._impatient = None

    # --- of ours ---------------------------------------------------------------------

    def said(self) -> None:
        """Something that is no stanza was queued."""
        self._has_nonzas = True

    def written(self, taken: list[Stanza | Nonza], octets: int) -> list[Stanza | Nonza]:
        """Count what is written now; gives it, with a question behind it when it is time.

        `octets` is what all of it has.
        """
        stanzas: Sequence[Stanza | Nonza] = taken
        if self._has_nonzas:
            stanzas = self._counted(taken)
            octets = sum(len(stanza.write()) for stanza in stanzas)
        now = self._clock.monotonic()
        since = now if self._came else self._session.queue_since
        sent = zip(stanzas, chain(self._came, repeat(since)), strict=False)
        self._counts.send(list(sent))  # type: ignore[arg-type]
        self._came = []
        self.octets += octets
        if self._is_asked or not self._is_time(now):
            return taken
        self._asked(now)
        return [*taken, Nonza(ASK)]

    def _counted(self, taken: Sequence[Stanza | Nonza]) -> list[Stanza | Nonza]:
        """The stanzas in `taken`, of the first time those behind ``<enabled/>``."""
        self._has_nonzas = False
        if not self._is_open:
            self._is_open = True
            first = next(n for n, each in enumerate(taken) if each.__class__ is Nonza)
            self._session.has(taken[:first])
            taken = taken[first:]
        return [each for each in taken if each.__class__ is not Nonza]

    def _is_time(self, now: float) -> bool:
        count, terms = len(self.unacknowledged), self.terms
        return count > 0 and (count >= terms.ask_every or now - self._asked_at >= terms.ask_after)

    def _asked(self, now: float) -> None:
        self._is_asked, self._asked_at = True, now

    def ask(self) -> None:
        """Ask the client what it has handled, whether or not it was asked before."""
        self._asked(self._clock.monotonic())
        self._session.say(ASK)

    def sweep(self) -> None:
        """Ask for what was written since the last question, if that was a while ago."""
        if not self._is_asked and self._is_time(self._clock.monotonic()):
            self.ask()

    def acknowledge(self, h: int) -> None:
        """The client answers for what it was sent, up to `h`.

        Raises `StreamError` where that cannot be (§6).
        """
        try:
            done = self._counts.acknowledge(h)
        except WrongCountError as error:
            raise wire.stream_error(error) from None
        self._is_asked = False
        if done:
            self.octets -= sum([len(stanza.write()) for stanza, _ in done])
            self._session.has(stanza for stanza, _ in done)
            self._is_silent = False
            self._tell_roomy()

    async def more(self) -> bool:
        """Wait until the client has acknowledged more; whether it has.

        When it has not for WAIT seconds, it is waited for no more until it does.
        """
        if self.is_paused or self._is_silent:
            return False
        if not self._is_asked:
            self.ask()
        before = self._counts.acknowledged
        if self._roomy is None:
            self._roomy = asyncio.get_running_loop().create_future()
        timer = self._clock.call_later(WAIT, self._give_up)
        try:
            await self._session.hear(self._roomy)
        finally:
            timer.cancel()
        return self._counts.acknowledged != before

    def _give_up(self) -> None:
        self._is_silent = True
        self._tell_roomy()

    def _tell_roomy(self) -> None:
        if self._roomy is not None:
            self._roomy.set_result(None)
            self._roomy = None

    def overhear(self, element: Element) -> bool:
        """Take what the client says out of its turn, if `more` may wait for it.

        Gives whether that is all to be done with it. A question is answered at once, as it has
        to be (§4), and in its turn again, when what came before it is handled.
        Raises `StreamError` as `acknowledge` does.
        """
        if element.name == ASKED:
            self.tell()
        elif element.name == ACKED:
            try:
                self.acknowledge(decode(wire.Ack, element).h)
            except StanzaError:
                return False  # in its turn it ends the stream
            return True
        return False

    # --- breaks, and the end ---------------------------------------------------------

    def pause(self) -> None:
        """The connection is gone. What it alone was to be told goes with it."""
        session = self._session
        session.queue = [each for each in session.queue if each.__class__ is not Nonza]
        session.queued_octets = sum(len(each.write()) for each in session.queue)
        self._no_longer_impatient()
        self._came += [session.queue_since] * (len(session.queue) - len(self._came))
        self.is_paused, self._is_open = True, True
        self._has_nonzas = self._is_asked = False
        self._tell_roomy()

    def note(self) -> None:
        """Remember when what is in the queue came: it may be there for a while."""
        more = len(self._session.queue) - len(self._came)
        self._came += [self._clock.monotonic()] * more

    def rewind(self, h: int) -> None:
        """The client got what it was sent up to `h`: the rest comes first in the queue (§5).

        Raises `StreamError` as `acknowledge` does, and then nothing has changed.
        """
        self.acknowledge(h)
        again, session = self._counts.rewind(), self._session
        session.queue = [*(stanza for stanza, _ in again), *session.queue]
        if again:
            session.queue_since = again[0][1]
        session.queued_octets += self.octets
        self.octets = 0
        self._came = [*(moment for _, moment in again), *self._came]

    def resume(self) -> None:
        """There is a connection again."""
        self.is_paused = self._is_silent = False
        self._asked_at = float("-inf")

    def under_way(self, queue: Sequence[Stanza | Nonza]) -> list[tuple[Stanza, float]]:
        """All that the client has not acknowledged, oldest first, and when each came."""
        stanzas = (each for each in queue if not isinstance(each, Nonza))
        since = self._clock.monotonic() if self._came else self._session.queue_since
        queued = zip(stanzas, chain(self._came, repeat(since)), strict=False)
        return [*self.unacknowledged, *queued]

    def leavings(self, queue: Sequence[Stanza | Nonza]) -> list[tuple[Stanza, float]]:
        """The same; from now on it is nobody's."""
        self._tell_roomy()
        left = self.under_way(queue)
        self._no_longer_impatient()
        self._counts.rewind()
        self._came, self.octets = [], 0
        return left
