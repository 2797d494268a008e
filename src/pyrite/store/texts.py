"""How addresses, moments and sets of numbers stand in an SQLite database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from ..core.jid import JID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)


def key(jid: JID) -> str:
    """The bare address that everything of an account is found by."""
    return jid.bare.text


def to_jid(text: str) -> JID:
    """A stored address, which was prepared when it was stored."""
    bare, slash, resource = text.partition("/")
    local, at, domain = bare.rpartition("@")
    return JID(local if at else None, domain, resource if slash else None)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970; what is finer is cut off."""
    return (moment - EPOCH) // MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def id_set(ids: Iterable[int | str]) -> str:
    """`ids` for ``IN (SELECT value FROM json_each(?))``: one statement, however many."""
    return json.dumps(list(ids))


def size(text: str) -> int:
    """Octets of UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
