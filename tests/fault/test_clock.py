"""The machine's clock is set an hour forwards, and then back: nobody notices but the stamps.

What is kept has its order from the store, not from its stamps; deadlines are not dates.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pyrite.core.xml import Element
from tests.entering import BIND, come, enter, want
from tests.peer import PASSWORD
from tests.resuming import chat, enabled, resumable, resume, strand
from tests.service import JULIET, ROMEO, VERONA, Service, condition, serving, until

from .world import archive

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

HOUR = timedelta(hours=1)
STEPS = (HOUR, -HOUR, -HOUR, HOUR)  # of the clock, one after the other
AUTH = "free-attempts = 1\nattempts = 2\nbackoff = '1s'\nlockout = '1m'"


def step(service: Service, by: timedelta) -> None:
    service.clock.set(service.clock.now() + by)


def ids(elements: list[Element]) -> list[str]:
    return [each.attrs["id"] for each in elements if each.name.tag == "message"]


def stamps(elements: list[Element]) -> list[str]:
    delays = (each.child("urn:xmpp:delay", "delay") for each in elements)
    return [each.attrs["stamp"] for each in delays if each is not None]


async def test_messages_that_wait_come_in_the_order_in_which_they_were_sent(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/garden")
        for number, by in enumerate((timedelta(), *STEPS)):
            step(service, by)
            await romeo.send(
                f"<message to='{JULIET}' id='{number}'><body>{number}</body></message>"
            )
            await romeo.barrier()
        juliet = await service.online("juliet@verona.lit/balcony")
        await juliet.send("<presence/>")
        waited = await juliet.barrier()
        assert ids(waited) == ["0", "1", "2", "3", "4"]
        hours = [stamp.partition("T")[2][:2] for stamp in stamps(waited)]
        assert hours == ["00", "01", "00", "23", "00"]  # each is what the clock said


async def test_an_archive_has_the_order_in_which_messages_came(tmp_path: Path) -> None:
    """Whoever reads it page by page gets each message once (XEP-0313 §3.1)."""
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/garden")
        juliet = await service.online("juliet@verona.lit/balcony", available=True)
        for number, by in enumerate((timedelta(), *STEPS)):
            step(service, by)
            for turn in "ab":
                await romeo.send(chat(JULIET, f"{number}{turn}"))
                assert (await juliet.element()).attrs["id"] == f"{number}{turn}"
        said = [f"{number}{turn}" for number in range(5) for turn in "ab"]
        for reader in (romeo, juliet):
            assert await archive(reader, page=3) == said


async def test_nobody_is_asked_whether_they_are_there_nor_thrown_out(tmp_path: Path) -> None:
    limits = "ping-after = '10m'\nping-timeout = '1m'\nnegotiation = '10m'"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        romeo = await service.online("romeo@verona.lit/garden", available=True)
        newcomer = await service.connect()
        await newcomer.open(VERONA)
        for by in STEPS:
            step(service, by)
            await service.sweep()
            assert await romeo.barrier() == []
        await newcomer.plain("juliet")
        await newcomer.open(VERONA)
        await newcomer.bind("balcony")
        await newcomer.is_served()


async def test_who_guesses_has_to_wait_as_long_as_before(tmp_path: Path) -> None:
    """An hour that has not passed is no hour of waiting, and none is added."""

    async def guess(password: str) -> str:
        client = await service.connect()
        await client.open(VERONA)
        answer = await client.plain("romeo", password)
        await client.abort()
        return "success" if answer.name.tag == "success" else condition(answer)

    async with serving(tmp_path, clear=True, auth=AUTH) as service:
        assert await guess("wrong") == "not-authorized"
        service.clock.advance(1)
        assert await guess("wrong") == "not-authorized"
        for by in STEPS:
            step(service, by)
            assert await guess(PASSWORD) == "temporary-auth-failure"
        step(service, -HOUR)
        service.clock.advance(60)
        assert await guess(PASSWORD) == "success"


async def test_the_versions_of_a_roster_go_on(tmp_path: Path) -> None:
    """A version that came again would hide a change from who has it (RFC 6121 §2.6)."""
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/garden")
        roster = "jabber:iq:roster"
        await romeo.ask(f"<iq type='get' id='r'><query xmlns='{roster}' ver=''/></iq>")
        versions = []
        for number, by in enumerate((timedelta(), *STEPS, -HOUR)):
            step(service, by)
            item = f"<item jid='contact@{VERONA}' name='name {number}'/>"
            await romeo.send(
                f"<iq type='set' id='{number}'><query xmlns='{roster}'>{item}</query></iq>"
            )
            (push, *_) = [e for e in await romeo.barrier() if e.child(roster, "query")]
            (query,) = push.elements
            versions.append(query.attrs["ver"])
        assert len(set(versions)) == len(versions)
        for version in versions[:-1]:
            await romeo.send(
                f"<iq type='get' id='v'><query xmlns='{roster}' ver='{version}'/></iq>"
            )
            answered = [name for e in await romeo.barrier() for name in names(e)]
            assert answered == [f"name {len(versions) - 1}"]


def names(iq: Element) -> list[str]:
    return [item.attrs["name"] for query in iq.elements for item in query.elements]


async def test_who_came_later_gets_what_another_has_left(tmp_path: Path) -> None:
    """Whether a client was there when a message came is not asked of the clock on the wall."""
    async with resumable(tmp_path) as service:
        romeo = await service.online("romeo@verona.lit/garden")
        balcony, _ = await enabled(service, JULIET.at("balcony"))
        await strand(service, balcony)
        await romeo.send(chat(JULIET, "before"))
        await romeo.barrier()
        service.clock.advance(10)
        tomb = await service.online(JULIET.at("tomb"), available=True)
        await romeo.send(chat(JULIET, "after"))
        await romeo.barrier()
        step(service, HOUR)
        service.clock.advance(600)  # for so long a session waits for its client
        await until(lambda: service.server.sessions.find(JULIET.at("balcony")) is None)
        await service.server.left(JULIET)
        assert ids(await tomb.barrier()) == ["after", "before"]


async def test_a_session_waits_for_its_client_as_long_as_before(tmp_path: Path) -> None:
    async with resumable(tmp_path) as service:
        balcony, id = await enabled(service, JULIET.at("balcony"))
        await strand(service, balcony)
        for by in STEPS:
            step(service, by)
            await service.sweep()
        back, answer = await resume(service, JULIET.at("balcony"), id, 0)
        assert answer.name.tag == "resumed"
        await strand(service, back)
        step(service, -HOUR)
        service.clock.advance(601)
        await until(lambda: not len(service.server.resumption))
        _, answer = await resume(service, JULIET.at("balcony"), id, 0)
        assert answer.name.tag == "failed"


async def test_a_token_is_good_for_its_weeks_whatever_an_hour_does(tmp_path: Path) -> None:
    """Its end is a date, since it outlives the server; one from the future is no forgery."""
    async with serving(tmp_path) as service:
        token = (await enter(await service.secured(), want())).token
        for by in STEPS:
            step(service, by)
            entered = await come(await service.secured(), token, BIND)
            assert entered.success.identifier is not None
            assert entered.success.identifier.bare == ROMEO
