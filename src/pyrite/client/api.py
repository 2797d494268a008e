"""What a program may rely on: everything here, and nothing that is not.

    from pyrite.client.api import Client, MessageReceived

Names are added with a new minor `VERSION`; they are changed or taken away with a new major one
only, after two minor releases in which using them warns.
"""

from __future__ import annotations

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID, JIDError
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
from ..core.sasl import UntrustedServer
from ..core.stanza import Iq, Message, Presence, Stanza
from ..core.xml import Element, Name
from ..kit.hooks import Stage
from ..net.dns import DnsError, Record, Resolver, Target
from ..net.tls import Identity, TlsError
from ..wire import Spec
from ..wire.chatstates import Active, ChatState, Composing, Gone, Inactive, Paused
from ..wire.hints import NoCopy, NoPermanentStore, NoStore, Store
from ..wire.message import Body
from ..wire.nick import Nick
from ..wire.privacy import Item as PrivacyRule
from ..wire.styling import Code, Line, Quotation, Span
from ..wire.version import Version as SoftwareVersion
from .account import Account, Memory, Token, TokenStore, Trust, VolatileStore
from .app import Client
from .component import Component
from .connector import Connector, Tcp
from .errors import (
    AuthenticationFailed,
    ClientError,
    ConnectionFailed,
    SessionClosed,
    SessionReset,
)
from .feature import (
    Feature,
    MessageReceived,
    PresenceReceived,
    Request,
    Sending,
    on,
    opens,
    sending,
    serves,
)
from .heard import Heard
from .keeper import Backoff
from .mod.attention import Attention, AttentionAsked
from .mod.blocking import Blocking, BlocklistChanged
from .mod.carbons import Carbons
from .mod.chats import Chat, Chats, Corrected, Reacted, Refused, Retracted, Said, StateChanged
from .mod.csi import Csi
from .mod.disco import Disco
from .mod.idle import Idle, IdleChanged
from .mod.last import LastActivity
from .mod.ping import Ping
from .mod.privacy import Privacy, PrivacyListChanged
from .mod.private import PrivateStorage
from .mod.push import Push, PushRefused
from .mod.receipts import Receipts
from .mod.registration import Registration, registering
from .mod.roster import (
    ContactChanged,
    ContactPresent,
    Roster,
    RosterLoaded,
    SubscriptionAsked,
)
from .mod.search import Found, Search
from .mod.styling import Styling
from .mod.time import Time
from .mod.version import Version
from .receipt import Receipt
from .state import Closed, Online, Reset, State, Suspended

VERSION = "0.1"

__all__ = [
    "JID",
    "VERSION",
    "Account",
    "Active",
    "Attention",
    "AttentionAsked",
    "AuthenticationFailed",
    "Backoff",
    "Blocking",
    "BlocklistChanged",
    "Body",
    "Carbons",
    "Chat",
    "ChatState",
    "Chats",
    "Client",
    "ClientError",
    "Closed",
    "Code",
    "Component",
    "Composing",
    "ConnectionFailed",
    "Connector",
    "ContactChanged",
    "ContactPresent",
    "Corrected",
    "Csi",
    "Disco",
    "DnsError",
    "Element",
    "Feature",
    "Found",
    "Gone",
    "Heard",
    "Identity",
    "Idle",
    "IdleChanged",
    "Inactive",
    "Iq",
    "JIDError",
    "LastActivity",
    "Line",
    "Memory",
    "Message",
    "MessageReceived",
    "Name",
    "Nick",
    "NoCopy",
    "NoPermanentStore",
    "NoStore",
    "Online",
    "Paused",
    "Ping",
    "Presence",
    "PresenceReceived",
    "Privacy",
    "PrivacyListChanged",
    "PrivacyRule",
    "PrivateStorage",
    "Push",
    "PushRefused",
    "Quotation",
    "Reacted",
    "Receipt",
    "Receipts",
    "Record",
    "Refused",
    "Registration",
    "Request",
    "Reset",
    "Resolver",
    "Retracted",
    "Roster",
    "RosterLoaded",
    "Said",
    "Search",
    "Sending",
    "SessionClosed",
    "SessionReset",
    "SoftwareVersion",
    "Span",
    "Spec",
    "Stage",
    "Stanza",
    "StanzaError",
    "State",
    "StateChanged",
    "Store",
    "StreamError",
    "Styling",
    "SubscriptionAsked",
    "Suspended",
    "Target",
    "Tcp",
    "Time",
    "TlsError",
    "Token",
    "TokenStore",
    "Trust",
    "UntrustedServer",
    "Version",
    "VolatileStore",
    "anything",
    "attr",
    "child",
    "child_text",
    "child_texts",
    "children",
    "decode",
    "encode",
    "flag",
    "lang",
    "on",
    "opens",
    "payload",
    "registering",
    "sending",
    "serves",
    "text",
]
