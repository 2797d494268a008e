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

Most addresses are ASCII, and are prepared here; `international` has the rules for the others, and
is loaded when the first of them comes. Whoever may not wait for that loads it beforehand.
"""

from __future__ import annotations

import re
from typing import Final

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
ASCII_LABEL = re.compile(rf"{_LABEL}\Z").match
_ASCII_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z").match

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
        return limited(text.lower())
    from .international import username

    local = username(text)
    if not FORBIDDEN_IN_LOCAL.isdisjoint(local):
        raise JIDError(f"forbidden character in localpart {shown(text)}")
    return local


def prepare_resource(text: str) -> str:
    """`text` as a resourcepart: OpaqueString, whose case is kept (§3.4)."""
    if _ASCII_RESOURCE(text):
        return limited(text)
    from .international import opaque

    return opaque(text)


def prepare_domain(text: str) -> str:
    """`text` as a domainpart: labels in Unicode and lower case, or an IP address (§3.2)."""
    if len(text) > MAX_RAW_PART:
        raise JIDError(f"domain of {len(text)} characters")
    text = text.removesuffix(".")
    lower = text.lower()
    if _ASCII_DOMAIN(lower):
        return limited(lower)
    from .international import idn, ipv6

    if text.startswith("["):
        return ipv6(text)
    domain = idn(text)
    if idn(domain) != domain:
        raise JIDError(f"domain has no stable form: {shown(text)}")
    return limited(domain)


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
        raise JIDError(f"empty part in address {shown(text)}")
    prepared = prepare_domain(domain)
    account = prepare_local(local) if at else None
    if not slash:
        return JID(account, prepared)
    text = prepared if account is None else f"{account}@{prepared}"
    bare = _young.get(text) or _remember(text, _old.get(text) or JID(account, prepared))
    return JID(account, prepared, prepare_resource(resource), bare)


# --- what both ways share ------------------------------------------------------------------


def limited(part: str) -> str:
    """`part` if it is as long as a part may be; raises `JIDError`."""
    try:
        octets = len(part) if part.isascii() else len(part.encode())
    except UnicodeEncodeError:
        raise JIDError("a part is not Unicode text") from None
    if not 0 < octets <= MAX_PART:
        raise JIDError(f"part of {octets} octets; 1 to {MAX_PART} allowed")
    return part


def shown(text: str) -> str:
    """`text`, which a stranger wrote, as an error says it."""
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
