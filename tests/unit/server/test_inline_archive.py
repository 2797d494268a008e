"""Where the archive ends, told along with a log-in (XEP-0386 §3.2, XEP-0313 §5)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.entering import BIND, TABLET, Entered, bind, enter
from tests.peer import PATIENCE
from tests.service import ROMEO, Client, Service, serving

from pyrite.core.jid import JID
from pyrite.core.payload import decode
from pyrite.core.xml import Element
from pyrite.server.store.archive import Mark
from pyrite.store.errors import StoreError
from pyrite.wire import archive, stanzaid

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

CARBONS = "<enable xmlns='urn:xmpp:carbons:2'/>"
ENABLE = "<enable xmlns='urn:xmpp:sm:3'/>"
INACTIVE = "<inactive xmlns='urn:xmpp:csi:0'/>"


def metadata(entered: Entered) -> archive.Metadata:
    (told,) = [element for element in entered.bound if element.name.ns == archive.NS]
    return decode(archive.Metadata, told)


async def test_the_ends_of_the_archive(tmp_path: Path) -> None:
    """Nothing at first, then the first and the last message; and none of another's."""
    async with serving(tmp_path) as service:
        phone, juliet = await service.secured(), await service.secured()
        first = await enter(phone, BIND)
        assert metadata(first) == archive.Metadata()
        await enter(juliet, BIND, name="juliet")
        ids = []
        for word in ("one", "two"):
            full = first.success.identifier
            await juliet.send(f"<message to='{full}' type='chat'><body>{word}</body></message>")
            message = await phone.element()
            found = [e for e in message.elements if e.name.ns == stanzaid.NS]
            ids += [e.attrs["id"] for e in found if e.attrs.get("by") == str(ROMEO)]
        told = metadata(await enter(await service.secured(), BIND, id=TABLET))
        assert told.start
        assert told.end
        assert [told.start.id, told.end.id] == ids


class Slow:
    """A store that takes its time to tell where an archive ends."""

    def __init__(self, service: Service) -> None:
        self.is_asked, self.may_tell = asyncio.Event(), asyncio.Event()
        self._ends = service.server.stores.archive.ends
        service.server.stores.archive.ends = self  # type: ignore[method-assign, assignment]

    async def __call__(self, owner: JID) -> tuple[Mark, Mark] | None:
        found = await self._ends(owner)
        self.is_asked.set()
        await self.may_tell.wait()
        return found

    async def meanwhile(self, client: Client, to: JID, *ids: str) -> None:
        """Send messages while somebody waits for the answer."""
        async with asyncio.timeout(PATIENCE):
            await self.is_asked.wait()
        for id in ids:
            await client.send(chat(to, id))
        await client.barrier()
        self.may_tell.set()


def chat(to: JID, id: str) -> str:
    return f"<message to='{to}' type='chat' id='{id}'><body>{id}</body></message>"


def name_in_archive(message: Element) -> str:
    (name,) = [e.attrs["id"] for e in message.elements if e.name.ns == stanzaid.NS]
    return name


async def test_nothing_falls_between_the_archive_and_the_copies(tmp_path: Path) -> None:
    """XEP-0386 §1: each message is told to be in the archive, or comes: one of both."""
    async with serving(tmp_path) as service:
        desk, juliet, phone = [await service.secured() for _ in range(3)]
        full = (await enter(desk, BIND, id=TABLET)).success.identifier
        await enter(juliet, BIND, name="juliet")
        await juliet.send(chat(full, "told"))
        told = name_in_archive(await desk.element())
        slow = Slow(service)
        entering = asyncio.create_task(enter(phone, bind(INACTIVE, ENABLE, CARBONS)))
        await slow.meanwhile(juliet, full, "copied")
        entered = await entering
        assert (end := metadata(entered).end) is not None
        assert end.id == told
        (copy,) = [e for e in await phone.barrier() if e.name.tag == "message"]
        assert copy.child("urn:xmpp:carbons:2", "received")
        await phone.send("<r xmlns='urn:xmpp:sm:3'/>")
        assert (await phone.element()).attrs["h"] == "1"  # the barrier


async def test_the_archive_stands_first_in_what_is_told(tmp_path: Path) -> None:
    """§3.2: as in its schema, though the copies are switched on before it is read."""
    async with serving(tmp_path) as service:
        entered = await enter(await service.secured(), bind(CARBONS, ENABLE))
        assert [e.name for e in entered.bound] == [
            (archive.NS, "metadata"),
            ("urn:xmpp:sm:3", "enabled"),
        ]


async def test_a_store_that_fails_costs_nobody_the_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:

        async def down(_: object) -> None:
            raise StoreError("the disk is full")

        service.server.stores.archive.ends = down  # type: ignore[method-assign, assignment]
        client = await service.secured()
        entered = await enter(client, bind(ENABLE))
        assert [element.name.tag for element in entered.bound] == ["enabled"]
        await client.is_served()
