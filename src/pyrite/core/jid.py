"""XMPP addresses (RFC 7622): parse, prepare, compare, escape.

An address is split first and prepared second, so that a character which preparation turns
into ``@`` or ``/`` can never move a border (§3.1). Two `JID`\\s are the same address exactly
when they are equal: preparation has already mapped case, width and normal form.

What practice leaves open is decided here, once:

- *Refused, not repaired.* What PRECIS disallows is an error, also where the stringprep of
  RFC 6122 dropped it (zero-width characters, variation selectors) or mapped it (ligatures).
  An account whose stored name is older than this rule is still reachable through the
  constructor, which trusts its arguments.
- *Underscores* are allowed in the ASCII labels of a domain: RFC 5890 knows no such host
  name, but container networks and SRV owners are full of them.
- *DNS lengths.* A label has at most 63 octets as DNS would write it. A domain as a whole is
  held to RFC 7622's 1,023 octets, not to the 253 of DNS: an address that is too long to
  resolve is a well-formed address of nobody.
- *IPv6 zones* (``[fe80::1%25eth0]``) are refused: they mean nothing on another host.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import AddressValueError, IPv6Address
from typing import Final

import idna
import precis_i18n

MAX_PART: Final = 1023  # octets of UTF-8, for each part (§3.1)
MAX_JID: Final = 3071  # octets, separators included (§3.1)
MAX_LABEL: Final = 63  # octets of one label in its ASCII form (RFC 1034 §3.1)

#: Characters of a raw part. Composing and folding can shrink a text to 1,023 octets, but not
#: from more than this; what is longer is refused before any of the costly rules run.
MAX_RAW_PART: Final = 2 * MAX_PART

FORBIDDEN_IN_LOCAL: Final = frozenset("\"&'/:<>@")  # §3.3.1; the space is no PRECIS identifier

_ASCII_LOCAL = re.compile(r"[!#$%()*+,\-.0-9;=?A-Z\[\\\]^_`a-z{|}~]+\Z").match
_ASCII_RESOURCE = re.compile(r"[ -~]+\Z").match
_LABEL = r"(?!..--)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ASCII_LABEL = re.compile(rf"{_LABEL}\Z").match
_ASCII_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z").match

_USERNAME = precis_i18n.get_profile("UsernameCaseMapped")
_OPAQUE = precis_i18n.get_profile("OpaqueString")

_CACHE_ENTRIES = 8192  # per generation; there are two
_CACHE_CHARACTERS = 1 << 20  # of all keys in a generation: long addresses must not buy memory


class JIDError(ValueError):
    """The text is not an XMPP address, or not that part of one."""


class JID:
    """An address: ``[local@]domain[/resource]``, prepared, comparable and never changed.

    Build one from text with `JID.parse`; the constructor trusts its arguments. `bare` is the
    address without its resource (the same object for a bare one), `text` what `str` gives.
    Equal addresses compare and hash alike; they sort by their text.
    """

    __slots__ = ("_hash", "bare", "domain", "local", "resource", "text")

    local: Final[str | None]
    domain: Final[str]
    resource: Final[str | None]
    bare: Final[JID]
    text: Final[str]

    def __init__(
        self,
        local: str | None,
        domain: str,
        resource: str | None = None,
        bare: JID | None = None,
    ) -> None:
        """`bare`, if it is at hand, is shared instead of looked up."""
        start = domain if local is None else f"{local}@{domain}"
        self.local = local
        self.domain = domain
        self.resource = resource
        self.text = start if resource is None else f"{start}/{resource}"
        self.bare = self if resource is None else bare or _trusted(start, local, domain)
        self._hash = hash(self.text)

    @staticmethod
    def parse(text: str) -> JID:
        """`text` split and prepared; raises `JIDError` if any part is malformed.

        The first ``/`` ends the bare address before the first ``@`` is looked for, so
        ``a.example/b@c`` is a domain with a resource (§3.2). Results are cached.
        """
        found = _young.get(text)
        return found if found is not None else _parse_slowly(text)

    @property
    def is_bare(self) -> bool:
        return self.resource is None

    def at(self, resource: str) -> JID:
        """The full address of `resource`, which is trusted to be prepared, at this account."""
        return JID(self.local, self.domain, resource, self.bare)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"JID({self.text!r})"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, JID) and self.text == other.text)

    def __lt__(self, other: JID) -> bool:
        return self.text < other.text

    def __le__(self, other: JID) -> bool:
        return self.text <= other.text

    def __gt__(self, other: JID) -> bool:
        return self.text > other.text

    def __ge__(self, other: JID) -> bool:
        return self.text >= other.text

    def __copy__(self) -> JID:
        return self

    def __deepcopy__(self, _memo: object) -> JID:
        return self

    def __reduce__(self) -> tuple[type[JID], tuple[str | None, str, str | None]]:
        return JID, (self.local, self.domain, self.resource)


def prepare_local(text: str) -> str:
    """`text` as a localpart: UsernameCaseMapped without the eight characters of §3.3.1."""
    if _ASCII_LOCAL(text):
        return _limited(text.lower())
    local = _enforced(_USERNAME, text)
    if not FORBIDDEN_IN_LOCAL.isdisjoint(local):
        raise JIDError(f"forbidden character in localpart {_shown(text)}")
    return local


def prepare_resource(text: str) -> str:
    """`text` as a resourcepart: OpaqueString, whose case is kept (§3.4)."""
    return _limited(text) if _ASCII_RESOURCE(text) else _enforced(_OPAQUE, text)


def prepare_domain(text: str) -> str:
    """`text` as a domainpart: labels in Unicode and lower case, or an IP address (§3.2)."""
    if len(text) > MAX_RAW_PART:
        raise JIDError(f"domain of {len(text)} characters")
    text = text.removesuffix(".")
    lower = text.lower()
    if _ASCII_DOMAIN(lower):
        return _limited(lower)
    if text.startswith("["):
        return _ipv6(text)
    domain = _idn(text)
    if _idn(domain) != domain:
        raise JIDError(f"domain has no stable form: {_shown(text)}")
    return _limited(domain)


# --- the cache: two generations, so that what is used lives and neither grows -------------

_young: dict[str, JID] = {}
_old: dict[str, JID] = {}
_characters = 0


def _parse_slowly(text: str) -> JID:
    found = _old.get(text)
    return _remember(text, _parse(text) if found is None else found)


def _remember(text: str, jid: JID) -> JID:
    global _young, _old, _characters
    _characters += len(text)
    if len(_young) >= _CACHE_ENTRIES or _characters > _CACHE_CHARACTERS:
        _old, _young, _characters = _young, {}, len(text)
    _young[text] = jid
    return jid


def _trusted(text: str, local: str | None, domain: str) -> JID:
    """The bare address of these parts: the cached object if there is one."""
    found = _young.get(text)
    return found if found is not None and found.text == text else JID(local, domain)


def _parse(text: str) -> JID:
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.partition("@")
    if not at:
        local, domain = "", rest
    if (slash and not resource) or (at and not local) or not domain:
        raise JIDError(f"empty part in address {_shown(text)}")
    prepared = prepare_domain(domain)
    account = prepare_local(local) if at else None
    if not slash:
        return JID(account, prepared)
    text = prepared if account is None else f"{account}@{prepared}"
    bare = _young.get(text) or _remember(text, _old.get(text) or JID(account, prepared))
    return JID(account, prepared, prepare_resource(resource), bare)


# --- the slow paths ------------------------------------------------------------------------

_ARABIC_INDIC = frozenset(map(chr, range(0x660, 0x66A)))
_EXTENDED_INDIC = frozenset(map(chr, range(0x6F0, 0x6FA)))
_MIDDLE_DOT = "\u30fb"
#: Stands in for what is already judged. Like that it joins with no neighbour, and no contextual
#: rule asks for it.
_NEUTRAL = dict.fromkeys(map(ord, _ARABIC_INDIC | _EXTENDED_INDIC), "a")


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
        _limited(mapped)
        letters = set(mapped)
        if letters & _ARABIC_INDIC and letters & _EXTENDED_INDIC:
            raise JIDError(f"two kinds of Arabic digits in {_shown(text)}")
        profile.base.enforce(_judged_once(mapped), profile.name)
    except UnicodeError as error:
        raise JIDError(f"{_shown(text)}: {getattr(error, 'reason', error)}") from None
    return mapped


def _judged_once(text: str) -> str:
    """`text` with one middle dot left to judge, and no digit."""
    head, dot, tail = text.translate(_NEUTRAL).partition(_MIDDLE_DOT)
    return head + dot + tail.replace(_MIDDLE_DOT, "a")


def _idn(text: str) -> str:
    """`text` with each label mapped (RFC 5895 §2) and checked as a U-label (RFC 5891)."""
    mapped = unicodedata.normalize("NFC", _narrow(text.lower()))
    labels = [_label(label) for label in mapped.replace("\u3002", ".").split(".")]
    try:
        if any(map(_is_rtl, labels)):
            for label in labels:  # one such label binds all of them (RFC 5893 §2)
                idna.check_bidi(label, check_ltr=True)
    except idna.IDNAError as error:
        raise JIDError(f"domain {_shown(text)}: {_plain(error)}") from None
    return ".".join(labels)


def _label(label: str) -> str:
    if _ASCII_LABEL(label):
        return label
    if not 0 < len(label) <= MAX_LABEL:
        raise JIDError(f"domain label of {len(label)} characters")
    try:
        shown = idna.ulabel(label)
        idna.alabel(shown)  # refuses what would not fit into DNS
    except (idna.IDNAError, UnicodeError) as error:
        raise JIDError(f"domain label {_shown(label)}: {_plain(error)}") from None
    return shown


def _narrow(text: str) -> str:
    """`text` with full-width and half-width characters as their ordinary forms."""
    return "".join(unicodedata.normalize("NFKC", c) if "\uff00" < c < "\ufff0" else c for c in text)


def _is_rtl(label: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in label)


def _ipv6(text: str) -> str:
    if not text.endswith("]") or "%" in text:
        raise JIDError(f"not an IPv6 address: {_shown(text)}")
    try:
        return f"[{IPv6Address(text[1:-1]).compressed}]"
    except AddressValueError:
        raise JIDError(f"not an IPv6 address: {_shown(text)}") from None


def _limited(part: str) -> str:
    try:
        octets = len(part) if part.isascii() else len(part.encode())
    except UnicodeEncodeError:
        raise JIDError("a part is not Unicode text") from None
    if not 0 < octets <= MAX_PART:
        raise JIDError(f"part of {octets} octets; 1 to {MAX_PART} allowed")
    return part


def _plain(error: Exception) -> str:
    return str(error)[:200].encode("ascii", "backslashreplace").decode()


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 64 else f"{text[:61]}...")


# --- XEP-0106: names with characters that a localpart cannot have --------------------------

_ESCAPES = {c: f"\\{ord(c):02x}" for c in " \"&'/:<>@\\"}
_UNESCAPES = {escaped: c for c, escaped in _ESCAPES.items()}
_TO_ESCAPE = re.compile(r"[ \"&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)")
_TO_UNESCAPE = re.compile(r"\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)")


def escape_local(text: str) -> str:
    """`text`, a name from outside, as a localpart (XEP-0106 §4.2); not yet prepared.

    Raises `JIDError` if it starts or ends with a space, which has no escaped form (§3.2).
    """
    if text[:1] == " " or text[-1:] == " ":
        raise JIDError("a name that starts or ends with a space cannot be escaped")
    return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], text)


def unescape_local(local: str) -> str:
    """`local` as a person writes it (XEP-0106 §3.3). Never compare or send the result."""
    if local.startswith("\\20") or local.endswith("\\20"):
        return local  # not an escaped localpart (§3.2): nothing in it was escaped
    return _TO_UNESCAPE.sub(lambda found: _UNESCAPES[found[0]], local)
