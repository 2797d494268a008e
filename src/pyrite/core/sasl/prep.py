"""SASLprep (RFC 4013): one form for user names and passwords that look the same.

The tables are those of Unicode 3.2, as stringprep (RFC 3454) fixed them. Code points that came
later are let through as they are: the tables never change, so neither does their form, and
people do use them in passwords.
"""

from __future__ import annotations

import stringprep as tables
from unicodedata import ucd_3_2_0

#: What must not be in the result (RFC 4013 §2.3).
PROHIBITED = (
    tables.in_table_c12,
    tables.in_table_c21_c22,
    tables.in_table_c3,
    tables.in_table_c4,
    tables.in_table_c5,
    tables.in_table_c6,
    tables.in_table_c7,
    tables.in_table_c8,
    tables.in_table_c9,
)


class PrepError(ValueError):
    """The text has something that no user name or password may have."""


def saslprep(text: str) -> str:
    """`text` in its one form, which may be empty; raises `PrepError`."""
    if text.isascii() and text.isprintable():
        return text
    prepared = ucd_3_2_0.normalize("NFKC", "".join(map(_mapped, text)))
    for character in prepared:
        if any(prohibits(character) for prohibits in PROHIBITED):
            raise PrepError(f"U+{ord(character):04X} is not allowed")
    _check_direction(prepared)
    return prepared


def _mapped(character: str) -> str:
    if tables.in_table_c12(character):
        return " "
    return "" if tables.in_table_b1(character) else character


def _check_direction(text: str) -> None:
    # RFC 3454 §6: text in one direction only, with right-to-left ends if it is that
    right_to_left = [tables.in_table_d1(character) for character in text]
    if not any(right_to_left):
        return
    if any(map(tables.in_table_d2, text)):
        raise PrepError("left-to-right beside right-to-left letters")
    if not (right_to_left[0] and right_to_left[-1]):
        raise PrepError("right-to-left text needs such letters at both ends")
