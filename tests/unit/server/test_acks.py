"""Acknowledgements over a socket: what counts, when, and what happens to what was not (§3, §4)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.resuming import (
    ASK,
    NS,
    ack,
    answer,
    authenticated,
    chat,
    enable,
    enabled,
    handled,
    handled_late,
    ids,
    resumable,
    resume,
    strand,
    until_handled,
)
from tests.service import JULIET, MALLORY, ROMEO, VERONA, Service, until

from pyrite.core.stanza import Message
from pyrite.core.xml import Element
from pyrite.kit.hooks import Stage
from pyrite.server.acks import PATIENCE, WAIT
from pyrite.server.commands import encode
from pyrite.server.debts import owe
from pyrite.wire import acks

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

GARDEN, BALCONY = ROMEO.at("garden"), JULIET.at("balcony")


def condition(failed: Element) -> str:
    """The stanza error in a ``<failed/>``."""
    assert failed.name == (NS, "failed")
    (inside,) = failed.elements
    assert inside.name.ns == "urn:ietf:params:xml:ns:xmpp-stanzas"
    return inside.name.tag


async def test_where_it_is_offered(tmp_path: Path) -> None:
    """§2: where a resource can be bound, and nowhere before."""
    async with resumable(tmp_path) as service:
        client = await service.connect()
        assert (await client.open(VERONA)).child(NS, "sm") is None
        client = await authenticated(service, ROMEO)
        assert client.features.child(NS, "sm") is not None


async def test_rule_62_h_counts_stanzas_from_the_answer_on(tmp_path: Path) -> None:
    """§4: stanzas only, in both directions; every question is answered."""
    async with resumable(tmp_path) as service:
        romeo = await service.online(GARDEN, available=True)
        enabled = await enable(romeo, "")
        assert enabled.attrs == {}
        assert await handled(romeo) == 0
        await romeo.send(chat(JULIET, "1") + ack(0) + "<presence/>" + ASK + ASK)
        assert [(await answer(romeo)).attrs["h"] for _ in range(2)] == ["2", "2"]
        await romeo.send("<message to='@'/>" + "<iq type='get' id='1'/>")  # refused, and handled
        assert await handled(romeo) == 4
        await romeo.send(ack(3))  # its own presence and the two errors
        assert await handled(romeo) == 4
        await romeo.send(ack(4))
        assert (await romeo.stream_error()).condition == "undefined-condition"


async def test_rule_62_an_h_that_is_too_high(tmp_path: Path) -> None:
    """§6: with both counts; and the session is over."""
    async with resumable(tmp_path) as service:
        romeo, id = await enabled(service, GARDEN)
        assert id
        await romeo.send(ack(1))
        error = await romeo.stream_error()
        assert error.condition == "undefined-condition"
        assert error.app == acks.encode(acks.HandledCountTooHigh(1, 0))
        await until(lambda: len(service.server.sessions) == 0)


@pytest.mark.parametrize("phase", ["connected", "authenticated"])
async def test_rule_63_before_binding(phase: str, tmp_path: Path) -> None:
    """§3: a stanza error in an element of its own; the client may go on."""
    async with resumable(tmp_path) as service:
        if phase == "connected":
            client = await service.connect()
            await client.open(VERONA)
            resumed = await client.ask(f"<resume xmlns='{NS}' previd='x' h='0'/>")
            assert condition(resumed) == "unexpected-request"
        else:
            client = await authenticated(service, ROMEO)
        assert condition(await enable(client)) == "unexpected-request"
        if phase == "connected":
            await client.plain("romeo")
            await client.open(VERONA)
        assert (await client.bind("garden")).attrs["type"] == "result"
        assert (await enable(client)).name.tag == "enabled"


async def test_rule_63_twice(tmp_path: Path) -> None:
    """§3: the counts stay what they are."""
    async with resumable(tmp_path) as service:
        romeo, id = await enabled(service, GARDEN)
        await romeo.send("<presence/>")
        assert condition(await enable(romeo)) == "unexpected-request"
        await romeo.send(f"<resume xmlns='{NS}' previd='{id}' h='0'/>")
        assert condition(await answer(romeo)) == "unexpected-request"
        assert await handled(romeo) == 1


@pytest.mark.parametrize("said", [ASK, ack(0)])
async def test_what_was_not_enabled(said: str, tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        romeo = await service.online(GARDEN)
        await romeo.send(said)
        await romeo.ends_with("unsupported-stanza-type")


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ("resume='1' max='60'", ("true", "60")),
        ("resume='true' max='0'", ("true", "600")),
        ("resume='true' max='86400'", ("true", "600")),
        ("resume='false'", (None, None)),
        ("resume='yes' max='x'", (None, None)),
    ],
)
async def test_how_long_is_agreed(
    wish: str, answer: tuple[str | None, str | None], tmp_path: Path
) -> None:
    """§3: not longer than the setting allows, nor than the client wants."""
    async with resumable(tmp_path) as service:
        given = await enable(await service.online(GARDEN), wish)
        assert (given.attrs.get("resume"), given.attrs.get("max")) == answer
        assert ("id" in given.attrs) is (answer[0] is not None)


async def test_resumption_may_be_off(tmp_path: Path) -> None:
    async with resumable(tmp_path, 'keep = "0s"') as service:
        romeo, id = await enabled(service, GARDEN)
        assert id == ""
        await romeo.abort()
        await until(lambda: len(service.server.sessions) == 0)
        assert len(service.server.resumption) == 0


# --- what is not committed -----------------------------------------------------------------


def promise(service: Service, number: int) -> list[asyncio.Future[None]]:
    """For each message that Romeo's host is given, something that is not on the disk yet."""
    loop = asyncio.get_running_loop()
    owed = [loop.create_future() for _ in range(number)]
    coming = iter(owed)

    def keep(_: Message, __: object) -> None:
        if (one := next(coming, None)) is not None:
            owe(one)

    service.server.hosts[VERONA].sending.add(Stage.RECORD, keep, Message)
    return owed


async def test_h_waits_for_the_disk(tmp_path: Path) -> None:
    """The answer comes when all that was meant is kept, in order."""
    async with resumable(tmp_path) as service:
        romeo, _ = await enabled(service, GARDEN)
        first, second, third = promise(service, 3)
        await romeo.send("<presence/>" + chat(MALLORY, "1") + chat(MALLORY, "2") + ASK)
        await romeo.send("<presence/>" + chat(MALLORY, "3"))  # of which nobody has asked
        (session,) = service.server.sessions
        await until(lambda: session.handled >= 7)  # with two before it was enabled
        second.set_result(None)
        await asyncio.sleep(0)
        first.set_result(None)
        assert (await answer(romeo)).attrs["h"] == "4"
        third.set_result(None)
        await until(lambda: not session.debts)
        assert await handled(romeo) == 5


async def test_it_waits_for_a_moment_only(tmp_path: Path) -> None:
    """§4: then it says what it can, and the rest when that is kept."""
    async with resumable(tmp_path) as service:
        romeo, _ = await enabled(service, GARDEN)
        (owed,) = promise(service, 1)
        waiting = service.clock.pending
        await romeo.send("<presence/>" + chat(MALLORY, "1"))
        assert await handled_late(service, romeo) == 1
        assert service.clock.pending == waiting
        owed.set_result(None)
        assert (await answer(romeo)).attrs["h"] == "2"


async def test_what_is_owed_from_before_does_not_count(tmp_path: Path) -> None:
    """Zero is the least: what came before the client enabled it is not taken off."""
    async with resumable(tmp_path) as service:
        romeo = await service.online(GARDEN)
        (owed,) = promise(service, 1)
        await romeo.send(chat(MALLORY, "1"))
        await enable(romeo, "")
        await romeo.send(chat(MALLORY, "2"))
        assert await handled_late(service, romeo) == 0
        owed.set_result(None)
        assert (await answer(romeo)).attrs["h"] == "1"


async def test_what_is_asked_for_while_nothing_is_paid(tmp_path: Path) -> None:
    """One answer for all questions, not one for each; and no timer is left for long."""
    async with resumable(tmp_path) as service:
        romeo, _ = await enabled(service, GARDEN)
        (owed,) = promise(service, 1)
        waiting = service.clock.pending
        await romeo.send(chat(MALLORY, "1") + ASK * 3)
        await until(lambda: service.clock.pending > waiting)
        owed.set_result(None)
        assert (await answer(romeo)).attrs["h"] == "1"
        service.clock.advance(PATIENCE)
        assert service.clock.pending == waiting
        await romeo.send(ASK)
        assert (await answer(romeo)).attrs["h"] == "1"


async def test_each_question_waits_for_as_long(tmp_path: Path) -> None:
    """Also one that comes soon after another that was answered in time."""
    async with resumable(tmp_path) as service:
        romeo, _ = await enabled(service, GARDEN)
        first, second = promise(service, 2)
        waiting = service.clock.pending
        await romeo.send(chat(MALLORY, "1") + ASK)
        await until(lambda: service.clock.pending > waiting)
        service.clock.advance(PATIENCE / 2)
        first.set_result(None)
        assert (await answer(romeo)).attrs["h"] == "1"
        await romeo.send(chat(MALLORY, "2") + ASK)
        (session,) = service.server.sessions
        assert session.acks is not None
        await until(lambda: session.acks._due is not None)  # type: ignore[union-attr]
        service.clock.advance(PATIENCE / 2)  # the first would be late now
        assert service.clock.ahead == pytest.approx(PATIENCE / 2)
        service.clock.advance(PATIENCE / 2)
        assert (await answer(romeo)).attrs["h"] == "1"
        second.set_result(None)
        assert (await answer(romeo)).attrs["h"] == "2"


# --- how it asks ---------------------------------------------------------------------------


async def asked(service: Service, number: int, juliet: str = "") -> list[str]:
    """What Juliet hears while Romeo sends so many messages, one at a time."""
    romeo = await service.online(GARDEN)
    client = service.peers[0]
    heard: list[str] = []
    for n in range(number):
        await romeo.send(chat(BALCONY, str(n)))
        await romeo.barrier()
        if juliet:
            await client.send(juliet)
    await client.send(ASK)
    while (element := await client.element()).name != (NS, "a"):
        heard.append(element.name.tag)
    return heard


async def test_it_asks_once(tmp_path: Path) -> None:
    """With the first that it sends, and not again before that is answered."""
    async with resumable(tmp_path) as service:
        await enabled(service, BALCONY)
        heard = await asked(service, 120)
        assert heard.count("r") == 1
        assert heard[:2] == ["message", "r"]


async def test_it_asks_again_by_number(tmp_path: Path) -> None:
    async with resumable(tmp_path, "ask-every = 10") as service:
        juliet, _ = await enabled(service, BALCONY)
        assert await asked(service, 1) == ["message", "r"]
        await juliet.send(ack(1))
        heard = await asked(service, 25)
        assert heard.count("r") == 1
        assert heard.index("r") == 10


async def test_it_asks_again_by_time(tmp_path: Path) -> None:
    """Also when nothing more is sent."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        assert await asked(service, 1) == ["message", "r"]
        await juliet.send(ack(1))
        assert await asked(service, 2) == ["message", "message"]
        await service.sweep()
        assert (await juliet.element()).name == (NS, "r")
        await service.sweep()
        assert await until_handled(juliet) == []


async def test_a_silent_client_is_asked_so(tmp_path: Path) -> None:
    """Where it has to answer anyway, it is not pinged; silence only breaks the connection."""
    limits = "ping-after = '90s'\nping-timeout = '30s'"
    async with resumable(tmp_path, limits=limits) as service:
        juliet, id = await enabled(service, BALCONY)
        (mine,) = service.server.listeners.connections
        mine.sweep(mine.connection.last_read + 91)
        assert (await juliet.element()).name == (NS, "r")
        mine.sweep(mine.connection.last_read + 121)
        assert (await juliet.stream_error()).condition == "connection-timeout"
        await until(lambda: len(service.server.resumption) == 1)
        _, resumed = await resume(service, JULIET, id, 0)
        assert resumed.name == (NS, "resumed")


# --- what was not acknowledged ---------------------------------------------------------------


async def test_a_client_that_never_acknowledges(tmp_path: Path) -> None:
    """It has a bound, although it reads; what it did not answer for is kept for later."""
    async with resumable(tmp_path, limits="send-queue = 20") as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        for n in range(21):
            await romeo.send(chat(JULIET, str(n)))
            await romeo.barrier()
        assert (await juliet.stream_error()).condition == "resource-constraint"
        await until(lambda: len(service.server.sessions) == 1)
        again = await service.online(BALCONY)
        await again.send("<presence/>")
        received = await again.barrier()
        assert ids(received) == [str(n) for n in range(10)]  # half a queue is what may wait


async def test_octets_are_bounded_too(tmp_path: Path) -> None:
    async with resumable(tmp_path, limits='send-queue-size = "20KiB"') as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        for _ in range(3):
            await romeo.send(chat(BALCONY, "x" * 4000))  # the id and the body
            await romeo.barrier()
        assert (await juliet.stream_error()).condition == "resource-constraint"


async def test_what_is_acknowledged_makes_room(tmp_path: Path) -> None:
    async with resumable(tmp_path, limits="send-queue = 20") as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        for n in range(100):
            await romeo.send(chat(BALCONY, str(n)))
            await romeo.barrier()
            await juliet.send(ack(n + 1))
            await until_handled(juliet)
        await juliet.is_served()


async def test_a_clean_end_is_one(tmp_path: Path) -> None:
    """Rule 64: the session is over at once; only what was not acknowledged is kept."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        for n in range(3):
            await romeo.send(chat(JULIET, str(n)))
        await romeo.barrier()
        await juliet.send(ack(1))
        await juliet.close()
        await until(lambda: len(service.server.sessions) == 1)
        assert len(service.server.resumption) == 0
        again = await service.online(BALCONY)
        await again.send("<presence/>")
        assert ids(await again.barrier()) == ["1", "2"]


async def test_the_last_word_says_what_was_handled(tmp_path: Path) -> None:
    """§4: before an error of ours too, so that the client need not send it again."""
    async with resumable(tmp_path) as service:
        romeo, _ = await enabled(service, GARDEN)
        await romeo.send("<presence/><presence/><presence from='juliet@verona.lit'/>")
        assert (await answer(romeo)).attrs["h"] == "2"
        assert (await romeo.stream_error()).condition == "invalid-from"


async def test_a_stop_loses_nothing(tmp_path: Path) -> None:
    """With a client that is there, and with one that is not."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        mallory, _ = await enabled(service, MALLORY.at("a"))
        await strand(service, mallory)
        romeo = await service.online(GARDEN)
        for to in (JULIET, MALLORY):
            for n in range(3):
                await romeo.send(chat(to, f"{to.local}{n}"))
        await romeo.barrier()
        await juliet.send(ack(1))
        await until_handled(juliet)
        server = service.server
    async with server.opened():
        kept = [
            [one.stanza for one in await server.stores.offline.load(to)] for to in (JULIET, MALLORY)
        ]
    assert [len(each) for each in kept] == [2, 3]


async def test_who_gives_a_client_much_waits_for_it(tmp_path: Path) -> None:
    """Not only until it is written: until half of it is acknowledged, but not for ever."""
    async with resumable(tmp_path, limits="send-queue = 20") as service:
        juliet, _ = await enabled(service, BALCONY)
        (session,) = service.server.sessions
        for n in range(11):
            session.send(Message("chat", BALCONY, GARDEN, str(n)))
        waiting = asyncio.create_task(session.room())
        assert len(ids(await until_handled(juliet))) == 11
        assert not waiting.done()
        await juliet.send(ack(5))
        assert await waiting
        for n in range(12):
            session.send(Message("chat", BALCONY, GARDEN, str(n)))
        waiting = asyncio.create_task(session.room())
        await until_handled(juliet)
        await juliet.send(ack(6))
        await until_handled(juliet)
        assert not waiting.done()  # that is more, and not enough
        service.clock.advance(WAIT)
        assert not await waiting
        assert not await session.room()  # at once
        await juliet.send(ack(7))
        await until_handled(juliet)
        waiting = asyncio.create_task(session.room())
        await until_handled(juliet)
        assert not waiting.done()
        await strand(service, juliet)
        assert not await waiting
        assert not await session.room()


async def test_who_is_away_is_given_nothing_more(tmp_path: Path) -> None:
    """However little waits for it."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        (session,) = service.server.sessions
        assert await session.room()
        await strand(service, juliet)
        assert not await session.room()
        session.end()
        assert not await session.room()


async def test_what_an_operator_sees(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        await romeo.send(chat(BALCONY, "1") + chat(BALCONY, "2"))
        await romeo.barrier()
        await until_handled(juliet)
        assert await shown(service) == (2, False)
        await juliet.send(ack(1))
        await until_handled(juliet)
        assert await shown(service) == (1, False)
        await strand(service, juliet)
        await romeo.send(chat(BALCONY, "3"))
        await romeo.barrier()
        assert await shown(service) == (2, True)


async def shown(service: Service) -> tuple[int, bool]:
    """What waits for Juliet, and whether she is away."""
    listed = encode(await service.server.commands.run("sessions-list", {}))
    (one,) = [each for each in listed if each["jid"] == str(BALCONY)]
    return one["queued"], one["detached"]
