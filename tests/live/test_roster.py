"""Befriending, seeing each other, and parting, on every server."""

import asyncio

from pyrite.client.mod.disco import Disco
from pyrite.client.mod.roster import (
    ContactChanged,
    ContactPresent,
    Roster,
    SubscriptionAsked,
)
from pyrite.core.jid import JID
from pyrite.core.stanza import Iq, Presence
from pyrite.wire import roster as wire
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

DOMAIN = JID(None, "verona.example")


async def test_friends(login: Login) -> None:
    async with (
        login("romeo", features=[Roster]) as romeo,
        login("juliet", features=[Roster]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        asked, seen = juliet.hear(SubscriptionAsked), romeo.hear(ContactPresent)
        changes = romeo.hear(ContactChanged)
        await romeo[Roster].put(juliet.jid, "Jule", "Friends", "Capulets")
        assert (await changes.next()).item is not None
        assert romeo[Roster][juliet.jid].name == "Jule"
        assert set(romeo[Roster].groups) == {"Friends", "Capulets"}
        await romeo[Roster].subscribe(juliet.jid)
        assert (await asked.next()).jid == romeo.jid.bare
        await juliet[Roster].approve(romeo.jid)
        while not romeo[Roster].is_there(juliet.jid):
            assert (await seen.next()).jid.bare == juliet.jid.bare
        assert list(romeo[Roster].resources(juliet.jid)) == [juliet.jid.resource]
        assert romeo[Roster][juliet.jid].subscription == "to"
        await juliet.send_presence(Presence("unavailable"))
        while romeo[Roster].is_there(juliet.jid):
            await seen.next()
        await romeo[Roster].remove(juliet.jid)
        while juliet.jid in romeo[Roster]:
            await changes.next()


async def test_a_push_of_a_stranger_is_not_believed(login: Login) -> None:
    """RFC 6121 §2.1.6: anybody can send one."""
    async with login("tybalt") as tybalt, login("juliet", features=[Roster]) as juliet:
        before = len(juliet[Roster])
        item = wire.Item(JID.parse("evil@verona.example"), subscription="both")
        forged = Iq("set", juliet.jid, id="f").add(wire.Query(items=(item,)))
        await tybalt._put(forged, None)
        async with asyncio.timeout(PATIENCE):
            await tybalt.request(Ping(), DOMAIN)
            await juliet.request(Ping(), DOMAIN)
        assert len(juliet[Roster]) == before
        assert juliet.forged["roster"] <= 1  # some servers do not even let it through


async def test_what_the_server_is(login: Login) -> None:
    async with login("romeo", features=[Disco]) as romeo, asyncio.timeout(PATIENCE):
        info = await romeo[Disco].known(DOMAIN)
        assert info.is_a("server", "im")
        assert await romeo[Disco].supports(DOMAIN, "urn:xmpp:ping")
        assert isinstance(await romeo[Disco].items(DOMAIN), list)


async def test_what_a_hash_stands_for_is_verified(login: Login) -> None:
    async with (
        login("romeo", features=[Roster, Disco]) as romeo,
        login("romeo", features=[Disco]) as phone,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), phone.request(Ping()))
        info = await romeo[Disco].known(phone.jid)
        assert info.vars >= {"http://jabber.org/protocol/caps"}
        assert info == phone[Disco].own or info.features == phone[Disco].own.features
        assert romeo.forged["caps"] == 0
