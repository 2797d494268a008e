"""Parts of addresses beyond ASCII: PRECIS profiles, domain labels in Unicode, and IPv6.

Apart from `jid`, since the tables behind this take longer to load than all the rest of the core.
"""

from __future__ import annotations

import unicodedata
from ipaddress import AddressValueError, IPv6Address

import idna
import precis_i18n

from .jid import ASCII_LABEL, MAX_LABEL, MAX_RAW_PART, JIDError, limited, shown

_USERNAME = precis_i18n.get_profile("UsernameCaseMapped")
_OPAQUE = precis_i18n.get_profile("OpaqueString")

_ARABIC_INDIC = frozenset(map(chr, range(0x660, 0x66A)))
_EXTENDED_INDIC = frozenset(map(chr, range(0x6F0, 0x6FA)))
_MIDDLE_DOT = "\u30fb"
#: Stands in for what is already judged. Like that it joins with no neighbour, and no contextual
#: rule asks for it.
_NEUTRAL = dict.fromkeys(map(ord, _ARABIC_INDIC | _EXTENDED_INDIC), "a")


def username(text: str) -> str:
    """`text` as UsernameCaseMapped has it; raises `JIDError`."""
    return _enforced(_USERNAME, text)


def opaque(text: str) -> str:
    """`text` as OpaqueString has it; raises `JIDError`."""
    return _enforced(_OPAQUE, text)


def _enforced(profile: precis_i18n.profile.Profile, text: str) -> str:
    """`text` as the PRECIS `profile` wants it; raises `JIDError`.

    The library looks at the whole text for every Arabic digit and katakana middle dot in it:
    60 to 150 ms for one address. Their rules (RFC 5892 A.7 to A.9) are each one question about
    the whole text, so they are asked once here.
    """
    if len(text) > MAX_RAW_PART:
        raise JIDError(f"part of {len(text)} characters")
    try:
        mapped = profile.idempotence_check(profile.apply_five_rules(text))
        limited(mapped)
        letters = set(mapped)
        if letters & _ARABIC_INDIC and letters & _EXTENDED_INDIC:
            raise JIDError(f"two kinds of Arabic digits in {shown(text)}")
        profile.base.enforce(_judged_once(mapped), profile.name)
    except UnicodeError as error:
        raise JIDError(f"{shown(text)}: {getattr(error, 'reason', error)}") from None
    return mapped


def _judged_once(text: str) -> str:
    """`text` with one middle dot left to judge, and no digit."""
    head, dot, tail = text.translate(_NEUTRAL).partition(_MIDDLE_DOT)
    return head + dot + tail.replace(_MIDDLE_DOT, "a")


def idn(text: str) -> str:
    """`text` with each label mapped (RFC 5895 §2) and checked as a U-label (RFC 5891)."""
    mapped = unicodedata.normalize("NFC", _narrow(text.lower()))
    labels = [_label(label) for label in mapped.replace("\u3002", ".").split(".")]
    try:
        if any(map(_is_rtl, labels)):
            for label in labels:  # one such label binds all of them (RFC 5893 §2)
                idna.check_bidi(label, check_ltr=True)
    except idna.IDNAError as error:
        raise JIDError(f"domain {shown(text)}: {_plain(error)}") from None
    return ".".join(labels)


def _label(label: str) -> str:
    if ASCII_LABEL(label):
        return label
    if not 0 < len(label) <= MAX_LABEL:
        raise JIDError(f"domain label of {len(label)} characters")
    try:
        mapped = idna.ulabel(label)
        idna.alabel(mapped)  # refuses what would not fit into DNS
    except (idna.IDNAError, UnicodeError) as error:
        raise JIDError(f"domain label {shown(label)}: {_plain(error)}") from None
    return mapped


def _narrow(text: str) -> str:
    """`text` with full-width and half-width characters as their ordinary forms."""
    return "".join(unicodedata.normalize("NFKC", c) if "\uff00" < c < "\ufff0" else c for c in text)


def _is_rtl(label: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in label)


def ipv6(text: str) -> str:
    """`text`, in brackets, in its shortest form."""
    if not text.endswith("]") or "%" in text:
        raise JIDError(f"not an IPv6 address: {shown(text)}")
    try:
        return f"[{IPv6Address(text[1:-1]).compressed}]"
    except AddressValueError:
        raise JIDError(f"not an IPv6 address: {shown(text)}") from None


def _plain(error: Exception) -> str:
    return str(error)[:200].encode("ascii", "backslashreplace").decode()
