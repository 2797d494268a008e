"""What clients ask each other and their server, on every server."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.interop.servers import Server

from pyrite.client.mod.attention import Attention, AttentionAsked
from pyrite.client.mod.csi import Csi
from pyrite.client.mod.idle import Idle, IdleChanged
from pyrite.client.mod.last import LastActivity
from pyrite.client.mod.ping import Ping
from pyrite.client.mod.roster import Roster, SubscriptionAsked
from pyrite.client.mod.time import Time
from pyrite.client.mod.version import Version
from pyrite.client.state import Online
from pyrite.core.errors import StanzaError

from .conftest import PATIENCE, Login


async def test_what_is_there(login: Login) -> None:
    features = (Ping, Version, Time)
    async with (
        login("romeo", features=features) as romeo,
        login("juliet", features=features) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        assert await romeo[Ping].ask() < PATIENCE
        assert await romeo[Ping].ask(juliet.jid) < PATIENCE
        assert (await romeo[Version].ask()).name
        assert (await romeo[Version].ask(juliet.jid)).name == "Pyrite"
        for who in (None, juliet.jid):
            assert abs(await romeo[Time].ask(who) - datetime.now(UTC)) < timedelta(seconds=10)


async def test_alerts(login: Login) -> None:
    async with (
        login("romeo", features=[Attention]) as romeo,
        login("juliet", features=[Attention]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        asked = romeo.hear(AttentionAsked)
        await juliet[Attention].ask(romeo.jid, "Wake up!")
        assert (await asked.next()).message.body == "Wake up!"


async def test_who_is_idle(login: Login) -> None:
    """Only those whom the user lets see it are told."""
    features = (Roster, Idle, LastActivity)
    async with (
        login("paris", features=features) as paris,
        login("rosaline", features=features) as rosaline,
        login("tybalt", features=features) as tybalt,
        asyncio.timeout(PATIENCE),
    ):
        changes, asked = rosaline.hear(IdleChanged), paris.hear(SubscriptionAsked)
        await rosaline[Roster].put(paris.jid)
        await rosaline[Roster].subscribe(paris.jid)
        await asked.next()
        await paris[Roster].approve(rosaline.jid)
        since = datetime(2026, 1, 1, tzinfo=UTC)
        paris[LastActivity].idle = lambda: 60.0
        await paris[Idle].away(since)
        assert await changes.next() == IdleChanged(paris.jid, since)
        assert (await rosaline[LastActivity].ask(paris.jid)).seconds == 60
        with pytest.raises(StanzaError):
            await tybalt[LastActivity].ask(paris.jid.bare)
        assert (await tybalt[LastActivity].ask(tybalt.jid.domain)).seconds is not None
        await rosaline[Roster].remove(paris.jid)


async def test_a_client_that_nobody_looks_at(login: Login, server: Server) -> None:
    """Before and after its connection has broken it gets what it is to have, if asked for.

    Prosody keeps back what it is writing at the moment in which it hears that nobody looks.
    """
    async with (
        login("romeo", features=[Csi]) as romeo,
        login("juliet") as juliet,
        asyncio.timeout(PATIENCE),
    ):
        assert romeo[Csi].is_supported
        romeo[Csi].inactive()
        heard, states = romeo.messages(), romeo.lifecycle()
        romeo.break_off()
        while not isinstance(await states.next(), Online):
            pass
        await romeo[Ping].ask()
        await juliet.send(romeo.jid, "But soft!")
        assert (await heard.next()).message.body == "But soft!"
        romeo[Csi].active()
        await romeo[Ping].ask()
