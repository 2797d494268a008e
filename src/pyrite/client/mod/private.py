"""Elements of any kind that the server keeps for the user alone (XEP-0049)."""

from __future__ import annotations

from typing import TypeVar

from ...core.payload import decode, encode, name_of
from ...core.xml import Element, Name
from ...wire import private
from ..feature import Feature

P = TypeVar("P")


class PrivateStorage(Feature):
    """One element of each name. Whoever writes last has written it."""

    spec = private.SPEC

    async def store(self, value: object) -> None:
        """Keep a payload or element in the place of what has its name. Raises `StanzaError`."""
        query = private.Private((_element(value),))
        await self.client.request(query, type="set")

    async def load(self, kind: type[P]) -> P | None:
        """The payload of that kind; None if there is none. Raises `StanzaError`."""
        name = name_of(kind)
        found = await self.load_element(name.ns, name.tag)
        return None if found is None else decode(kind, found)

    async def load_element(self, ns: str, tag: str) -> Element | None:
        """The same for an element; an empty one is what servers say for none."""
        query = private.Private((Element(Name(ns, tag)),))
        answer = await self.client.request(query, expect=private.Private)
        found = next((one for one in answer.content if one.name == (ns, tag)), None)
        return found if found is not None and (found.attrs or found.children) else None


def _element(value: object) -> Element:
    return value if isinstance(value, Element) else encode(value)
