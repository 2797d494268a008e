"""An account on its way in: each part is looked at, and kept until all of it is there.

What cannot be kept is left out, and said: a contact whose address is none must not cost the
others (XEP-0227 §4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID, JIDError
from ...core.payload import decode, encode, name_of
from ...core.sasl.keys import Keys
from ...core.stanza import NS as NS_CLIENT
from ...core.stanza import Message, Presence, read
from ...core.xml import Element, Name, write
from ...wire import archive, blocking, delay, privacy, roster, stanzaid, vcard
from ...wire import portable as wire
from ...wire import private as wire_private
from ...wire.forward import stanza_in
from ..privacy.lists import BLOCKLIST
from ..privacy.rules import Rules, is_block
from ..store import portable as kinds
from ..store.roster import LIMITS, Item
from ..subscriptions import MAX_REQUEST
from .spool import Spool

MAX_LISTS = 100  # privacy lists of one account
MAX_SAID = 100  # different reasons that are told of one account
MAX_MODULE = 64  # characters of a module's name

#: What an account may have that its server knows nothing of: passwords are checked by `State`.
KNOWN = {"name", "password"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that an account's clients could ever be handed over."""

    messages: int
    octets: int  # of messages


class Arriving:
    """Everything of one account; `left_out` says what is not kept, and how often."""

    def __init__(self, jid: JID, spool: Spool, bounds: Bounds, now: datetime) -> None:
        self.jid, self.spool = jid, spool
        self.keys: dict[str, Keys] = {}
        self.created, self.is_disabled = now, False
        self.left_out: Counter[str] = Counter()
        self._bounds, self._now = bounds, now
        self._contacts: set[JID] = set()
        self._requests: dict[JID, str] = {}
        self._lists: dict[str, Rules] = {}
        self._default: str | None = None
        self._blocked: list[JID] = []
        self._octets = 0

    def begin(self, attrs: Mapping[str, str]) -> None:
        """What the user element says beside the name."""
        for key in attrs.keys() - KNOWN:
            self.leave_out(f"attribute {key}")

    def take(self, element: Element, container: Name, attrs: Mapping[str, str]) -> None:
        """One element that stands in `container`, which has these attributes."""
        method = _TAKE.get((container, element.name)) or _ANY.get(container)
        if method is None:
            self.leave_out(f"{element.name.tag} of {element.name.ns}")
            return
        try:
            method(self, element, attrs)
        except (StanzaError, StreamError, JIDError, ValueError) as error:
            why = getattr(error, "text", "") or str(error)
            self.leave_out(f"{element.name.tag} {_who(element)}".strip() + f": {why}")

    def leave_out(self, what: str) -> None:
        key = what[:300] if what in self.left_out or len(self.left_out) < MAX_SAID else "more"
        self.left_out[key] += 1

    def end(self) -> None:
        """There is no more: what depends on all the rest is put down."""
        for contact, stanza in self._requests.items():
            self.spool.add(kinds.Request(contact, stanza))
        self._block()
        for rules in self._lists.values():
            kept = rules.store()
            self.spool.add(kinds.PrivacyList(kept.name, kept.rules))
        if self._default in self._lists:
            self.spool.add(kinds.DefaultList(self._default))
        elif self._default is not None:
            self.leave_out(f"default {self._default}: no such list")

    def _block(self) -> None:
        """A block list is a view of the default list: what is not in there comes before it."""
        old = self._lists.get(self._default or "")
        new = [jid for jid in self._blocked if old is None or jid not in old.blocklist]
        if not new:
            return
        if old is None:
            self._default = next(n for n in _names() if n not in self._lists)
        blocks = [privacy.Item("deny", 0, "jid", str(jid)) for jid in dict.fromkeys(new)]
        items = [*blocks, *(old.items if old else ())]
        numbered = (replace(item, order=n) for n, item in enumerate(items, 1))
        name = self._default or BLOCKLIST
        self._lists[name] = Rules(name, numbered)

    # --- of the user -----------------------------------------------------------------

    def _state(self, element: Element, _: Mapping[str, str]) -> None:
        state = decode(wire.State, element)
        self.created, self.is_disabled = state.created or self._now, state.disabled

    def _credentials(self, element: Element, _: Mapping[str, str]) -> None:
        self._add_keys(wire.keys(decode(wire.Credentials, element)))

    def _digest(self, element: Element, _: Mapping[str, str]) -> None:
        self._add_keys(wire.digest_keys(decode(wire.Digest, element)))

    def _add_keys(self, keys: Keys) -> None:
        """The first count. The same once more is no harm: Prosody's migrator writes them so."""
        if self.keys.setdefault(keys.mechanism, keys) != keys:
            raise StanzaError("bad-request", "other keys of the same mechanism stand before")

    def _last(self, element: Element, _: Mapping[str, str]) -> None:
        last = decode(wire.Last, element)
        self.spool.add(kinds.Last(last.stamp, last.status))

    def _client(self, element: Element, _: Mapping[str, str]) -> None:
        one = decode(wire.Client, element)
        told = (one.id, one.software, one.device, one.address)
        self.spool.add(kinds.Client(*told, one.first, one.last))

    def _card(self, element: Element, _: Mapping[str, str]) -> None:
        card = decode(vcard.VCard, element)
        photo = vcard.avatar_hash(card) or None
        self.spool.add(kinds.Card(write(encode(card)), photo))

    def _request(self, element: Element, _: Mapping[str, str]) -> None:
        """COMPAT: Prosody 0.12 writes them in the namespace of the file."""
        if element.name.ns == wire.NS:
            element = Element(Name(NS_CLIENT, "presence"), element.attrs)
        presence = read(element)
        if not isinstance(presence, Presence) or presence.type != "subscribe":
            raise StanzaError("bad-request", "is no request")
        if presence.sender is None:
            raise StanzaError("bad-request", "comes from nobody")
        sender = presence.sender.bare
        stanza = presence.routed(sender=sender, to=self.jid).write()
        if len(stanza) > MAX_REQUEST:
            raise StanzaError("policy-violation", f"over {MAX_REQUEST} characters")
        if len(self._requests) >= LIMITS.waiting:
            raise StanzaError("policy-violation", f"at most {LIMITS.waiting} wait")
        self._requests[sender] = stanza

    def _blocklist(self, element: Element, _: Mapping[str, str]) -> None:
        self._blocked += (item.jid for item in decode(blocking.Blocklist, element).items)

    # --- of containers ---------------------------------------------------------------

    def _contact(self, element: Element, _: Mapping[str, str]) -> None:
        item = decode(roster.Item, element)
        roster.check_set(roster.Query(items=(item,)))
        subscription = item.subscription
        if subscription == "remove" or item.jid == self.jid or item.jid in self._contacts:
            raise StanzaError("bad-request", "is no contact, or there twice")
        if len(self._contacts) >= LIMITS.listed:
            raise StanzaError("policy-violation", f"at most {LIMITS.listed} contacts")
        self._contacts.add(item.jid)
        asks = item.ask is not None and subscription in ("none", "from")
        name = item.name or None
        kept = Item(item.jid, name, item.groups, subscription, asks, item.approved)
        self.spool.add(kinds.Contact(kept))

    def _message(self, element: Element, _: Mapping[str, str]) -> None:
        message = read(element)
        if not isinstance(message, Message):
            raise StanzaError("bad-request", "is no message")
        host = JID(None, self.jid.domain)
        stamp = delay.stamp_by(message, host) or self._now
        message = delay.without_forged(message, (host,))
        if message.to is None or message.to.bare != self.jid:
            message = message.routed(to=self.jid)
        stanza = message.write()
        self._octets += len(stanza.encode())
        is_full = self.spool.counts[kinds.Offline.word] >= self._bounds.messages
        if is_full or self._octets > self._bounds.octets:
            raise StanzaError("policy-violation", "more wait than a client could be given")
        self.spool.add(kinds.Offline(message.sender or host, stamp, stanza))

    def _private(self, element: Element, _: Mapping[str, str]) -> None:
        wire_private.content(wire_private.Private((element,)))
        self.spool.add(kinds.Private(*element.name, write(element)))

    def _list(self, element: Element, _: Mapping[str, str]) -> None:
        given = decode(privacy.List, element)
        rules = Rules(given.name, given.items)
        if len({item.order for item in given.items}) < len(given.items):
            raise StanzaError("bad-request", "two rules of the same order")
        privacy.check_list(
            privacy.List(given.name, tuple(i for i in rules.rest if not is_block(i)))
        )
        if len(self._lists) >= MAX_LISTS:
            raise StanzaError("policy-violation", f"at most {MAX_LISTS} lists")
        self._lists[given.name] = rules

    def _set_default(self, element: Element, _: Mapping[str, str]) -> None:
        self._default = decode(privacy.Default, element).name or None

    def _archived(self, element: Element, _: Mapping[str, str]) -> None:
        """Whose it is, and what it is found by, is said by the message alone."""
        result = decode(archive.Result, element)
        message = stanza_in(result.forwarded)
        if not isinstance(message, Message) or result.forwarded.delay is None:
            raise StanzaError("bad-request", "is no message with a stamp")
        is_sent = message.sender is not None and message.sender.bare == self.jid
        peer = (message.to or self.jid) if is_sent else message.sender
        stanza_id = stanzaid.id_by(message, peer.bare) if peer else None
        is_groupchat = message.type == "groupchat"
        self.spool.add(
            kinds.Archived(
                _number(result.id),
                peer or JID(None, self.jid.domain),
                result.forwarded.delay.stamp,
                message.write(),
                archive.words(message),
                stanza_id if is_groupchat else message.id,
                is_sent,
                is_groupchat,
            )
        )

    def _value(self, element: Element, attrs: Mapping[str, str]) -> None:
        value = decode(wire.Value, element)
        if value.name is None:
            raise StanzaError("bad-request", "has no name")
        self.spool.add(kinds.Value(_module(attrs), *value.plain()))

    def _entry(self, element: Element, attrs: Mapping[str, str]) -> None:
        value = decode(wire.Value, element)
        if value.stamp is None:
            raise StanzaError("bad-request", "has no stamp")
        self.spool.add(kinds.Entry(_module(attrs), value.stamp, value.plain()[1]))


_Take = Callable[[Arriving, Element, Mapping[str, str]], None]

_TAKE: dict[tuple[Name, Name], _Take] = {
    (wire.USER, name_of(wire.State)): Arriving._state,
    (wire.USER, name_of(wire.Credentials)): Arriving._credentials,
    (wire.USER, name_of(wire.Digest)): Arriving._digest,
    (wire.USER, name_of(wire.Last)): Arriving._last,
    (wire.USER, name_of(wire.Client)): Arriving._client,
    (wire.USER, name_of(vcard.VCard)): Arriving._card,
    (wire.USER, Name(NS_CLIENT, "presence")): Arriving._request,
    (wire.USER, Name(wire.NS, "presence")): Arriving._request,
    (wire.USER, name_of(blocking.Blocklist)): Arriving._blocklist,
    (wire.ROSTER, name_of(roster.Item)): Arriving._contact,
    (wire.OFFLINE, Name(NS_CLIENT, "message")): Arriving._message,
    (wire.PRIVACY, name_of(privacy.List)): Arriving._list,
    (wire.PRIVACY, name_of(privacy.Default)): Arriving._set_default,
    (wire.ARCHIVE, name_of(archive.Result)): Arriving._archived,
    (wire.VALUES, name_of(wire.Value)): Arriving._value,
    (wire.LOG, name_of(wire.Value)): Arriving._entry,
}
_ANY: dict[Name, _Take] = {wire.PRIVATE: Arriving._private}


def _names() -> Any:
    yield BLOCKLIST
    yield from (f"{BLOCKLIST} {n}" for n in range(1, MAX_LISTS + 1))


def _number(id: str) -> int | None:
    """An id of ours; others' are of another kind."""
    return int(id) if id.isascii() and id.isdecimal() and len(id) < 20 else None


def _module(attrs: Mapping[str, str]) -> str:
    module = attrs.get("module", "")
    if not 0 < len(module) <= MAX_MODULE:
        raise StanzaError("bad-request", "of no module")
    return module


def _who(element: Element) -> str:
    """What tells an element from its like, for who reads what was left out."""
    keys = ("jid", "from", "name", "mechanism")
    return next((element.attrs[key][:100] for key in keys if key in element.attrs), "")
