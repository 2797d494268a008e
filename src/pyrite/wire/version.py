"""Software Version: what runs there."""

from __future__ import annotations

from ..core.payload import child_text, payload
from . import Spec

SPEC = Spec("XEP-0092", "1.1", "Software Version")
NS = "jabber:iq:version"


@payload(NS, "query")
class Version:
    """The question, and the answer: an answer has `name` and `version` (§4)."""

    name: str | None = child_text(default=None)
    version: str | None = child_text(default=None)
    os: str | None = child_text(default=None)
