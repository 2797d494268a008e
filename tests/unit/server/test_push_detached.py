"""Push notifications for clients whose connection has broken, and whose session has not ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.resuming import ack, chat, enable, enabled, ids, resume, stanzas, strand
from tests.scene import quiet
from tests.service import JULIET, ROMEO, Client, Service, serving

from pyrite.core.jid import JID
from pyrite.core.payload import decode
from pyrite.core.stanza import Iq, read
from pyrite.wire import pubsub, push
from pyrite.wire.dataforms import Form

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

HOST = 'modules = ["acks", "carbons", "offline", "ping", "push"]'
APP, GARDEN = ROMEO.at("app"), ROMEO.at("garden")
PHONE, DESK = JULIET.at("phone"), JULIET.at("desk")


async def register(client: Client, node: str) -> None:
    xml = f"<enable xmlns='{push.NS}' jid='{APP}' node='{node}'/>"
    await client.send(f"<iq type='set' id='register'>{xml}</iq>")
    while (await client.element()).attrs.get("id") != "register":
        pass


async def published(service: Service, app: Client) -> list[tuple[str, str]]:
    """The nodes, and how many messages wait, of what the service was asked by now; answered."""
    await quiet(service.server)
    asked = [read(element) for element in await app.barrier()]
    found = []
    for iq in asked:
        assert isinstance(iq, Iq)
        made = iq.get(pubsub.PubSub)
        assert made is not None
        assert made.publish is not None
        form = _form(made.publish)
        found.append((made.publish.node, form.value("message-count")))
        await app.send(iq.answer().write())
    await app.barrier()
    return sorted(found)


def _form(publish: pubsub.Publish) -> Form:
    element = publish.items[0].payload
    assert element is not None
    form = decode(push.Notification, element).form
    assert form is not None
    return form


async def say(service: Service, romeo: Client, to: JID, *texts: str) -> None:
    for text in texts:
        await romeo.send(chat(to, text))
        await romeo.barrier()
        await quiet(service.server)


async def test_a_client_whose_connection_has_broken(tmp_path: Path) -> None:
    """It is woken, comes back, has all, and is let alone."""
    async with serving(tmp_path, clear=True, host=HOST) as service:
        app, romeo = await service.online(APP), await service.online(GARDEN)
        phone, id = await enabled(service, PHONE)
        await register(phone, "phone")
        await phone.send(ack(1))
        await phone.barrier()
        await strand(service, phone)
        assert await published(service, app) == []
        await say(service, romeo, JULIET, "1")
        assert await published(service, app) == [("phone", "1")]
        await say(service, romeo, PHONE, "2")
        assert await published(service, app) == [("phone", "2")]
        phone, _ = await resume(service, JULIET, id, 2)
        came = await stanzas(phone, "r")
        assert ids(came) == ["1", "2"]
        await say(service, romeo, JULIET, "3")
        assert await published(service, app) == []


async def test_what_was_on_its_way(tmp_path: Path) -> None:
    """Nobody knows whether it arrived: better once too often."""
    async with serving(tmp_path, clear=True, host=HOST) as service:
        app, romeo = await service.online(APP), await service.online(GARDEN)
        phone, _ = await enabled(service, PHONE)
        await register(phone, "phone")
        await say(service, romeo, JULIET, "1", "2")
        assert await published(service, app) == []
        await strand(service, phone)
        assert await published(service, app) == [("phone", "2")]


async def test_other_devices(tmp_path: Path) -> None:
    """Who is connected has it, and who is not here at all was not sent it."""
    async with serving(tmp_path, clear=True, host=HOST) as service:
        app, romeo = await service.online(APP), await service.online(GARDEN)
        tablet = await service.online(JULIET.at("tablet"))
        await register(tablet, "tablet")
        await tablet.close()
        desk = await service.online(DESK, available=True)
        await register(desk, "desk")
        phone, _ = await enabled(service, PHONE)
        await register(phone, "phone")
        await strand(service, phone)
        await say(service, romeo, JULIET, "1")
        assert await published(service, app) == [("phone", "1")]
        await say(service, romeo, DESK, "2")
        assert await published(service, app) == []


async def test_a_client_that_did_not_say_which_device_it_is(tmp_path: Path) -> None:
    """It has registered in an earlier session: it may be any that is not connected."""
    async with serving(tmp_path, clear=True, host=HOST) as service:
        app, romeo = await service.online(APP), await service.online(GARDEN)
        before = await service.online(PHONE)
        await register(before, "phone")
        await before.close()
        phone, _ = await enabled(service, PHONE)
        await strand(service, phone)
        await say(service, romeo, JULIET, "1")
        assert await published(service, app) == [("phone", "1")]


async def test_copies_and_what_says_nothing(tmp_path: Path) -> None:
    """They wait for it, and do not wake it."""
    async with serving(tmp_path, clear=True, host=HOST) as service:
        app, romeo = await service.online(APP), await service.online(GARDEN)
        await service.online(DESK, available=True)
        phone, _ = await enabled(service, PHONE)
        await register(phone, "phone")
        await phone.send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        await phone.barrier()
        await strand(service, phone)
        await say(service, romeo, DESK, "1")
        await romeo.send(
            f"<message to='{PHONE}' type='chat'>"
            "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        await romeo.barrier()
        (session,) = [s for s in service.server.sessions if s.jid == PHONE]
        assert len([s for s in session.queue if s.write().startswith("<message")]) == 2
        assert await published(service, app) == []


async def test_a_client_that_does_not_come(tmp_path: Path) -> None:
    """What waited in its session is kept when that ends, and it is told once more."""
    async with serving(tmp_path, clear=True, host=HOST) as service:
        app, romeo = await service.online(APP), await service.online(GARDEN)
        phone = await service.online(PHONE, available=True)
        await enable(phone, "resume='true' max='60'")
        await register(phone, "phone")
        await strand(service, phone)
        await say(service, romeo, JULIET, "1", "2")
        assert await published(service, app) == [("phone", "1")]
        assert await published(service, app) == [("phone", "2")]
        service.clock.advance(60)
        again: list[tuple[str, str]] = []
        while ("phone", "2") not in again:  # one by one, as they are kept
            again += await published(service, app)
        assert len(again) <= 2
        assert await service.server.stores.offline.count(JULIET) == 2
