"""Lets the server wake this device through a push service (XEP-0357)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...wire import push
from ...wire.dataforms import Value, submission
from ...wire.pubsub import NS_PUBLISH_OPTIONS
from ..feature import Feature

if TYPE_CHECKING:
    from ..entity import Entity


@frozen
class PushRefused:
    """A service that was enabled could not be enabled again in a new session."""

    service: JID
    node: str
    error: StanzaError


class Push(Feature):
    """What is enabled is so again in every new session: servers may have ended it."""

    spec = push.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._enabled: dict[tuple[JID, str], push.Enable] = {}

    async def begin(self) -> None:
        for (service, node), enable in tuple(self._enabled.items()):
            try:
                await self._set(enable)
            except StanzaError as error:
                self._enabled.pop((service, node), None)
                await self.client.tell(PushRefused(service, node, error))

    @property
    def enabled(self) -> frozenset[tuple[JID, str]]:
        """(service, node) of all that were enabled by this client."""
        return frozenset(self._enabled)

    async def enable(
        self, service: JID | str, node: str, options: Mapping[str, Value] | None = None
    ) -> None:
        """Publish at that node from now on; `options` are told along, such as a secret (§5).

        Raises `StanzaError`, ``service-unavailable`` where the server has no push.
        """
        jid = JID.parse(service) if isinstance(service, str) else service
        form = submission(NS_PUBLISH_OPTIONS, options) if options else None
        enable = push.Enable(jid, node, form)
        push.check(enable, self.client.jid)
        await self._set(enable)
        self._enabled[jid, node] = enable

    async def disable(self, service: JID | str, node: str | None = None) -> None:
        """Publish there no more; without a node, at no node there. Raises `StanzaError`."""
        jid = JID.parse(service) if isinstance(service, str) else service
        for key in [key for key in self._enabled if key[0] == jid and node in (None, key[1])]:
            del self._enabled[key]
        await self._set(push.Disable(jid, node))

    async def _set(self, wish: push.Enable | push.Disable) -> None:
        await self.client.request(wish, type="set")
