"""Keeps any element for its owner, and shows it to nobody else (XEP-0049)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ...core.errors import StanzaError
from ...core.xml import KEPT, Element, parse, write
from ...kit.config import Size, Table
from ...store.shapes import Quota
from ...wire import private
from ..module import At, Module, Request, request


class PrivateSettings(Table):
    """How much one account may keep."""

    count: Annotated[int, Meta(ge=1)] = 500
    """Elements of one account."""
    size: Size = Size(1 << 20)
    """Octets of all of them together."""


class Private(Module):
    """Private XML storage: one element under each name."""

    spec = private.SPEC
    features = (private.NS,)
    Settings = PrivateSettings

    @request("get", private.Private, at=At.OWN | At.OTHERS)
    async def show(self, query: private.Private, request: Request) -> private.Private:
        """What is kept under the name; an empty element where nothing is (§2.2)."""
        wanted = _checked(query, request)
        kept = await self.host.stores.private.find(request.to, *wanted.name)
        return query if kept is None else private.Private((parse(kept, limits=KEPT),))

    @request("set", private.Private, at=At.OWN | At.OTHERS)
    async def keep(self, query: private.Private, request: Request) -> None:
        """Keep an element in place of any other of this name."""
        given = _checked(query, request)
        quota = Quota(self.settings.count, int(self.settings.size))
        store = self.host.stores.private
        if not await store.put(request.to, *given.name, write(given), quota):
            raise StanzaError("resource-constraint", "no more is kept for this account")


def _checked(query: private.Private, request: Request) -> Element:
    """The one element in `query`. Raises `StanzaError` ``forbidden`` to who is not the owner."""
    if not request.is_own:
        raise StanzaError("forbidden", "what is private is its owner's")
    return private.content(query)
