"""The words of a text, as an index has them and as a search asks for them.

A word is a run of letters and digits, folded: case, accents and width make no difference. Where
a script puts no spaces between words, each character is one, and each pair of neighbours. An
emoji is a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final

SEARCHED: Final = 1 << 16  # characters of a text that are looked into
MOST: Final = 2000  # words of a text, in its order; what it has more is not found
ASKED: Final = 32  # words of one search; what it has more is no condition
LONGEST: Final = 64  # characters; what is longer is more words than one

SHORT: Final = 4096  # characters of a text whose words are remembered for the next one

#: Thai and Lao, Burmese, Khmer, Kana, Han, Hangul: no spaces, or endings behind the words.
_DENSE: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_EMOJI: Final = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

_plain = re.compile(rf"[^\W_]{{1,{LONGEST}}}").findall
_pieces = re.compile(rf"([{_DENSE}]+)|[{_EMOJI}]|[^\W_{_DENSE}]{{1,{LONGEST}}}").finditer


def words(text: str) -> frozenset[str]:
    """What of `text` can be found."""
    return _near(text) if len(text) <= SHORT else _words(text)


def _words(text: str) -> frozenset[str]:
    if text.isascii():
        return frozenset(_plain(text[:SEARCHED].lower())[:MOST])
    return frozenset(islice(_folded_words(text, singly=True), MOST))


#: The copy of who writes is followed by that of who reads, with the same words.
_near = lru_cache(maxsize=16)(_words)


def asked(text: str) -> set[str]:
    """What a text must have among its `words` to be found by a search for `text`."""
    return set(islice(_folded_words(text, singly=False), ASKED))


def _folded_words(text: str, *, singly: bool) -> Iterator[str]:
    for piece in _pieces(_folded(text[:SEARCHED])):
        if dense := piece[1]:
            if singly or len(dense) == 1:
                yield from dense
            yield from map("".join, pairwise(dense))
        else:
            yield piece[0]


def _folded(text: str) -> str:
    """`text` without case, accents and other marks, and with characters of one width."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(one for one in apart if one.isascii() or unicodedata.category(one)[0] != "M")
    return unicodedata.normalize("NFC", bare).casefold()
