"""Stateless inline media sharing: a file that a word of a message stands for."""

from __future__ import annotations

from ..core.payload import child, children, payload
from . import Spec
from .jingle import File
from .references import Reference

SPEC = Spec("XEP-0385", "0.2.1", "Stateless Inline Media Sharing (SIMS)")
NS = "urn:xmpp:sims:1"


@payload(NS, "sources")
class Sources:
    """Where it can be had: by HTTP, or from a client (§4.1)."""

    references: tuple[Reference, ...] = children(default=())


@payload(NS, "media-sharing")
class MediaSharing:
    """The file, in a reference's `more` (§4.1)."""

    file: File = child()
    sources: Sources | None = child(default=None)
