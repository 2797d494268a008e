"""OMEMO: devices, their keys, and what is encrypted for them, as far as the wire goes."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..core.jid import JID
from ..core.payload import attr, child, child_text, children, payload, text
from ..core.values import PositiveInt
from . import Spec

SPEC = Spec("XEP-0384", "0.9.1", "OMEMO Encryption")
SPEC_MEDIA = Spec("XEP-0454", "0.1.0", "OMEMO Media sharing")
NS = "urn:xmpp:omemo:2"
NODE_DEVICES = "urn:xmpp:omemo:2:devices"
NODE_BUNDLES = "urn:xmpp:omemo:2:bundles"  # the id of an item is a device's


@payload(NS, "device")
class Device:
    """One of somebody's (§5.3.1)."""

    id: PositiveInt = attr()
    label: str | None = attr(default=None)
    labelsig: str | None = attr(default=None)


@payload(NS, "devices")
class Devices:
    """All of them (§5.3.1)."""

    devices: tuple[Device, ...] = children(default=())


@payload(NS, "spk")
class SignedPreKey:
    """A key that its owner has signed, which changes every few weeks (§5.3.2)."""

    id: PositiveInt = attr()
    key: bytes = text()


@payload(NS, "pk")
class PreKey:
    """A key that is used once (§5.3.2)."""

    id: PositiveInt = attr()
    key: bytes = text()


@payload(NS, "prekeys")
class PreKeys:
    """Enough of them for who wants to begin (§5.3.2)."""

    keys: tuple[PreKey, ...] = children(default=())


@payload(NS, "bundle")
class Bundle:
    """What is needed to begin with a device (§5.3.2)."""

    signed: SignedPreKey = child()
    signature: bytes = child_text("spks")
    identity: bytes = child_text("ik")
    keys: PreKeys = child()


@payload(NS, "key")
class Key:
    """The key of a message, encrypted for one device (§5.5)."""

    rid: PositiveInt = attr()
    data: bytes = text()
    is_exchange: bool = attr("kex", default=False)  # the first one, which begins a session


@payload(NS, "keys")
class Keys:
    """For the devices of one person (§5.5)."""

    jid: JID = attr()
    keys: tuple[Key, ...] = children(default=())


@payload(NS, "header")
class Header:
    """Which device has encrypted it, and for whom (§5.5)."""

    sid: PositiveInt = attr()
    keys: tuple[Keys, ...] = children(default=())


@payload(NS, "encrypted")
class Encrypted:
    """On a message; without data it only exchanges keys (§5.5)."""

    header: Header = child()
    data: bytes | None = child_text("payload", default=None)


@payload(NS, "opt-out")
class OptOut:
    """Within an encrypted envelope: no more of it, please (§5.7)."""

    reason: str | None = child_text(default=None)


# --- files (XEP-0454) -------------------------------------------------------------------------

_FILE = re.compile(r"aesgcm://([^#\s]+)#([0-9a-fA-F]{88}|[0-9a-fA-F]{96})").fullmatch
_KEY = 32  # octets of the key, which come last


class EncryptedFile(NamedTuple):
    """An encrypted file on the web, and what opens it (XEP-0454 §3)."""

    url: str
    vector: bytes
    key: bytes

    @property
    def uri(self) -> str:
        return f"aesgcm://{self.url.removeprefix('https://')}#{(self.vector + self.key).hex()}"


def encrypted_file(uri: str) -> EncryptedFile | None:
    """What a URI of ``aesgcm`` says; ``None`` if it is none (XEP-0454 §3)."""
    found = _FILE(uri)
    if found is None:
        return None
    secret = bytes.fromhex(found[2])
    return EncryptedFile(f"https://{found[1]}", secret[:-_KEY], secret[-_KEY:])
