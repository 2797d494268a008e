"""How WebSocket and BOSH get there: an address, a session of HTTP, and who answers first."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

from ..core.frozen import frozen
from ..net import http
from ..net.dns import Resolver, SystemResolver
from ..net.tls import TlsError
from .account import Account
from .connector import unreachable
from .framed import FramedLink
from .hostmeta import discover
from .link import Link

if TYPE_CHECKING:
    import aiohttp


@frozen
class Web(ABC):
    """Through the web: at `url`, or where the domain's host-meta says (XEP-0156).

    The certificate has to be for the host of the URL. `proxy` is the URL of an HTTP proxy.
    """

    url: str = ""
    within: float = 30.0  # seconds to connect
    proxy: str | None = None
    resolver: Resolver = field(default_factory=SystemResolver)

    relation: ClassVar[str]  # what the host-meta calls it

    async def connect(self, account: Account) -> Link:
        settings = account.trust.settings(account.jid.domain, direct=False)
        async with asyncio.timeout(self.within):
            session = await http.session(
                settings, self.resolver, proxy=self.proxy, within=self.within
            )
            try:
                link = await self._reach(account, session)
            except BaseException:
                await http.hang_up(session)
                raise
        link.start()
        return link

    async def _reach(self, account: Account, session: aiohttp.ClientSession) -> FramedLink:
        """By the first address at which somebody answers."""
        domain, encrypted = account.jid.domain, account.trust.encrypted
        urls = [self.url]
        if not self.url:
            urls = await discover(session, domain, self.relation, encrypted=encrypted)
        reasons: list[Exception] = []
        for url in urls:
            try:
                return await self._dial(session, url)
            except (OSError, TlsError) as error:
                reasons.append(error)
        raise unreachable(domain, reasons)

    @abstractmethod
    async def _dial(self, session: aiohttp.ClientSession, url: str) -> FramedLink:
        """A link by way of `url`, which is not started. Raises `OSError` and `TlsError`."""
