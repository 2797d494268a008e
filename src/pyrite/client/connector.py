"""From an account's domain to a connection with its server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field
from functools import partial
from itertools import zip_longest
from typing import Protocol

from ..core.frozen import frozen
from ..net.connection import connect
from ..net.dial import race
from ..net.dns import DnsError, Resolver, SystemResolver, Target, targets
from ..net.proxy import Proxy
from ..net.tls import TlsError
from .account import Account
from .errors import ConnectionFailed
from .link import Link, TcpLink, tls_context


class Connector(Protocol):
    """One way to reach servers."""

    async def connect(self, account: Account) -> Link:
        """A link without a stream. Raises `ConnectionFailed`, `DnsError`, and `TlsError`."""


@frozen
class Tcp:
    """By TCP: to where service records say, the best first, others soon beside it (XEP-0368).

    `at` names hosts in place of the records. `within` are seconds for each. Through a `proxy`
    names are looked up by the proxy; the records are still asked for here.
    """

    at: Sequence[Target] = ()
    within: float = 30.0
    resolver: Resolver = field(default_factory=SystemResolver)
    proxy: Proxy | None = None

    async def connect(self, account: Account) -> Link:
        domain = account.jid.domain
        there = self.at or await targets(domain, resolver=self.resolver)
        ways = [partial(self._reach, account, target) for target in there]
        try:
            return await race(ways, _drop)
        except ExceptionGroup as group:
            reasons = tuple(e for e in group.exceptions if isinstance(e, Exception))
            raise unreachable(domain, reasons) from None

    async def _reach(self, account: Account, target: Target) -> Link:
        """One host, at whichever of its addresses answers first."""
        settings = account.trust.settings(account.jid.domain, direct=target.direct)
        context = await tls_context(settings)

        async def reach(host: str) -> TcpLink:
            link = TcpLink(context, direct=target.direct)
            await connect(link.connection, host, target.port, within=self.within, proxy=self.proxy)
            return link

        ways = [partial(reach, host) for host in await self._hosts(target)]
        try:
            link = await race(ways, TcpLink.abort)
        except ExceptionGroup as group:
            raise _plain(group) from None
        link.start()
        return link

    async def _hosts(self, target: Target) -> list[str]:
        """What to connect to: addresses, or the name where a proxy looks it up."""
        if self.proxy is not None:
            return [target.host]
        found = await self.resolver.addresses(target.host, target.port)
        return _interleaved([(family, str(address[0])) for family, address in found])


@frozen
class First:
    """The first of several ways that leads there: `First(Tcp(), WebSocket(), Bosh())`."""

    ways: tuple[Connector, ...]

    def __init__(self, *ways: Connector) -> None:
        object.__setattr__(self, "ways", ways)

    async def connect(self, account: Account) -> Link:
        reasons: list[Exception] = []
        for way in self.ways:
            try:
                return await way.connect(account)
            except (OSError, TlsError) as error:
                reasons.append(error)
        raise unreachable(account.jid.domain, reasons)


def _interleaved(found: list[tuple[int, str]]) -> list[str]:
    """Families by turns, the first one first (RFC 8305 §4): one of them may not work at all."""
    families: dict[int, list[str]] = {}
    for family, host in found:
        families.setdefault(family, []).append(host)
    turns = zip_longest(*families.values())
    return [host for turn in turns for host in turn if host is not None]


def unreachable(domain: str, reasons: Sequence[Exception]) -> Exception:
    """What to raise where no way led there: whom nobody trusts is not merely away, and a name
    that leads nowhere is a mistake of its own."""
    for kind in (TlsError, DnsError):
        if reasons and all(isinstance(reason, kind) for reason in reasons):
            return reasons[0]
    said = "; ".join(str(reason) or type(reason).__name__ for reason in reasons)
    return ConnectionFailed(f"{domain} cannot be reached: {said}", tuple(reasons))


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
