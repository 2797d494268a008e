"""Answers clients that ask for their roster or change it (RFC 6121 §2)."""

from __future__ import annotations

from dataclasses import replace

from ...core.errors import StanzaError
from ...core.negotiate import Phase
from ...core.payload import constant
from ...core.xml import Element
from ...store.errors import QuotaExceeded
from ...wire import roster
from ..module import At, Module, Request, offering, request
from ..rosters import INTERESTED, shown
from ..store.roster import Edit, Item


class Roster(Module):
    """Contacts, kept by the server, and every change told to each client that asked for them."""

    spec = roster.SPEC

    @offering(Phase.AUTHENTICATED)
    def offer_versioning(self, _secure: bool) -> Element:
        return constant(roster.Versioning())

    @offering(Phase.AUTHENTICATED)
    def offer_pre_approval(self, _secure: bool) -> Element:
        return constant(roster.PreApproval())

    @request("get", roster.Query, at=At.OWN)
    async def send(self, query: roster.Query, request: Request) -> roster.Query | None:
        """The roster, or what changed since the version that the client has (§2.1.3, §2.6)."""
        roster.check_get(query)
        if request.session is not None:
            request.session[INTERESTED] = True
        own = await self.host.rosters.of(request.to)
        if query.ver and query.ver == str(own.version):
            return None
        items = [shown(item) for item in own.items.values()]
        ver = None if query.ver is None else str(own.version)
        return roster.Query(ver=ver, items=tuple(item for item in items if item is not None))

    @request("set", roster.Query, at=At.OWN | At.OTHERS)
    async def change(self, query: roster.Query, request: Request) -> None:
        """Add, update or remove one contact (§2.3, §2.4, §2.5)."""
        if request.to != request.sender.bare:
            raise StanzaError("forbidden", "a roster is changed by its owner")
        wanted = roster.check_set(query)
        if wanted.jid == request.to:
            raise StanzaError("not-allowed", "nobody is their own contact")
        if wanted.subscription == "remove":
            if not await self.host.presences.subscriptions.remove(request.to, wanted.jid):
                raise StanzaError("item-not-found", "that contact is not on the roster")
            return

        def put(item: Item | None) -> Item:
            base = item or Item(wanted.jid)
            return replace(base, name=wanted.name, groups=wanted.groups, listed=True)

        try:
            await self.host.rosters.edit(Edit(request.to, wanted.jid, put))
        except QuotaExceeded as error:
            raise StanzaError("resource-constraint", str(error)) from None
