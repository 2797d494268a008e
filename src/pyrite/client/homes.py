"""Where each name of `api` comes from, so that a program loads what it takes, and no more.

The words are those of the import in `api` that says the same to a type checker.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .former import called_now as called_now

IMPORTS = {
    "..core.errors": "SaslError, StanzaError, StreamError",
    "..core.jid": "JID, JIDError",
    "..core.payload": (
        "anything, attr, child, child_text, child_texts, children, decode, encode, flag, lang, "
        "payload, text"
    ),
    "..core.sasl": "Advertised, ClientMechanism, UntrustedServer",
    "..core.stanza": "Iq, Message, Presence, Stanza",
    "..core.xml": "Element, Name",
    "..kit.hooks": "Stage",
    "..net.dns": "DnsError, Record, Resolver, Target",
    "..net.proxy": "Proxy, ProxyError",
    "..net.tls": "Identity, TlsError",
    "..wire": "Spec",
    "..wire.activity": "Activity, activity",
    "..wire.bookmarks": "Bookmark",
    "..wire.chatstates": "Active, ChatState, Composing, Gone, Inactive, Paused",
    "..wire.dataforms": (
        "Field as FormField, Form, Range as FormRange, Validate as FormRule, WrongAnswers, "
        "field as form_field, fill as fill_form, form"
    ),
    "..wire.geoloc": "Geoloc",
    "..wire.hashes": "Hash",
    "..wire.hints": "NoCopy, NoPermanentStore, NoStore, Store",
    "..wire.jingle": "File as JingleFile, Range as FileRange",
    "..wire.message": "Body",
    "..wire.mood": "Mood, mood",
    "..wire.nick": "Nick",
    "..wire.privacy": "Item as PrivacyRule",
    "..wire.styling": "Code, Line, Quotation, Span",
    "..wire.tune": "Tune",
    "..wire.vcard": "VCard",
    "..wire.vcard4": "VCard4",
    "..wire.version": "Version as SoftwareVersion",
    ".account": "Account, Mechanism, Memory, Token, TokenStore, Trust, VolatileStore",
    ".app": "Client",
    ".autojoin": "Autojoin, RoomJoined, RoomNotJoined",
    ".bosh": "Bosh",
    ".bot": "Asked, Bot",
    ".bytestream": "ByteStream, StreamBroken",
    ".component": "Component",
    ".connector": "Connector, First, Tcp",
    ".errors": "AuthenticationFailed, ClientError, ConnectionFailed, NotAcknowledged, "
    "SessionClosed, SessionReset",
    ".feature": (
        "Feature, MessageReceived, PresenceReceived, Request, Sending, on, opens, sending, serves"
    ),
    ".filestore": "FileStore",
    ".heard": "Heard",
    ".keeper": "Backoff",
    ".mechanisms": "kerberos, oauth",
    ".mod": "muc as rooms",
    ".mod.archive": "Archive, Archived, Position, PositionStore, VolatilePositions",
    ".mod.attention": "Attention, AttentionAsked",
    ".mod.avatars": "Avatar, AvatarChanged, Avatars",
    ".mod.blocking": "Blocking, BlocklistChanged",
    ".mod.bob": "Bit, Bob",
    ".mod.bookmarks": "BookmarkChanged, Bookmarks",
    ".mod.carbons": "Carbons",
    ".mod.chats": "Chat, Chats, Corrected, Reacted, Refused, Retracted, Said, StateChanged",
    ".mod.commands": (
        "Administration, Call, CommandFailed, Commands, CommandsAnnounced, Running, UserStatistics"
    ),
    ".mod.csi": "Csi",
    ".mod.disco": "Disco",
    ".mod.displayed": "Displayed, DisplayedElsewhere",
    ".mod.external": "External",
    ".mod.files": "FileRequest, Files, Ibb, IbbStream, Offer, OldOffer, Si, Socks5",
    ".mod.idle": "Idle, IdleChanged",
    ".mod.last": "LastActivity",
    ".mod.muc": "Declined, Invited, Muc, Occupant, Room, RoomEvent",
    ".mod.outage": "Outages",
    ".mod.pep": "Pep",
    ".mod.ping": "Ping",
    ".mod.privacy": "Privacy, PrivacyListChanged",
    ".mod.private": "PrivateStorage",
    ".mod.pubsub": "PubSub",
    ".mod.push": "Push, PushRefused",
    ".mod.quickresponse": "ActionSelected, QuickResponses, Asked as QuickAsked",
    ".mod.receipts": "Receipts",
    ".mod.registration": "Registration, registering",
    ".mod.roster": "ContactChanged, ContactPresent, Roster, RosterLoaded, SubscriptionAsked",
    ".mod.search": "Found, Search",
    ".mod.styling": "Styling",
    ".mod.time": "Time",
    ".mod.upload": "FileShared, NoUploadService, Upload",
    ".mod.vcards": "Card, VCards",
    ".mod.version": "Version",
    ".node": "Node, Published, Withdrawn",
    ".receipt": "Receipt",
    ".shared": "Shared",
    ".state": "Closed, Online, Reset, State, Suspended",
    ".transfer": "CutOff, NoWay, NotAsAnnounced, TooLarge, TransferFailed, TransferRefused",
    ".websocket": "WebSocket",
}


def _homes() -> dict[str, tuple[str, str]]:
    """Name in `api` -> module, and the name there."""
    found = {}
    for module, names in IMPORTS.items():
        for words in names.split(", "):
            there, _, here = words.partition(" as ")
            found[here or there] = module, there
    return found


HOMES = _homes()


def load(name: str) -> Any:
    """What `api` calls `name`. Raises `KeyError` where it calls nothing so."""
    module, there = HOMES[name]
    found = import_module(module, __package__)
    try:
        return getattr(found, there)
    except AttributeError:  # a module of a package that nobody has loaded yet
        return import_module(f"{module}.{there}", __package__)
