"""Attack 7: what an attacker on the way can put in before TLS, or take out."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.peer import HungUpError
from tests.service import NS_SASL, NS_TLS, ROMEO, VERONA, serving

from pyrite.net.tls import TlsError

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

STARTTLS = f"<starttls xmlns='{NS_TLS}'/>"
LOGIN = f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>AHJvbWVvAGEgcm9zZQ==</auth>"
INJECTED = [
    LOGIN,
    f"</stream:stream><stream:stream xmlns='jabber:client' to='verona.lit'>{LOGIN}",
    "<iq type='get' id='evil'><query xmlns='jabber:iq:register'/></iq>",
    STARTTLS,
    "<message from='juliet@verona.lit'/>",
    "\n",
]


@pytest.mark.parametrize("injected", INJECTED)
async def test_what_comes_with_the_request_is_dropped(injected: str, tmp_path: Path) -> None:
    """In one packet with ``<starttls/>``: it is not answered, and not remembered for later."""
    async with serving(tmp_path) as service:
        client = await service.connect()
        await client.open(VERONA)
        answer = await client.ask(STARTTLS + injected)
        assert answer.name == (NS_TLS, "proceed")
        await client.shake_hands()
        features = await client.open(VERONA)
        assert features.child(NS_SASL, "mechanisms") is not None
        assert (await client.scram("romeo")).name.tag == "success"


@pytest.mark.parametrize("injected", INJECTED)
async def test_what_comes_before_the_handshake_breaks_it(injected: str, tmp_path: Path) -> None:
    """In a packet of its own: it is no TLS, so the connection ends, and nothing was done."""
    async with serving(tmp_path) as service:
        client = await service.connect()
        await client.open(VERONA)
        assert (await client.ask(STARTTLS)).name.tag == "proceed"
        await client.write(injected)
        with pytest.raises((HungUpError, TlsError, ConnectionError)):
            await client.shake_hands()
        client.writer.close()
        await service.until_alone()
        assert len(service.server.auth_limits._accounts) == 0


async def test_nothing_can_be_done_without_tls(tmp_path: Path) -> None:
    """Whoever strips ``<starttls/>`` from the features gets nothing for it."""
    async with serving(tmp_path, host='registration = "open"') as service:
        client = await service.connect()
        await client.open(VERONA)
        assert client.mechanisms == ()
        for mechanism in ("PLAIN", "SCRAM-SHA-256", "ANONYMOUS"):
            answer = await client.auth(mechanism)
            assert answer.child(NS_SASL, "encryption-required") is not None
        await client.send(
            "<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>x</username>"
            "<password>long enough to be taken</password></query></iq>"
        )
        await client.ends_with("not-authorized")
        assert await service.server.accounts.count(VERONA) == 3


async def test_tls_is_required_unless_somebody_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        assert service.server.settings.tls.required
        assert not service.server.settings.auth.plain_without_tls
        assert await service.server.accounts.exists(ROMEO)
