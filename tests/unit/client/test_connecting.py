"""From a domain to its server: a small real name server, hosts that refuse, proxies."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rrset
import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import ROMEO, VERONA, Service, serving, until
from tests.unit.net.test_proxy import Connect, Socks, listening

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.connector import Connector, First, Tcp
from pyrite.client.errors import ConnectionFailed, DnsError, TlsError
from pyrite.net import dns as net_dns
from pyrite.net.dns import SystemResolver, Target
from pyrite.net.proxy import Proxy
from pyrite.wire.ping import Ping


class Zone(asyncio.DatagramProtocol):
    """Answers for the names in `records`; of others it says that there are none."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.is_deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text().rstrip(".")
        self.asked.append(name)
        if self.is_deaf:
            return
        answer = dns.message.make_response(question)
        if found := self.records.get(name):
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "SRV", *found))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), sender)


@pytest.fixture
async def zone(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Zone]:
    """What this machine asks for names is ours."""
    loop = asyncio.get_running_loop()
    transport, zone = await loop.create_datagram_endpoint(Zone, ("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
    yield zone
    transport.close()


def client(service: Service | None, connector: Connector | None = None) -> Client:
    trust = Trust(authorities=service.folder / "ca.pem") if service else Trust()
    return Client(ROMEO, PASSWORD, trust=trust, connector=connector)


async def enters(me: Client) -> None:
    async with asyncio.timeout(PATIENCE), me:
        await me.request(Ping())


@asynccontextmanager
async def unused_port() -> AsyncIterator[int]:
    """A port where nobody listens, and nobody can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def srv(priority: int, port: int, host: str = "localhost.") -> str:
    return f"{priority} 1 {port} {host}"


async def test_records_lead_there_past_hosts_that_refuse(tmp_path: Path, zone: Zone) -> None:
    """Both kinds, by priority; ::1 of localhost refuses too, where there is one."""
    async with serving(tmp_path) as service, unused_port() as nothing:
        ports = service.server.listeners.ports
        zone.records[f"_xmpp-client._tcp.{VERONA}"] = [srv(1, nothing), srv(3, ports["c2s"])]
        zone.records[f"_xmpps-client._tcp.{VERONA}"] = [srv(2, nothing)]
        me = client(service)
        await enters(me)
        assert sorted(zone.asked) == [
            f"_xmpp-client._tcp.{VERONA}",
            f"_xmpps-client._tcp.{VERONA}",
        ]
        zone.records = {f"_xmpps-client._tcp.{VERONA}": [srv(2, ports["c2s-tls"])]}
        await enters(client(service))


async def test_all_refuse(zone: Zone) -> None:
    async with unused_port() as one, unused_port() as other:
        zone.records[f"_xmpp-client._tcp.{VERONA}"] = [srv(1, one), srv(2, other)]
        with pytest.raises(ConnectionFailed, match=r"verona\.lit cannot be reached") as failed:
            await enters(client(None))
        assert len(failed.value.reasons) == 2
        assert all(isinstance(reason, OSError) for reason in failed.value.reasons)


async def test_a_domain_without_the_service(zone: Zone) -> None:
    """RFC 6120 §3.2.1: the root as a host says so, and then nothing else is tried."""
    zone.records[f"_xmpp-client._tcp.{VERONA}"] = [srv(0, 0, ".")]
    with pytest.raises(DnsError, match=r"verona\.lit says that it has no client service"):
        await enters(client(None))


async def test_a_domain_that_there_is_not(zone: Zone) -> None:
    """`.invalid` never has an address (RFC 6761 §6.4)."""
    with pytest.raises(DnsError, match=r"nowhere\.invalid has no address"):
        await enters(Client("romeo@nowhere.invalid", PASSWORD))


async def test_a_name_server_that_says_nothing(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    zone.is_deaf = True
    long = net_dns.LIFETIME
    monkeypatch.setattr(net_dns, "LIFETIME", 0.2)
    async with asyncio.timeout(long):
        with pytest.raises(DnsError, match="has no address"):
            await enters(Client("romeo@nowhere.invalid", PASSWORD))
    await until(lambda: bool(zone.asked))


class Two(SystemResolver):
    """A host with an address of each family."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(socket.AF_INET6, ("::1", port)), (socket.AF_INET, ("127.0.0.1", port))]


async def test_one_family_does_not_work(tmp_path: Path) -> None:
    """RFC 8305, XEP-0495: the other one is tried a little later, beside it."""
    async with serving(tmp_path) as service:
        there = [Target("verona.lit", service.port)]
        await enters(client(service, Tcp(there, resolver=Two(service.port))))


async def test_a_host_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(tmp_path) as service, listening(silent) as deaf:
        port = service.server.listeners.ports["c2s-tls"]
        there = [Target("127.0.0.1", deaf, True), Target("127.0.0.1", port, True)]
        await enters(client(service, Tcp(there)))


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_through_a_proxy(tmp_path: Path, kind: str, direct: bool) -> None:
    """The proxy looks up the name: ours is never asked."""
    async with serving(tmp_path) as service:
        port = service.server.listeners.ports["c2s-tls" if direct else "c2s"]
        there: Connect | Socks = (Connect if kind == "http" else Socks)(port, "romeo", "pw")
        async with listening(there) as at:
            proxy = Proxy.parse(f"{kind}://romeo:pw@127.0.0.1:{at}")
            target = Target("xmpp.nowhere.invalid", 5222, direct)
            await enters(client(service, Tcp([target], proxy=proxy)))
        assert len(there.asked) == 1
        assert "xmpp.nowhere.invalid" in str(there.asked[0])


async def test_a_proxy_that_refuses() -> None:
    async with listening(Socks(1, reply=2)) as at:
        proxy = Proxy("socks5", "127.0.0.1", at)
        with pytest.raises(ConnectionFailed, match="the proxy refuses: not allowed by its rules"):
            await enters(client(None, Tcp([Target("xmpp.verona.lit", 5222)], proxy=proxy)))


async def test_the_first_way_that_leads_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, unused_port() as nothing:
        blocked = Tcp([Target("127.0.0.1", nothing)])
        await enters(client(service, First(blocked, Tcp([Target("127.0.0.1", service.port)]))))
        with pytest.raises(ConnectionFailed) as failed:
            await enters(client(service, First(blocked, blocked)))
        assert len(failed.value.reasons) == 2
        trusting_nobody = Client(
            ROMEO, PASSWORD, connector=First(Tcp([Target("127.0.0.1", service.port)]))
        )
        with pytest.raises(TlsError):
            await enters(trusting_nobody)
