"""What is said before there is a session, and to whom."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import ROMEO, VERONA, Service, serving

from pyrite.client.account import Account, Memory, Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.errors import ConnectionFailed, ResumeUnanswered
from pyrite.client.link import Link
from pyrite.client.login import LogIn, Resumable
from pyrite.core.jid import JID
from pyrite.core.negotiate import NS_TLS
from pyrite.core.stream import NS_STREAM
from pyrite.core.xml import Element, parse
from pyrite.kit.ids import Ids
from pyrite.net.dns import Target

FEATURES = (
    f"<features xmlns='{NS_STREAM}'><authentication xmlns='urn:xmpp:sasl:2'>"
    "<mechanism>PLAIN</mechanism><inline><sm xmlns='urn:xmpp:sm:3'/></inline>"
    "</authentication></features>"
)


class Naming:
    """By TCP, noting who is said to log in, and whether anybody could read that."""

    def __init__(self, service: Service, *, direct: bool) -> None:
        port = service.server.listeners.ports["c2s-tls" if direct else "c2s"]
        self.inner = Tcp([Target("127.0.0.1", port, direct)])
        self.named: list[tuple[bool, str]] = []

    async def connect(self, account: Account) -> Link:
        link = await self.inner.connect(account)
        opening = link.open

        async def opened(domain: str, lang: str, sender: str = "") -> Element:
            self.named.append((link.is_secure, sender))
            return await opening(domain, lang, sender)

        link.open = opened  # type: ignore[method-assign]
        return link


@pytest.mark.parametrize("direct", [False, True])
async def test_who_logs_in_is_told_to_the_server_alone(tmp_path: Path, direct: bool) -> None:
    """RFC 6120 §4.7.1; XEP-0484 §3.2: without it servers offer no tokens."""
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        trust, way = Trust(authorities=service.folder / "ca.pem"), Naming(service, direct=direct)
        async with Client(ROMEO, PASSWORD, trust=trust, connector=way):
            pass
        assert way.named == [*([] if direct else [(False, "")]), (True, str(ROMEO))]


async def test_a_guest_has_no_name_to_tell(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, auth='mechanisms = ["ANONYMOUS"]') as service,
        asyncio.timeout(PATIENCE),
    ):
        trust, way = Trust(authorities=service.folder / "ca.pem"), Naming(service, direct=True)
        async with Client(JID(None, VERONA), trust=trust, connector=way):
            pass
        assert {sender for _, sender in way.named} == {""}


async def test_a_connection_that_breaks_while_it_is_encrypted() -> None:
    """The server resets it in the middle of the handshake."""
    header = (
        f"<stream:stream xmlns='jabber:client' xmlns:stream='{NS_STREAM}' version='1.0' id='1'>"
    )
    starttls = f"<starttls xmlns='{NS_TLS}'><required/></starttls>"
    features = f"<stream:features>{starttls}</stream:features>"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"<stream:stream")
        writer.write(f"{header}{features}".encode())
        await reader.readuntil(b"starttls")
        writer.write(f"<proceed xmlns='{NS_TLS}'/>".encode())
        await reader.readuntil(b"\x16\x03")  # the client has begun
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionFailed):
            async with Client(ROMEO, PASSWORD, connector=Tcp([Target("127.0.0.1", port)])):
                pass


class Silent:
    """A link to a server that offers SASL2 with all, and never answers."""

    is_secure = True
    bindings: Mapping[str, bytes] = {}

    def __init__(self) -> None:
        self.sent: list[object] = []

    async def open(self, domain: str, lang: str, sender: str = "") -> Element:
        return parse(FEATURES, NS_STREAM)

    def send(self, *payloads: object) -> None:
        self.sent.extend(payloads)

    async def next(self) -> Element:
        raise TimeoutError


@pytest.mark.parametrize("old", [None, Resumable("some-id", 3)])
async def test_who_resumes_with_the_log_in_and_hears_nothing(old: Resumable | None) -> None:
    """A session that the server chokes on is given up: else no log-in would ever succeed."""
    link, account = Silent(), Account(ROMEO, PASSWORD, allowed=("PLAIN",))
    login = LogIn(account, link, Memory("device"), Ids(), old)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError) as failed:
        await login.run()
    assert isinstance(failed.value, ResumeUnanswered) is (old is not None)
    assert len(link.sent) == 1
