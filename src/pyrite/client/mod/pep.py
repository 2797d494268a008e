"""What people publish of themselves: one's own, and one's contacts' (XEP-0163).

Tunes (XEP-0118), moods (0107), activities (0108), places (0080), nicks (0172), and whatever
else is a payload.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TypeVar

from ...core.jid import JID
from ...core.xml import Element
from ...wire import Spec
from ...wire.dataforms import Value
from ..feature import Feature
from ..node import Node, Published, node_of, read
from ..nodes import Nodes

P = TypeVar("P")


class Pep(Feature):
    """Personal eventing: each kind of payload has one node, named as its namespace."""

    spec = Spec("XEP-0163", "1.2.2", "Personal Eventing Protocol")
    needs = (Nodes,)

    def at(self, kind: type | str, jid: JID | str | None = None) -> Node:
        """The node for that kind of payload, or of that name: our own, or that of `jid`."""
        name = kind if isinstance(kind, str) else node_of(kind)
        return self.client[Nodes].at(name, jid)

    async def publish(
        self,
        payload: object,
        id: str | None = "current",
        *,
        options: Mapping[str, Value] | None = None,
    ) -> str:
        """Publish, for all who may see it; it takes the place of what has the same `id`.

        `options` as ``{"access_model": "open"}``: the node is made so, or changed (§4.5). What
        the item is called is returned. Raises `StanzaError`.
        """
        kind = payload.name.ns if isinstance(payload, Element) else type(payload)
        return await self.at(kind).publish(payload, id, options=options)

    async def last(self, kind: type[P], jid: JID | str | None = None) -> Published[P] | None:
        """What somebody published last, or we; None if nothing. Raises `StanzaError`."""
        return await self.at(kind, jid).item(kind)

    async def subscribe(
        self, kind: type[P], node: str | None = None
    ) -> AsyncIterator[Published[P]]:
        """What contacts, and our own other clients, publish from now on; from most servers also
        what each did last.

        Servers are told so as long as somebody goes through it (``+notify``, §4.3); leave the
        loop within `contextlib.aclosing` to end that at once.
        """
        async with self.client[Nodes].listen(node or node_of(kind)) as heard:
            async for told in heard:
                if not isinstance(told, Published):
                    continue
                if (payload := read(told.payload, kind)) is not None:
                    yield Published(told.service, told.node, told.id, payload, told.publisher)
