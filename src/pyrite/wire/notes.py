"""Annotations: what somebody notes of others, kept in private storage."""

from __future__ import annotations

from datetime import datetime

from ..core.jid import JID
from ..core.payload import attr, children, payload, text
from . import Spec

SPEC = Spec("XEP-0145", "1.0", "Annotations")
NS = "storage:rosternotes"


@payload(NS, "note")
class Note:
    """The note on one person, when it was made, and when it was changed."""

    jid: JID = attr()
    text: str = text(default="")
    created: datetime | None = attr("cdate", default=None)
    changed: datetime | None = attr("mdate", default=None)


@payload(NS, "storage")
class Storage:
    """All of them at once."""

    notes: tuple[Note, ...] = children(default=())

    def on(self, jid: JID) -> Note | None:
        return next((note for note in self.notes if note.jid == jid), None)
