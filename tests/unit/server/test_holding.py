"""What comes while a client's connection is broken, and no archive has: it is on the disk, too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.resuming import (
    MODULES,
    ack,
    chat,
    enable,
    enabled,
    handled,
    ids,
    resumable,
    resume,
    strand,
    until_handled,
)
from tests.scene import quiet
from tests.service import JULIET, ROMEO, VERONA, Client, Service, serving

from pyrite.core.jid import JID
from pyrite.core.stanza import read
from pyrite.core.xml import Element, parse
from pyrite.store.errors import StoreError
from pyrite.wire import delay

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

GARDEN, BALCONY, TOMB = ROMEO.at("garden"), JULIET.at("balcony"), JULIET.at("tomb")
COPIES = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>"
NEVER = "<iq type='set' id='n'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>"


async def kept(service: Service, owner: JID = JULIET) -> list[str]:
    """The ids of what is in the store, once nothing is under way."""
    await quiet(service.server)
    waiting = await service.server.stores.offline.load(owner)
    return [parse(each.stanza).attrs["id"] for each in waiting]


async def say(romeo: Client, *ids: str, to: JID = BALCONY) -> None:
    for id in ids:
        await romeo.send(chat(to, id))
    await romeo.barrier()


async def expire(service: Service) -> None:
    """Let whoever waits for a client end."""
    waiting = [one for one in service.server.sessions if service.server.resumption.waits(one)]
    service.clock.advance(600)
    for session in waiting:
        await service.server.part(session)


async def arrived(client: Client) -> list[str]:
    return ids(await client.barrier())


def condition_of(error: Element) -> str:
    return next(next(e for e in error.elements if e.name.tag == "error").elements).name.tag


# --- the promise -----------------------------------------------------------------------------


async def test_it_is_committed_before_it_is_acknowledged(tmp_path: Path) -> None:
    """XEP-0198 §4: what a sender reads in our count, a kill does not take."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        await strand(service, juliet)
        romeo = await service.online(GARDEN)
        await enable(romeo, "")
        await romeo.send(chat(BALCONY, "full") + chat(JULIET, "bare"))
        assert await handled(romeo) == 2
        waiting = await service.server.stores.offline.load(JULIET)
        assert [parse(each.stanza).attrs["id"] for each in waiting] == ["full", "bare"]


async def test_it_comes_once_to_who_resumes_and_goes_when_it_is_there(tmp_path: Path) -> None:
    """Not from the store as well, not even with a new presence, and without a delay."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await strand(service, juliet)
        await say(await service.online(GARDEN), "1", "2")
        assert await kept(service) == ["1", "2"]
        juliet, _ = await resume(service, JULIET, id, 0)
        await juliet.send("<presence><priority>-1</priority></presence><presence/>")
        received = await until_handled(juliet)
        assert ids(received) == ["1", "2"]
        messages = [read(each) for each in received if each.name.tag == "message"]
        assert not any(message.has(delay.Delay) for message in messages)
        assert await kept(service) == ["1", "2"]
        await juliet.send(ack(1))
        await until_handled(juliet)
        assert await kept(service) == ["2"]
        await juliet.send(ack(2))
        await until_handled(juliet)
        assert await kept(service) == []


async def test_who_does_not_come_back_finds_it_once_and_in_order(tmp_path: Path) -> None:
    """What was under way when the connection broke comes first; each with its own time."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        began = service.clock.now()
        await say(romeo, "before")
        service.clock.advance(5)
        await strand(service, juliet)
        await say(romeo, "after")
        assert await kept(service) == ["before", "after"]
        await expire(service)
        assert await kept(service) == ["before", "after"]
        juliet = await service.online(TOMB)
        await juliet.send("<presence/>")
        came = [read(each) for each in await juliet.barrier() if each.name.tag == "message"]
        assert [message.id for message in came] == ["before", "after"]
        stamps = [delay.stamp_by(message, JID(None, VERONA)) for message in came]
        assert stamps == [began, began + timedelta(seconds=5)]
        assert await kept(service) == []


async def test_it_breaks_again_with_something_under_way(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        for number in range(3):
            await strand(service, juliet)
            await say(romeo, f"away {number}")
            juliet, _ = await resume(service, JULIET, id, 0)
            await say(romeo, f"there {number}")
        await strand(service, juliet)
        said = [f"{where} {number}" for number in range(3) for where in ("away", "there")]
        assert await kept(service) == said
        juliet, _ = await resume(service, JULIET, id, 1)
        assert ids(await until_handled(juliet)) == said[1:]
        assert await kept(service) == said[1:]


# --- what is kept, and for whom --------------------------------------------------------------


@pytest.mark.parametrize(
    "stanza",
    [
        "<message to='{}' type='chat' id='x'><body>x</body>"
        "<no-store xmlns='urn:xmpp:hints'/></message>",
        "<message to='{}' type='headline' id='x'><body>x</body></message>",
        "<message to='{}' type='groupchat' id='x'><body>x</body></message>",
        "<message to='{}' type='chat' id='x'>"
        "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
    ],
    ids=["no-store", "headline", "groupchat", "typing"],
)
async def test_what_would_not_be_kept_for_who_is_away_is_not(stanza: str, tmp_path: Path) -> None:
    """XEP-0160 §3, XEP-0334 §4.2: before the break or after."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        await romeo.send(stanza.format(BALCONY))
        await romeo.barrier()
        await strand(service, juliet)
        await romeo.send(stanza.format(BALCONY))
        await romeo.barrier()
        assert await kept(service) == []
        juliet, _ = await resume(service, JULIET, id, 0)
        assert ids(await until_handled(juliet)) == ["x", "x"]


async def test_what_the_archive_has_is_kept_there(tmp_path: Path) -> None:
    """And what its owner wants in none is kept here: the same account, before and after."""
    host = 'modules = ["acks", "archive", "offline", "ping"]'
    async with serving(tmp_path, clear=True, host=host) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        await strand(service, juliet)
        await say(romeo, "archived")
        assert await kept(service) == []
        juliet, _ = await resume(service, JULIET, id, 0)
        await juliet.send(NEVER)
        await until_handled(juliet)
        await strand(service, juliet)
        await say(romeo, "private")
        assert await kept(service) == ["private"]


async def test_who_is_there_beside_it_has_it(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        desk = await service.online(TOMB, available=True)
        romeo = await service.online(GARDEN)
        await say(romeo, "before", to=JULIET)
        await strand(service, juliet)
        await say(romeo, "after", to=JULIET)
        assert await arrived(desk) == ["before", "after"]
        assert await kept(service) == []
        juliet, _ = await resume(service, JULIET, id, 0)
        assert ids(await until_handled(juliet)) == ["before", "after"]


async def test_who_comes_meanwhile_leaves_it_to_its_client(tmp_path: Path) -> None:
    """Until that has been given up: then it gets it, once."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        await strand(service, juliet)
        await say(await service.online(GARDEN), "1", "2", to=JULIET)
        desk = await service.online(TOMB, available=True)
        await desk.send("<presence><show>away</show></presence>")
        assert await arrived(desk) == []
        await expire(service)
        assert await arrived(desk) == ["1", "2"]
        assert await kept(service) == []


@pytest.mark.parametrize("is_before", [True, False], ids=["under way", "new"])
async def test_two_clients_that_broke_off(is_before: bool, tmp_path: Path) -> None:
    """Both get it; it is kept once, and no longer than until one of them has it."""
    async with resumable(tmp_path) as service:
        clients = [await enabled(service, jid) for jid in (BALCONY, TOMB)]
        romeo = await service.online(GARDEN)
        if is_before:
            await say(romeo, "1", to=JULIET)
        for client, _ in clients:
            await strand(service, client)
        if not is_before:
            await say(romeo, "1", to=JULIET)
        assert await kept(service) == ["1"]
        one, _ = await resume(service, JULIET, clients[0][1], 0)
        received = await until_handled(one)
        assert ids(received) == ["1"]
        assert await kept(service) == ["1"]
        await one.send(ack(len(received)))
        await until_handled(one)
        assert await kept(service) == []
        await expire(service)  # the other one leaves it to who has it
        assert ids(await until_handled(one)) == []
        assert await kept(service) == []


async def test_two_clients_of_which_one_comes_back(tmp_path: Path) -> None:
    """It has it, so who ends with it too leaves nothing, neither in the store nor to the other."""
    async with resumable(tmp_path) as service:
        clients = [await enabled(service, jid) for jid in (BALCONY, TOMB)]
        for client, _ in clients:
            await strand(service, client)
        await say(await service.online(GARDEN), "1", to=JULIET)
        one, _ = await resume(service, JULIET, clients[0][1], 0)
        await expire(service)
        received = await until_handled(one)
        assert ids(received) == ["1"]
        assert await kept(service) == ["1"]
        await one.send(ack(len(received)))
        await until_handled(one)
        assert await kept(service) == []


@pytest.mark.parametrize("is_before", [True, False], ids=["under way", "new"])
async def test_who_has_a_copy_has_it(is_before: bool, tmp_path: Path) -> None:
    """It is there, so it is given nothing more when the other one does not come back."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        desk = await service.online(TOMB, available=True)
        await desk.send(COPIES)
        await desk.barrier()
        romeo = await service.online(GARDEN)
        if is_before:
            await say(romeo, "1")
        await strand(service, juliet)
        if not is_before:
            await say(romeo, "1")
        assert await kept(service) == []
        assert len([each for each in await desk.barrier() if each.name.tag == "message"]) == 1
        await expire(service)
        assert await arrived(desk) == []
        assert await kept(service) == []


async def test_who_comes_back_to_a_copy_has_it(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        desk, id = await enabled(service, TOMB)
        await desk.send(COPIES)
        await until_handled(desk)
        for client in (juliet, desk):
            await strand(service, client)
        await say(await service.online(GARDEN), "1")
        assert await kept(service) == ["1"]
        desk, _ = await resume(service, JULIET, id, 1)
        received = await until_handled(desk)
        assert len([each for each in received if each.name.tag == "message"]) == 1
        await desk.send(ack(1 + len(received)))
        await until_handled(desk)
        assert await kept(service) == ["1"]
        (session,) = [s for s in service.server.sessions.of(JULIET).values() if s.jid == BALCONY]
        session.end()
        await service.server.part(session)
        assert ids(await until_handled(desk)) == []
        assert await kept(service) == []


async def test_a_guest_has_nothing_on_the_disk(tmp_path: Path) -> None:
    """RFC 4505: nobody comes again under that name."""
    host = f"modules = {MODULES}"
    auth = 'mechanisms = ["ANONYMOUS", "PLAIN"]'
    async with serving(tmp_path, clear=True, host=host, auth=auth) as service:
        guest = await service.connect()
        await guest.open(VERONA)
        ns = "urn:ietf:params:xml:ns:xmpp-sasl"
        await guest.ask(f"<auth xmlns='{ns}' mechanism='ANONYMOUS'/>")
        await guest.open(VERONA)
        await guest.bind("chair")
        await enable(guest)
        (session,) = service.server.sessions
        await strand(service, guest)
        await say(await service.online(GARDEN), "1", to=session.jid)
        assert await kept(service, session.jid.bare) == []
        assert [each.tag for each in session.queue] == ["message"]  # type: ignore[union-attr]


@pytest.mark.parametrize("is_late", [True, False], ids=["acknowledged after", "meanwhile"])
async def test_the_module_is_loaded_anew_meanwhile(is_late: bool, tmp_path: Path) -> None:
    """It knows what it has given, to whom, and what of that they have."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await strand(service, juliet)
        await say(await service.online(GARDEN), "1", "2")
        host = service.server.hosts[VERONA]
        await host.unload("offline")
        juliet, _ = await resume(service, JULIET, id, 0)
        if not is_late:
            await juliet.send(ack(1))
        assert ids(await until_handled(juliet)) == ["1", "2"]
        await host.load("offline")
        if is_late:
            await juliet.send(ack(1))
        await juliet.send("<presence type='unavailable'/><presence/>")
        assert ids(await until_handled(juliet)) == []
        assert await kept(service) == ["2"]


# --- what goes wrong -------------------------------------------------------------------------


async def test_too_much_is_refused_and_comes_to_nobody(tmp_path: Path) -> None:
    """As for who is away: the sender knows, and may try again."""
    limits = "[modules.offline]\ncount = 2"
    async with resumable(tmp_path, limits) as service:
        juliet, id = await enabled(service, BALCONY)
        await strand(service, juliet)
        romeo = await service.online(GARDEN)
        for number in "123":
            await romeo.send(chat(BALCONY, number))
        (error,) = await romeo.barrier()
        assert (error.attrs["id"], condition_of(error)) == ("3", "service-unavailable")
        assert await kept(service) == ["1", "2"]
        juliet, _ = await resume(service, JULIET, id, 0)
        assert ids(await until_handled(juliet)) == ["1", "2"]


class Broken:
    """A store that fails, or takes its time, to keep what is for a session that waits."""

    def __init__(self, service: Service, error: StoreError | None = None) -> None:
        self.is_asked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self._error, self._store = error, service.server.stores.offline
        self._add_all = self._store.add_all
        self._store.add_all = self  # type: ignore[method-assign, assignment]

    async def __call__(self, owner: JID, rows: Sequence[Any], **limits: int) -> list[int | None]:
        if self._error is not None:
            raise self._error
        self.is_asked.set()
        await self.may_go_on.wait()
        return await self._add_all(owner, rows, **limits)

    async def asked(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.is_asked.wait()


async def test_a_disk_that_fails_is_told(tmp_path: Path) -> None:
    """What was under way stays in the session, and is stored at its end as ever."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        await say(romeo, "before")
        broken = Broken(service, StoreError("the disk is full"))
        await strand(service, juliet)
        await romeo.send(chat(BALCONY, "after"))
        (error,) = await romeo.barrier()
        assert (error.attrs["id"], condition_of(error)) == ("after", "internal-server-error")
        assert await kept(service) == []
        broken._error = None
        broken.may_go_on.set()
        await expire(service)
        assert await kept(service) == ["before"]


async def test_what_is_acknowledged_before_it_is_stored_goes_too(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        await say(await service.online(GARDEN), "1")
        slow = Broken(service)
        await strand(service, juliet)
        await slow.asked()
        juliet, _ = await resume(service, JULIET, id, 1)
        slow.may_go_on.set()
        assert ids(await until_handled(juliet)) == []
        assert await kept(service) == []


async def test_a_session_that_ends_before_it_is_stored(tmp_path: Path) -> None:
    """The next client has it, once, from the store."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        await strand(service, juliet)
        slow = Broken(service)
        await romeo.send(chat(BALCONY, "1"))
        await slow.asked()
        await expire(service)
        desk = await service.online(TOMB)
        await desk.send("<presence/>")  # its messages are looked for behind what is being stored
        slow.may_go_on.set()
        await romeo.barrier()
        await quiet(service.server)
        assert await arrived(desk) == ["1"]
        assert await kept(service) == []


async def test_who_comes_while_it_is_stored_does_not_get_it(tmp_path: Path) -> None:
    """It is on the disk and not yet known to be: it is another session's all the same."""
    async with resumable(tmp_path) as service:
        juliet, id = await enabled(service, BALCONY)
        romeo = await service.online(GARDEN)
        await strand(service, juliet)
        store = service.server.stores.offline
        add_all, is_there, may_tell = store.add_all, asyncio.Event(), asyncio.Event()

        async def late(*values: Any, **limits: int) -> list[int | None]:
            ids = await add_all(*values, **limits)
            is_there.set()
            await may_tell.wait()
            return ids

        store.add_all = late  # type: ignore[method-assign, assignment]
        await romeo.send(chat(BALCONY, "1"))
        async with asyncio.timeout(PATIENCE):
            await is_there.wait()
        desk = await service.online(TOMB)
        loads = service.server.stores.offline.load
        loaded = asyncio.Event()

        async def load(*values: Any, **named: int) -> Any:
            found = await loads(*values, **named)
            loaded.set()
            return found

        store.load = load  # type: ignore[method-assign, assignment]
        await desk.send("<presence/>")
        async with asyncio.timeout(PATIENCE):
            await loaded.wait()
        may_tell.set()
        assert await arrived(desk) == []
        await romeo.barrier()
        juliet, _ = await resume(service, JULIET, id, 0)
        assert ids(await until_handled(juliet)) == ["1"]
