"""Keeps a session alive: logs in, resumes what broke, and says what became of it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from ..core.ack import Acks
from ..core.errors import StanzaError, StreamError
from ..core.frozen import frozen
from ..core.jid import JID
from ..core.negotiate import FEATURES
from ..core.payload import decode
from ..core.stanza import Message, Stanza, read
from ..core.xml import Element
from ..kit.clock import Clock
from ..wire import acks as wire
from .errors import AuthenticationFailed, ResumeUnanswered, SessionClosed
from .inbox import Inbox
from .link import Link
from .login import Resumable, Session
from .outbox import Outbox, Outgoing
from .requests import Requests
from .state import Closed, Online, Reset, Suspended
from .taken import Ledger, current
from .watch import Watch

log = logging.getLogger(__name__)

CONNECTING = 60.0  # seconds that reaching a server and logging in may take together
GRACE = 5.0  # seconds that the server has to say goodbye

#: Ends of a stream that say: not again. Two clients that bind the same resource would go on
#: throwing each other out (RFC 6120 §4.9.3.3).
LASTING = ("conflict", "not-authorized", "policy-violation", "host-gone", "host-unknown")

#: What may be otherwise the next time: in reaching the server, and in what features begin with.
RETRIED = (OSError, TimeoutError, StreamError, AuthenticationFailed, StanzaError)


@frozen
class Backoff:
    """How long to wait between attempts, in seconds: twice as long each time, and by chance.

    `attempts`: then the client gives up; None is never.
    """

    first: float = 1.0
    most: float = 60.0
    attempts: int | None = None

    def delay(self, failed: int, chance: random.Random) -> float:
        """The wait after so many failures in a row: servers that come back are not stormed."""
        return min(self.most, self.first * 2.0 ** min(failed, 16)) * chance.uniform(0.5, 1.0)


Entered = tuple[Session, Link]


class Owner(Protocol):
    """Whose session is kept."""

    jid: JID
    clock: Clock

    async def log_in(self, old: Resumable | None) -> Entered:
        """Reach the server, and be let in."""

    async def receive(self, stanza: Stanza) -> None:
        """Take a stanza from the server, to the end."""

    async def settle(self) -> None:
        """A new session has begun: make it what it is to be."""

    async def tell(self, event: object) -> None:
        """Tell who wants to know."""


class Keeper:
    """The connection of one client, and the session that outlives it."""

    def __init__(
        self,
        owner: Owner,
        inbox: Inbox,
        backoff: Backoff,
        chance: random.Random,
        patience: float | None,
    ) -> None:
        self.owner, self._inbox = owner, inbox
        self._watch = Watch(owner.clock, patience, self._give_up_on)
        self.outbox = Outbox(self._wake, self._watch.asked, self._watch.answered)
        self.requests = Requests()
        self.session: Session | None = None
        self.is_online = False
        self.closed: Closed | None = None
        self._backoff, self._chance = backoff, chance
        self._link: Link | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._is_closing = False
        self._lost: list[Message] = []  # and nobody was told of it yet
        self._ledger: Ledger | None = None  # of what comes in this session, if we answer for it
        self._again = 0  # stanzas that are here, and come again with what was not answered for

    # --- beginning and end -----------------------------------------------------------

    async def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Log in for the first time; raises what stands in the way."""
        session, link = await self._log_in(None)
        await self._start(session, link)
        if not await self._settle(link):
            end = await link.ended()
            raise end.cause or end
        self._keeping = tasks.create_task(self._keep())

    async def close(self, *, is_done: bool = True) -> None:
        """End the session in good order, so that the server forgets it at once.

        It keeps what the program is not done with, unless that `is_done` all the same.
        What was sent before is sent, and answered for where the server does so. Who is cancelled
        meanwhile has ended it all the same, though less politely.
        """
        self._is_closing = True
        try:
            if self._link is not None and self.is_online:
                if is_done and self._ledger is not None:
                    self._ledger.claim()
                await self._say_goodbye(self._link)
        finally:
            if self._keeping is not None:
                self._keeping.cancel()
                await asyncio.wait([self._keeping])
            if self._link is not None:
                self._link.abort()
                await self._link.ended()
            await self._over(None)

    async def _say_goodbye(self, link: Link) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await first_of(self.outbox.emptied(), link.ended())
                self.outbox.answer()  # else the server would keep what it does not know to be here
                link.close()
                await link.ended()

    async def _over(self, cause: Exception | None) -> None:
        self._watch.end()
        if self.closed is None:
            self.is_online = False
            self.requests.reset()
            lost = [*self._lost, *self.outbox.reset(None, with_acks=False)]
            self.closed = Closed(cause, tuple(lost))
            await self.owner.tell(self.closed)

    # --- connecting ------------------------------------------------------------------

    async def _log_in(self, old: Resumable | None) -> Entered:
        async with asyncio.timeout(CONNECTING):
            return await self.owner.log_in(old)

    async def _start(self, session: Session, link: Link) -> None:
        """Let the stanzas of a new session flow on `link`."""
        self.session = session
        self.owner.jid = session.jid
        acks: Acks[Outgoing] | None = Acks() if session.enabled is not None else None
        self.outbox.acks = acks
        self._ledger = Ledger(acks, self.outbox.answer) if acks is not None else None
        self._again = 0
        await self._flow(link)

    async def _flow(self, link: Link) -> None:
        self._link = link
        self._watch.begin(link)
        self.is_online = True
        await link.deliver(self._receive, self.outbox.fill)

    async def _settle(self, link: Link) -> bool:
        """Make the new session what it is to be; False if the connection breaks meanwhile."""
        if not await first_of(self.owner.settle(), link.ended()):
            return False
        await self.owner.tell(Online(self.owner.jid))
        return True

    async def _keep(self) -> None:
        """Go on for as long as it is of use."""
        while self._link is not None:
            end = await self._link.ended()
            self.is_online = False
            self._watch.end()
            cause: Exception = end.cause or end
            if self._is_closing or self._is_lasting(cause):
                return await self._over(None if self._is_closing else cause)
            await self.owner.tell(Suspended(cause))
            try:
                await self._come_back()
            except Exception as error:
                log.info("giving up: %s: %s", self.owner.jid.bare, error)
                return await self._over(error)
        return None

    async def _come_back(self) -> None:
        """Connect again, however often it takes. Raises what makes that useless."""
        failed = 0
        while True:
            await self.owner.clock.sleep(self._backoff.delay(failed, self._chance))
            try:
                old = self._resumable()
                self._again = len(self._ledger or ())
                return await self._go_on(*await self._log_in(old))
            except RETRIED as error:
                failed += 1
                if isinstance(error, ResumeUnanswered) and self.session is not None:
                    # COMPAT: Prosody's mod_smacks, which fails to resume over BOSH
                    self.session = replace(self.session, enabled=None)
                if self._is_hopeless(error) or failed == self._backoff.attempts:
                    raise
                log.info("no connection yet: %s: %s", self.owner.jid.bare, error)

    async def _go_on(self, session: Session, link: Link) -> None:
        if session.resumed is not None:
            try:
                self.outbox.resume(session.resumed.h)
                await self._flow(link)
            except StreamError:  # they count otherwise than we do: it is not the same session
                await self._let_go(self.session or session, link)
                raise
            await self.owner.tell(Online(self.owner.jid, is_resumed=True))
            return
        h = session.failed.h if session.failed is not None else None
        self.requests.reset()
        self._lost += self.outbox.reset(h, with_acks=session.enabled is not None)
        try:
            await self._start(session, link)
            if not await self._settle(link):
                end = await link.ended()
                raise end.cause or end
        except RETRIED:
            await self._let_go(session, link)
            raise
        lost, self._lost = self._lost, []
        await self.owner.tell(Reset(tuple(lost)))

    async def _let_go(self, session: Session, link: Link) -> None:
        """What has not begun is no session to come back to: features know nothing of it."""
        self.is_online = False
        self.session = replace(session, enabled=None)
        link.abort()
        await link.ended()

    def _resumable(self) -> Resumable | None:
        session, acks = self.session, self.outbox.acks
        enabled = session.enabled if session is not None else None
        if acks is None or enabled is None or not enabled.resume or not enabled.id:
            return None
        return Resumable(enabled.id, acks.handled)

    def _is_lasting(self, cause: Exception) -> bool:
        return isinstance(cause, StreamError) and cause.condition in LASTING

    def _is_hopeless(self, error: Exception) -> bool:
        match error:
            case AuthenticationFailed():
                return error.is_final
            case StreamError():
                return self._is_lasting(error)
            case StanzaError():
                return error.type != "wait"
        return False

    # --- traffic ---------------------------------------------------------------------

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    def break_off(self) -> None:
        """The connection is of no use any more, though nobody has said so: make another one."""
        if self._link is not None and self.is_online:
            self._link.abort()

    def _give_up_on(self, link: Link, why: str) -> None:
        log.info("%s: %s", why, self.owner.jid.bare)
        link.abort(why)

    def check(self) -> None:
        """Raises `SessionClosed` when nothing will be sent any more."""
        if self.closed is not None:
            raise SessionClosed("the client is closed") from self.closed.cause

    async def _receive(self, element: Element) -> None:
        if element.name.ns == wire.NS:
            self._count(element)
            return
        if element.name == FEATURES and self.session is not None:
            # what follows an authentication that has bound a resource (XEP-0388 §2.6.1)
            self.session = replace(self.session, features=element)
            return
        stanza: Stanza | None = None
        try:
            stanza = read(element)
        except StanzaError as error:
            log.debug("a stanza from nowhere: %s", error)
        except StreamError as error:  # not ours to end a stream for what we need not know
            log.debug("not understood: %s", error)
            return
        if self._again:
            self._again -= 1
            return
        self._watch.is_busy = True
        try:
            await self._take(stanza)
        finally:
            self._watch.is_busy = False

    async def _take(self, stanza: Stanza | None) -> None:
        """Hand a stanza over; it is handled when all who are told of it are done."""
        taken = self._inbox.taken(stanza, self._ledger)
        if stanza is not None:
            current.set(taken)
            try:
                await self.owner.receive(stanza)
            except StanzaError as error:  # what a stranger may have written ends nothing
                log.debug("not understood: %s", error)
            finally:
                current.set(None)
        taken.release()
        if self._inbox.is_full:
            await self._inbox.room()

    def _count(self, element: Element) -> None:
        """Raises `StreamError` for an answer that cannot be."""
        try:
            match element.name.tag:
                case "r":
                    if self._ledger is not None:
                        self._ledger.asked()
                case "a":
                    self.outbox.acknowledged(decode(wire.Ack, element).h)
        except StanzaError as error:
            raise StreamError("bad-format", error.text) from None


async def first_of(work: Coroutine[Any, Any, None], end: Coroutine[Any, Any, Any]) -> bool:
    """Do `work`, unless `end` comes before; whether it is done. Raises what it raises."""
    working, ending = asyncio.ensure_future(work), asyncio.ensure_future(end)
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        working.result()
        return True
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.wait((working, ending))
