"""What clients were given and is kept until they have it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ....core.errors import StanzaError, StreamError
from ....core.jid import JID
from ....core.stanza import NS as NS_CLIENT
from ....core.stanza import Message, read
from ....core.xml import KEPT, parse
from ....kit.tasks import ScopeFullError
from ....store.errors import StoreError
from ....wire import delay, stanzaid
from ...copying import has_all, has_copy
from ...module import Module
from ...naming import FETCHED
from ...router import MessageWaits
from ...session import Key, Session
from ...store.offline import Waiting

PAGE = 100  # messages that are read at a time

#: The session has got what waited, and new messages reach it without waiting.
SERVED = Key("offline served", default=False)


class Held:
    """A message in the store that sessions were given, until the client of one has it."""

    __slots__ = (*("came", "giving", "id", "is_given", "is_taken", "message", "owner", "sessions"),)

    def __init__(
        self,
        owner: JID,
        sessions: Iterable[Session],
        message: Message | None = None,
        came: float = 0.0,
    ) -> None:
        self.owner = owner
        self.giving: Giving | None = None  # looks after it, while the module is there
        self.sessions = set(sessions)  # that are there and were given it
        #: If it came while its receiver's connection was broken; and when, as the clock counts.
        self.message, self.came = message, came
        self.id = 0  # in the store, once it is there
        self.is_given = True  # and not only about to be
        self.is_taken = False

    def taken(self) -> None:
        """A client has it: it need not be kept any longer."""
        if not self.is_taken:
            self.is_taken = True
            if self.id and self.giving is not None:
                self.giving.delete_soon(self.owner, self.id)


#: What the session was given, and has yet to take, while the module is away.
HELD: Key[tuple[Held, ...]] = Key("offline held", default=())


class Given:
    """What an account's clients were given, and is kept until they have it."""

    def __init__(self) -> None:
        #: All up to this id is in `to`, or gone; None when some of it is nobody's any more.
        self.last: int | None = None
        self.to: dict[int, Held] = {}  # by id
        self.adding: set[asyncio.Task[None]] = set()  # bring to the store what clients were given
        self.taken: list[int] = []  # what is to be deleted
        self.deleted: list[int] = []  # and is in `to` for as long as it may be read once more
        self.is_deleting = False


class Giving:
    """Hands over what waits at one host."""

    def __init__(self, module: Module) -> None:
        self._host, self._scope, self._log = module.host, module.scope, module.log
        self._store = module.host.stores.offline
        self._handed = module.meter.counter("handed_over", "Kept messages given to a client.")
        self._serving: dict[JID, asyncio.Future[None]] = {}  # account being served -> its end
        self._given: dict[JID, Given] = {}

    def of(self, owner: JID) -> Given:
        return self._given.setdefault(owner, Given())

    def start(self) -> None:
        """Go on with what clients were given before the module was loaded anew."""
        for session in self._host.sessions.at(self._host.domain):
            held, session[HELD] = session[HELD], ()
            for each in held:
                each.giving = self
                self.of(each.owner).to[each.id] = each
                if each.is_taken:
                    self.delete_soon(each.owner, each.id)

    async def stop(self) -> None:
        """Delete what clients have, or they would get it once more."""
        for owner, given in tuple(self._given.items()):
            if given.adding:
                await asyncio.wait(given.adding)
            await self._delete(owner, given)
            for held in given.to.values():
                held.giving = None
                for session in held.sessions:
                    session[HELD] = (*session[HELD], held)

    # --- handing over ----------------------------------------------------------------

    async def serve_somebody(self, owner: JID) -> bool:
        """Hand over all that waits to a client that takes it, if there is one."""
        for session in self._host.sessions.available(owner):
            if session[SERVED]:
                await self.serve(session)
                return True
        return False

    async def serve(self, session: Session) -> None:
        """Hand over all that waits, oldest first. It is deleted when the client has it.

        Of an account one at a time. Whoever comes meanwhile waits, so that what its senders send
        next stays behind what they sent before.
        """
        owner = session.jid.bare
        while (under_way := self._serving.get(owner)) is not None:
            await asyncio.shield(under_way)
        done = self._serving[owner] = asyncio.get_running_loop().create_future()
        try:
            while await self._serve_some(session, owner):
                continue
            if session.acks is not None and self._given.get(owner):
                session.acks.ask()  # soon: what a kill takes before that, it would get again
        except StoreError as error:
            session[SERVED] = False  # its next presence tries again
            self._log.info("offline messages were not handed over: %s: %s", owner, error)
        finally:
            del self._serving[owner]
            done.set_result(None)
            self._forget(owner, self.of(owner))

    async def _serve_some(self, session: Session, owner: JID) -> bool:
        """Hand over a page of what waits; whether there may be more."""
        given = self.of(owner)
        given.last = given.last or 0
        waiting = await self._store.load(owner, after=given.last, limit=PAGE)
        await self.all_added(owner)  # then it is known who has these
        if not self._is_there(session):
            return False
        if given.last is None:
            return True  # what somebody left meanwhile comes first
        if not waiting:
            return False
        given.last = waiting[-1].id
        for each in waiting:
            if each.id not in given.to:
                self._give(each, session, given)
        return len(waiting) == PAGE

    def _is_there(self, session: Session) -> bool:
        is_bound = session.ended is None and self._host.sessions.find(session.jid) is session
        return is_bound and session[SERVED]

    def _give(self, waiting: Waiting, session: Session, given: Given) -> None:
        owner, message = session.jid.bare, self.message(waiting)
        held = given.to[waiting.id] = Held(owner, (session,))
        held.id, held.giving = waiting.id, self
        if message is None or stanzaid.given_by(message, owner) in session[FETCHED]:
            held.taken()
        else:
            self._handed.value += 1
            session.send_kept(message, held.taken)

    def message(self, waiting: Waiting) -> Message | None:
        """The message with the time at which it came (XEP-0203)."""
        try:
            stanza = read(parse(waiting.stanza, NS_CLIENT, limits=KEPT))
        except (StreamError, StanzaError) as error:
            self._log.warning("an offline message cannot be read: %s: %s", waiting.id, error)
            return None
        if not isinstance(stanza, Message):
            return None
        return delay.stamped(stanza, waiting.stamp, self._host.jid, "Offline storage")

    # --- what clients have -----------------------------------------------------------

    def adding(self, owner: JID, task: asyncio.Task[None]) -> None:
        """`task` brings to the store what clients were given."""
        given = self.of(owner)
        given.adding.add(task)

        def done(_: object) -> None:
            given.adding.discard(task)
            self._forget(owner, given)

        task.add_done_callback(done)

    async def all_added(self, owner: JID) -> None:
        """Wait until what clients were given is in the store, as far as it is on the way there."""
        given = self._given.get(owner)
        if given is not None and given.adding:
            await asyncio.wait(given.adding)

    def stored(self, held: Held, id: int) -> bool:
        """What sessions were given is in the store now, by `id`; whether one of them is there."""
        given = self.of(held.owner)
        held.id, held.giving = id, self
        held.sessions = {session for session in held.sessions if session.gone is None}
        if held.is_taken:
            given.to[id] = held
            self.delete_soon(held.owner, id)
        elif held.sessions:
            given.to[id] = held
        else:
            given.last = None
        return held.is_taken or bool(held.sessions)

    def delete_soon(self, owner: JID, id: int) -> None:
        given = self.of(owner)
        given.taken.append(id)
        if not given.is_deleting:
            given.is_deleting = True
            try:
                self._scope.start(self._delete(owner, given))
            except ScopeFullError:
                given.is_deleting = False  # it goes with the next

    async def _delete(self, owner: JID, given: Given) -> None:
        """Delete what clients have; what comes meanwhile goes together."""
        try:
            while given.taken:
                ids, given.taken = given.taken, []
                try:
                    await self._store.remove(owner, ids)
                except StoreError as error:
                    given.taken += ids  # they go with the next
                    self._log.info("offline messages were not deleted: %s: %s", owner, error)
                    return
                given.deleted += ids
        finally:
            given.is_deleting = False
            self._forget(owner, given)

    def _forget(self, owner: JID, given: Given) -> None:
        """What is deleted; and all of it, once there is nothing to know."""
        if owner in self._serving:
            return
        for id in given.deleted:
            given.to.pop(id, None)
        given.deleted = []
        if not given.to and not given.adding and self._given.get(owner) is given:
            del self._given[owner]

    # --- what they did not take ------------------------------------------------------

    async def ended(self, session: Session) -> None:
        """What it was given and did not take is for the next one."""
        owner = session.jid.bare
        given = self._given.get(owner)
        if given is None:
            return
        left = []
        for held in tuple(given.to.values()):
            held.sessions.discard(session)
            if held.sessions or held.is_taken:
                continue
            if self._has_copy(held):
                held.taken()
            else:
                del given.to[held.id]
                given.last = None
                left.append(held)
        await self.pass_on(owner, left)
        self._forget(owner, given)

    def _has_copy(self, held: Held) -> bool:
        """Whether a client has a copy, as far as anybody can know."""
        message = held.message
        return message is not None and any(
            has_copy(one, message, held.came) and has_all(one)
            for one in self._host.sessions.available(held.owner)
            if one.priority >= 0
        )

    async def pass_on(self, owner: JID, left: Iterable[Held]) -> None:
        """Nobody is there any more of those who were given it."""
        if not await self.serve_somebody(owner):
            for held in left:
                if held.message is not None:
                    await self._host.events.tell(MessageWaits(held.message, owner))
