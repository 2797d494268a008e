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
from ..wire.message import Body
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
from .mod.carbons import Carbons
from .mod.disco import Disco
from .mod.receipts import Receipts
from .mod.roster import (
    ContactChanged,
    ContactPresent,
    Roster,
    RosterLoaded,
    SubscriptionAsked,
)
from .receipt import Receipt
from .state import Closed, Online, Reset, State, Suspended

VERSION = "0.1"

__all__ = [
    "JID",
    "VERSION",
    "Account",
    "AuthenticationFailed",
    "Backoff",
    "Body",
    "Carbons",
    "Client",
    "ClientError",
    "Closed",
    "Component",
    "ConnectionFailed",
    "Connector",
    "ContactChanged",
    "ContactPresent",
    "Disco",
    "DnsError",
    "Element",
    "Feature",
    "Heard",
    "Identity",
    "Iq",
    "JIDError",
    "Memory",
    "Message",
    "MessageReceived",
    "Name",
    "Online",
    "Presence",
    "PresenceReceived",
    "Receipt",
    "Receipts",
    "Record",
    "Request",
    "Reset",
    "Resolver",
    "Roster",
    "RosterLoaded",
    "Sending",
    "SessionClosed",
    "SessionReset",
    "Spec",
    "Stage",
    "Stanza",
    "StanzaError",
    "State",
    "StreamError",
    "SubscriptionAsked",
    "Suspended",
    "Target",
    "Tcp",
    "TlsError",
    "Token",
    "TokenStore",
    "Trust",
    "UntrustedServer",
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
    "sending",
    "serves",
    "text",
]
