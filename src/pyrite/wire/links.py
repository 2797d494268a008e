"""Link metadata: what a page says of itself, told by who links to it."""

from __future__ import annotations

from ..core.payload import anything, attr, child_text, child_texts, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0511", "0.1.1", "Link Metadata")
NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NS_GRAPH = "https://ogp.me/ns#"


@payload(NS, "Description")
class LinkMetadata:
    """Of the link `about`: what the Open Graph protocol has words for (§3.1)."""

    about: str = attr(f"{{{NS}}}about")
    title: str | None = child_text(ns=NS_GRAPH, default=None)
    description: str | None = child_text(ns=NS_GRAPH, default=None)
    url: str | None = child_text(ns=NS_GRAPH, default=None)
    type: str | None = child_text(ns=NS_GRAPH, default=None)
    site_name: str | None = child_text(ns=NS_GRAPH, default=None)
    images: tuple[str, ...] = child_texts("image", ns=NS_GRAPH, default=())
    videos: tuple[str, ...] = child_texts("video", ns=NS_GRAPH, default=())
    more: tuple[Element, ...] = anything(default=())
