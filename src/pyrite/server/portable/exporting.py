"""Writes accounts with all that they have, a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...core.payload import encode
from ...core.stanza import NS as NS_CLIENT
from ...core.stanza import read
from ...core.xml import KEPT, Element, Name, parse, write
from ...wire import archive, blocking, delay, privacy
from ...wire import portable as wire
from ...wire.forward import Forwarded
from ..commands import PIECE, Stream
from ..privacy.rules import Rules
from ..rosters import shown
from ..store import portable as kinds
from ..store.accounts import Account
from ..store.archive import Entry
from ..store.privacy import PrivacyList

if TYPE_CHECKING:
    from ..app import Server

HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"
Accounts = AsyncIterator[Account]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    accounts: int
    octets: int
    left_out: tuple[str, ...] = ()  # what was kept but cannot be read


async def export(server: Server, host: str, accounts: Accounts, stream: Stream) -> Exported:
    """Write accounts of one host as a document. Raises `StoreError`, and as `stream` does."""
    page = _Page(stream)
    await page.add(HEAD + wire.start(wire.DATA) + "\n")
    await page.add(wire.start(wire.HOST, wire.NS, jid=host) + "\n")
    count, left_out = 0, []
    async for account in accounts:
        writing = _Writing(page, account)
        await writing.account(_things(server, account.jid))
        left_out += writing.left_out
        count += 1
    await page.add(f"{wire.end(wire.HOST)}\n{wire.end(wire.DATA)}\n")
    await page.flush()
    return Exported(count, page.octets, tuple(left_out))


async def _things(server: Server, jid: JID) -> AsyncIterator[kinds.Thing | Entry]:
    async for thing in server.stores.portable.things(jid):
        yield thing
    async for entry in server.stores.archive.entries(jid):
        yield entry


class _Page:
    """Collects text until it is worth sending."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._parts: list[str] = []
        self._size = 0
        self.octets = 0

    async def add(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)
        if self._size >= PIECE:
            await self.flush()

    async def flush(self) -> None:
        text = "".join(self._parts)
        self._parts, self._size = [], 0
        self.octets += len(text.encode())
        for at in range(0, len(text), PIECE):
            await self._stream.write(text[at : at + PIECE])


class _Writing:
    """One account on its way out; `left_out` is what could not be read."""

    def __init__(self, page: _Page, account: Account) -> None:
        self._page, self._account = page, account
        self._host = JID(None, account.jid.domain)
        self._open: tuple[Name, str | None] | None = None  # the container, and of which module
        self._blocked: dict[str, tuple[JID, ...]] = {}  # name of a list -> whom it blocks
        self.left_out: list[str] = []

    async def account(self, things: AsyncIterator[kinds.Thing | Entry]) -> None:
        account = self._account
        await self._page.add(wire.start(wire.USER, wire.NS, name=account.jid.local or "") + "\n")
        await self._element(encode(wire.State(account.created, account.disabled)))
        for keys in account.keys:
            await self._element(encode(wire.credentials(keys)))
        async for thing in things:
            try:
                await _WRITE[type(thing)](self, thing)
            except (StanzaError, StreamError) as error:
                self.left_out.append(f"{account.jid}: of {_word(thing)} one is unreadable: {error}")
        await self._into(None)
        await self._page.add(wire.end(wire.USER) + "\n")

    async def _into(self, name: Name | None, module: str | None = None) -> None:
        """Let what comes next stand inside of `name`, or of the user itself."""
        if self._open == (name, module):
            return
        if self._open is not None:
            await self._page.add(wire.end(self._open[0]) + "\n")
        self._open = None
        if name is not None:
            attrs = {} if module is None else {"module": module}
            await self._page.add(wire.start(name, wire.NS, **attrs) + "\n")
            self._open = (name, module)

    async def _element(self, element: Element) -> None:
        inside = wire.NS if self._open is None else self._open[0].ns
        await self._page.add(write(element, inside) + "\n")

    # --- kinds -----------------------------------------------------------------------

    async def contact(self, thing: kinds.Contact) -> None:
        item = shown(thing.item)
        if item is not None:
            await self._into(wire.ROSTER)
            await self._element(encode(item))

    async def request(self, thing: kinds.Request) -> None:
        """Whole, for that is how its receiver gets it (§4.9)."""
        request = parse(thing.stanza, NS_CLIENT, limits=KEPT)
        await self._into(None)
        await self._element(request)

    async def offline(self, thing: kinds.Offline) -> None:
        """With the moment at which it came, as its owner would have been told (§4.5)."""
        message = read(parse(thing.stanza, NS_CLIENT, limits=KEPT))
        stamped = delay.stamped(message, thing.stamp, self._host, "Offline storage")
        await self._into(wire.OFFLINE)
        await self._element(stamped.to_element())

    async def private(self, thing: kinds.Private) -> None:
        element = parse(thing.element, limits=KEPT)
        await self._into(wire.PRIVATE)
        await self._element(element)

    async def card(self, thing: kinds.Card) -> None:
        element = parse(thing.element, limits=KEPT)
        await self._into(None)
        await self._element(element)

    async def privacy_list(self, thing: kinds.PrivacyList) -> None:
        rules = Rules.read(PrivacyList(thing.name, thing.rules))
        self._blocked[thing.name] = rules.blocklist
        await self._into(wire.PRIVACY)
        await self._element(encode(privacy.List(rules.name, rules.items)))

    async def default_list(self, thing: kinds.DefaultList) -> None:
        """And what of it is a block list, for servers that know nothing of privacy lists."""
        await self._into(wire.PRIVACY)
        await self._element(encode(privacy.Default(thing.name)))
        if blocked := self._blocked.get(thing.name):
            await self._into(None)
            items = tuple(blocking.Item(jid) for jid in blocked)
            await self._element(encode(blocking.Blocklist(items)))

    async def last(self, thing: kinds.Last) -> None:
        await self._into(None)
        await self._element(encode(wire.Last(thing.stamp, thing.status)))

    async def client(self, thing: kinds.Client) -> None:
        told = (thing.software, thing.device, thing.address)
        await self._into(None)
        seen = thing.first_seen, thing.last_seen
        await self._element(encode(wire.Client(thing.id, *seen, *told)))

    async def value(self, thing: kinds.Value) -> None:
        await self._into(wire.VALUES, thing.module)
        await self._element(encode(wire.value(thing.value, name=thing.name)))

    async def entry(self, thing: kinds.Entry) -> None:
        await self._into(wire.LOG, thing.module)
        await self._element(encode(wire.value(thing.value, stamp=thing.stamp)))

    async def archived(self, entry: Entry) -> None:
        """As the archive gives it to who asks (§4.11)."""
        message = parse(entry.stanza, NS_CLIENT, limits=KEPT)
        forwarded = Forwarded(message, delay=delay.Delay(entry.stamp))
        await self._into(wire.ARCHIVE)
        await self._element(encode(archive.Result(str(entry.id), forwarded)))


def _word(thing: kinds.Thing | Entry) -> str:
    return kinds.Archived.word if isinstance(thing, Entry) else thing.word


_WRITE: dict[type[kinds.Thing | Entry], Callable[[_Writing, Any], Awaitable[None]]] = {
    kinds.Contact: _Writing.contact,
    kinds.Request: _Writing.request,
    kinds.Offline: _Writing.offline,
    kinds.Private: _Writing.private,
    kinds.Card: _Writing.card,
    kinds.PrivacyList: _Writing.privacy_list,
    kinds.DefaultList: _Writing.default_list,
    kinds.Last: _Writing.last,
    kinds.Client: _Writing.client,
    kinds.Value: _Writing.value,
    kinds.Entry: _Writing.entry,
    Entry: _Writing.archived,
}
