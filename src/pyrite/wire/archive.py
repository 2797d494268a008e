"""Message archives: what is worth keeping, how it is asked for, and how it is given.

An archive is at a bare address: an account's, a room's. What is asked of one is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from ..core.errors import StanzaError
from ..core.frozen import frozen
from ..core.jid import JID, JIDError
from ..core.payload import anything, attr, child, child_texts, encode, flag, name_of, payload
from ..core.stanza import NS as NS_CLIENT
from ..core.stanza import Message
from ..core.values import read_bool, read_datetime
from ..core.xml import Element, Name
from . import Spec, dataforms, hints, markers, receipts, retraction
from .dataforms import Field, Form, Validate
from .delay import Delay
from .forward import Forwarded, stanza_in
from .message import kind
from .rsm import ResultSet

SPEC = Spec("XEP-0313", "1.1.3", "Message Archive Management")
SPEC_SEARCH = Spec("XEP-0431", "0.2.0", "Full Text Search in MAM")
SPEC_PREFERENCES = Spec("XEP-0441", "0.2.0", "Message Archive Management Preferences")
NS = "urn:xmpp:mam:2"
NS_EXTENDED = f"{NS}#extended"
NS_GROUPCHAT_FIELD = f"{NS}#groupchat-field"
NS_SEARCH = "urn:xmpp:fulltext:0"

MAX_IDS = 1000  # named by one query

SEARCH = f"{{{NS_SEARCH}}}fulltext"


@payload(NS, "query")
class Query:
    """A question for messages, or for the fields that may be asked by (§4)."""

    queryid: str | None = attr(default=None)
    node: str | None = attr(default=None)
    form: Form | None = child(default=None)
    page: ResultSet | None = child(default=None)
    flip_page: bool = flag("flip-page", default=False)
    more: tuple[Element, ...] = anything(default=())  # such as an `ordering.Order`


@payload(NS, "result")
class Result:
    """One message of an archive, by the id that it has there (§4.2)."""

    id: str = attr()
    forwarded: Forwarded = child()
    queryid: str | None = attr(default=None)


@payload(NS, "fin")
class Fin:
    """No more messages come; whether there are more than these (§4.3.2)."""

    page: ResultSet = child()
    complete: bool = attr(default=False)
    stable: bool = attr(default=True)


@payload(NS, "start")
class Start:
    """The first message of an archive (§5)."""

    id: str = attr()
    timestamp: datetime = attr()


@payload(NS, "end")
class End:
    """The last message of an archive (§5)."""

    id: str = attr()
    timestamp: datetime = attr()


@payload(NS, "metadata")
class Metadata:
    """Where an archive begins and ends; neither, for an empty one (§5)."""

    start: Start | None = child(default=None)
    end: End | None = child(default=None)


@payload(NS, "always")
class Always:
    """Whose messages are kept, whatever else is said (XEP-0441 §2.1.2)."""

    jids: tuple[JID, ...] = child_texts("jid", default=())


@payload(NS, "never")
class Never:
    """Whose messages are not kept (XEP-0441 §2.1.3)."""

    jids: tuple[JID, ...] = child_texts("jid", default=())


Default = Literal["always", "never", "roster"]


@payload(NS, "prefs")
class Preferences:
    """Which messages an account wants in its archive (XEP-0441 §2.1); a get says nothing."""

    default: Default | None = attr(default=None)
    always: Always | None = child(default=None)
    never: Never | None = child(default=None)

    def keeps(self, peer: JID) -> bool | None:
        """Whether messages to or from `peer` are kept; ``None``: if it is in the roster.

        A listed address with a resource means that one alone (XEP-0441 §2.3). What both lists
        have is not kept.
        """
        never, always = self.never, self.always
        if never is not None and never.jids and _lists(never.jids, peer):
            return False
        if always is not None and always.jids and _lists(always.jids, peer):
            return True
        return KEEPS.get(self.default)


#: What is kept of whom neither list has.
KEEPS: Final[dict[Default | None, bool]] = {"always": True, "never": False}


def _lists(jids: tuple[JID, ...], peer: JID) -> bool:
    return peer in jids or peer.bare in jids


# --- what is worth keeping ------------------------------------------------------------------

_RESULT, _RETRACT = name_of(Result), name_of(retraction.Retract)
_BODY, _SUBJECT = Name(NS_CLIENT, "body"), Name(NS_CLIENT, "subject")

#: What says something without any words, so that other clients of the account are to know it.
_SAYS: frozenset[Name] = frozenset(
    {
        _BODY,
        _SUBJECT,
        name_of(receipts.Received),
        name_of(markers.Received),
        name_of(markers.Displayed),
        Name(markers.NS, "acknowledged"),
        _RETRACT,
        Name("urn:xmpp:fasten:0", "apply-to"),
        Name("urn:xmpp:reactions:0", "reactions"),
        Name("jabber:x:conference", "x"),
    }
)
#: What cannot be read: its body is for clients that cannot read it either.
_ENCRYPTED: frozenset[Name] = frozenset(
    {
        Name("urn:xmpp:eme:0", "encryption"),
        Name("eu.siacs.conversations.axolotl", "encrypted"),
        Name("urn:xmpp:omemo:2", "encrypted"),
        Name("urn:xmpp:openpgp:0", "openpgp"),
        Name("jabber:x:encrypted", "x"),
    }
)
_KEPT = _SAYS | _ENCRYPTED
_READ, _UNREAD = frozenset({_BODY, _SUBJECT}), _ENCRYPTED | {_RETRACT}
_CALLS = "urn:xmpp:jingle-message:"  # any version of it: a call that was missed is to be seen
_ROOM_USER = Name("http://jabber.org/protocol/muc#user", "x")
_ARCHIVED_TYPES = frozenset({"normal", "chat"})


def is_worth_keeping(message: Message) -> bool:
    """Whether a message belongs into the archives of those who write it and get it (§6.1.1).

    What people say, and what becomes of it; not how they type it. The sender's hints decide
    before that, but for rooms, which keep their own archives, and errors.
    """
    if kind(message) not in _ARCHIVED_TYPES:
        return message.type == "headline" and hints.may_archive(message) is True
    is_worth = False
    for element in message.payloads:
        name = element.name
        if name in _KEPT:
            is_worth = True
        elif name.ns == hints.NS:
            wish = hints.may_archive(message)
            if wish is not None:
                return wish
        elif name == _ROOM_USER:
            is_worth = is_worth or any(e.name.tag == "invite" for e in element.elements)
        elif name.ns.startswith(_CALLS):
            is_worth = True
    return is_worth


def words(message: Message) -> str | None:
    """What a search finds the message by; ``None`` where there are no words of its own."""
    said: str | None = None
    for element in message.payloads:
        name = element.name
        if name in _READ:
            said = element.text if said is None else f"{said}\n{element.text}"
        elif name in _UNREAD:
            return None  # the body only tells that
    return said


# --- questions ------------------------------------------------------------------------------


@frozen
class Filter:
    """Which messages are asked for: those that all that is given holds for (§4.1)."""

    peer: JID | None = None
    start: datetime | None = None
    end: datetime | None = None
    before: str | None = None
    after: str | None = None
    ids: tuple[str, ...] | None = None
    has_groupchat: bool | None = None
    search: str = ""


EVERYTHING = Filter()

#: Field -> the name that it has in a `Filter`, and how its text is read.
_FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "with": ("peer", JID.parse),
    "start": ("start", read_datetime),
    "end": ("end", read_datetime),
    "before-id": ("before", str),
    "after-id": ("after", str),
    "include-groupchat": ("has_groupchat", read_bool),
    SEARCH: ("search", str),
}


def fields(*, is_searchable: bool) -> Form:
    """The form that says what may be asked by (§4.1.5)."""
    anything = Validate(open=True)
    asked = [
        Field("with", "jid-single"),
        Field("start", "text-single"),
        Field("end", "text-single"),
        Field("before-id", "text-single"),
        Field("after-id", "text-single"),
        Field("ids", "list-multi", validate=anything),
        Field("include-groupchat", "boolean"),
        *([Field(SEARCH, "text-single")] if is_searchable else []),
    ]
    return dataforms.form(NS, *asked)


def filter_of(form: Form | None, *, is_searchable: bool) -> Filter:
    """What the form of a query asks for; a field that is left empty asks for nothing.

    Raises `StanzaError`: ``feature-not-implemented`` for a field that is not known (§4.1.5),
    ``jid-malformed`` and ``bad-request`` for what cannot be read.
    """
    if form is None:
        return EVERYTHING
    if form.type != "submit" or form.form_type != NS:
        raise StanzaError("bad-request", f"not a form of {NS}")
    found: dict[str, Any] = {}
    for field in form.fields:
        values = tuple(value for value in field.values if value)
        if field.var == "ids":
            found["ids"] = tuple(dict.fromkeys(values)) or None
        elif field.var != dataforms.FORM_TYPE:
            name, value = _read(field, values, is_searchable)
            found[name] = value
    if len(found.get("ids") or ()) > MAX_IDS:
        raise StanzaError("policy-violation", f"at most {MAX_IDS} ids")
    return Filter(**{name: value for name, value in found.items() if value is not None})


def _read(field: Field, values: tuple[str, ...], is_searchable: bool) -> tuple[str, Any]:
    known = _FIELDS.get(field.var or "")
    if known is None or (field.var == SEARCH and not is_searchable):
        raise StanzaError("feature-not-implemented", f"no field {field.var}")
    name, read = known
    if len(values) > 1:
        raise StanzaError("bad-request", f"{field.var} has one value")
    try:
        return name, read(values[0]) if values else None
    except JIDError as error:
        raise StanzaError("jid-malformed", f"{field.var}: {error}") from None
    except (ValueError, OverflowError) as error:
        raise StanzaError("bad-request", f"{field.var}: {error}") from None


# --- answers --------------------------------------------------------------------------------


def wrap(
    id: str, stamp: datetime, message: Element, *, owner: JID, to: JID, queryid: str | None
) -> Message:
    """The message that gives `message`, which `owner` has under `id`, to who asked (§4.2)."""
    result = Result(id, Forwarded(message, delay=Delay(stamp)), queryid)
    return Message(to=to, sender=owner, payloads=(encode(result),))


def unwrap(message: Message, archive: JID, queryid: str | None) -> tuple[Result, Message] | None:
    """What `archive` gives with `message`, and the message in it; ``None`` if nothing.

    Also ``None`` for what does not come from the archive that was asked, or answers another
    question: anybody can send results (§8.2).
    """
    try:
        result = message.get(Result)
        inner = stanza_in(result.forwarded) if result else None
    except StanzaError:
        return None
    if result is None or result.queryid != queryid or not isinstance(inner, Message):
        return None
    return (result, inner) if message.sender in (None, archive) else None


def without_forged(message: Message) -> Message:
    """Without results, if the sender can have no archive: the same object if it has none.

    An archive's address is a bare one (§3.3). What a full address calls a result is meant for a
    client that does not look whom it has asked (§8.2).
    """
    if message.sender is None or message.sender.resource is None:
        return message
    return message.without(_RESULT, lambda _: True)
