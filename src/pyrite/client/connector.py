"""From an account's domain to a connection with its server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ..net.connection import connect
from ..net.dial import race
from ..net.dns import Resolver, SystemResolver, Target, targets
from ..net.tls import TlsError
from .account import Account
from .errors import ConnectionFailed
from .link import Link, TcpLink, tls_context


class Connector(Protocol):
    """One way to reach servers."""

    async def connect(self, account: Account) -> Link:
        """A link without a stream. Raises `ConnectionFailed`, `DnsError`, and `TlsError`."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """By TCP: to where service records say, the best first, others soon beside it (XEP-0368).

    `at` names hosts in place of the records. `within` are seconds for each.
    """

    at: Sequence[Target] = ()
    within: float = 30.0
    resolver: Resolver = field(default_factory=SystemResolver)

    async def connect(self, account: Account) -> Link:
        domain = account.jid.domain
        there = self.at or await targets(domain, resolver=self.resolver)
        ways = [partial(self._reach, account, target) for target in there]
        try:
            return await race(ways, _drop)
        except ExceptionGroup as group:
            reasons = tuple(e for e in group.exceptions if isinstance(e, Exception))
            if all(isinstance(reason, TlsError) for reason in reasons):
                raise reasons[0] from None
            said = "; ".join(str(reason) or type(reason).__name__ for reason in reasons)
            raise ConnectionFailed(f"{domain} cannot be reached: {said}", reasons) from None

    async def _reach(self, account: Account, target: Target) -> Link:
        """One host, at whichever of its addresses answers first."""
        settings = account.trust.settings(account.jid.domain, direct=target.direct)
        context = await tls_context(settings)
        addresses = await self.resolver.addresses(target.host, target.port)

        async def reach(host: str) -> TcpLink:
            link = TcpLink(context, direct=target.direct)
            await connect(link.connection, host, target.port, within=self.within)
            return link

        ways = [partial(reach, str(address[0])) for _, address in addresses]
        try:
            link = await race(ways, TcpLink.abort)
        except ExceptionGroup as group:
            raise _plain(group) from None
        link.start()
        return link


def _drop(link: Link) -> None:
    link.abort()


def _plain(group: ExceptionGroup[Exception]) -> Exception:
    """The first error in it: the one of the best address."""
    first = group.exceptions[0]
    return _plain(first) if isinstance(first, ExceptionGroup) else first


async def reached(connector: Connector, account: Account, within: float) -> Link:
    """A link, or an error in time. Raises `TimeoutError` too."""
    async with asyncio.timeout(within):
        return await connector.connect(account)
