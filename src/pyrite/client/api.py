"""What a program may rely on: everything here, and nothing that is not.

    from pyrite.client.api import Client, MessageReceived

Names are added with a new minor `VERSION`; they are changed or taken away with a new major one
only, after two minor releases in which using them warns.

A name is loaded when a program takes it. One that is added is named three times: in the import
that type checkers read, in `__all__`, and in `homes`; `tests/unit/client/test_api.py` says what
is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .homes import HOMES, called_now, load

if TYPE_CHECKING:
    from ..core.errors import SaslError, StanzaError, StreamError
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
    from ..core.sasl import Advertised, ClientMechanism, UntrustedServer
    from ..core.stanza import Iq, Message, Presence, Stanza
    from ..core.xml import Element, Name
    from ..kit.hooks import Stage
    from ..net.dns import DnsError, Record, Resolver, Target
    from ..net.proxy import Proxy, ProxyError
    from ..net.tls import Identity, TlsError
    from ..wire import Spec
    from ..wire.activity import Activity, activity
    from ..wire.bookmarks import Bookmark
    from ..wire.chatstates import Active, ChatState, Composing, Gone, Inactive, Paused
    from ..wire.dataforms import Field as FormField
    from ..wire.dataforms import Form, WrongAnswers, form
    from ..wire.dataforms import Range as FormRange
    from ..wire.dataforms import Validate as FormRule
    from ..wire.dataforms import field as form_field
    from ..wire.dataforms import fill as fill_form
    from ..wire.geoloc import Geoloc
    from ..wire.hashes import Hash
    from ..wire.hints import NoCopy, NoPermanentStore, NoStore, Store
    from ..wire.jingle import File as JingleFile
    from ..wire.jingle import Range as FileRange
    from ..wire.message import Body
    from ..wire.mood import Mood, mood
    from ..wire.nick import Nick
    from ..wire.privacy import Item as PrivacyRule
    from ..wire.styling import Code, Line, Quotation, Span
    from ..wire.tune import Tune
    from ..wire.vcard import VCard
    from ..wire.vcard4 import VCard4
    from ..wire.version import Version as SoftwareVersion
    from .account import (
        Account,
        Mechanism,
        Memory,
        Token,
        TokenStore,
        Trust,
        VolatileStore,
    )
    from .app import Client
    from .autojoin import Autojoin, RoomJoined, RoomNotJoined
    from .bosh import Bosh
    from .bot import Asked, Bot
    from .bytestream import ByteStream, StreamBroken
    from .component import Component
    from .connector import Connector, First, Tcp
    from .errors import (
        AuthenticationFailed,
        ClientError,
        ConnectionFailed,
        NotAcknowledged,
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
    from .filestore import FileStore
    from .heard import Heard
    from .keeper import Backoff
    from .mechanisms import kerberos, oauth
    from .mod import muc as rooms
    from .mod.archive import Archive, Archived, Position, PositionStore, VolatilePositions
    from .mod.attention import Attention, AttentionAsked
    from .mod.avatars import Avatar, AvatarChanged, Avatars
    from .mod.blocking import Blocking, BlocklistChanged
    from .mod.bob import Bit, Bob
    from .mod.bookmarks import BookmarkChanged, Bookmarks
    from .mod.carbons import Carbons
    from .mod.chats import Chat, Chats, Corrected, Reacted, Refused, Retracted, Said, StateChanged
    from .mod.commands import (
        Administration,
        Call,
        CommandFailed,
        Commands,
        CommandsAnnounced,
        Running,
        UserStatistics,
    )
    from .mod.csi import Csi
    from .mod.disco import Disco
    from .mod.displayed import Displayed, DisplayedElsewhere
    from .mod.external import External
    from .mod.files import FileRequest, Files, Ibb, IbbStream, Offer, OldOffer, Si, Socks5
    from .mod.idle import Idle, IdleChanged
    from .mod.last import LastActivity
    from .mod.muc import Declined, Invited, Muc, Occupant, Room, RoomEvent
    from .mod.outage import Outages
    from .mod.pep import Pep
    from .mod.ping import Ping
    from .mod.privacy import Privacy, PrivacyListChanged
    from .mod.private import PrivateStorage
    from .mod.pubsub import PubSub
    from .mod.push import Push, PushRefused
    from .mod.quickresponse import ActionSelected, QuickResponses
    from .mod.quickresponse import Asked as QuickAsked
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
    from .mod.upload import FileShared, NoUploadService, Upload
    from .mod.vcards import Card, VCards
    from .mod.version import Version
    from .node import Node, Published, Withdrawn
    from .receipt import Receipt
    from .shared import Shared
    from .state import Closed, Online, Reset, State, Suspended
    from .transfer import CutOff, NotAsAnnounced, NoWay, TooLarge, TransferFailed, TransferRefused
    from .websocket import WebSocket

VERSION = "0.3"

__all__ = [
    "JID",
    "VERSION",
    "Account",
    "ActionSelected",
    "Active",
    "Activity",
    "Administration",
    "Advertised",
    "Archive",
    "Archived",
    "Asked",
    "Attention",
    "AttentionAsked",
    "AuthenticationFailed",
    "Autojoin",
    "Avatar",
    "AvatarChanged",
    "Avatars",
    "Backoff",
    "Bit",
    "Blocking",
    "BlocklistChanged",
    "Bob",
    "Body",
    "Bookmark",
    "BookmarkChanged",
    "Bookmarks",
    "Bosh",
    "Bot",
    "ByteStream",
    "Call",
    "Carbons",
    "Card",
    "Chat",
    "ChatState",
    "Chats",
    "Client",
    "ClientError",
    "ClientMechanism",
    "Closed",
    "Code",
    "CommandFailed",
    "Commands",
    "CommandsAnnounced",
    "Component",
    "Composing",
    "ConnectionFailed",
    "Connector",
    "ContactChanged",
    "ContactPresent",
    "Corrected",
    "Csi",
    "CutOff",
    "Declined",
    "Disco",
    "Displayed",
    "DisplayedElsewhere",
    "DnsError",
    "Element",
    "External",
    "Feature",
    "FileRange",
    "FileRequest",
    "FileShared",
    "FileStore",
    "Files",
    "First",
    "Form",
    "FormField",
    "FormRange",
    "FormRule",
    "Found",
    "Geoloc",
    "Gone",
    "Hash",
    "Heard",
    "Ibb",
    "IbbStream",
    "Identity",
    "Idle",
    "IdleChanged",
    "Inactive",
    "Invited",
    "Iq",
    "JIDError",
    "JingleFile",
    "LastActivity",
    "Line",
    "Mechanism",
    "Memory",
    "Message",
    "MessageReceived",
    "Mood",
    "Muc",
    "Name",
    "Nick",
    "NoCopy",
    "NoPermanentStore",
    "NoStore",
    "NoUploadService",
    "NoWay",
    "Node",
    "NotAcknowledged",
    "NotAsAnnounced",
    "Occupant",
    "Offer",
    "OldOffer",
    "Online",
    "Outages",
    "Paused",
    "Pep",
    "Ping",
    "Position",
    "PositionStore",
    "Presence",
    "PresenceReceived",
    "Privacy",
    "PrivacyListChanged",
    "PrivacyRule",
    "PrivateStorage",
    "Proxy",
    "ProxyError",
    "PubSub",
    "Published",
    "Push",
    "PushRefused",
    "QuickAsked",
    "QuickResponses",
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
    "Room",
    "RoomEvent",
    "RoomJoined",
    "RoomNotJoined",
    "Roster",
    "RosterLoaded",
    "Running",
    "Said",
    "SaslError",
    "Search",
    "Sending",
    "SessionClosed",
    "SessionReset",
    "Shared",
    "Si",
    "Socks5",
    "SoftwareVersion",
    "Span",
    "Spec",
    "Stage",
    "Stanza",
    "StanzaError",
    "State",
    "StateChanged",
    "Store",
    "StreamBroken",
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
    "TooLarge",
    "TransferFailed",
    "TransferRefused",
    "Trust",
    "Tune",
    "UntrustedServer",
    "Upload",
    "UserStatistics",
    "VCard",
    "VCard4",
    "VCards",
    "Version",
    "VolatilePositions",
    "VolatileStore",
    "WebSocket",
    "Withdrawn",
    "WrongAnswers",
    "activity",
    "anything",
    "attr",
    "child",
    "child_text",
    "child_texts",
    "children",
    "decode",
    "encode",
    "fill_form",
    "flag",
    "form",
    "form_field",
    "kerberos",
    "lang",
    "mood",
    "oauth",
    "on",
    "opens",
    "payload",
    "registering",
    "rooms",
    "sending",
    "serves",
    "text",
]


if not TYPE_CHECKING:  # who is shown this takes any name for one of ours

    def __getattr__(name: str) -> object:
        """Load what a program takes; it is an ordinary name from then on."""
        if (now := called_now(name)) is not None:
            return load(now)
        if name not in HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = load(name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
