"""All at once: hundreds of clients that say anything in any order, and leave when they like."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from tests.service import NS_BIND, NS_SASL, NS_TLS, Client, Service, serving, until

from pyrite.core.errors import StreamError
from pyrite.core.stream import ERROR, read_error
from pyrite.core.xml import Element

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    b" xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='verona.lit'>"
)
LOGIN = (
    f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>AHJvbWVvAGEgcm9zZSBieSBhbnkgb3RoZXIgbmFtZQ==</auth>"
)
IN = [
    HEADER + LOGIN.encode(),
    HEADER
    + f"<iq type='set' id='b'><bind xmlns='{NS_BIND}'><resource>x</resource></bind></iq>".encode(),
    b"<presence/>",
]
SAID = [
    HEADER,
    *IN,
    LOGIN.encode(),
    b"</stream:stream>",
    f"<starttls xmlns='{NS_TLS}'/>".encode(),
    f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>"
    "biwsbj1yb21lbyxyPWFiY2RlZmdo</auth>".encode(),
    f"<response xmlns='{NS_SASL}'>biws</response>".encode(),
    f"<abort xmlns='{NS_SASL}'/>".encode(),
    f"<iq type='set' id='b'><bind xmlns='{NS_BIND}'/></iq>".encode(),
    b"<presence type='unavailable'/>",
    b"<presence to='juliet@verona.lit' type='subscribe'/>",
    b"<presence to='juliet@verona.lit/b'/>",
    b"<message to='juliet@verona.lit' type='chat'><body>x</body></message>",
    b"<message to='romeo@verona.lit/x'><body>x</body></message>",
    b"<message to='juliet@verona.lit'><body>never ended",
    b"<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
    b"<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
    b"<item jid='a@verona.lit'/></query></iq>",
    b"<iq type='get' id='1' to='verona.lit'>"
    b"<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    b"<iq type='result' id='1'/>",
    b"<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    b"<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>"
    b"<item jid='a@verona.lit'/></block></iq>",
    b"<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
    b"<message to='@@'/>",
    b"<message from='juliet@verona.lit'/>",
    b"<!-- -->",
    b"&e;",
    b"\xff\xfe",
    b"\0",
    b"\x16\x03\x01\x00\x05hello",
    b" " * 50,
    b"<a><b></a>",
    b"<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
]


async def say_anything(service: Service, chance: random.Random) -> None:
    """One client; it may break off at any time, and does not always hear the answers."""
    client = Client(*await asyncio.open_connection("127.0.0.1", service.port))
    said = [*IN[: chance.randrange(4)], *chance.choices(SAID, k=chance.randrange(8))]
    try:
        for data in said:
            cut = chance.randrange(len(data) + 1)
            for piece in (data[:cut], data[cut:]):
                client.writer.write(piece)
                if chance.random() < 0.6:
                    await asyncio.sleep(chance.random() * 0.02)
                if chance.random() < 0.02:
                    return
        if chance.random() < 0.7:
            client.writer.write_eof()
            check(await client.rest())
    except ConnectionError:
        return
    finally:
        client.writer.transport.abort()


def check(events: list[object]) -> None:
    """Errors have names, and nothing of ours is in them."""
    for event in events:
        if isinstance(event, Element) and event.name == ERROR:
            error = read_error(event)
            assert error.condition not in ("internal-server-error", "undefined-condition"), error
            assert "Traceback" not in error.text
        # a client that began anew on its own cannot read what it is told any more
        assert not isinstance(event, StreamError) or event.condition == "not-well-formed"


@pytest.mark.parametrize("seed", range(3))
async def test_noise(seed: int, tmp_path: Path) -> None:
    """In the end everybody else is served, nothing is left, and no warning was logged."""
    chance = random.Random(seed)
    limits = "connection-burst = 100000\nconnections-per-address = 1000"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        for _ in range(6):
            await asyncio.gather(*(say_anything(service, chance) for _ in range(25)))
            await juliet.barrier()
        await service.until_alone(1)
        server = service.server
        await until(lambda: len(server.sessions) == 1)
        assert not server.auth_limits._guessing
        await juliet.is_served()
