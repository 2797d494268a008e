"""Push notifications as a weapon: against a service, a user, or the server itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scene import quiet
from tests.service import JULIET, MALLORY, ROMEO, Client, Service, serving

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Iq, read
from pyrite.core.xml import Element, parse
from pyrite.server import asking
from pyrite.wire import pubsub, push

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

CELL, GARDEN, BALCONY = MALLORY.at("cell"), ROMEO.at("garden"), JULIET.at("balcony")


async def enable(client: Client, jid: JID | str, node: str) -> Element:
    xml = f"<enable xmlns='{push.NS}' jid='{jid}' node='{node}'/>"
    return await client.ask(f"<iq type='set' id='{node}'>{xml}</iq>")


async def write(service: Service, client: Client, to: JID, count: int) -> None:
    for number in range(count):
        await client.send(f"<message to='{to}' type='chat'><body>{number}</body></message>")
        await client.barrier()
        await quiet(service.server)


async def asked(client: Client) -> list[Iq]:
    """The publications that a client was asked for by now."""
    found = [read(element) for element in await client.barrier()]
    return [iq for iq in found if isinstance(iq, Iq) and iq.child(pubsub.NS, "pubsub")]


async def test_a_flood_at_somebody_who_never_asked(tmp_path: Path) -> None:
    """Mallory names Juliet as the push service of many devices, and writes to herself.

    What Juliet gets is bounded by time and devices, not by what Mallory writes, and ends with
    Juliet's refusal.
    """
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online(BALCONY)
        mallory = await service.online(CELL)
        for number in range(50):
            answer = await enable(mallory, BALCONY, f"n{number}")
            assert answer.attrs["type"] == "result"
        await mallory.close()
        romeo = await service.online(GARDEN)
        await write(service, romeo, MALLORY, 100)
        came = await asked(juliet)
        assert len(came) == 10  # of the newest registrations each one
        for iq in came:
            await juliet.send(iq.answer().routed(sender=BALCONY).write())
        await write(service, romeo, MALLORY, 20)
        came = await asked(juliet)
        assert len(came) == 10
        refusal = StanzaError("not-allowed")
        for iq in came:
            await juliet.send(iq.refuse(refusal).routed(sender=BALCONY).write())
        await juliet.barrier()
        service.clock.advance(24 * 3600)
        await write(service, romeo, MALLORY, 20)
        assert await asked(juliet) == []


@pytest.mark.parametrize(
    "service_jid",
    [
        "verona.lit",
        "mantua.lit",
        "romeo@verona.lit",
        "nobody@verona.lit",
        "nobody@verona.lit/x",
        "capulet.example",
        "mallory@verona.lit/gone",
    ],
)
async def test_a_service_that_is_none(service_jid: str, tmp_path: Path) -> None:
    """The server may be the service itself, or nobody: no loop, and an end."""
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online(CELL)
        answer = await enable(mallory, service_jid, "n")
        if answer.attrs["type"] == "error":
            assert service_jid.startswith("mallory@")
            return
        await mallory.close()
        romeo = await service.online(GARDEN)
        await write(service, romeo, MALLORY, 3)
        module = service.server.hosts["verona.lit"].modules["push"]
        before = len(await module.values.load(MALLORY))
        assert before == 1
        for _ in range(20):
            service.clock.advance(4000)
            await quiet(service.server)
        assert await module.values.load(MALLORY) == {}
        assert await romeo.barrier() == []


async def test_nobody_answers_for_a_service(tmp_path: Path) -> None:
    """Else anybody who guesses an id could end the registrations of others."""
    async with serving(tmp_path, clear=True) as service:
        app = await service.online("romeo@verona.lit/app")
        juliet = await service.online(BALCONY)
        await enable(juliet, "romeo@verona.lit/app", "n")
        await juliet.close()
        mallory = await service.online(CELL)
        await write(service, mallory, JULIET, 1)
        (iq,) = await asked(app)
        forged = iq.refuse(StanzaError("item-not-found"))
        for xml in (
            forged.routed(sender=CELL).write(),
            f"<iq type='error' to='verona.lit' id='{iq.id}'/>",
        ):
            await mallory.send(xml)
        await mallory.barrier()
        await quiet(service.server)
        module = service.server.hosts["verona.lit"].modules["push"]
        assert len(await module.values.load(JULIET)) == 1
        await app.send(iq.answer().write())
        await app.barrier()
        await write(service, mallory, JULIET, 1)
        assert len(await asked(app)) == 1


async def test_a_secret_is_its_owners(tmp_path: Path) -> None:
    """Nobody else enables, disables or reads; and a service learns no words and no names."""
    async with serving(tmp_path, clear=True) as service:
        app = await service.online("romeo@verona.lit/app")
        juliet = await service.online(BALCONY)
        await enable(juliet, "romeo@verona.lit/app", "n")
        await juliet.close()
        mallory = await service.online(CELL)
        for inside in (
            f"<disable xmlns='{push.NS}' jid='romeo@verona.lit/app'/>",
            f"<enable xmlns='{push.NS}' jid='{CELL}' node='n'/>",
        ):
            refused = await mallory.ask(f"<iq type='set' to='{JULIET}' id='1'>{inside}</iq>")
            assert refused.attrs["type"] == "error"
        await write(service, mallory, JULIET, 1)
        assert await asked(mallory) == []
        (iq,) = await asked(app)
        text = iq.write()
        assert "mallory" not in text
        assert "<body" not in text
        assert "juliet" not in text


async def test_bad_words(tmp_path: Path) -> None:
    """What a client writes into a registration is published as it was, or refused."""
    async with serving(tmp_path, clear=True) as service:
        app = await service.online("romeo@verona.lit/app")
        juliet = await service.online(BALCONY)
        node = "&lt;/publish&gt;&#10;&quot;'&amp;"
        answer = await juliet.ask(
            f"<iq type='set' id='1'><enable xmlns='{push.NS}' jid='romeo@verona.lit/app'"
            f' node="{node}"/></iq>'
        )
        assert answer.attrs["type"] == "result"
        await juliet.close()
        mallory = await service.online(CELL)
        await write(service, mallory, JULIET, 1)
        (iq,) = await asked(app)
        made = iq.get(pubsub.PubSub)
        assert made is not None
        assert made.publish is not None
        assert made.publish.node == parse(f'<x a="{node}"/>').attrs["a"]


async def test_many_requests_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more is asked than may be, the newest waits; nothing is lost."""
    monkeypatch.setattr(asking, "MOST", 3)
    async with serving(tmp_path, clear=True) as service:
        app = await service.online("romeo@verona.lit/app")
        juliet = await service.online(BALCONY)
        for number in range(5):
            await enable(juliet, "romeo@verona.lit/app", f"n{number}")
        await juliet.close()
        mallory = await service.online(CELL)
        await write(service, mallory, JULIET, 1)
        first = await asked(app)
        assert len(first) == 3
        for iq in first:
            await app.send(iq.answer().write())
        await app.barrier()
        service.clock.advance(2)
        await quiet(service.server)
        assert len(await asked(app)) == 2
