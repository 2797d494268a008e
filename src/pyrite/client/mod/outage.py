"""What is wrong with a server, told where it need not run itself (XEP-0455)."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from ...core.jid import JID
from ...net import http
from ...net.dns import Resolver, SystemResolver
from ...net.tls import ClientTls
from ...wire import disco, outage
from ...wire.outage import Outage
from ..account import Account
from ..entity import Entity
from ..feature import Feature

WITHIN = 20.0  # seconds for a page


class Outages(Feature):
    """Remembers where the status is told while all is well, and looks there when nothing is.

    `resolver` and `authorities` are those for HTTP.
    """

    spec = outage.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        account = getattr(client, "account", None)
        trust = account.trust if isinstance(account, Account) else None
        self.authorities = trust.authorities if trust is not None else None
        self.resolver: Resolver = SystemResolver()
        self.known: tuple[str, ...] = ()  # of our server, as last told

    async def addresses(self, of: JID | str | None = None) -> tuple[str, ...]:
        """The pages of our server, or of another. Raises `StanzaError`."""
        to = of if of is not None else JID(None, self.client.jid.domain)
        info = await self.client.request(disco.Info(), to, expect=disco.Info)
        found = tuple(url for url in outage.addresses(info) if _is_usable(url))
        if of is None:
            self.known = found
        return found

    async def status(self, url: str) -> Outage | None:
        """What a page tells; None if nothing is wrong. It needs no session.

        Raises `TlsError`, `DnsError`, `OSError`, and `ValueError` for what is no such page.
        """
        if not _is_usable(url):
            raise ValueError(f"not an address of HTTPS: {url[:200]!a}")
        return outage.read(await self._fetch(url))

    async def _fetch(self, url: str) -> bytes:
        settings = ClientTls(urlsplit(url).hostname or "", authorities=self.authorities)
        session = await http.session(settings, self.resolver, within=WITHIN)
        try:
            async with asyncio.timeout(WITHIN):
                return await http.document(session, url)
        finally:
            await http.hang_up(session)


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False
