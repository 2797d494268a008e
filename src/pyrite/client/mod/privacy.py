"""Ordered rules about who may reach the user, and how (XEP-0016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...wire import privacy
from ..feature import Feature, Request, serves

if TYPE_CHECKING:
    from ..entity import Entity


@frozen
class PrivacyListChanged:
    """The rules of a list have changed, or it is gone (§2.6)."""

    name: str


class Privacy(Feature):
    """Lists on the server. The one that is active here is so again in every new session.

    Blocking is all that most users want, and `Blocking` does that with less.
    """

    spec = privacy.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._active: str | None = None

    async def begin(self) -> None:
        """Activate what was active, unless it is gone: a session begins without (§2.4)."""
        if self._active is not None:
            try:
                await self.activate(self._active)
            except StanzaError:
                self._active = None

    async def lists(self) -> privacy.Query:
        """The names of all lists, of the active one and the default. Raises `StanzaError`."""
        return await self.client.request(privacy.Query(), expect=privacy.Query)

    async def rules(self, name: str) -> tuple[privacy.Item, ...]:
        """The rules of a list, in their order. Raises `StanzaError`, ``item-not-found``."""
        query = privacy.Query(lists=(privacy.List(name),))
        answer = await self.client.request(query, expect=privacy.Query)
        found = next((one for one in answer.lists if one.name == name), None)
        if found is None:
            raise StanzaError("item-not-found", f"no list {name!a} in the answer")
        return tuple(sorted(found.items, key=lambda item: item.order))

    async def put(self, name: str, rules: Sequence[privacy.Item]) -> None:
        """Make or replace a list. Raises `StanzaError`, also for rules that make no sense."""
        if not rules:
            raise StanzaError("bad-request", "a list without rules is one that is removed")
        made = privacy.List(name, tuple(rules))
        privacy.check_list(made)
        await self._set(privacy.Query(lists=(made,)))

    async def remove(self, name: str) -> None:
        """Raises `StanzaError`, ``conflict`` if it is in use elsewhere (§2.8)."""
        await self._set(privacy.Query(lists=(privacy.List(name),)))

    async def activate(self, name: str | None) -> None:
        """Use a list for this client alone; None for no list. Raises `StanzaError`."""
        await self._set(privacy.Query(active=privacy.Active(name)))
        self._active = name

    async def make_default(self, name: str | None) -> None:
        """Use a list for the account. Raises `StanzaError`, ``conflict`` (§2.5)."""
        await self._set(privacy.Query(default=privacy.Default(name)))

    async def _set(self, query: privacy.Query) -> None:
        await self.client.request(query, type="set")

    @serves("set", privacy.Query)
    async def pushed(self, request: Request[privacy.Query]) -> None:
        """A list has changed; only our own account's word counts."""
        own: tuple[JID | None, ...] = (None, self.client.jid, self.client.jid.bare)
        if request.sender not in own:
            self.client.forged["privacy"] += 1
            raise StanzaError("service-unavailable")  # as if there were no lists here
        for changed in request.payload.lists:
            await self.client.tell(PrivacyListChanged(changed.name))
