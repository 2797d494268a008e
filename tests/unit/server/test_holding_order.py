"""What a session leaves that was over while it was given something: its place among the rest.

Each sender's messages come in the order in which they were sent, whoever gets them in the end.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.resuming import chat, enable, enabled, ids, resumable, strand, until_handled
from tests.scene import quiet
from tests.service import JULIET, ROMEO, Client, Service, until

from pyrite.server.session import Session
from pyrite.store.errors import StoreError

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

GARDEN, BALCONY, TOMB = ROMEO.at("garden"), JULIET.at("balcony"), JULIET.at("tomb")


class Slow:
    """What `place` is asked under `name` waits before it is done, and fails if it is to."""

    def __init__(self, place: Any, name: str, error: Exception | None = None) -> None:
        self._asked, self._may_go_on = asyncio.Event(), asyncio.Event()
        self._place, self._name, self._error = place, name, error
        self._call = getattr(place, name)
        setattr(place, name, self)

    async def __call__(self, *args: Any, **named: Any) -> Any:
        self._asked.set()
        await self._may_go_on.wait()
        if self._error is not None:
            raise self._error
        return await self._call(*args, **named)

    async def asked(self) -> None:
        """Wait until it is; who asks from now on need not wait."""
        async with asyncio.timeout(PATIENCE):
            await self._asked.wait()
        setattr(self._place, self._name, self._call)

    def go_on(self) -> None:
        self._may_go_on.set()


async def broken_off(service: Service) -> Session:
    """A session of Juliet's that waits for its client."""
    juliet, _ = await enabled(service, BALCONY)
    session = the_session(service)
    await strand(service, juliet)
    return session


def the_session(service: Service) -> Session:
    session = service.server.sessions.find(BALCONY)
    assert session is not None
    return session


async def over(service: Service, session: Session) -> None:
    session.end()
    await service.server.part(session)


async def arrived(client: Client) -> list[str]:
    return ids(await client.barrier())


async def test_what_its_session_is_over_for_comes_before_what_is_said_next(tmp_path: Path) -> None:
    """Another client has come while it was on its way."""
    async with resumable(tmp_path) as service:
        session = await broken_off(service)
        romeo = await service.online(GARDEN)
        slow = Slow(service.server.accounts, "exists")
        await romeo.send(chat(JULIET, "1") + chat(JULIET, "2"))
        await slow.asked()
        await over(service, session)
        juliet = await service.online(BALCONY, available=True)
        assert await arrived(juliet) == []
        slow.go_on()
        await romeo.barrier()
        assert await arrived(juliet) == ["1", "2"]


async def test_and_where_nobody_has_come_yet(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        session = await broken_off(service)
        romeo = await service.online(GARDEN)
        slow = Slow(service.server.accounts, "exists")
        await romeo.send(chat(JULIET, "1") + chat(JULIET, "2"))
        await slow.asked()
        await over(service, session)
        slow.go_on()
        await romeo.barrier()
        juliet = await service.online(BALCONY)
        await juliet.send("<presence/>")
        assert await arrived(juliet) == ["1", "2"]


async def test_what_is_stored_for_nobody_comes_before_what_is_said_next(tmp_path: Path) -> None:
    """To a client that was there all the time, and gets what the other one does not take."""
    async with resumable(tmp_path) as service:
        session = await broken_off(service)
        desk = await service.online(TOMB, available=True)
        romeo = await service.online(GARDEN)
        slow = Slow(service.server.stores.offline, "add_all")
        await romeo.send(chat(BALCONY, "1") + chat(BALCONY, "2"))
        await slow.asked()
        session.end()
        await until(lambda: session.gone is not None)
        slow.go_on()
        await romeo.barrier()
        assert await arrived(desk) == ["1", "2"]


async def test_who_comes_while_what_was_under_way_is_stored(tmp_path: Path) -> None:
    """It gets that first."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        session = the_session(service)
        romeo = await service.online(GARDEN)
        await romeo.send(chat(JULIET, "1"))
        await romeo.barrier()
        slow = Slow(service.server.stores.offline, "add_all")
        await strand(service, juliet)
        await slow.asked()
        await over(service, session)
        juliet = await service.online(BALCONY)
        await juliet.send("<presence/>")
        await quiet(service.server)
        await romeo.send(chat(JULIET, "2"))
        await quiet(service.server)
        slow.go_on()
        await romeo.barrier()
        assert await arrived(juliet) == ["1", "2"]


async def test_what_is_left_while_another_one_is_served_comes_first(tmp_path: Path) -> None:
    """And comes at all: what is read just then stands behind it."""
    async with resumable(tmp_path) as service:
        romeo = await service.online(GARDEN)
        await romeo.send(chat(JULIET, "1"))
        await romeo.barrier()
        juliet = await service.online(BALCONY)
        await enable(juliet)
        session = the_session(service)
        await juliet.send("<presence/><presence type='unavailable'/>")
        assert ids(await until_handled(juliet)) == ["1"]
        await romeo.send(chat(JULIET, "2"))
        await romeo.barrier()
        read = service.server.stores.offline.load
        has_read, may_tell = asyncio.Event(), asyncio.Event()

        async def load(*args: Any, **named: Any) -> Any:
            found = await read(*args, **named)
            has_read.set()
            await may_tell.wait()
            return found

        service.server.stores.offline.load = load  # type: ignore[method-assign, assignment]
        desk = await service.online(TOMB)
        await desk.send("<presence/>")
        async with asyncio.timeout(PATIENCE):
            await has_read.wait()
        session.end()
        leaving = asyncio.create_task(service.server.part(session))
        await until(lambda: session.gone is not None)
        may_tell.set()
        await leaving
        assert await arrived(desk) == ["1", "2"]


async def test_what_could_not_be_stored_of_a_session_that_is_over(tmp_path: Path) -> None:
    """It was under way, and in memory: it goes the way of what comes too late."""
    async with resumable(tmp_path) as service:
        juliet, _ = await enabled(service, BALCONY)
        session = the_session(service)
        romeo = await service.online(GARDEN)
        await romeo.send(chat(JULIET, "1"))
        await romeo.barrier()
        slow = Slow(service.server.stores.offline, "add_all", StoreError("the disk is full"))
        await strand(service, juliet)
        await slow.asked()
        await over(service, session)
        slow.go_on()
        await quiet(service.server)
        assert await service.server.stores.offline.count(JULIET) == 1
        juliet = await service.online(BALCONY)
        await juliet.send("<presence/>")
        assert await arrived(juliet) == ["1"]
