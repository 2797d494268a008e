"""Streams that break and are taken up again: rules 64 and 65 (XEP-0198 §5)."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from tests.peer import HungUpError
from tests.resuming import (
    NS,
    ack,
    answer,
    authenticated,
    chat,
    enabled,
    handled,
    handled_late,
    ids,
    resumable,
    resume,
    stanzas,
    strand,
    until_handled,
)
from tests.scene import quiet
from tests.service import JULIET, MALLORY, ROMEO, VERONA, Client, Service, until

from pyrite.core.stanza import Message, read
from pyrite.core.xml import Element
from pyrite.kit.hooks import Stage
from pyrite.server.acks import SessionAcks
from pyrite.server.debts import owe
from pyrite.server.mod.csi import DOZE
from pyrite.server.session import Session
from pyrite.wire import delay

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

GARDEN, BALCONY = ROMEO.at("garden"), JULIET.at("balcony")


async def speak(service: Service, *ids: str, to: object = BALCONY) -> Client:
    """Romeo says something to Juliet."""
    romeo = await service.online(GARDEN)
    for id in ids:
        await romeo.send(chat(str(to), id))
    await romeo.barrier()
    return romeo


def failure(answer: Element) -> tuple[str, str | None]:
    """The condition of a ``<failed/>``, and its h."""
    assert answer.name == (NS, "failed"), answer
    return next(answer.elements).name.tag, answer.attrs.get("h")


async def test_rule_64_what_was_lost_comes_again(tmp_path: Path) -> None:
    """In order, before what is newer, once, and as it was."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await speak(service, "1", "2", "3")
        assert ids(await until_handled(juliet)) == ["1", "2", "3"]
        await juliet.send(chat(GARDEN, "said") + ack(1))
        await until_handled(juliet)
        await strand(service, juliet)
        await romeo.send(chat(BALCONY, "4"))
        await romeo.send(chat(JULIET, "5"))
        assert ids(await romeo.barrier()) == ["said"]
        again, resumed = await resume(service, JULIET, id, 2)
        assert (resumed.name.tag, resumed.attrs) == ("resumed", {"previd": id, "h": "1"})
        received = await until_handled(again)
        assert ids(received) == ["3", "4", "5"]
        assert not any(delay.stamp_by(read(e), JULIET) for e in received)
        assert [len(list(e.elements)) for e in received] == [1, 1, 1]
        await romeo.send(chat(BALCONY, "6"))
        await romeo.barrier()
        await again.send(ack(6))
        assert ids(await until_handled(again)) == ["6"]
        await again.close()
        await until(lambda: len(service.server.sessions) == 1)
        await quiet(service.server)
        assert await service.server.stores.offline.count(JULIET) == 0


async def test_it_breaks_again_and_again(tmp_path: Path) -> None:
    """Counts go on over all of it."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await speak(service)
        for turn in range(5):
            await strand(service, juliet)
            for n in range(3):
                await romeo.send(chat(BALCONY, f"{turn}-{n}"))
            await romeo.barrier()
            juliet, resumed = await resume(service, JULIET, id, 3 * turn)
            assert resumed.attrs["h"] == str(turn)
            await juliet.send("<presence to='romeo@verona.lit/garden'/>")
            assert ids(await until_handled(juliet)) == [f"{turn}-{n}" for n in range(3)]


async def test_the_session_stays_what_it_was(tmp_path: Path) -> None:
    """§5: available, with its carbons; its friends hear nothing of the break; it is active."""
    async with resumable(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        romeo = await service.online(GARDEN, available=True)
        juliet, id = await enabled(service, BALCONY)
        await juliet.send(
            "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>"
            "<inactive xmlns='urn:xmpp:csi:0'/>"
        )
        await until_handled(juliet)
        (session,) = service.server.sessions.available(JULIET)
        await romeo.barrier()
        await strand(service, juliet)
        other = await service.online(JULIET.at("other"))
        await other.send(chat(GARDEN, "copied"))
        await other.barrier()
        juliet, resumed = await resume(service, JULIET, id, 1)
        assert resumed.attrs["h"] == "1"
        assert service.server.sessions.find(BALCONY) is session
        received = await until_handled(juliet)
        assert [e.name.tag for e in received] == ["message"]
        assert [e.name.tag for e in await romeo.barrier()] == ["message"]
        doze = session[DOZE]
        assert session.wake is not doze  # XEP-0352 §5.2: nothing is held back
        await romeo.send("<presence><show>away</show></presence>")
        assert (await juliet.element()).name.tag == "presence"


async def test_who_is_still_connected_is_ended(tmp_path: Path) -> None:
    """§5: with ``conflict``; what the old connection has read is finished before, and counts."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        gate, entered = asyncio.Event(), asyncio.Event()

        async def wait(_: Message, __: object) -> None:
            entered.set()
            await gate.wait()

        service.server.hosts[VERONA].sending.add(Stage.RECORD, wait, Message)
        await juliet.send(chat(MALLORY, "1") + chat(MALLORY, "2"))
        await entered.wait()
        again = await authenticated(service, JULIET)
        await again.send(f"<resume xmlns='{NS}' previd='{id}' h='0'/>")
        assert (await juliet.stream_error()).condition == "conflict"
        gate.set()
        assert (await answer(again)).attrs["h"] == "1"  # so the second is for her to send again
        await again.send(chat(MALLORY, "2"))
        assert await handled(again) == 2
        await until(lambda: len(service.server.listeners.connections) == 1)
        assert len(service.server.resumption) == 0
        assert await service.server.stores.offline.count(MALLORY) == 2


async def wait_for_it(service: Service, id: str) -> Client:
    """A client that has asked to resume, and is not answered yet."""
    known = set(service.server.listeners.connections)
    client = await authenticated(service, JULIET)
    (its,) = service.server.listeners.connections - known
    before, asked = its.connection.bytes_in, f"<resume xmlns='{NS}' previd='{id}' h='0'/>"
    await client.send(asked)
    await until(lambda: its.connection.bytes_in == before + len(asked))
    return client


@pytest.mark.parametrize("is_given_up", [False, True], ids=["waits", "given up"])
async def test_who_asked_first_and_waits_still_takes_nothing(
    is_given_up: bool, tmp_path: Path
) -> None:
    """The last to ask has it, and hears what was finished meanwhile: it says nothing twice."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        gate, entered = asyncio.Event(), asyncio.Event()

        async def wait(_: Message, __: object) -> None:
            entered.set()
            await gate.wait()

        service.server.hosts[VERONA].sending.add(Stage.RECORD, wait, Message)
        await juliet.send(chat(MALLORY, "1"))
        await entered.wait()
        first = await wait_for_it(service, id)
        assert (await juliet.stream_error()).condition == "conflict"
        if is_given_up:
            await first.abort()
        second = await wait_for_it(service, id)
        gate.set()
        assert (await answer(second)).attrs["h"] == "1"
        if not is_given_up:
            assert (await first.stream_error()).condition == "conflict"
        await until(lambda: len(service.server.listeners.connections) == 1)
        assert await handled(second) == 1
        assert await service.server.stores.offline.count(MALLORY) == 1


async def test_what_is_owed_is_waited_for(tmp_path: Path) -> None:
    """Else she would send again what is just being kept."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        done = asyncio.get_running_loop().create_future()

        def keep(_: Message, __: object) -> None:
            owe(done)

        service.server.hosts[VERONA].sending.add(Stage.RECORD, keep, Message)
        await juliet.send(chat(MALLORY, "1"))
        assert await handled_late(service, juliet) == 0
        await strand(service, juliet)
        again = await authenticated(service, JULIET)
        await again.send(f"<resume xmlns='{NS}' previd='{id}' h='0'/>")
        (session,) = service.server.sessions
        assert not again.events
        assert session.debts
        done.set_result(None)
        assert (await answer(again)).attrs["h"] == "1"


async def test_two_at_once(tmp_path: Path) -> None:
    """One has it in the end, and on that one each stanza comes once."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await speak(service, "1", "2")
        await strand(service, juliet)
        both = [await authenticated(service, JULIET) for _ in range(2)]
        for client in both:
            await client.send(f"<resume xmlns='{NS}' previd='{id}' h='0'/>")
        assert [(await answer(client)).name.tag for client in both] == ["resumed"] * 2
        heard: list[list[str]] = []
        for client in both:
            with suppress(HungUpError, ConnectionError):
                heard.append(ids(await until_handled(client)))
        assert heard == [["1", "2"]]


@pytest.mark.parametrize("h", [0, 7])
async def test_an_unknown_session(h: int, tmp_path: Path) -> None:
    """§5: and the client may bind a resource on the same stream."""
    async with resumable(tmp_path) as service:
        client, answered = await resume(service, JULIET, "never", h)
        assert failure(answered) == ("item-not-found", None)
        assert (await client.bind("balcony")).attrs["type"] == "result"


@pytest.mark.parametrize("asked", ["previd='x'", "h='1'", "previd='x' h='-1'"])
async def test_what_is_no_request(asked: str, tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        client = await authenticated(service, JULIET)
        expected = "item-not-found" if asked == "h='1'" else "bad-request"
        assert failure(await client.ask(f"<resume xmlns='{NS}' {asked}/>"))[0] == expected
        assert (await client.bind("balcony")).attrs["type"] == "result"


async def test_an_h_that_is_too_high(tmp_path: Path) -> None:
    """§6: nothing is lost for who comes back with the right one."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await speak(service, "1")
        await strand(service, juliet)
        client = await authenticated(service, JULIET)
        await client.send(f"<resume xmlns='{NS}' previd='{id}' h='2'/>")
        assert (await client.stream_error()).condition == "undefined-condition"
        again, resumed = await resume(service, JULIET, id, 0)
        assert resumed.name.tag == "resumed"
        assert ids(await until_handled(again)) == ["1"]


# --- the end (rule 65) -----------------------------------------------------------------------


async def expire(service: Service, seconds: float = 600) -> None:
    """Let so much time pass, and wait for the end of whoever waits too long."""
    waiting = [one for one in service.server.sessions if service.server.resumption.waits(one)]
    service.clock.advance(seconds)
    assert len(service.server.resumption) == 0
    for session in waiting:
        await service.server.part(session)


async def test_rule_65_messages_are_kept_for_later(tmp_path: Path) -> None:
    """Unacknowledged first, in order, with the time at which each came."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await speak(service, "1", "2")
        await until_handled(juliet)
        await juliet.send(ack(1) + "<presence to='romeo@verona.lit/garden'/>")
        await until_handled(juliet)
        began = service.clock.now()
        await strand(service, juliet)
        service.clock.advance(60)
        await romeo.send(chat(BALCONY, "3"))
        await romeo.send("<iq type='get' id='q' to='juliet@verona.lit/balcony'><x xmlns='x'/></iq>")
        await romeo.send("<presence to='juliet@verona.lit/balcony'/>")
        await romeo.barrier()
        await expire(service)
        received = await romeo.barrier()
        error = next(e for e in received if e.name.tag == "iq")
        assert next(next(error.elements).elements).name.tag == "recipient-unavailable"
        assert [e.attrs.get("type") for e in received if e.name.tag == "presence"] == [
            "unavailable"
        ]
        again = await service.online(JULIET.at("new"))
        await again.send("<presence/>")
        waiting = [read(e) for e in await again.barrier() if e.name.tag == "message"]
        assert [message.id for message in waiting] == ["2", "3"]
        host = service.server.hosts[VERONA].jid
        stamps = [delay.stamp_by(message, host) for message in waiting]
        assert stamps == [began, began + timedelta(seconds=60)]
        _, answered = await resume(service, JULIET, id, 1)
        assert failure(answered) == ("item-not-found", "1")  # so that she knows what came through


async def test_another_client_had_it(tmp_path: Path) -> None:
    """What both were given is not stored; what the other one was too late for, it gets."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        await strand(service, juliet)
        romeo = await speak(service, "alone", to=JULIET)
        service.clock.advance(60)
        other = await service.online(JULIET.at("other"), available=True)
        await romeo.send(chat(JULIET, "both"))
        await romeo.barrier()
        await other.barrier()
        await expire(service)
        received = await other.barrier()
        assert ids(received) == ["alone"]
        await quiet(service.server)
        assert await service.server.stores.offline.count(JULIET) == 0


async def test_who_binds_the_resource_ends_it(tmp_path: Path) -> None:
    """And gets what it had waiting."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await strand(service, juliet)
        await speak(service, "1")
        again = await service.online(BALCONY)
        assert len(service.server.resumption) == 0
        await again.send("<presence/>")
        assert ids(await again.barrier()) == ["1"]
        _, answered = await resume(service, JULIET, id, 0)
        assert failure(answered)[0] == "item-not-found"


async def test_a_full_queue_ends_it(tmp_path: Path) -> None:
    async with resumable(tmp_path, limits="send-queue = 4") as service:
        juliet, _ = await enabled(service, BALCONY)
        await strand(service, juliet)
        (session,) = service.server.sessions
        romeo = await speak(service, *"12")
        for _ in range(3):
            await romeo.send(f"<presence to='{BALCONY}'/>")
        await romeo.barrier()
        await until(lambda: len(service.server.resumption) == 0)
        await service.server.part(session)
        assert await service.server.stores.offline.count(JULIET) == 2


async def test_an_account_that_is_closed(tmp_path: Path) -> None:
    """Whoever waits is ended like whoever is there."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        await strand(service, juliet)
        await service.server.accounts.disable(JULIET)
        await until(lambda: len(service.server.sessions) == 0)


async def test_the_time_is_the_client_s_if_it_is_shorter(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY, "resume='true' max='10'")
        await strand(service, juliet)
        service.clock.advance(9)
        assert len(service.server.resumption) == 1
        await expire(service, 1)
        assert len(service.server.sessions) == 0


async def test_stanzas_behind_the_request(tmp_path: Path) -> None:
    """A client need not wait for the answer to go on."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await strand(service, juliet)
        again = await authenticated(service, JULIET)
        await again.send(f"<resume xmlns='{NS}' previd='{id}' h='0'/>" + chat(MALLORY, "1"))
        assert (await answer(again)).name.tag == "resumed"
        assert await handled(again) == 1
        assert await stanzas_now(again) == []


async def stanzas_now(client: Client) -> list[Element]:
    await client.send(f"<r xmlns='{NS}'/>")
    return await stanzas(client, "a")


def sessions() -> set[int]:
    """All that are in memory, by identity."""
    return {id(each) for each in gc.get_objects() if isinstance(each, Session | SessionAcks)}


@pytest.mark.parametrize("how", ["in time", "too late", "connected"])
async def test_nothing_is_left_of_it(how: str, tmp_path: Path) -> None:
    """Once it has ended, nobody knows the session: it waits for no collector."""
    gc.collect()
    others = sessions()  # what a test before this one has not let go of
    gc.disable()
    try:
        async with resumable(tmp_path) as service:
            juliet, id = await enabled(service, BALCONY)
            await strand(service, juliet)
            if how == "too late":
                await expire(service)
            else:
                juliet, _ = await resume(service, JULIET, id, 0)
                await (juliet.close() if how == "in time" else juliet.send(ack(9)))
                await juliet.rest()
                await juliet.abort()
            await service.until_alone()
            await until(lambda: sessions() <= others)
    finally:
        gc.enable()
