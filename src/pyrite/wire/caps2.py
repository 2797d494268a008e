"""Entity Capabilities 2.0: hashes in the presence, by more than one function, for all it can do."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.payload import children, payload
from ..core.values import show_bytes
from . import Spec
from .dataforms import FORM_TYPE, Field, Form
from .disco import Identity, Info
from .hashes import Hash, hasher

SPEC = Spec("XEP-0390", "0.3.2", "Entity Capabilities 2.0")
NS = "urn:xmpp:caps"
USED = ("sha-256", "sha3-256")  # what we hash with ourselves

#: What ends a part, an identity or a field, a form, and all of a kind (§4.1).
_PART, _THING, _FORM, _KIND = b"\x1f", b"\x1e", b"\x1d", b"\x1c"


@payload(NS, "c")
class Caps:
    """On presence, and as stream feature (§5.2, §5.4)."""

    hashes: tuple[Hash, ...] = children(default=())


def node(one: Hash) -> str:
    """The node to ask for what a hash stands for (§4.3)."""
    return f"{NS}#{one.algo}.{show_bytes(one.value)}"


def caps_of(info: Info, functions: Iterable[str] = USED) -> Caps:
    """What to say of `info` (§4.2); raises `ValueError` for what cannot be hashed."""
    octets = hashed(info)
    return Caps(tuple(_hash(name, octets) for name in functions))


def verify(told: Caps, info: Info) -> bool:
    """Whether `info` is what all hashes stand for that are used here, and there is one (§4.4)."""
    known = [one for one in told.hashes if one.algo in USED]
    try:
        octets = hashed(info)
    except ValueError:
        return False
    return bool(known) and all(_hash(one.algo, octets) == one for one in known)


def _hash(algo: str, octets: bytes) -> Hash:
    function = hasher(algo)
    if function is None:
        raise ValueError(f"no hash function {algo}")
    function.update(octets)
    return Hash(algo, function.digest())


def hashed(info: Info) -> bytes:
    """What is hashed (§4.1); raises `ValueError` for what must not be."""
    features = _all(_part(feature.var) for feature in info.features)
    identities = _all(map(_identity, info.identities))
    forms = _all(map(_form, info.forms))
    return features + _KIND + identities + _KIND + forms + _KIND


def _all(octets: Iterable[bytes]) -> bytes:
    return b"".join(sorted(octets))


def _part(text: str) -> bytes:
    return text.encode() + _PART


def _identity(one: Identity) -> bytes:
    parts = (one.category, one.type, one.lang or "", one.name or "")
    return b"".join(map(_part, parts)) + _THING


def _form(form: Form) -> bytes:
    if form.reported is not None or form.items or form.form_type is None:
        raise ValueError(f"no form with a {FORM_TYPE} alone")
    return _all(map(_field, form.fields)) + _FORM


def _field(field: Field) -> bytes:
    return _part(field.var or "") + _all(map(_part, field.values)) + _THING
