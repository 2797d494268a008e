"""One node of a publish-subscribe service, or of an account (XEP-0060, XEP-0163)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from ..core.errors import StanzaError
from ..core.frozen import frozen
from ..core.jid import JID
from ..core.payload import decode, encode, name_of
from ..core.xml import Element
from ..wire import pubsub, vcard4
from ..wire.dataforms import Form, Value
from ..wire.rsm import ResultSet

if TYPE_CHECKING:
    from .entity import Entity

P = TypeVar("P")

PAGE = 50  # items that are asked for at once
MOST_ITEMS = 100_000  # of one node that are listed

#: How services refuse what the node has to be like: because it is otherwise (``conflict``).
#: COMPAT: ejabberd 23, which does not know all settings there that it knows of a node.
_OPTIONS_REFUSED = frozenset({"conflict", "resource-constraint"})

NODES: dict[type, str] = {vcard4.VCard4: vcard4.NODE}
"""Where a payload is published, if that is not what its namespace is called."""


def node_of(kind: type) -> str:
    """The node where payloads of this kind are published (XEP-0163 §3)."""
    return NODES.get(kind) or name_of(kind).ns


@frozen
class Published(Generic[P]):
    """Something at a node: a service's, or an account's (bare). `payload` is as it was asked for.

    `publisher` is who published it, as far as the service says so.
    """

    service: JID
    node: str
    id: str
    payload: P
    publisher: JID


@frozen
class Withdrawn:
    """An item was taken back; with no id: all items, or the node is gone."""

    service: JID
    node: str
    id: str | None = None
    is_deleted: bool = False  # the node itself


class Node:
    """Requests to one node; `service` is None for the own account.

    Each raises `StanzaError`; `pubsub.reason` tells what the service says beside it.
    """

    def __init__(self, client: Entity, service: JID | None, name: str) -> None:
        self.client, self.service, self.name = client, service, name

    async def _get(self, request: pubsub.PubSub) -> pubsub.PubSub:
        return await self.client.request(request, self.service, expect=pubsub.PubSub)

    async def _own(self, request: pubsub.Owner) -> pubsub.Owner:
        return await self.client.request(request, self.service, expect=pubsub.Owner)

    # --- items (§6.5, §7) ------------------------------------------------------------

    async def publish(
        self,
        payload: object = None,
        id: str | None = None,
        *,
        options: Mapping[str, Value] | None = None,
        reconfigure: bool = True,
    ) -> str:
        """Publish, and what the item is called now.

        `options` is what the node has to be like, by names without ``pubsub#``: it is made so if
        there is none; else, with `reconfigure`, its settings are changed. Without that, or for
        who may not do it, `StanzaError` ``conflict`` (§7.1.5).
        """
        element = payload if payload is None or isinstance(payload, Element) else encode(payload)
        publish = pubsub.Publish(self.name, (pubsub.Item(id, payload=element),))
        request = pubsub.PubSub(publish, pubsub.publish_options(options or {}))
        try:
            answer = await self.client.request(request, self.service, type="set")
        except StanzaError as error:
            if not options or not reconfigure or error.condition not in _OPTIONS_REFUSED:
                raise
            await self._be(options)
            answer = await self.client.request(pubsub.PubSub(publish), self.service, type="set")
        told = answer.get(pubsub.PubSub)
        items = told.publish.items if told is not None and told.publish is not None else ()
        return next((item.id for item in items if item.id), id or "")

    async def _be(self, settings: Mapping[str, Value]) -> None:
        """Have the node, with these settings."""
        try:
            await self.configure(settings)
        except StanzaError as error:
            if error.condition != "item-not-found":
                raise
            await self.create(settings)

    async def retract(self, id: str, *, notify: bool = True) -> None:
        """Take an item back (§7.2)."""
        gone = pubsub.Retract(self.name, notify or None, (pubsub.Item(id),))
        await self.client.request(pubsub.PubSub(retract=gone), self.service, type="set")

    async def items(self, kind: type[P], *, last: int | None = None) -> AsyncIterator[Published[P]]:
        """All items that are a `kind`, or the `last` few, page after page (§6.5)."""
        page: ResultSet | None = ResultSet(max=PAGE) if last is None else None
        given = 0
        while given < MOST_ITEMS:
            asked = pubsub.Items(self.name, last)
            answer = await self._get(pubsub.PubSub(items=asked, page=page))
            items = answer.items.items if answer.items is not None else ()
            for item in items:
                given += 1
                if (found := self._read(item, kind)) is not None:
                    yield found
            end = answer.page.last if answer.page is not None else None
            if last is not None or not items or not end:
                return
            page = ResultSet(max=PAGE, after=end)

    async def item(self, kind: type[P], id: str | None = None) -> Published[P] | None:
        """The item of that id, else the last one; None if there is none (§6.5.8)."""
        wanted = (pubsub.Item(id),) if id is not None else ()
        asked = pubsub.Items(self.name, None if wanted else 1, items=wanted)
        try:
            answer = await self._get(pubsub.PubSub(items=asked))
        except StanzaError as error:
            if error.condition == "item-not-found":
                return None
            raise
        items = answer.items.items if answer.items is not None else ()
        return next((found for item in items if (found := self._read(item, kind))), None)

    def _read(self, item: pubsub.Item, kind: type[P]) -> Published[P] | None:
        payload = read(item.payload, kind)
        if payload is None:
            return None
        service = self.service or self.client.jid.bare
        return Published(service, self.name, item.id or "", payload, item.publisher or service)

    # --- subscriptions (§6) ----------------------------------------------------------

    async def subscribe(
        self, options: Mapping[str, Value] | None = None, jid: JID | None = None
    ) -> pubsub.Subscription:
        """Be told of what is published: at the bare address, or at `jid`. How it stands now."""
        who = jid or self.client.jid.bare
        chosen = pubsub.Options(form=pubsub.subscribe_options(options)) if options else None
        asked = pubsub.PubSub(subscribe=pubsub.Subscribe(who, self.name), subscribe_options=chosen)
        answer = await self.client.request(asked, self.service, type="set", expect=pubsub.PubSub)
        return answer.subscription or pubsub.Subscription(self.name, who, None, "subscribed")

    async def unsubscribe(self, subid: str | None = None, jid: JID | None = None) -> None:
        """Be told no more."""
        gone = pubsub.Unsubscribe(jid or self.client.jid.bare, self.name, subid)
        await self.client.request(pubsub.PubSub(unsubscribe=gone), self.service, type="set")

    async def options(self, subid: str | None = None, jid: JID | None = None) -> Form:
        """The form with how a subscription of ours is served (§6.3)."""
        asked = pubsub.Options(jid or self.client.jid.bare, self.name, subid)
        answer = await self._get(pubsub.PubSub(subscribe_options=asked))
        return _form(answer.subscribe_options)

    async def set_options(
        self, values: Mapping[str, Value], subid: str | None = None, jid: JID | None = None
    ) -> None:
        """Serve a subscription of ours otherwise (§6.3.5)."""
        form = pubsub.subscribe_options(values)
        chosen = pubsub.Options(jid or self.client.jid.bare, self.name, subid, form)
        request = pubsub.PubSub(subscribe_options=chosen)
        await self.client.request(request, self.service, type="set")

    # --- the node (§8) ---------------------------------------------------------------

    async def create(self, settings: Mapping[str, Value] | None = None) -> None:
        """Make it, with these settings (§8.1)."""
        form = pubsub.Configure(form=pubsub.node_config(settings)) if settings else None
        request = pubsub.PubSub(create=pubsub.Create(self.name), configure=form)
        await self.client.request(request, self.service, type="set")

    async def settings(self) -> Form:
        """The form with its settings (§8.2)."""
        answer = await self._own(pubsub.Owner(configure=pubsub.OwnerConfigure(self.name)))
        return _form(answer.configure)

    async def configure(self, values: Mapping[str, Value]) -> None:
        """Set some of its settings, by names without ``pubsub#``; the others stay (§8.2.4)."""
        form = pubsub.node_config(values)
        request = pubsub.Owner(configure=pubsub.OwnerConfigure(self.name, form))
        await self.client.request(request, self.service, type="set")

    async def delete(self) -> None:
        """End it, with all that is there (§8.4)."""
        request = pubsub.Owner(delete=pubsub.OwnerDelete(self.name))
        await self.client.request(request, self.service, type="set")

    async def purge(self) -> None:
        """Take all its items back (§8.5)."""
        request = pubsub.Owner(purge=pubsub.OwnerPurge(self.name))
        await self.client.request(request, self.service, type="set")

    async def subscribers(self) -> tuple[pubsub.OwnerSubscription, ...]:
        """Who is subscribed (§8.8)."""
        asked = pubsub.Owner(subscriptions=pubsub.OwnerSubscriptions(self.name))
        answer = await self._own(asked)
        return answer.subscriptions.each if answer.subscriptions is not None else ()

    async def affiliations(self) -> dict[JID, str]:
        """Who may do what (§8.9): address -> ``owner``, ``publisher``, ``member``…"""
        asked = pubsub.Owner(affiliations=pubsub.OwnerAffiliations(self.name))
        answer = await self._own(asked)
        each = answer.affiliations.each if answer.affiliations is not None else ()
        return {one.jid: one.affiliation for one in each}

    async def affiliate(self, jid: JID, affiliation: str) -> None:
        """Let somebody do as much; ``none`` takes it back (§8.9.2)."""
        one = (pubsub.OwnerAffiliation(jid, affiliation),)
        request = pubsub.Owner(affiliations=pubsub.OwnerAffiliations(self.name, one))
        await self.client.request(request, self.service, type="set")


def read(element: Element | None, kind: type[P]) -> P | None:
    """What is published, as a `kind`; None where it is none."""
    if element is None:
        return None
    if kind is Element:
        return element  # type: ignore[return-value]
    try:
        return decode(kind, element)
    except StanzaError:
        return None


def _form(told: pubsub.Options | pubsub.OwnerConfigure | None) -> Form:
    if told is None or told.form is None:
        raise StanzaError("undefined-condition", "no form in the answer")
    return told.form
