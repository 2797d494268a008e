"""XHTML-IM: words with looks, which no client writes any more, and which must not be trusted."""

from __future__ import annotations

from ..core.payload import anything, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0071", "1.5.4", "XHTML-IM")
NS = "http://jabber.org/protocol/xhtml-im"
NS_XHTML = "http://www.w3.org/1999/xhtml"


@payload(NS, "html")
class Html:
    """The bodies, one for each language, as they came: nothing of it is safe to be shown (§11)."""

    bodies: tuple[Element, ...] = anything(default=())

    def text(self) -> str:
        """The words of the first body, without any looks."""
        return "".join(_words(self.bodies[0])) if self.bodies else ""


def _words(element: Element) -> list[str]:
    """In order; without recursion, since others decide how deep it is."""
    words: list[str] = []
    todo: list[Element | str] = [element]
    while todo:
        one = todo.pop()
        if isinstance(one, Element):
            todo.extend(reversed(one.children))
        else:
            words.append(one)
    return words
