"""The module: its doors, and what it does at them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.payload import encode
from ....core.stanza import Message
from ....core.xml import Element
from ....kit.config import DAY, HOUR, Duration, Size, Table
from ....kit.hooks import Stage
from ....store.errors import StoreError
from ....wire import archive, retraction, stanzaid
from ....wire.archive import Default
from ...accounts import AccountCreated, AccountDeleted
from ...debts import owe
from ...module import (
    At,
    Module,
    Request,
    binding,
    delivering,
    on,
    request,
    sending,
    undelivered,
)
from ...naming import FETCHED, SENT, Fetched, Named
from ...router import AGAIN
from ...session import Session
from ...store.archive import Keep
from .growth import Growth
from .preferences import Wishes
from .reading import Reader
from .retracting import Retractions

PURGE_EVERY = HOUR  # seconds between looks for what is kept no longer

ANYBODY = At.OWN | At.OTHERS


FEATURES: tuple[str, ...] = (
    archive.NS,
    archive.NS_EXTENDED,
    archive.NS_GROUPCHAT_FIELD,
    retraction.NS,
    retraction.NS_TOMBSTONE,
    stanzaid.NS,
)


class ArchiveSettings(Table):
    """What is kept, how much of it, and how long."""

    default: Default = "always"
    """Whose messages are kept of accounts that do not say: `always` anybody's, `roster` those of
    contacts, `never` nobody's."""
    keep: Duration = Duration(365 * DAY)
    """How long a message is kept; `0s` for ever."""
    count: Annotated[int, Meta(ge=0)] = 1_000_000
    """Messages of one account that are kept, the newest; 0 for any number."""
    size: Size = Size(1 << 30)
    """Octets of all of them together; `0B` for any number."""
    page: Annotated[int, Meta(ge=1, le=1000)] = 100
    """Messages that are given at once, and fewer where these are large: a page has 1 MiB at most.
    Who wants more asks again."""
    search: bool = True
    """Whether accounts can look for words. What is kept without can never be found."""


class Archive(Module):
    """Message archives of accounts, each for its owner alone."""

    spec = archive.SPEC
    features = (retraction.NS,)
    account_features = FEATURES
    Settings = ArchiveSettings

    async def start(self) -> None:
        settings: ArchiveSettings = self.settings
        self._store = self.host.stores.archive
        self._is_searchable = settings.search
        if settings.search:
            self.account_features = (*FEATURES, archive.NS_SEARCH)  # type: ignore[misc]
        self._wishes = Wishes(self.values, self.host.rosters, settings.default)
        self._reader = Reader(self._store, settings.page, self._is_searchable)
        self._kept = self.meter.counter("kept", "Copies of messages kept in archives.")
        self._given = self.meter.counter("given", "Kept messages given to clients.")
        self._pages = self.meter.counter("pages", "Questions answered.")
        taken_back = self.meter.counter("retracted", "Copies that were taken back.")
        self._looked = Message()  # what was looked at last, and what was seen
        self._is_worthy = False
        self._words: str | None = None
        self._named, self._name = Message(), 0  # what was given an id last, and which
        self._retractions = Retractions(self._store, self.scope, taken_back, self.log)
        domain, limits = self.host.jid.domain, self._limits()
        self._growth = Growth(self._store, domain, limits, self.scope, self.log)
        self.scope.start(self._purge())

    # --- in --------------------------------------------------------------------------

    @sending(Stage.RECORD, Message)
    def sent(self, message: Message, session: Session) -> Coroutine[Any, Any, None] | None:
        """Into the archive of who sends it; what one sends to oneself is kept as it comes in."""
        to, owner = message.to, session.jid.bare
        if to is None or to.bare == owner:
            return None
        if message is not self._looked:
            self._look(message)
        if not self._is_worthy:
            return None
        wish = self._wishes.known(owner, to)
        if wish is None:
            return self._sent_later(message, to, session)
        if wish:
            self._keep_sent(message, to, session)
        return None

    async def _sent_later(self, message: Message, to: JID, session: Session) -> None:
        if await self._wishes.ask(session.jid.bare, to):
            self._keep_sent(message, to, session)

    def _keep_sent(self, message: Message, to: JID, session: Session) -> None:
        owner, id = session.jid.bare, self._store.next_id()
        self._keep(id, owner, to, message, is_sent=True)
        # the receiver may not know the id (§3.5), but the account's other clients shall
        is_alone = len(self.host.sessions.of(owner)) < 2
        session[SENT] = None if is_alone else Named(message, str(id))

    @delivering(Stage.REWRITE, Message)
    def name_it(
        self, message: Message, owner: JID, _: Sequence[Session]
    ) -> Message | Coroutine[Any, Any, Message | None] | None:
        """Give it its id in the archive, if it comes into it, and take off what is forged.

        Raises `StanzaError` for what the archive gave to a client that went before taking it.
        """
        if message.sender == owner and message.has(archive.Result):
            raise StanzaError("service-unavailable")  # it was for one client alone
        if AGAIN.get():
            return None  # it has its id
        honest = self._without_forged(message, owner)
        if honest is not self._looked:
            self._look(honest)
        if not self._is_worthy:
            return None if honest is message else honest
        wish = self._wishes.known(owner, honest.sender or self.host.jid)
        if wish is None:
            return self._name_later(honest, owner)
        if wish:
            return self._give_id(honest, owner)
        return None if honest is message else honest

    async def _name_later(self, message: Message, owner: JID) -> Message:
        wish = await self._wishes.ask(owner, message.sender or self.host.jid)
        return self._give_id(message, owner) if wish else message

    def _give_id(self, message: Message, owner: JID) -> Message:
        id = self._store.next_id()
        named = stanzaid.given(message, str(id), owner)
        if message is self._looked:
            self._looked = named  # what was seen of it is as it was
        self._named, self._name = named, id
        return named

    def _without_forged(self, message: Message, owner: JID) -> Message:
        for element in message.payloads:
            if element.name.ns in _GUARDED:  # few messages have any of it
                break
        else:
            return message
        honest = stanzaid.without_forged(message, (owner, self.host.jid))
        return archive.without_forged(honest)

    @delivering(Stage.RECORD, Message)
    def received(self, message: Message, owner: JID, _: Sequence[Session]) -> None:
        """Into the archive of who gets it, under the id that it has been given."""
        id = self._id_of(message, owner)
        if id is None or AGAIN.get():
            return
        sender = message.sender or self.host.jid
        if sender.bare == owner:
            self._keep(id, owner, message.to or owner, message, is_sent=True)
        else:
            self._keep(id, owner, sender, message, is_sent=False)

    def _id_of(self, message: Message, owner: JID) -> int | None:
        if message is self._named:
            return self._name
        id = stanzaid.given_by(message, owner)
        return None if id is None else int(id)

    def _look(self, message: Message) -> None:
        """See what is to be known of a message, which comes by some times, one behind another."""
        is_worthy, words = archive.is_worth_keeping(message), archive.words(message)
        self._looked, self._is_worthy, self._words = message, is_worthy, words

    def _keep(self, id: int, owner: JID, peer: JID, message: Message, *, is_sent: bool) -> None:
        """Have it written; the stanza that is handled counts as handled when it is."""
        if message is not self._looked:
            self._look(message)
        words = self._words
        body = words if self._is_searchable else None
        text = message.write()
        kept = self._store.add(
            id, owner, peer, None, text, body=body, name=message.id, is_sent=is_sent
        )
        owe(kept)
        self._growth.added(len(text))
        self._kept.value += 1
        if words is None and message.has(retraction.Retract):  # which has none of its own
            owe(self._retractions.start(owner, message, self.clock.now(), is_sent=is_sent))

    @undelivered
    async def stands_in(self, message: Message, owner: JID) -> bool:
        """Where nothing else keeps it for who is away, its place in the archive is enough."""
        return "offline" not in self.host.modules and bool(stanzaid.given_by(message, owner))

    # --- out -------------------------------------------------------------------------

    @request("get", archive.Query, at=ANYBODY)
    def fields(self, _: archive.Query, request: Request) -> archive.Query:
        """What may be asked by (§4.1.5)."""
        _owner_session(request)
        return archive.Query(form=archive.fields(is_searchable=self._is_searchable))

    @request("set", archive.Query, at=ANYBODY)
    async def give(self, query: archive.Query, request: Request) -> archive.Fin:
        """A page of messages, and behind them what the page was (§4)."""
        session = _owner_session(request)
        self._pages.value += 1
        await self._retractions.done(request.to)
        page = await self._reader.read(query, request.to)
        self._given.value += await self._reader.give(page, query, session)
        return page.fin

    @request("get", archive.Metadata, at=ANYBODY)
    async def ends(self, _: archive.Metadata, request: Request) -> archive.Metadata:
        """Where the archive begins and ends (§5)."""
        _owner_session(request)
        return await self._metadata(request.to)

    @binding()
    async def ends_inline(self, _: None, session: Session) -> Element:
        """The same, as it is at the moment when a resource is bound (XEP-0386 §3.2).

        What is in the archive by then, the client is to ask for: it is not handed over as well.
        """
        told = await self._metadata(session.jid.bare)
        if told.end is not None:
            session[FETCHED] = Fetched(told=int(told.end.id))
        return encode(told)

    async def _metadata(self, owner: JID) -> archive.Metadata:
        found = await self._store.ends(owner)
        if found is None:
            return archive.Metadata()
        first, last = found
        return archive.Metadata(
            archive.Start(str(first.id), first.stamp), archive.End(str(last.id), last.stamp)
        )

    @request("get", archive.Preferences, at=ANYBODY)
    async def wishes(self, _: archive.Preferences, request: Request) -> archive.Preferences:
        """Whose messages the account wants to keep (XEP-0441 §2.1)."""
        _owner_session(request)
        return await self._wishes.of(request.to)

    @request("set", archive.Preferences, at=ANYBODY)
    async def wish(self, wishes: archive.Preferences, request: Request) -> archive.Preferences:
        """Keep that, from the next message on; the answer says what is kept (XEP-0441 §2.1)."""
        _owner_session(request)
        return await self._wishes.put(request.to, wishes)

    @on(AccountCreated)
    @on(AccountDeleted)
    def is_another(self, event: AccountCreated | AccountDeleted) -> None:
        self._wishes.forget(event.jid)

    # --- what is kept no longer ------------------------------------------------------

    async def _purge(self) -> None:
        """Delete what is kept no longer."""
        while True:
            await self.clock.sleep(PURGE_EVERY)
            try:
                await self._store.purge(self._limits(), self.host.jid.domain)
            except StoreError as error:
                self.log.warning("old archives were not deleted: %s", error)

    def _limits(self) -> Keep:
        settings: ArchiveSettings = self.settings
        since = self.clock.now() - timedelta(seconds=settings.keep) if settings.keep else None
        return Keep(since, settings.count or None, int(settings.size) or None)


#: Of what is in these namespaces, some only an archive or its server may say.
_GUARDED = frozenset({stanzaid.NS, archive.NS})


def _owner_session(request: Request) -> Session:
    """The session of who asks. Raises `StanzaError` ``forbidden`` for another's archive (§8.1).

    An account that does not exist forbids it too, so that nobody learns which do.
    """
    if request.session is None or request.to != request.sender.bare:
        raise StanzaError("forbidden", "an archive is its owner's")
    return request.session
