"""Answers what the server is, what it can do, and what else it has (XEP-0030)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec.structs import fields

from ...core.errors import StanzaError
from ...kit.config import Table, Wrong
from ...wire import disco
from ...wire.dataforms import Form
from ..hosts import Node
from ..module import At, Module, Request, request

ACCOUNT = disco.Identity("account", "registered")
ANY = At.HOST | At.OWN | At.OTHERS


class DiscoSettings(Table):
    """Whom to ask about this service, by what for: URIs as in `mailto:admin@example.org`."""

    abuse: tuple[str, ...] = ()
    """For reports of abuse."""
    admin: tuple[str, ...] = ()
    """For whatever else there is."""
    feedback: tuple[str, ...] = ()
    """For praise and complaints."""
    sales: tuple[str, ...] = ()
    """For who wants to buy something."""
    security: tuple[str, ...] = ()
    """For reports of security problems."""
    status: tuple[str, ...] = ()
    """Where to see whether the service works."""
    support: tuple[str, ...] = ()
    """For help."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not all(":" in uri for uri in getattr(self, field.name)):
                raise Wrong("expected URIs, as mailto:… or xmpp:…", field.encode_name)


class Disco(Module):
    """Service discovery for the host, and for accounts to whom they trust (§8)."""

    spec = disco.SPEC
    features = (disco.NS_INFO, disco.NS_ITEMS)
    account_features = (disco.NS_INFO, disco.NS_ITEMS)
    Settings = DiscoSettings

    def forms(self) -> Sequence[Form]:
        """The contact addresses, where there are any (XEP-0157)."""
        kinds = {kind: getattr(self.settings, kind) for kind in disco.CONTACTS}
        known = {kind: uris for kind, uris in kinds.items() if uris}
        return [disco.contact_form(known)] if known else ()

    @request("get", disco.Info, at=ANY)
    async def info(self, query: disco.Info, request: Request) -> disco.Info:
        """What the host or an account is and can do (§3); ``service-unavailable`` to strangers."""
        if not await self._is_trusted(request):
            raise StanzaError("service-unavailable")
        if query.node:
            info, _ = await self._node(query.node, request).call(request)
            return replace(info, node=query.node)
        if request.to.local is None:
            return self.host.info()
        return disco.info([ACCOUNT], self.host.account_features())

    @request("get", disco.Items, at=ANY)
    async def items(self, query: disco.Items, request: Request) -> disco.Items:
        """What belongs to the host or an account (§4); nothing, for strangers."""
        if not await self._is_trusted(request):
            return disco.Items(query.node)
        if query.node:
            _, items = await self._node(query.node, request).call(request)
            return replace(items, node=query.node)
        if request.to.local is None:
            found = [item for module in self.host.modules.values() for item in module.services()]
        else:
            found = [
                disco.Item(session.jid) for session in self.host.sessions.available(request.to)
            ]
        return disco.Items(items=tuple(found))

    async def _is_trusted(self, request: Request) -> bool:
        """Whether who asks may learn that there is such an account, and of its presence (§8)."""
        if request.is_own:
            return True
        roster = await self.host.rosters.of(request.to)
        return roster.is_watched_by(request.sender.bare)

    def _node(self, name: str, request: Request) -> Node:
        """Who answers for `name`, or for what is before its ``#``. Raises `StanzaError`."""
        found = self.host.nodes.get(name) or self.host.nodes.get(name.partition("#")[0])
        if found is None or not request.place & found.at:
            raise StanzaError("item-not-found")
        return found
