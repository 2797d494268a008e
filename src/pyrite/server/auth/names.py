"""Names that pass for others: reserved ones, look-alikes, mixtures of scripts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

#: Scripts whose letters are taken for each other's. A name has letters of one of them at most.
ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})

#: A Latin letter -> what is taken for it.
_TAKEN_FOR = {
    "a": "\u0430\u03b14@",
    "b": "\u0432\u03b2",
    "c": "\u0441",
    "d": "\u0501",
    "e": "\u0435\u03b53",
    "h": "\u04bb\u043d",
    "j": "\u0458",
    "k": "\u043a\u03ba",
    "l": "\u0456\u03b9i|!1\u0131\u0142",
    "m": "\u043c",
    "n": "\u03b7",
    "o": "\u043e\u03bf0\u00f8",
    "p": "\u0440\u03c1",
    "q": "\u051b",
    "s": "\u04555$",
    "t": "\u0442\u03c47",
    "u": "\u03c5",
    "v": "\u03bd",
    "w": "\u051d\u03c9",
    "x": "\u0445\u03c7",
    "y": "\u0443",
}
_LIKE = {ord(c): letter for letter, others in _TAKEN_FOR.items() for c in others}


def skeleton(name: str) -> str:
    """What is left of a name for a hasty reader: names with one skeleton look alike."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_LIKE)
    letters = "".join(c for c in plain if c.isalnum())
    return letters.replace("rn", "m").replace("vv", "w")


def is_reserved(name: str, reserved: Iterable[str]) -> bool:
    """`name` looks like one of `reserved`."""
    seen = skeleton(name)
    return any(seen == skeleton(one) for one in reserved)


def mixes_scripts(name: str) -> bool:
    """`name` has letters of two scripts that look alike, as nobody's name has."""
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in name if c.isalpha()}
    return len(scripts & ALIKE) > 1
