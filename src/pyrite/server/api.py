"""What a plugin may rely on: everything here, and nothing that is not.

    from pyrite.server.api import Module, on, AccountCreated

A plugin is a distribution with an entry point in the group ``pyrite.server``, whose object is a
`Module`. Names are added with a new minor `VERSION`; they are changed or taken away with a new
major one only.
"""

from __future__ import annotations

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID, JIDError
from ..core.negotiate import Phase
from ..core.payload import (
    anything,
    attr,
    child,
    child_text,
    child_texts,
    children,
    decode,
    encode,
    flag,
    lang,
    payload,
    text,
)
from ..core.stanza import Iq, Message, Presence, Stanza
from ..core.xml import Element, Name
from ..kit.cache import Cache
from ..kit.clock import Clock
from ..kit.config import (
    DAY,
    HOUR,
    LIVE,
    MINUTE,
    WEEK,
    Address,
    Addresses,
    Duration,
    Secret,
    Size,
    Table,
    Wrong,
)
from ..kit.hooks import Stage
from ..kit.meter import Counter, Gauge, Histogram, Part
from ..kit.tasks import Scope, ScopeFullError
from ..store.errors import StoreError
from ..store.shapes import Entry, KeyValues, Log, Quota
from ..wire import Spec
from ..wire.dataforms import Form
from ..wire.disco import Info, Item, Items
from ..wire.message import Body, Subject, Thread, body, has_body
from .accounts import (
    AccountCreated,
    AccountDeleted,
    AccountDisabled,
    AccountEnabled,
    PasswordChanged,
)
from .commands import Caller, CommandError, command
from .debts import owe
from .hosts import Host
from .module import (
    At,
    Module,
    ModuleError,
    Request,
    binding,
    delivering,
    early,
    node,
    nonza,
    offering,
    on,
    request,
    sending,
    undelivered,
)
from .presence import PresenceChanged, SessionAvailable, SessionUnavailable
from .session import Key, Session, SessionBound, SessionEnded
from .sessions import Sessions

VERSION = "1.3"

__all__ = [
    "DAY",
    "HOUR",
    "JID",
    "LIVE",
    "MINUTE",
    "VERSION",
    "WEEK",
    "AccountCreated",
    "AccountDeleted",
    "AccountDisabled",
    "AccountEnabled",
    "Address",
    "Addresses",
    "At",
    "Body",
    "Cache",
    "Caller",
    "Clock",
    "CommandError",
    "Counter",
    "Duration",
    "Element",
    "Entry",
    "Form",
    "Gauge",
    "Histogram",
    "Host",
    "Info",
    "Iq",
    "Item",
    "Items",
    "JIDError",
    "Key",
    "KeyValues",
    "Log",
    "Message",
    "Module",
    "ModuleError",
    "Name",
    "Part",
    "PasswordChanged",
    "Phase",
    "Presence",
    "PresenceChanged",
    "Quota",
    "Request",
    "Scope",
    "ScopeFullError",
    "Secret",
    "Session",
    "SessionAvailable",
    "SessionBound",
    "SessionEnded",
    "SessionUnavailable",
    "Sessions",
    "Size",
    "Spec",
    "Stage",
    "Stanza",
    "StanzaError",
    "StoreError",
    "StreamError",
    "Subject",
    "Table",
    "Thread",
    "Wrong",
    "anything",
    "attr",
    "binding",
    "body",
    "child",
    "child_text",
    "child_texts",
    "children",
    "command",
    "decode",
    "delivering",
    "early",
    "encode",
    "flag",
    "has_body",
    "lang",
    "node",
    "nonza",
    "offering",
    "on",
    "owe",
    "payload",
    "request",
    "sending",
    "text",
    "undelivered",
]

#: What of these a plugin may use; of the other classes, all that is not private.
MEMBERS: dict[type, tuple[str, ...]] = {
    Host: ("clock", "domain", "ids", "jid", "route", "sessions", "settings"),
    Module: (
        *("Settings", "account_features", "clock", "entries", "features", "folder", "forms"),
        *("host", "log", "meter", "name", "scope", "services", "settings", "spec", "start"),
        *("stop", "values"),
    ),
    Session: (
        *("address", "host", "is_available", "jid", "lang", "presence", "priority", "send"),
        "send_kept",
    ),
    Sessions: ("at", "available", "find", "of"),
}
