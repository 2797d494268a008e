"""Nodes of services: what is published there, read, written and heard (XEP-0060)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from ...core.jid import JID
from ...wire import disco, pubsub
from ..feature import Feature
from ..node import Node, Published, Withdrawn, read
from ..nodes import Nodes

P = TypeVar("P")


class PubSub(Feature):
    """``me[PubSub].at("pubsub.example.net", "news")`` is a `Node` to ask things of."""

    spec = pubsub.SPEC
    needs = (Nodes,)

    def at(self, service: JID | str, node: str) -> Node:
        """A node of a service, whether it is there or not."""
        return self.client[Nodes].at(node, service)

    async def nodes(self, service: JID | str) -> list[str]:
        """The nodes of a service that it shows to us (§5.2). Raises `StanzaError`."""
        answer = await self.client.request(disco.Items(), service, expect=disco.Items)
        return [item.node for item in answer.items if item.node is not None]

    async def subscriptions(self, service: JID | str) -> tuple[pubsub.Subscription, ...]:
        """All that we are subscribed to there (§5.6)."""
        asked = pubsub.PubSub(subscriptions=pubsub.Subscriptions())
        answer = await self.client.request(asked, service, expect=pubsub.PubSub)
        return answer.subscriptions.each if answer.subscriptions is not None else ()

    async def affiliations(self, service: JID | str) -> dict[str, str]:
        """What we may do there: node -> ``owner``, ``publisher``… (§5.7)."""
        asked = pubsub.PubSub(affiliations=pubsub.Affiliations())
        answer = await self.client.request(asked, service, expect=pubsub.PubSub)
        each = answer.affiliations.each if answer.affiliations is not None else ()
        return {one.node: one.affiliation for one in each if one.node is not None}

    async def events(self, node: Node, kind: type[P]) -> AsyncIterator[Published[P] | Withdrawn]:
        """What happens at a node that we are subscribed to, from now on.

        What is published and is no `kind` is passed over; leave the loop within
        `contextlib.aclosing` to stop listening at once.
        """
        service = node.service or self.client.jid.bare
        async with self.client[Nodes].listen(node.name, service) as heard:
            async for told in heard:
                if isinstance(told, Withdrawn):
                    yield told
                elif (payload := read(told.payload, kind)) is not None:
                    yield Published(told.service, told.node, told.id, payload, told.publisher)
