"""Portable Import/Export: all that a server keeps for people, in one format for all servers.

The file is too large to be one element: `SHAPE` says what of it is opened, and everything inside
is read and written by itself. What the specification has no place for stands in a namespace of
our own (§4: an exporting server may do so), and other servers leave it out.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ..core.errors import StanzaError
from ..core.payload import attr, child_text, child_texts, payload, text
from ..core.sasl.digest_md5 import NAME as DIGEST_MD5
from ..core.sasl.keys import HASHES, Keys
from ..core.values import read_bytes, show_bytes
from ..core.xml import Name, Shape, quote, write_attributes
from . import Spec, privacy, private, roster

SPEC = Spec("XEP-0227", "1.1", "Portable Import/Export Format for XMPP-IM Servers")
NS = "urn:xmpp:pie:0"
NS_SCRAM = "urn:xmpp:pie:0#scram"
NS_MAM = "urn:xmpp:pie:0#mam"
NS_INCLUDE = "http://www.w3.org/2001/XInclude"
NS_OWN = "urn:pyrite:pie:0"

MAX_ITERATIONS = 1_000_000  # that somebody else's keys may cost us at each login
MAX_SALT = 1024  # octets

DATA: Final = Name(NS, "server-data")
HOST: Final = Name(NS, "host")
USER: Final = Name(NS, "user")
OFFLINE: Final = Name(NS, "offline-messages")
ROSTER: Final = Name(roster.NS, "query")
PRIVATE: Final = Name(private.NS, "query")
PRIVACY: Final = Name(privacy.NS, "query")
ARCHIVE: Final = Name(NS_MAM, "archive")
VALUES: Final = Name(NS_OWN, "values")
LOG: Final = Name(NS_OWN, "log")
INCLUDE: Final = Name(NS_INCLUDE, "include")

#: A file that somebody has split (§5.1) begins with a host or a user.
SHAPE: Final[Shape] = {
    None: frozenset({DATA, HOST, USER}),
    DATA: frozenset({HOST}),
    HOST: frozenset({USER}),
    USER: frozenset({OFFLINE, ROSTER, PRIVATE, PRIVACY, ARCHIVE, VALUES, LOG}),
}

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search


@payload(NS_SCRAM, "scram-credentials")
class Credentials:
    """What SCRAM checks a password by (§4.3). What is twice there is a mistake."""

    mechanism: str = attr()
    iterations: tuple[str, ...] = child_texts("iter-count", default=())
    salt: tuple[str, ...] = child_texts("salt", default=())
    server_key: tuple[str, ...] = child_texts("server-key", default=())
    stored_key: tuple[str, ...] = child_texts("stored-key", default=())


@payload(NS_OWN, "digest")
class Digest:
    """What DIGEST-MD5 checks a password by; `stored` is the hash of RFC 2831 §2.1.2.1."""

    realm: bytes = attr()
    stored: bytes = attr()


@payload(NS_OWN, "account")
class State:
    """Since when there is the account, and whether its owner may log in."""

    created: datetime | None = attr(default=None)
    disabled: bool = attr(default=False)


@payload(NS_OWN, "last")
class Last:
    """When the owner was last here (XEP-0012 §4), and the status at that moment."""

    stamp: datetime = attr()
    status: str | None = child_text(default=None)


@payload(NS_OWN, "client")
class Client:
    """A client that the account is used with, and since and until when."""

    id: str = attr()
    first: datetime = attr()
    last: datetime = attr()
    software: str | None = attr(default=None)
    device: str | None = attr(default=None)
    address: str | None = attr(default=None)


@payload(NS_OWN, "value")
class Value:
    """What a module keeps: under a name, or in a log with the moment of the entry."""

    name: str | None = attr(default=None)
    stamp: datetime | None = attr(default=None)
    encoding: str | None = attr(default=None)
    content: str = text(default="")

    def plain(self) -> tuple[str, str]:
        """Name and text. Raises `ValueError` if they are not encoded as they say."""
        given = self.name or "", self.content
        if self.encoding is None:
            return given
        name, content = (read_bytes(one).decode() for one in given)
        return name, content


def value(text: str, name: str | None = None, stamp: datetime | None = None) -> Value:
    """`text` and `name` as they are, or in base64 if XML cannot say them."""
    if not (_ILLEGAL(text) or _ILLEGAL(name or "")):
        return Value(name, stamp, None, text)
    shown = None if name is None else show_bytes(name.encode())
    return Value(shown, stamp, "base64", show_bytes(text.encode()))


def credentials(keys: Keys) -> Credentials | Digest:
    """`keys` for another server."""
    if keys.mechanism not in HASHES:
        return Digest(keys.salt, keys.stored_key)
    return Credentials(
        keys.mechanism,
        (str(keys.iterations),),
        (show_bytes(keys.salt),),
        (show_bytes(keys.server_key),),
        (show_bytes(keys.stored_key),),
    )


def keys(given: Credentials) -> Keys:
    """The keys that another server had.

    Raises `StanzaError`: ``feature-not-implemented`` for a mechanism that we do not have,
    ``bad-request`` for what is no key of that mechanism, or costs too much.
    """
    if given.mechanism not in HASHES:
        raise StanzaError("feature-not-implemented", f"no keys for {given.mechanism[:32]!a}")
    parts = (given.iterations, given.salt, given.server_key, given.stored_key)
    if any(len(part) != 1 for part in parts):
        raise StanzaError("bad-request", "not one count, one salt and two keys")
    try:
        iterations = int(given.iterations[0].strip())
        salt, server, stored = (read_bytes(part[0]) for part in parts[1:])
    except ValueError as error:
        raise StanzaError("bad-request", str(error)) from None
    sizes = {"sha512": 64, "sha256": 32, "sha1": 20}
    size = sizes[HASHES[given.mechanism]]
    if {len(server), len(stored)} != {size} or not 0 < len(salt) <= MAX_SALT:
        raise StanzaError("bad-request", "keys or salt of a wrong length")
    if not 0 < iterations <= MAX_ITERATIONS:
        raise StanzaError("bad-request", f"hashed {iterations} times")
    return Keys(given.mechanism, salt, iterations, stored, server)


def digest_keys(given: Digest) -> Keys:
    """The keys that a server like us had. Raises `StanzaError` ``bad-request``."""
    if len(given.stored) != 16:
        raise StanzaError("bad-request", "a key of a wrong length")
    return Keys(DIGEST_MD5, given.realm, 1, given.stored, b"")


def start(tag: Name, inside: str = "", **attrs: str) -> str:
    """The start tag of a container, in a parent of the namespace `inside`."""
    space = "" if tag.ns == inside else f' xmlns="{quote(tag.ns)}"'
    return f"<{tag.tag}{space}{write_attributes(attrs)}>"


def end(name: Name) -> str:
    return f"</{name.tag}>"
