"""A room that this client is in: what it says there, what it hears, and how it stays."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID
from ....core.stanza import Message, Presence, Stanza
from ....wire import disco, muc
from ....wire.dataforms import Value
from ....wire.ping import Ping
from ...errors import SessionClosed, SessionReset
from ...heard import BUFFERED, Heard
from .admin import Administered
from .events import (
    Destroyed,
    Failed,
    Left,
    Returned,
    RoomEvent,
    ShutDown,
    ShutOut,
    is_final,
)
from .speaking import Speaking
from .view import View

if TYPE_CHECKING:
    from ...entity import Entity

QUIET = 900.0  # seconds without a word, after which we ask whether we are still in (XEP-0410 §4)
ASKING = 5.0  # seconds that the room has to say what it can do
ASKED = 2  # times
LEAVING = 5.0  # seconds that the room has to see us off
WAITS = (0.0, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 300.0)  # seconds before each try to come back


@frozen
class Wishes:
    """How to come in."""

    nick: str
    password: str | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)  # of a room that we make
    may_create: bool = True


class Room(View, Speaking, Administered):
    """One room, within the block of `Muc.join`. It stays what it is when the session is lost:
    the client comes in again by itself, and tells `Returned`."""

    def __init__(self, client: Entity, jid: JID, wishes: Wishes) -> None:
        View.__init__(self, jid, wishes.nick)
        Speaking.__init__(self, client, jid, wishes.password)
        self.is_over = False
        self._wishes = wishes
        self._entering: asyncio.Future[None] | None = None
        self._renaming: asyncio.Future[None] | None = None
        self._left = asyncio.Event()
        self._lost = asyncio.Event()
        self._over = asyncio.Event()
        self._is_quiet = True
        self._last: datetime | None = None  # when we last heard of the room
        self._hearing: list[Heard[RoomEvent]] = []
        self._early: deque[RoomEvent] | None = deque(maxlen=BUFFERED)

    # --- what the program does -------------------------------------------------------

    def events(self) -> Heard[RoomEvent]:
        """What happens from now on; the first who asks is told what came since we are in.

        It ends when we are out for good.
        """
        heard: Heard[RoomEvent] = Heard(self._forget)
        self._hearing.append(heard)
        early, self._early = self._early or (), None
        for event in early:
            heard.give(event)
        if self.is_over:
            heard.end()
        return heard

    async def rename(self, nick: str) -> None:
        """Take another nick (§7.6). Raises `StanzaError`, ``conflict`` if somebody has it."""
        self._renaming = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self.client.timeout):
                await self.client.send_presence(self._present(nick))
                await self._renaming
        finally:
            self._renaming = None

    # --- coming and going ------------------------------------------------------------

    async def enter(self, history: muc.History | None) -> None:
        """Ask to be let in, and wait. Raises `StanzaError` as the room says, `TimeoutError`."""
        self.forget()
        self.features = await self._features()
        nick, entering = self.nick, asyncio.get_running_loop().create_future()
        self._entering = entering
        join = muc.Join(self._wishes.password, history)
        try:
            async with asyncio.timeout(self.client.timeout):
                await self.client.send_presence(self._present(nick).add(join))
                await entering
        finally:
            self._entering = None
        if self.is_new:
            await self._unlock()

    async def _unlock(self) -> None:
        """Settle a room that we have made: nobody else can come before (§10.1). It goes where it
        cannot be settled, or is not to be."""
        try:
            if not self._wishes.may_create:
                raise StanzaError("item-not-found", "there is no such room")
            settings = self._wishes.settings
            await (self.configure(**settings) if settings else self.accept_settings())
            self.know(await self._features())
        except StanzaError:
            with suppress(StanzaError):
                await self.refuse_settings()
            raise

    async def leave(self) -> None:
        """Go. The room has a little time to say that we are out."""
        self.is_over = True
        try:
            if self.me is not None:
                away = Presence("unavailable", self.jid.at(self.nick))
                await self.client.send_presence(away)
                async with asyncio.timeout(LEAVING):
                    await self._left.wait()
        except (TimeoutError, SessionClosed):
            pass
        finally:
            self.end()

    async def over(self) -> None:
        """Return when we are out of it for good."""
        await self._over.wait()

    def end(self) -> None:
        """Nothing is heard of it any more."""
        self.is_over = True
        self._over.set()
        self._left.set()
        for heard in self._hearing:
            heard.end()

    def lose(self) -> None:
        """The session in which we came is gone."""
        self._lost.set()
        self._left.set()
        self._fail(SessionReset("the session was lost before the room had answered"))

    def _present(self, nick: str) -> Presence:
        """What we say of ourselves to everybody, said here."""
        own = self.client.presence
        payloads = own.payloads if own is not None and own.type is None else ()
        return Presence(None, self.jid.at(nick), payloads=payloads)

    async def follow(self, presence: Presence) -> None:
        """Say here, too, what is said to everybody (§7.7)."""
        if self.me is not None:
            await self.client.send_presence(presence.routed(to=self.jid.at(self.nick)))

    async def _features(self) -> frozenset[str]:
        """What the room can do; a room that is only made by coming can do nothing yet.

        COMPAT: ejabberd loses what is asked of a room that is just ending, so it is asked twice.
        """
        for _ in range(ASKED):
            try:
                info = await self.client.request(
                    disco.Info(), self.jid, expect=disco.Info, within=ASKING
                )
            except StanzaError as error:
                if error.condition == "item-not-found" and not self._wishes.may_create:
                    raise
                break
            except TimeoutError:
                continue
            return info.vars
        return frozenset()

    # --- staying (XEP-0410) ----------------------------------------------------------

    async def stay(self) -> None:
        """Come in again whenever we are found to be out. Ends when we are so for good."""
        try:
            while not self.is_over:
                if not await self._is_in():
                    await self._come_back()
        except SessionClosed:
            self.end()

    async def _is_in(self) -> bool:
        """Wait until it is time to wonder, or we know to be out."""
        self._is_quiet = True
        sleeping = asyncio.ensure_future(self.client.clock.sleep(QUIET))
        losing = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait((sleeping, losing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, losing):
                task.cancel()
            await asyncio.wait((sleeping, losing))
        if self._lost.is_set():
            return False
        return not self._is_quiet or await self.ping()

    async def ping(self) -> bool:
        """Whether we are in the room, as far as anybody can say."""
        try:
            await self.client.request(Ping(), self.jid.at(self.nick))
        except StanzaError as error:
            return muc.is_in(error) is not False
        except (TimeoutError, SessionReset):
            return True  # not known; the session tells by itself that it is another one
        return True

    async def _come_back(self) -> None:
        error: Exception = SessionReset("the room was lost")
        for wait in WAITS:
            await self.client.clock.sleep(wait)
            self._lost.clear()
            self._left.clear()
            try:
                await self.enter(muc.History(since=self._last))
            except (StanzaError, TimeoutError, SessionReset) as failed:
                error = failed
                if is_final(failed):
                    break
            else:
                await self.tell([Returned()])
                return
        await self.tell([ShutOut(error)])
        self.end()

    # --- what comes ------------------------------------------------------------------

    def take(self, stanza: Stanza) -> list[RoomEvent]:
        """What has happened, as a stanza from the room's address says."""
        self._is_quiet, self._last = False, self.client.clock.now()
        if (error := stanza.error) is not None:
            self._refused(stanza, error)
            return []
        user = muc.user(stanza)
        if isinstance(stanza, Message):
            events = self.said(stanza, user)
            if stanza.type == "groupchat":
                self.reflected(stanza, self.nick)
            return events
        nick = stanza.sender.resource if stanza.sender is not None else None
        if nick is None or user is None or not isinstance(stanza, Presence):
            return []  # of the room itself, or no word of a room
        events = []
        if stanza.type is None:
            events = self.here(stanza, nick, user)
        elif stanza.type == "unavailable":
            events = self.gone(stanza, nick, user)
        if muc.OWN in user.codes:
            self._settle(is_here=stanza.type is None, is_renamed=muc.NICK_CHANGED in user.codes)
        return events

    def _settle(self, *, is_here: bool, is_renamed: bool) -> None:
        """Tell who waits to be in, or to be called otherwise."""
        if is_here and self._entering is not None and not self._entering.done():
            self._entering.set_result(None)
        is_named = is_here or is_renamed
        if is_named and self._renaming is not None and not self._renaming.done():
            self._renaming.set_result(None)

    def _refused(self, stanza: Stanza, error: Exception) -> None:
        if isinstance(stanza, Presence):
            self._fail(error)
            return
        self.bounced(stanza.id or "", error)

    def _fail(self, error: Exception) -> None:
        """Whoever waits for the room need wait no longer."""
        for waiting in (self._renaming, self._entering):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
                return

    async def tell(self, events: list[RoomEvent]) -> None:
        """Tell who goes through `events`, and see what it means for us."""
        for event in events:
            if self._early is not None:
                self._early.append(event)
            for heard in tuple(self._hearing):
                await heard.put(event)
            match event:
                case Left(reason=Failed() | ShutDown(), is_own=True) if not self.is_over:
                    self.lose()
                case Left(is_own=True) | Destroyed():
                    self.end()

    def _forget(self, heard: Heard[Any]) -> None:
        if heard in self._hearing:
            self._hearing.remove(heard)
