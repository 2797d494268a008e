"""Message archives: what was said before, and what was missed (XEP-0313).

async for old in me[Archive].query(with_="juliet@example.com", since=monday):
    print(old.stamp, old.message.body)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.cache import Cache
from ....wire import archive
from ....wire.archive import Always, Default, Metadata, Never, Preferences
from ....wire.dataforms import Form
from ...feature import Feature, MessageReceived, Sending, holds, on, opens
from ...state import Closed
from .missed import Missed, Position, PositionStore, VolatilePositions
from .reading import PAGE, Archived, Reader, Wanted, form_of

if TYPE_CHECKING:
    from ...entity import Entity

__all__ = [
    "Archive",
    "Archived",
    "Position",
    "PositionStore",
    "Preferences",
    "VolatilePositions",
]

ANSWERED = 100  # questions whose late results are known for what they are


class Archive(Feature):
    """The archives of the account and of rooms, and no gap in what the program is told.

    Where the session was lost, what was missed is fetched and told as `MessageReceived`, once
    and before what came after it. With `remember` that goes on from one run to the next.
    """

    spec = archive.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._readers: Cache[str, Reader] = Cache(ANSWERED)
        self._missed = Missed(client, self._pages)

    # --- asking ----------------------------------------------------------------------

    async def query(
        self,
        with_: JID | str | None = None,
        *,
        of: JID | str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str | None = None,
        after: str | None = None,
        before: str | None = None,
        ids: Iterable[str] = (),
        page: int = PAGE,
        newest_first: bool = False,
    ) -> AsyncGenerator[Archived, None]:
        """The messages of the archive `of` a room, or of the account, that all this holds for.

        `page` are asked for at a time, the next when they are used up: leave the loop, and no
        more are. `after` and `before` are ids in the archive. Raises `StanzaError`: among
        others ``item-not-found`` for an id that is not there (any more),
        ``feature-not-implemented`` where the archive cannot look for `text`.
        """
        wanted = Wanted(_jid(with_), since, until, text, tuple(ids))
        reader = self._pages(wanted, _jid(of), page)
        while (found := await reader.next(after=after, before=before, newest=newest_first)) != []:
            for one in reversed(found) if newest_first else found:
                yield one
            if reader.is_complete:
                return
            if newest_first:
                before = found[0].id
            else:
                after = found[-1].id

    async def fields(self, of: JID | str | None = None) -> Form:
        """What may be asked for, as the archive says (§4.1.5). Raises `StanzaError`."""
        answer = await self.client.request(archive.Query(), _jid(of), expect=archive.Query)
        if answer.form is None:
            raise StanzaError("undefined-condition", "no form in the answer")
        return answer.form

    async def is_searchable(self, of: JID | str | None = None) -> bool:
        """Whether `text` may be asked for (XEP-0431)."""
        return (await self.fields(of)).field(archive.SEARCH) is not None

    async def metadata(self, of: JID | str | None = None) -> Metadata:
        """The first and the last message of an archive (§5). Raises `StanzaError`."""
        return await self.client.request(Metadata(), _jid(of), expect=Metadata)

    # --- preferences -----------------------------------------------------------------

    async def preferences(self) -> Preferences:
        """Whose messages are kept (XEP-0441). Raises `StanzaError` where that cannot be said."""
        return await self.client.request(Preferences(), expect=Preferences)

    async def prefer(
        self, default: Default, *, always: Iterable[JID] = (), never: Iterable[JID] = ()
    ) -> Preferences:
        """Say whose messages are kept; what the server makes of it (XEP-0441 §2.2)."""
        wish = Preferences(default, Always(tuple(always)), Never(tuple(never)))
        return await self.client.request(wish, type="set", expect=Preferences)

    # --- what was missed -------------------------------------------------------------

    def remember(self, store: PositionStore) -> None:
        """Keep in `store` how far the program has come; to be called before the client is used.

        What comes between two runs is then told at the beginning of the second; and where the
        program crashed, all from the first message on that its handlers had not done with, or a
        loop had not asked for the next after it. What the program itself said since then is told
        too, as `outgoing`: it is not known any more who of the user's clients that was.
        """
        self._missed.store = store
        self.client.following = self._missed.follow

    async def fetches_missed(self) -> bool:
        """See `Feature.fetches_missed`: not in the first session of all."""
        return await self._missed.position() is not None

    async def begin(self) -> None:
        """Fetch what was missed since the last session, beside all else."""
        await self._missed.begin()

    @holds(MessageReceived)
    def hold(self, event: MessageReceived) -> bool:
        """What comes while older messages are still missing waits; nothing is told twice."""
        return self._missed.hold(event)

    @on(Sending)
    def sent(self, event: Sending) -> None:
        """What we say ourselves is no news to us."""
        self._missed.sent(event.receipt.message)

    @on(Closed)
    def closed(self, _: Closed) -> None:
        """Nothing can be fetched any more."""
        self._missed.stop()

    def stop(self) -> None:
        """What was begun is done, unless the program has crashed."""
        if self.client.ends_well:
            self._missed.settle()

    # --- answers ---------------------------------------------------------------------

    def _pages(self, wanted: Wanted, of: JID | None, page: int) -> Reader:
        reader = Reader(self.client, form_of(wanted), of, page)
        self._readers.put(reader.queryid, reader)
        return reader

    @opens(archive.Result)
    def result(self, message: Message) -> bool:
        """A result goes to who asked for it, if it is from whom was asked (§8.2)."""
        result = message.child(archive.NS, "result")
        queryid = result.attrs.get("queryid") if result is not None else None
        reader = self._readers.get(queryid or "")
        if reader is None or not reader.take(message):
            self.client.forged["archive"] += 1
        return True


def _jid(address: JID | str | None) -> JID | None:
    return JID.parse(address) if isinstance(address, str) else address
