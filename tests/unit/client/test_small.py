"""What clients ask each other, and how they let know how they are."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import BENVOLIO, JULIET, MALLORY, ROMEO, Service, serving, until

from pyrite.client.app import Client
from pyrite.client.feature import Request
from pyrite.client.mod.attention import PAUSE, Attention, AttentionAsked
from pyrite.client.mod.csi import Csi
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.idle import Idle, IdleChanged
from pyrite.client.mod.last import LastActivity
from pyrite.client.mod.ping import Ping
from pyrite.client.mod.styling import Styling
from pyrite.client.mod.time import Time
from pyrite.client.mod.version import Version
from pyrite.client.state import Online, Suspended
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Iq, Presence
from pyrite.core.xml import parse
from pyrite.kit.clock import ManualClock
from pyrite.kit.hooks import Stage
from pyrite.server.mod.csi import DOZE
from pyrite.wire import csi, idle, last, ping, time, version
from pyrite.wire.delay import Delay

from .pair import client, pair

NOW = datetime(2026, 1, 1, tzinfo=UTC)


# --- ping -------------------------------------------------------------------------------------


async def test_who_is_there(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, also=[Ping]) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        assert await romeo[Ping].ask() < PATIENCE
        assert await romeo[Ping].ask(juliet.jid) < PATIENCE  # she refuses: an answer
        await juliet.request(ping.Ping(), romeo.jid)
        with pytest.raises(StanzaError, match="remote-server-not-found"):
            await romeo[Ping].ask("nowhere.lit")


async def test_a_dead_connection_is_found(tmp_path: Path) -> None:
    """The server hears nothing any more, and nobody says so."""
    clock, asked = ManualClock(), []
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Ping, clock=clock) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        romeo.sending.add(Stage.RECORD, asked.append, Iq)
        states, pings = romeo.lifecycle(), romeo[Ping]
        pings.keep_alive(every=60, within=20)
        for number in range(1, 3):  # these are answered
            await until(lambda: clock.ahead == pytest.approx(60))
            clock.advance(60)
            await until(lambda: len(asked) == number)  # noqa: B023
            await until(lambda: len(romeo._keeper.requests) == 0)
        await until(lambda: clock.ahead == pytest.approx(60))
        (connection,) = service.server.listeners.connections
        connection.connection._transport.pause_reading()  # type: ignore[union-attr]
        clock.advance(60)
        await until(lambda: len(asked) == 3)
        clock.advance(19.9)
        assert not states.waiting
        clock.advance(0.1)
        assert isinstance(await states.next(), Suspended)
        await until(lambda: clock.pending == 1)  # the pause before it tries again
        clock.advance(1)
        assert isinstance(await states.next(), Online)
        await until(lambda: clock.ahead == pytest.approx(60))
        pings.let_be()
        await until(lambda: clock.pending == 0)
        assert len(asked) == 3


# --- version, time, last activity -------------------------------------------------------------


async def test_what_runs_there(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Version) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        juliet[Version].own = version.Version("balcony", "2", "stone")
        assert await romeo[Version].ask(juliet.jid) == juliet[Version].own
        assert (await romeo[Version].ask()).name == "Pyrite"


@pytest.mark.parametrize(
    ("zone", "offset"), [(timezone(timedelta(hours=-5, minutes=-30)), -330), (UTC, 0)]
)
async def test_what_time_it_is(tmp_path: Path, zone: timezone, offset: int) -> None:
    clock = ManualClock(NOW)
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Time) as romeo,
        client(service, JULIET, Time, clock=clock) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        juliet[Time].zone = zone
        told = await romeo[Time].ask(juliet.jid)
        assert told == NOW
        assert told.utcoffset() == timedelta(minutes=offset)
        assert (await romeo[Time].ask()).tzinfo is not None


@pytest.mark.parametrize(
    "told",
    [
        time.Time(),
        time.Time(UTC),
        time.Time(timezone(timedelta(hours=14)), datetime.max.replace(tzinfo=UTC)),
    ],
)
async def test_times_that_cannot_be(tmp_path: Path, told: time.Time) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, also=[Time]) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):

        @juliet.serve("get", time.Time)
        def answer(_: Request[time.Time]) -> time.Time:
            return told

        with pytest.raises(StanzaError, match="undefined-condition"):
            await romeo[Time].ask(juliet.jid)


async def test_since_when_somebody_is_idle(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        async with pair(service, LastActivity) as (romeo, juliet), asyncio.timeout(PATIENCE):
            hers = juliet[LastActivity]
            with pytest.raises(StanzaError, match="service-unavailable"):
                await romeo[LastActivity].ask(juliet.jid)
            hers.idle = lambda: 12.9
            assert (await romeo[LastActivity].ask(juliet.jid)).seconds == 12
            hers.idle = lambda: -5.0
            assert (await romeo[LastActivity].ask(juliet.jid)).seconds == 0
            assert (await romeo[LastActivity].ask(JID(None, ROMEO.domain))).seconds is not None
            hers.may_ask = lambda jid: jid.bare == MALLORY
            with pytest.raises(StanzaError, match="forbidden"):
                await romeo[LastActivity].ask(juliet.jid)


async def test_an_answer_without_a_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        async with pair(service, also=[LastActivity]) as (romeo, juliet):

            @juliet.serve("get", last.Last)
            def answer(_: Request[last.Last]) -> last.Last:
                return last.Last()

            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StanzaError, match="no time"):
                    await romeo[LastActivity].ask(juliet.jid)


# --- idle -------------------------------------------------------------------------------------


async def test_who_is_idle(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        async with pair(service, Idle) as (romeo, juliet), asyncio.timeout(PATIENCE):
            changes = romeo.hear(IdleChanged)
            await juliet[Idle].away(NOW)
            assert await changes.next() == IdleChanged(juliet.jid, NOW)
            assert romeo[Idle].of(str(juliet.jid)) == NOW
            await juliet[Idle].away(NOW)  # nothing new
            await juliet.send_presence(Presence().add(idle.Idle(NOW + timedelta(days=99 * 365))))
            clocks_differ = await changes.next()
            assert clocks_differ.since is not None
            assert clocks_differ.since <= datetime.now(UTC)
            await juliet[Idle].back()
            assert await changes.next() == IdleChanged(juliet.jid, None)
            await juliet[Idle].away()
            assert (await changes.next()).since is not None
            broken = parse("<idle xmlns='urn:xmpp:idle:1' since='yesterday'/>")
            await juliet.send_presence(Presence().add(broken))
            assert (await changes.next()).since is None
            assert romeo[Idle].of(juliet.jid) is None


async def test_who_is_gone_is_not_idle(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        async with pair(service, Idle) as (romeo, juliet), asyncio.timeout(PATIENCE):
            changes = romeo.hear(IdleChanged)
            await juliet[Idle].away(NOW)
            await changes.next()
            await juliet.send_presence(Presence("unavailable"))
            assert await changes.next() == IdleChanged(juliet.jid, None)
            await juliet[Idle].back()  # who is not there says nothing
            assert juliet.presence is not None
            assert juliet.presence.type == "unavailable"


# --- attention --------------------------------------------------------------------------------


async def test_alerts(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Attention, Disco, Styling, clock=clock) as romeo,
        client(service, JULIET, Attention, Disco) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        asked, heard = romeo.hear(AttentionAsked), romeo.messages()
        assert await juliet[Disco].supports(romeo.jid, *Attention.features, *Styling.features)

        async def shout(*content: object) -> None:
            await juliet[Attention].ask(romeo.jid, *content)
            assert (await heard.next()).message.type == "headline"

        await shout("Wake up!")
        event = await asked.next()
        assert (event.sender, event.message.body) == (juliet.jid, "Wake up!")
        await shout()  # too soon
        clock.advance(PAUSE)
        await shout(Delay(NOW))  # too late
        romeo[Attention].accepts = lambda jid: jid == BENVOLIO
        await shout()  # nobody's business
        assert not asked.waiting
        romeo[Attention].accepts = lambda jid: jid == JULIET
        await shout()
        assert (await asked.next()).message.body is None


# --- client states ----------------------------------------------------------------------------


def dozes(service: Service, me: Client) -> bool:
    """Whether the server keeps back what can wait, in the session that is now."""
    session = service.server.sessions.find(me.jid)
    return session is not None and session[DOZE] is not None


async def cut(service: Service) -> None:
    for connection in tuple(service.server.listeners.connections):
        connection.connection.abort()


@pytest.mark.parametrize("is_resumed", [True, False])
async def test_who_is_not_looked_at_stays_so(tmp_path: Path, is_resumed: bool) -> None:
    """XEP-0352 §5.2: neither a new session nor a resumed one knows."""
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Csi) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        assert romeo[Csi].is_supported
        romeo[Csi].inactive()
        await until(lambda: dozes(service, romeo))
        states = romeo.lifecycle()
        if not is_resumed:
            romeo._keeper.session = None
        await cut(service)
        romeo[Csi].active()
        romeo[Csi].inactive()
        while not isinstance(state := await states.next(), Online):
            pass
        assert state.is_resumed is is_resumed
        await until(lambda: dozes(service, romeo))
        romeo[Csi].active()
        await until(lambda: not dozes(service, romeo))


async def test_who_is_active_says_nothing_anew(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Csi) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        romeo[Csi].active()
        states = romeo.lifecycle()
        await cut(service)
        while not isinstance(await states.next(), Online):
            pass
        await romeo.request(ping.Ping())
        assert not dozes(service, romeo)


async def test_a_server_that_does_not_want_to_know(tmp_path: Path) -> None:
    """It would end the stream for an element that it does not know."""
    async with (
        serving(tmp_path, host="modules = ['roster', 'ping', 'session']") as service,
        client(service, ROMEO, Csi) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        assert not romeo[Csi].is_supported
        romeo[Csi].inactive()
        await romeo.request(ping.Ping(), JID(None, ROMEO.domain))


INLINE = (
    "<features xmlns='http://etherx.jabber.org/streams'>"
    "<authentication xmlns='urn:xmpp:sasl:2'><inline><bind xmlns='urn:xmpp:bind:0'><inline>"
    "<feature var='{}'/></inline></bind></inline></authentication></features>"
)


@pytest.mark.parametrize(
    ("features", "offered"),
    [
        (INLINE.format(csi.NS), True),
        (INLINE.format("urn:xmpp:sm:3"), False),
        ("<features><csi xmlns='urn:xmpp:csi:0'/></features>", True),
        ("<features><x><csi xmlns='urn:xmpp:csi:0'/></x></features>", False),
    ],
)
def test_where_it_is_offered(features: str, offered: bool) -> None:
    assert csi.is_offered(parse(features)) is offered
