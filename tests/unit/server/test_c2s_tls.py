"""Clients' TLS: before it, into it, without it (RFC 6120 §5, XEP-0368)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE, HungUpError
from tests.service import (
    NS_SASL,
    NS_TLS,
    VERONA,
    Client,
    condition,
    serving,
)

from pyrite.core.jid import JID
from pyrite.core.xml import Closed, Element
from pyrite.net.tls import TlsError

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

STARTTLS = f"<starttls xmlns='{NS_TLS}'/>"


def tags(features: Element) -> list[str]:
    return [element.name.tag for element in features.elements]


async def test_nothing_but_tls_is_offered_before_tls(tmp_path: Path) -> None:
    """Rule 15 (§5.3.1): where it is required, no mechanism is shown, nor registration."""
    async with serving(tmp_path, host='registration = "open"') as service:
        features = await (await service.connect()).open(VERONA)
        starttls = features.child(NS_TLS, "starttls")
        assert starttls is not None
        assert [e.name.tag for e in starttls.elements] == ["required"]
        assert set(tags(features)) <= {"starttls", "limits"}


async def test_where_tls_is_free_it_is_offered_beside_the_rest(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        features = await (await service.connect()).open(VERONA)
        starttls = features.child(NS_TLS, "starttls")
        assert starttls is not None
        assert list(starttls.elements) == []
        offered = features.child(NS_SASL, "mechanisms")
        assert offered is not None
        assert not [e.text for e in offered.elements if e.text.endswith("-PLUS")]


async def test_after_tls_mechanisms_and_no_tls(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        assert "starttls" not in tags(client.features)
        assert "SCRAM-SHA-256-PLUS" in client.mechanisms
        assert set(client.bindings) == {"tls-exporter", "tls-server-end-point"}


async def test_direct_tls(tmp_path: Path) -> None:
    """Rule 18 (XEP-0368): with our protocol's name, or with none."""
    async with serving(tmp_path) as service:
        for alpn in (("xmpp-client",), (), ("http/1.1", "xmpp-client")):
            client = await service.connect_direct(*alpn)
            assert client.tls is not None
            assert client.tls.alpn == ("xmpp-client" if alpn else "")
            features = await client.open(VERONA)
            assert "starttls" not in tags(features)
            assert (await client.scram("romeo")).name.tag == "success"
            assert "bind" in tags(await client.open(VERONA))
            assert (await client.bind()).attrs["type"] == "result"


async def test_direct_tls_is_not_for_browsers(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        with pytest.raises((HungUpError, TlsError)):
            await service.connect_direct("h2", "http/1.1")


@pytest.mark.parametrize("after", ["tls", "authentication", "direct"])
async def test_tls_inside_tls_is_refused(after: str, tmp_path: Path) -> None:
    """Rule 16 (§5.4.2.2): ``<failure/>``, and the stream ends."""
    async with serving(tmp_path) as service:
        if after == "direct":
            client = await service.connect_direct("xmpp-client")
            await client.open(VERONA)
        else:
            client = await service.secured()
        if after == "authentication":
            assert (await client.scram("romeo")).name.tag == "success"
            await client.open(VERONA)
        assert await client.ask(STARTTLS) == Element((NS_TLS, "failure"))  # type: ignore[arg-type]
        assert [type(event) for event in await client.rest()] == [Closed]


@pytest.mark.parametrize("junk", [b"", b"\0" * 100, b"<iq/>", b"\x16\x03\x01\x40\x00" + b"\0" * 99])
async def test_a_handshake_that_is_none(junk: bytes, tmp_path: Path) -> None:
    """The connection ends; whoever else is there does not notice."""
    async with serving(tmp_path) as service:
        other = await service.secured()
        client = await service.connect()
        await client.open(VERONA)
        assert (await client.ask(STARTTLS)).name.tag == "proceed"
        await client.write(junk)
        client.writer.write_eof()
        assert b"<" not in await ended(client)
        await service.until_alone(1)
        assert (await other.scram("romeo")).name.tag == "success"


async def ended(client: Client) -> bytes:
    """All that is still sent in the clear."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await client.reader.read()
        except ConnectionError:
            return b""


async def test_what_came_before_tls_is_forgotten(tmp_path: Path) -> None:
    """§5.4.3.3: the stream begins anew, with nothing carried over."""
    async with serving(tmp_path) as service:
        client = await service.connect()
        await client.opening(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            " xmlns:x='urn:x' version='1.0' to='verona.lit' xml:lang='it'>"
        )
        assert (await client.ask(STARTTLS)).name.tag == "proceed"
        await client.shake_hands()
        await client.open(VERONA)
        await client.send("<x:unbound/>")
        await client.ends_with("not-well-formed")


async def test_plain_passwords_need_tls(tmp_path: Path) -> None:
    """Rule 20: encryption-required, for whatever mechanism where TLS is required."""
    async with serving(tmp_path) as service:
        client = await service.connect()
        await client.open(VERONA)
        assert condition(await client.plain("romeo")) == "encryption-required"
        answer = await client.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        assert condition(answer) == "encryption-required"


async def test_a_session_knows_that_it_is_secure(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.scram("romeo", mechanism="SCRAM-SHA-256-PLUS")
        await client.open(VERONA)
        await client.bind("a")
        session = service.server.sessions.find(JID.parse("romeo@verona.lit/a"))
        assert session is not None
        assert (session.secure, session.address) == (True, "127.0.0.1")
