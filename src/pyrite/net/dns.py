"""Where a domain is served: its service records, in the order in which to try them (RFC 2782)."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal, Protocol

LIFETIME: Final = 10.0  # seconds that all servers asked may take together
MAX_TARGETS: Final = 16  # hosts of one domain that are tried

Service = Literal["client", "server"]
PORTS: Final[dict[Service, int]] = {"client": 5222, "server": 5269}


class DnsError(OSError):
    """A domain is not served, or names of its hosts lead nowhere."""


@dataclass(frozen=True, slots=True)
class Record:
    """One service record."""

    priority: int
    weight: int
    host: str  # "." says: there is no such service
    port: int


@dataclass(frozen=True, slots=True)
class Target:
    """A host to try. `direct` is TLS from the first octet (XEP-0368)."""

    host: str
    port: int
    direct: bool = False


class Resolver(Protocol):
    """Asks the domain name system."""

    async def records(self, name: str) -> list[Record]:
        """The service records at `name`; none where there are none, or nobody answers."""

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        """Socket families and addresses of `host`. Raises `DnsError` for none."""


class SystemResolver:
    """The resolver that this machine is set up with. The library is loaded when it is asked."""

    async def records(self, name: str) -> list[Record]:
        resolving = await asyncio.to_thread(_library)
        return await resolving(name)

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LIFETIME):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise DnsError(f"{host} has no address: {error}") from None
        return [(family, address) for family, _, _, _, address in found]


def _library() -> Callable[[str], Awaitable[list[Record]]]:
    """dnspython, which is imported, and reads how this machine is set up, away from the loop."""
    import dns.asyncbackend
    import dns.asyncresolver
    import dns.exception
    import dns.rdtypes.IN.SRV
    import dns.resolver

    resolver = dns.asyncresolver.get_default_resolver()
    backend = dns.asyncbackend.get_backend("asyncio")  # else it looks for other loops each time

    async def ask(name: str) -> list[Record]:
        try:
            answer = await resolver.resolve(name, "SRV", lifetime=LIFETIME, backend=backend)
        except dns.exception.DNSException:
            return []
        return [
            Record(one.priority, one.weight, one.target.to_text().rstrip(".") or ".", one.port)
            for one in answer
        ]

    return ask


async def targets(
    domain: str,
    service: Service = "client",
    resolver: Resolver | None = None,
    chance: random.Random | None = None,
) -> list[Target]:
    """Where to reach `domain`, best first: both kinds of records as one list (XEP-0368 §3).

    Without records it is the domain itself (RFC 6120 §3.2.2). Raises `DnsError` where the
    records say that there is no service.
    """
    if _is_literal(domain):
        return [Target(domain.strip("[]"), PORTS[service])]
    resolver = resolver or SystemResolver()
    name = domain if domain.isascii() else await asyncio.to_thread(_in_ascii, domain)
    plain, direct = await asyncio.gather(
        resolver.records(f"_xmpp-{service}._tcp.{name}"),
        resolver.records(f"_xmpps-{service}._tcp.{name}"),
    )
    found = [(record, False) for record in plain] + [(record, True) for record in direct]
    offered = [(record, is_direct) for record, is_direct in found if record.host != "."]
    if found and not offered:
        raise DnsError(f"{domain} says that it has no {service} service")
    ordered = _ordered(offered, chance or random.SystemRandom())
    there = [Target(record.host, record.port, is_direct) for record, is_direct in ordered]
    return there[:MAX_TARGETS] or [Target(name, PORTS[service])]


def _in_ascii(domain: str) -> str:
    """`domain`, the part of an address, as it stands in the name system (RFC 5891).

    Python's own codec is older: it would ask for another domain where a name has an ß.
    """
    import idna

    try:
        return idna.encode(domain).decode()
    except idna.IDNAError as error:
        raise DnsError(f"{domain} is no name of a host: {error}") from None


def _ordered(
    records: Iterable[tuple[Record, bool]], chance: random.Random
) -> list[tuple[Record, bool]]:
    """By priority; within one, by chance, the heavier more often first (RFC 2782)."""
    left = sorted(records, key=lambda one: one[0].priority)
    ordered: list[tuple[Record, bool]] = []
    while left:
        first = [one for one in left if one[0].priority == left[0][0].priority]
        chosen = chance.choices(first, [one[0].weight + 0.001 for one in first])[0]
        ordered.append(chosen)
        left.remove(chosen)
    return ordered


def _is_literal(domain: str) -> bool:
    try:
        ip_address(domain.strip("[]"))
    except ValueError:
        return False
    return True
