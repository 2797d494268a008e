"""What services and people publish, on every server that lets them."""

import asyncio
from contextlib import aclosing

import pytest
from tests.interop.servers import Server

from pyrite.client.app import Client
from pyrite.client.mod.pep import Pep
from pyrite.client.mod.pubsub import PubSub
from pyrite.client.mod.roster import ContactPresent, Roster, SubscriptionAsked
from pyrite.client.node import Published, Withdrawn
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.core.xml import Element, Name
from pyrite.wire import pubsub
from pyrite.wire.activity import activity
from pyrite.wire.geoloc import Geoloc
from pyrite.wire.mood import Mood, mood
from pyrite.wire.nick import Nick
from pyrite.wire.ping import Ping
from pyrite.wire.tune import Tune

from .conftest import PATIENCE, Login

SERVER = JID(None, "verona.example")
SERVICE = JID(None, "pubsub.verona.example")
NEWS = Name("urn:example:news", "news")
pytestmark = pytest.mark.lacks(pyrite="publish-subscribe is not served yet")


def news(text: str) -> Element:
    return Element(NEWS, None, (text,))


async def test_a_node_from_its_making_to_its_end(login: Login, server: Server) -> None:
    async with (
        login("admin") as editor,
        login("juliet") as reader,
        asyncio.timeout(PATIENCE),
    ):
        node = editor[PubSub].at(SERVICE, "gazette")
        await node.create({"access_model": "open", "persist_items": True, "max_items": "200"})
        with pytest.raises(StanzaError) as refused:
            await node.create()
        assert refused.value.condition == "conflict"
        hers = reader[PubSub].at(SERVICE, "gazette")
        assert (await hers.subscribe(jid=reader.jid)).subscription == "subscribed"
        async with aclosing(reader[PubSub].events(hers, Element)) as events:
            first = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)  # it listens
            id = await node.publish(news("a duel"))
            told = await first
            assert isinstance(told, Published)
            assert (told.service, told.id, told.payload) == (SERVICE, id, news("a duel"))
            await node.retract(id)
            gone = await anext(events)
            assert gone == Withdrawn(SERVICE, "gazette", id)
        for number in range(60):
            await node.publish(news(str(number)), f"{number:02}")
        found = {one.id: one.payload async for one in hers.items(Element)}
        assert found == {f"{number:02}": news(str(number)) for number in range(60)}
        assert [one.id async for one in hers.items(Element, last=1)] == ["59"]
        one = await hers.item(Element, "07")
        assert one is not None
        assert one.payload == news("7")
        assert await hers.item(Tune, "07") is None  # it is none
        assert SERVICE in {(await hers.item(Element, "07")).service}  # type: ignore[union-attr]
        assert "gazette" in await reader[PubSub].nodes(SERVICE)
        with pytest.raises(StanzaError):
            await hers.publish(news("forged"))
        await node.affiliate(reader.jid.bare, "publisher")
        assert (await node.affiliations())[reader.jid.bare] == "publisher"
        await hers.publish(news("hers"))
        if server.name != "prosody":  # which does not tell people what they may do
            assert (await reader[PubSub].affiliations(SERVICE))["gazette"] == "publisher"
        assert {one.jid for one in await node.subscribers()} == {reader.jid}
        mine = await reader[PubSub].subscriptions(SERVICE)
        assert [one.node for one in mine] == ["gazette"]
        await hers.unsubscribe(mine[0].subid, reader.jid)
        await node.configure({"title": "Gazette"})
        assert (await node.settings()).value("pubsub#title") == "Gazette"
        await node.purge()
        assert [one.id async for one in hers.items(Element)] == []
        await node.delete()
        assert await hers.item(Element, "07") is None


async def befriend(one: Client, other: Client) -> None:
    """Each sees the other."""
    for me, peer in ((one, other), (other, one)):
        asked, seen = peer.hear(SubscriptionAsked), me.hear(ContactPresent)
        await me[Roster].subscribe(peer.jid)
        while (await asked.next()).jid != me.jid.bare:
            pass
        await peer[Roster].approve(me.jid)
        while not me[Roster].is_there(peer.jid):
            await seen.next()


async def test_what_contacts_listen_to(login: Login) -> None:
    """XEP-0163 §4.3: who wants to hear says so in its features, and hears what is newest."""
    async with (
        login("mercutio", features=[Roster, Pep]) as friend,
        login("benvolio", features=[Roster, Pep]) as listener,
        asyncio.timeout(PATIENCE),
    ):
        await befriend(friend, listener)
        assert "http://jabber.org/protocol/tune+notify" not in listener.features
        await friend[Pep].publish(Tune(artist="Prokofiev", title="Dance of the Knights"))
        async with aclosing(listener[Pep].subscribe(Tune)) as tunes:
            first = asyncio.ensure_future(anext(tunes))
            while not first.done():  # some tell only of what comes after they have asked us
                await friend[Pep].publish(Tune(title="Dance of the Knights"))
                await asyncio.wait((first,), timeout=0.1)
            told = await first
            assert told.publisher == friend.jid.bare
            assert told.payload.title == "Dance of the Knights"
            assert "http://jabber.org/protocol/tune+notify" in listener.features
            await friend[Pep].publish(Tune())
            while told.payload != Tune():
                told = await anext(tunes)
        assert "http://jabber.org/protocol/tune+notify" not in listener.features
        last = await listener[Pep].last(Tune, friend.jid.bare)
        assert last is not None
        assert last.payload == Tune()


async def test_all_kinds(login: Login) -> None:
    async with login("mercutio") as me, asyncio.timeout(PATIENCE):
        for payload in (
            mood("playful", "a plague"),
            activity("relaxing", "partying", "tonight"),
            Geoloc(lat=45.4333, lon=10.9833, locality="Verona"),
            Nick("Mab"),
            Tune(title="Queen Mab", length=5),
        ):
            await me[Pep].publish(payload)
            found = await me[Pep].last(type(payload))
            assert found is not None
            assert found.payload == payload
            assert found.publisher.bare == me.jid.bare


async def test_what_a_node_has_to_be_like(login: Login) -> None:
    """XEP-0060 §7.1.5: a node that is otherwise is changed, or nothing is published."""
    async with login("benvolio") as me, asyncio.timeout(PATIENCE):
        node = me[Pep].at(Mood)
        await node.publish(mood("calm"), options={"access_model": "open"})
        await node.publish(mood("sad"), options={"access_model": "open"}, reconfigure=False)
        closed = {"access_model": "whitelist"}
        with pytest.raises(StanzaError) as refused:
            await node.publish(mood("angry"), options=closed, reconfigure=False)
        assert refused.value.condition == "conflict"
        assert pubsub.reason(refused.value) == "precondition-not-met"
        await node.publish(mood("angry"), options=closed)
        assert (await node.settings()).value("pubsub#access_model") == "whitelist"


async def test_an_event_of_a_client_is_not_believed(login: Login) -> None:
    """Anybody can send one; only services and accounts have an address without a resource."""
    async with (
        login("tybalt") as tybalt,
        login("juliet", features=[Pep]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        item = pubsub.EventItem("x", payload=news("forged"))
        event = pubsub.Event(pubsub.EventItems("urn:example:news", (item,)))
        while not juliet.forged["pubsub"]:
            await tybalt.send(Message("headline", juliet.jid).add(event))
            await juliet.request(Ping(), SERVER)
