"""Clients that are given much, acknowledge it, and break off amid it (XEP-0198, XEP-0313)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.resuming import (
    ASK,
    NS,
    ack,
    answer,
    chat,
    enable,
    enabled,
    handled,
    resume,
    strand,
)
from tests.service import JULIET, ROMEO, Client, Service, condition, serving, until

from pyrite.core.jid import JID
from pyrite.core.stanza import NS as NS_CLIENT
from pyrite.core.xml import Element
from pyrite.net import ahead
from pyrite.server.acks import WAIT
from pyrite.server.mod.archive.reading import PAGE_SIZE, bounded
from pyrite.server.store.archive import Entry, Page
from pyrite.server.store.roster import Item
from pyrite.wire.archive import NS as NS_ARCHIVE
from pyrite.wire.offline import NS as NS_OFFLINE
from pyrite.wire.rsm import NS as NS_RSM

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

GARDEN, BALCONY = ROMEO.at("garden"), JULIET.at("balcony")
QUEUE = 40  # so a client is waited for when it has not acknowledged more than 20
PING = "<iq type='get' id='{}'><ping xmlns='urn:xmpp:ping'/></iq>"
QUIET = "<presence type='unavailable' to='nobody@verona.lit'/>"


def giving(folder: Path, *, queue: int = QUEUE) -> AbstractAsyncContextManager[Service]:
    modules = '["acks", "archive", "disco", "offline", "ping", "roster"]'
    limits = f"send-queue = {queue}"
    return serving(
        folder, clear=True, host=f"modules = {modules}", limits=limits, more="modules = []"
    )


class Acknowledging:
    """A client that answers each question at once, as all should."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.got: list[Element] = []

    async def element(self) -> Element:
        """The next stanza."""
        while (element := await self.client.element()).name.ns == NS:
            if element.name.tag == "r":
                await self.client.send(ack(len(self.got)))
        self.got.append(element)
        return element

    async def until(self, id: str) -> list[Element]:
        """The stanzas until the one of this id, which is the last."""
        since = len(self.got)
        while (await self.element()).attrs.get("id") != id:
            pass
        return self.got[since:]


async def remembering(service: Service, number: int, size: int = 0) -> None:
    """An archive of Juliet's with so many messages."""
    archive = service.server.stores.archive
    for n in range(number):
        text = f'<message id="{n}" xmlns="{NS_CLIENT}"><body>{"x" * size}</body></message>'
        await archive.add(archive.next_id(), JULIET, ROMEO, None, text)


async def courted(service: Service, number: int) -> None:
    """So many wait for Juliet's answer."""
    for n in range(number):
        contact = JID.parse(f"suitor{n}@mantua.lit")
        request = f"<presence type='subscribe' from='{contact}' to='{JULIET}'/>"
        item = Item(contact, listed=False, request=request)
        await service.server.stores.roster.put(JULIET, item)


def query(id: str, page: str = "") -> str:
    asked = f"<query xmlns='{NS_ARCHIVE}' queryid='{id}'>{page}</query>"
    return f"<iq type='set' id='{id}'>{asked}</iq>"


def results(received: list[Element], queryid: str) -> list[str]:
    """The ids that a page has given, as far as they are among these."""
    found = [e.child(NS_ARCHIVE, "result") for e in received if e.name.tag == "message"]
    return [r.attrs["id"] for r in found if r is not None and r.attrs["queryid"] == queryid]


async def stuck(client: Client) -> int:
    """Read until a question after which the server waits; how many stanzas came."""
    number = 0
    while number <= QUEUE // 2:
        number += (await client.element()).name.ns == NS_CLIENT
    return number


# --- pages --------------------------------------------------------------------------------------


async def test_pages_are_given_as_fast_as_they_are_acknowledged(tmp_path: Path) -> None:
    """However many are asked for at once: in order, each before its end, and nothing overtakes."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        client, _ = await enabled(service, BALCONY)
        juliet = Acknowledging(client)
        await client.send("".join(map(query, "abcde")) + PING.format("ping") + query("f"))
        for page in "abcde":
            assert len(results(await juliet.until(page), page)) == 30
        assert [e.attrs["id"] for e in await juliet.until("ping")] == ["ping"]
        assert len(results(await juliet.until("f"), "f")) == 30
        await client.send(ack(len(juliet.got)))
        assert await handled(client) == 7


async def test_many_pages_at_once(tmp_path: Path) -> None:
    """More than fit in what is read at once, and in a client's queue."""
    async with giving(tmp_path) as service:
        await remembering(service, 5)
        client, _ = await enabled(service, BALCONY)
        juliet = Acknowledging(client)
        ids = [f"page-{n}" for n in range(300)]
        await client.send("".join(map(query, ids)))
        for id in ids:
            assert len(results(await juliet.until(id), id)) == 5


async def test_a_question_is_answered_while_a_page_waits(tmp_path: Path) -> None:
    """XEP-0198 §4: at once, and once more when what came before it is handled."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        juliet, _ = await enabled(service, BALCONY)
        await juliet.send(query("a"))
        await stuck(juliet)
        await juliet.send(PING.format("ping") + ASK)
        assert (await answer(juliet)).attrs["h"] == "0"
        await juliet.send(ack(21))
        assert (await answer(juliet)).attrs["h"] == "2"


async def test_who_acknowledges_little_gets_the_page_too(tmp_path: Path) -> None:
    """One stanza at a time."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        juliet, _ = await enabled(service, BALCONY)
        await juliet.send(query("a"))
        await stuck(juliet)
        for n in range(1, 10):
            await juliet.send(ack(n))
            while (await juliet.element()).name.ns == NS:
                pass
        await juliet.send(ack(30))
        assert await handled(juliet) == 1


async def test_who_does_not_acknowledge_is_told(tmp_path: Path) -> None:
    """It is waited for once, and not for each message; and gets pages when it does."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        client, _ = await enabled(service, BALCONY)
        await client.send(query("a") + query("b"))
        assert await stuck(client) == 21
        waiting = service.clock.pending
        await client.send(ASK)
        assert (await answer(client)).attrs["h"] == "0"
        assert service.clock.pending == waiting
        service.clock.advance(WAIT)
        for id in "ab":
            while (refused := await client.element()).name.ns == NS:
                pass
            assert (refused.attrs["id"], condition(refused)) == (id, "resource-constraint")
        await client.send(ack(23) + query("c"))
        juliet = Acknowledging(client)
        juliet.got += [refused] * 23
        assert len(results(await juliet.until("c"), "c")) == 30


async def test_who_is_far_ahead_is_told(tmp_path: Path) -> None:
    """What it acknowledges behind so much cannot be heard: the page ends, and it is refused."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        client, _ = await enabled(service, BALCONY)
        await client.send(query("a"))
        assert await stuck(client) == 21
        await client.send(QUIET * (2 * ahead.EVENTS) + ack(21))
        while (refused := await client.element()).name.ns == NS:
            pass
        assert (refused.attrs["id"], condition(refused)) == ("a", "resource-constraint")
        assert await handled(client) == 2 * ahead.EVENTS + 1


async def test_an_h_that_is_too_high(tmp_path: Path) -> None:
    """Ends the stream, whatever waits; and what came behind it is not handled."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        romeo = await service.online(GARDEN, available=True)
        juliet, _ = await enabled(service, BALCONY)
        await juliet.send(query("a"))
        await stuck(juliet)
        await juliet.send(chat(GARDEN, "1") + ack(1000) + chat(GARDEN, "2"))
        assert (await juliet.stream_error()).condition == "undefined-condition"
        await until(lambda: len(service.server.sessions) == 1)
        assert [e.name.tag for e in await romeo.barrier()] == []


async def test_an_h_that_is_none(tmp_path: Path) -> None:
    """It ends the stream in its turn, as ever."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        juliet, _ = await enabled(service, BALCONY)
        await juliet.send(query("a"))
        await stuck(juliet)
        await juliet.send(f"<a xmlns='{NS}' h='much'/>" + ack(21))
        assert (await juliet.stream_error()).condition == "bad-format"


async def test_a_client_that_leaves_amid_a_page(tmp_path: Path) -> None:
    """What it said before is handled; nobody waits for it."""
    async with giving(tmp_path) as service:
        await remembering(service, 30)
        romeo = await service.online(GARDEN, available=True)
        juliet, _ = await enabled(service, BALCONY)
        await juliet.send(query("a"))
        await stuck(juliet)
        await juliet.send(chat(GARDEN, "1") + "</stream:stream>")
        juliet.writer.write_eof()
        await juliet.rest()
        await until(lambda: len(service.server.sessions) == 1)
        assert [e.attrs["id"] for e in await romeo.barrier()] == ["1"]


# --- how much a page has ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "is_from_end", "left"),
    [
        ([], False, []),
        ([100], False, [0]),
        ([101], False, [0]),
        ([101, 1], False, [0]),
        ([101, 1], True, [1]),
        ([1, 101], True, [1]),
        ([40, 60, 1], False, [0, 1]),
        ([40, 60, 1], True, [1, 2]),
        ([40, 60], False, [0, 1]),
        ([40, 60], True, [0, 1]),
    ],
)
async def test_a_page_fits(sizes: list[int], is_from_end: bool, left: list[int]) -> None:
    """From where it was asked for; something is in it wherever there is something."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    entries = [
        Entry(id, now, "é" * (size // 2) + "x" * (size % 2)) for id, size in enumerate(sizes)
    ]
    page = bounded(Page(entries, is_last=True), 100, is_from_end=is_from_end)
    assert [entry.id for entry in page.entries] == left
    assert page.is_last is (len(left) == len(sizes))


@pytest.mark.parametrize("direction", ["after", "before"])
async def test_large_messages_come_on_several_pages(direction: str, tmp_path: Path) -> None:
    """Who asks on until a page is complete has all of them."""
    async with giving(tmp_path) as service:
        await remembering(service, 10, size=PAGE_SIZE // 4)
        client, _ = await enabled(service, BALCONY)
        juliet = Acknowledging(client)
        pages: list[list[str]] = []
        mark, is_complete = "", False
        while not is_complete:
            rsm = f"<set xmlns='{NS_RSM}'><{direction}>{mark}</{direction}></set>"
            if direction == "after" and not mark:
                rsm = ""
            await client.send(query("a", rsm))
            *received, end = await juliet.until("a")
            pages.append(results(received, "a"))
            (fin,) = end.elements
            is_complete = fin.attrs.get("complete") == "true"
            mark = pages[-1][-1 if direction == "after" else 0]
        assert [len(page) for page in pages] == [3, 3, 3, 1]
        assert len({id for page in pages for id in page}) == 10


# --- breaks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "taken over"])
async def test_a_break_amid_a_page(is_seen: bool, tmp_path: Path) -> None:
    """The session goes on without it: the page failed, and can be asked for once more."""
    async with giving(tmp_path) as service:
        await remembering(service, 100)
        client, id = await enabled(service, BALCONY)
        await client.send(query("a") + PING.format("ping"))
        assert await stuck(client) == 21
        if is_seen:
            await strand(service, client)
        again, resumed = await resume(service, BALCONY, id, 21)
        assert resumed.attrs["h"] == ("2" if is_seen else "1")
        juliet = Acknowledging(again)
        juliet.got += [resumed] * 21
        refused = (await juliet.until("a"))[-1]
        assert (refused.attrs["type"], condition(refused)) == ("error", "resource-constraint")
        (error,) = (e for e in refused.elements if e.name.tag == "error")
        assert error.attrs["type"] == "wait"
        await again.send(query("b"))
        assert len(results(await juliet.until("b"), "b")) == 100


# --- what else is much --------------------------------------------------------------------------


async def test_more_contacts_than_fit(tmp_path: Path) -> None:
    """RFC 6121 §4.2.2: a client that comes hears of all; what it sends next is handled then."""
    async with giving(tmp_path, queue=8) as service:
        for number in range(6):
            friend = JID.parse(f"friend{number}@verona.lit")
            await service.server.accounts.create(friend, "a rose by any other name")
            await service.befriend(JULIET, friend)
            for resource in ("a", "b"):
                await service.online(friend.at(resource), available=True)
        client = await service.online(BALCONY)
        await enable(client)
        juliet = Acknowledging(client)
        await client.send("<presence/>" + PING.format("ping"))
        told = {e.attrs["from"] for e in await juliet.until("ping") if e.name.tag == "presence"}
        assert len(told) == 1 + 12  # its own, too


async def test_more_requests_than_fit(tmp_path: Path) -> None:
    """RFC 6121 §3.1.3: they wait in the roster until they are answered."""
    async with giving(tmp_path, queue=8) as service:
        await courted(service, 20)
        client = await service.online(BALCONY)
        await enable(client)
        juliet = Acknowledging(client)
        await client.send("<presence/>" + PING.format("ping"))
        came = [e.attrs.get("type") for e in await juliet.until("ping")]
        assert came.count("subscribe") == 20


async def test_a_break_amid_requests(tmp_path: Path) -> None:
    """Nobody would ask for the rest: it waits in the session, if it fits."""
    async with giving(tmp_path) as service:
        await courted(service, 30)
        client = await service.online(BALCONY)
        id = (await enable(client)).attrs["id"]
        await client.send("<presence/>")
        assert await stuck(client) == 21
        await strand(service, client)
        again, resumed = await resume(service, BALCONY, id, 21)
        assert resumed.attrs["h"] == "1"
        juliet = Acknowledging(again)
        juliet.got += [resumed] * 21
        await again.send(PING.format("ping"))
        came = [e.attrs.get("type") for e in await juliet.until("ping")]
        assert came == ["subscribe"] * 10 + ["result"]


async def test_more_requests_than_fit_and_nothing_acknowledged(tmp_path: Path) -> None:
    """The session ends: a client that is told only some of it must not take that for all."""
    async with giving(tmp_path) as service:
        await courted(service, 60)
        client = await service.online(BALCONY)
        await enable(client)
        await client.send("<presence/>")
        assert await stuck(client) == 21
        service.clock.advance(WAIT)
        error = await client.stream_error()
        assert (error.condition, error.text) == (
            "resource-constraint",
            "the client reads too slowly",
        )
        await until(lambda: len(service.server.sessions) == 0)


async def test_more_offline_messages_than_fit(tmp_path: Path) -> None:
    """XEP-0013 §2.6: with another list that the client has not acknowledged."""
    async with giving(tmp_path) as service:
        romeo = await service.online(GARDEN)
        for n in range(20):
            await romeo.send(chat(JULIET, str(n)))
        await romeo.barrier()
        client = await service.online(BALCONY)
        await enable(client)
        juliet = Acknowledging(client)
        fetch = f"<iq type='get' id='{{}}'><offline xmlns='{NS_OFFLINE}'><fetch/></offline></iq>"
        await client.send("".join(map(fetch.format, "abc")))
        for id in "abc":
            assert [e.attrs["id"] for e in await juliet.until(id)] == [*map(str, range(20)), id]


async def test_offline_messages_stay_when_a_list_of_them_breaks(tmp_path: Path) -> None:
    async with giving(tmp_path) as service:
        romeo = await service.online(GARDEN)
        for n in range(20):
            await romeo.send(chat(JULIET, str(n)))
        await romeo.barrier()
        client = await service.online(BALCONY)
        id = (await enable(client)).attrs["id"]
        fetch = f"<iq type='get' id='{{}}'><offline xmlns='{NS_OFFLINE}'><fetch/></offline></iq>"
        await client.send(fetch.format("a") + fetch.format("b"))
        assert await stuck(client) == 21
        again, resumed = await resume(service, BALCONY, id, 21)
        assert resumed.attrs["h"] == "2"
        juliet = Acknowledging(again)
        juliet.got += [resumed] * 21
        await again.send(fetch.format("c"))
        received = await juliet.until("c")
        (refused,) = [e for e in received if e.attrs["id"] == "b"]
        assert condition(refused) == "resource-constraint"
        assert len([e for e in received if e.name.tag == "message"]) == 20
        assert await service.server.stores.offline.count(JULIET) == 20
