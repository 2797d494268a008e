"""What nodes tell, handed to who listens: the ground of all features on publish-subscribe."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.stanza import Message
from ..core.xml import Element, Name
from ..wire import pubsub
from .feature import Feature, on, opens
from .heard import Heard
from .mod.disco import Disco
from .node import Node, Published, Withdrawn
from .state import Closed

if TYPE_CHECKING:
    from .entity import Entity

NodeEvent = Published[Element] | Withdrawn

_NOTHING = Element(Name("", "nothing"))  # the node tells only that there is something


class Nodes(Feature):
    """Which nodes are listened to. What we want to hear of contacts goes into our features
    (XEP-0163 §4.3), and so presence is said again when that changes.

    An event counts if it comes from a service or an account itself: nobody's client can have
    such an address. Others are dropped, and counted in `Client.forged`.
    """

    spec = pubsub.SPEC
    needs = (Disco,)  # servers learn from it what we want to hear

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._wanted: Counter[str] = Counter()  # nodes of contacts
        self._listening: dict[tuple[JID | None, str], list[Heard[NodeEvent]]] = defaultdict(list)

    def at(self, name: str, service: JID | str | None = None) -> Node:
        """A node of a service, or of the own account."""
        return Node(self.client, JID.parse(service) if isinstance(service, str) else service, name)

    # --- listening -------------------------------------------------------------------

    @asynccontextmanager
    async def listen(
        self, node: str, service: JID | None = None
    ) -> AsyncIterator[Heard[NodeEvent]]:
        """What happens at a node of `service`, or of that name at everybody's account."""
        heard: Heard[NodeEvent] = Heard(lambda _: None)
        self._listening[service, node].append(heard)
        try:
            if service is None:
                await self.want(node)
            yield heard
        finally:
            self._listening[service, node].remove(heard)
            if not self._listening[service, node]:
                del self._listening[service, node]
            if service is None:
                await self.unwant(node)

    async def want(self, node: str) -> None:
        """Say that we want to hear of this node at our contacts, and our own."""
        self._wanted[node] += 1
        if self._wanted[node] == 1:
            await self._announce()

    async def unwant(self, node: str) -> None:
        """Nobody here wants to any more, as often as somebody did."""
        self._wanted[node] -= 1
        if not self._wanted[node]:
            del self._wanted[node]
            await self._announce()

    async def _announce(self) -> None:
        self.features = tuple(f"{node}{pubsub.NOTIFY}" for node in sorted(self._wanted))
        presence = self.client.presence
        if self.client.is_online and presence is not None and presence.type is None:
            await self.client.send_presence(presence)

    # --- what comes ------------------------------------------------------------------

    @opens(pubsub.Event)
    async def heard(self, message: Message) -> bool:
        """Tell who listens (§7.1.2.1)."""
        service = message.sender or self.client.jid.bare
        if message.type == "error":
            return True
        if service.resource is not None:
            self.client.forged["pubsub"] += 1
            return True
        try:
            event = message.get(pubsub.Event)
        except StanzaError:
            return True
        for told in _events(service, event) if event is not None else ():
            await self.client.tell(told, service)
            for key in ((None, told.node), (service, told.node)):
                for heard in tuple(self._listening.get(key, ())):
                    await heard.put(told)
        return True

    @on(Closed)
    def closed(self, _: Closed) -> None:
        """Nothing comes any more."""
        for listening in self._listening.values():
            for heard in listening:
                heard.end()


def _events(service: JID, event: pubsub.Event) -> list[NodeEvent]:
    if event.delete is not None:
        return [Withdrawn(service, event.delete.node, is_deleted=True)]
    if event.purge is not None:
        return [Withdrawn(service, event.purge.node)]
    items = event.items
    told: list[NodeEvent] = []
    if items is None:
        return told
    for one in items.each:
        if isinstance(one, pubsub.EventRetract):
            told.append(Withdrawn(service, items.node, one.id))
        else:
            payload = one.payload if one.payload is not None else _NOTHING
            publisher = one.publisher or service
            told.append(Published(service, items.node, one.id or "", payload, publisher))
    return told
