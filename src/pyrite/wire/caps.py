"""Entity Capabilities: a hash in the presence that stands for all of service discovery.

Who believes a hash must compute it: whoever sends a wrong one could otherwise say what
everybody else's client can do. `verify` is the only way to an `Info` that may be cached.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import new as new_hash

from ..core.payload import attr, payload
from . import Spec
from .dataforms import FORM_TYPE, Form
from .disco import Identity, Info

SPEC = Spec("XEP-0115", "1.6.0", "Entity Capabilities")
NS = "http://jabber.org/protocol/caps"
NS_OPTIMIZE = "http://jabber.org/protocol/caps#optimize"

#: Names of hash functions, as XEP-0300 and IANA write them -> as Python does.
HASHES = {"sha-1": "sha1", "sha-224": "sha224", "sha-256": "sha256", "sha-384": "sha384",
          "sha-512": "sha512"}  # fmt: skip


@payload(NS, "c")
class Caps:
    """On presence, and as stream feature: whose software, and the hash of what it can (§4)."""

    node: str = attr()
    ver: str = attr()
    hash: str | None = attr(default=None)  # absent: the legacy format, where `ver` is a version
    ext: str | None = attr(default=None)

    @property
    def disco_node(self) -> str:
        """The node to ask for what the hash stands for (§6.2)."""
        return f"{self.node}#{self.ver}"

    @property
    def is_verifiable(self) -> bool:
        """Whether an answer can be checked, and so be true of everybody with this hash (§5.4)."""
        return self.hash in HASHES


def ver(info: Info, hash: str = "sha-1") -> str:
    """The verification string of `info` (§5.1); raises `KeyError` for a hash that is unknown."""
    # Names, not secrets: a weak hash is what the specification wants here.
    digest = new_hash(HASHES[hash], _string(info).encode(), usedforsecurity=False)
    return b64encode(digest.digest()).decode("ascii")


def verify(caps: Caps, info: Info) -> bool:
    """Whether `info` is what `caps` stands for, and may be believed of others too (§5.4)."""
    if caps.hash is None or not caps.is_verifiable or not is_well_formed(info):
        return False
    return ver(info, caps.hash) == caps.ver


def is_well_formed(info: Info) -> bool:
    """Whether the answer may be hashed at all (§5.4, steps 3.3 to 3.5).

    Also refuses ``<`` inside any part: it is what separates them, so that another answer with
    the same hash could be made from the parts of an honest one (§8.3).
    """
    identities = [(i.category, i.type, i.lang, i.name) for i in info.identities]
    features = [feature.var for feature in info.features]
    if len(set(identities)) != len(identities) or len(set(features)) != len(features):
        return False
    types = [form.form_type for form in _forms(info)]
    if len(set(types)) != len(types):
        return False
    if any(len(set(form.values(FORM_TYPE))) > 1 for form in _forms(info)):
        return False
    return not any("<" in part for part in _parts(info))


def _forms(info: Info) -> list[Form]:
    """Forms without a hidden FORM_TYPE do not count (§5.4, step 3.6)."""
    return [form for form in info.forms if _is_typed(form)]


def _is_typed(form: Form) -> bool:
    field = form.field(FORM_TYPE)
    return field is not None and field.type == "hidden" and bool(field.values)


def _parts(info: Info) -> list[str]:
    """What is hashed, in order; each part is to be followed by ``<``."""
    identities = sorted(info.identities, key=_identity_key)
    parts = [f"{i.category}/{i.type}/{i.lang or ''}/{i.name or ''}" for i in identities]
    parts += sorted((feature.var for feature in info.features), key=_octets)
    for form in sorted(_forms(info), key=lambda form: _octets(form.form_type or "")):
        parts.append(form.form_type or "")
        fields = [f for f in form.fields if f.var not in (None, FORM_TYPE)]
        for field in sorted(fields, key=lambda field: _octets(field.var or "")):
            parts += [field.var or "", *sorted(field.values, key=_octets)]
    return parts


def _identity_key(identity: Identity) -> tuple[bytes, ...]:
    """By category, then type, then language, and not by the whole: ``-`` sorts before ``/``."""
    parts = (identity.category, identity.type, identity.lang or "", identity.name or "")
    return tuple(map(_octets, parts))


def _string(info: Info) -> str:
    return "".join(f"{part}<" for part in _parts(info))


def _octets(text: str) -> bytes:
    """The i;octet collation: text sorts by its UTF-8 (§5.1)."""
    return text.encode()
