"""Services beside the server: STUN, TURN and others (XEP-0215)."""

from __future__ import annotations

from ...core.jid import JID
from ...wire import external
from ...wire.external import Credentials, Service, Services
from ..feature import Feature


class External(Feature):
    """What a server says of services that are not its own."""

    spec = external.SPEC

    async def services(
        self, type: str | None = None, *, at: JID | str | None = None
    ) -> list[Service]:
        """What the server, or `at`, knows, of a `type` if given. Raises `StanzaError`."""
        answer = await self.client.request(Services(type), self._at(at), expect=Services)
        return [one for one in answer.services if type is None or one.type == type]

    async def credentials(self, service: Service, *, at: JID | str | None = None) -> Service:
        """The `service` with the name and password that it wants. Raises `StanzaError`."""
        asked = Credentials((Service(service.host, service.type, service.port),))
        answer = await self.client.request(asked, self._at(at), expect=Credentials)
        found = [s for s in answer.services if (s.host, s.type) == (service.host, service.type)]
        return found[0] if found else service

    def _at(self, jid: JID | str | None) -> JID | str:
        return JID(None, self.client.jid.domain) if jid is None else jid
