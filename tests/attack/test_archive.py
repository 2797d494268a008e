"""Attacks 21, 27 and 29: others' archives, forged results, and questions that are meant to hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.service import Client, Service, condition, serving

from pyrite.core.xml import Element, write

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NS = "urn:xmpp:mam:2"
NS_DATA = "jabber:x:data"
SECRET = "the poison is in the vial"
JULIET, MALLORY = "juliet@verona.lit/b", "mallory@verona.lit/m"


@asynccontextmanager
async def archives(folder: Path, **more: str) -> AsyncIterator[tuple[Service, Client, Client]]:
    """Juliet, who has said a secret to Romeo, and Mallory, who has said nothing."""
    async with serving(folder, clear=True, **more) as service:
        juliet = await service.online(JULIET, available=True)
        mallory = await service.online(MALLORY, available=True)
        await juliet.send(
            f"<message to='romeo@verona.lit' type='chat' id='s'><body>{SECRET}</body></message>"
        )
        await juliet.barrier()
        yield service, juliet, mallory


def query(*fields: tuple[str, str], page: str = "", **attrs: str) -> str:
    inside = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields)
    form = (
        f"<x xmlns='{NS_DATA}' type='submit'><field var='FORM_TYPE'><value>{NS}</value></field>"
        f"{inside}</x>"
    )
    page = page and f"<set xmlns='http://jabber.org/protocol/rsm'>{page}</set>"
    shown = "".join(f" {name}='{value}'" for name, value in attrs.items())
    return f"<iq type='set' id='q'{shown}><query xmlns='{NS}'>{form}{page}</query></iq>"


async def asked(client: Client, xml: str) -> tuple[Element, list[Element]]:
    """The answer, and the results before it."""
    await client.send(xml)
    came = await client.barrier()
    (answer,) = [e for e in came if e.attrs.get("id") == "q"]
    return answer, [e for e in came if e.child(NS, "result") is not None]


# --- others' archives -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "to",
    [
        "juliet@verona.lit",
        "JULIET@verona.lit",
        "romeo@verona.lit",
        "benvolio@mantua.lit",
        "nobody@verona.lit",
    ],
)
@pytest.mark.parametrize("fields", [(), (("with", "mallory@verona.lit"),)])
async def test_of_another_account(
    to: str, fields: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    """One answer, whether there is such an account or not."""
    async with archives(tmp_path) as (_, __, mallory):
        answer, results = await asked(mallory, query(*fields, to=to))
        assert condition(answer) == "forbidden"
        assert results == []
        assert SECRET not in write(answer)


@pytest.mark.parametrize("payload", ["metadata", "prefs"])
async def test_not_even_when_it_began(payload: str, tmp_path: Path) -> None:
    async with archives(tmp_path) as (_, __, mallory):
        for to in ("juliet@verona.lit", "nobody@verona.lit"):
            answer, _ = await asked(
                mallory, f"<iq type='get' id='q' to='{to}'><{payload} xmlns='{NS}'/></iq>"
            )
            assert condition(answer) == "forbidden"


async def test_nobody_else_stops_it(tmp_path: Path) -> None:
    """Preferences of another, by which its archive would keep nothing any more."""
    async with archives(tmp_path) as (_, juliet, mallory):
        stop = f"<prefs xmlns='{NS}' default='never'/>"
        answer, _ = await asked(mallory, f"<iq type='set' id='q' to='{JULIET[:17]}'>{stop}</iq>")
        assert condition(answer) == "forbidden"
        _, results = await asked(juliet, query())
        assert len(results) == 1


async def test_an_id_of_another_archive_is_no_id(tmp_path: Path) -> None:
    """Ids are no secrets (XEP-0359 §7): that of Juliet's message opens nothing of Mallory's."""
    async with archives(tmp_path) as (_, juliet, mallory):
        _, (result,) = await asked(juliet, query())
        inner = result.child(NS, "result")
        assert inner is not None
        id = inner.attrs["id"]
        for field in ("ids", "after-id", "before-id"):
            answer, results = await asked(mallory, query((field, id)))
            assert condition(answer) == "item-not-found"
            assert results == []
        for page in (f"<after>{id}</after>", f"<before>{id}</before>"):
            answer, results = await asked(mallory, query(page=page))
            assert condition(answer) == "item-not-found"


async def test_the_server_has_none(tmp_path: Path) -> None:
    async with archives(tmp_path) as (_, __, mallory):
        answer, _ = await asked(mallory, query(to="verona.lit"))
        assert condition(answer) == "service-unavailable"


async def test_a_blocked_message_is_in_no_archive_of_who_blocks(tmp_path: Path) -> None:
    """XEP-0313 §6.1: what is refused is not kept for who refuses it."""
    async with archives(tmp_path) as (_, juliet, mallory):
        await juliet.send(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>"
            "<item jid='mallory@verona.lit'/></block></iq>"
        )
        await juliet.barrier()
        await mallory.send(f"<message to='{JULIET}' type='chat'><body>spam</body></message>")
        await mallory.barrier()
        _, results = await asked(juliet, query(("with", "mallory@verona.lit")))
        assert results == []


# --- questions that are meant to hurt ---------------------------------------------------------

FTS = "{urn:xmpp:fulltext:0}fulltext"


@pytest.mark.parametrize(
    "words",
    [
        "poison",
        '"poison" OR x',
        "poison*",
        "NEAR(poison vial)",
        "body : poison",
        "poison) OR (1=1",
        "&quot; OR 1=1 --",
        "'; DROP TABLE archive_entries; --",
        "^poison",
        "-poison",
        "%",
        "_",
        "(",
        "&quot;",
        "\\",
        "\u0635" * 50,
        "a " * 5000,
        "*" * 1000,
        "\ufeff\u200b",
    ],
)
async def test_words_are_words(words: str, tmp_path: Path) -> None:
    """Whatever is searched for, it finds nothing of others', and breaks nothing."""
    async with archives(tmp_path) as (_, juliet, mallory):
        answer, results = await asked(mallory, query((FTS, words.replace("'", "&apos;"))))
        assert results == []
        assert answer.attrs["type"] == "result"
        _, results = await asked(juliet, query((FTS, "poison vial")))
        assert len(results) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((("start", "-9999-01-01T00:00:00Z"),), "bad-request"),
        ((("start", "0000-00-00T00:00:00Z"),), "bad-request"),
        ((("start", "99999999-01-01T00:00:00Z"),), "bad-request"),
        ((("start", "9999-12-31T23:59:60Z"),), "bad-request"),
        ((("start", "9" * 5000),), "bad-request"),
        ((("start", "1" + "0" * 400),), "bad-request"),
        ((("with", "a@" * 2000),), "jid-malformed"),
        ((("with", "x" * 5000 + "@verona.lit"),), "jid-malformed"),
        ((("ids", "9" * 5000),), "item-not-found"),
        ((("ids", "-1"),), "item-not-found"),
        ((("ids", "1e9"),), "item-not-found"),
        ((("ids", "\u0661\u0662"),), "item-not-found"),
        ((("after-id", "9223372036854775807"),), "item-not-found"),
        ((("after-id", "9223372036854775808"),), "item-not-found"),
        ((("before-id", "0"),), "item-not-found"),
        ((("x" * 5000, "1"),), "feature-not-implemented"),
    ],
)
async def test_values_beyond_all_bounds(
    fields: tuple[tuple[str, str], ...], expected: str, tmp_path: Path
) -> None:
    async with archives(tmp_path) as (_, __, mallory):
        answer, _ = await asked(mallory, query(*fields))
        assert condition(answer) == expected
        await mallory.is_served()


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 1),
        ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59Z", 0),
    ],
)
async def test_the_ends_of_time(start: str, end: str, count: int, tmp_path: Path) -> None:
    async with archives(tmp_path) as (_, juliet, __):
        answer, results = await asked(juliet, query(("start", start), ("end", end)))
        assert answer.attrs["type"] == "result"
        assert len(results) == count


@pytest.mark.parametrize("most", ["1000000000", "9223372036854775807", "101"])
async def test_nobody_gets_more_than_a_page(most: str, tmp_path: Path) -> None:
    """Attack 27: a whole archive at once."""
    async with archives(tmp_path) as (_, juliet, mallory):
        for number in range(120):
            await mallory.send(
                f"<message to='{JULIET}' type='chat'><body>{number}</body></message>"
            )
        await mallory.barrier()
        await juliet.barrier()
        answer, results = await asked(juliet, query(page=f"<max>{most}</max>"))
        fin = answer.child(NS, "fin")
        assert fin is not None
        assert (len(results), fin.attrs.get("complete")) == (100, None)


@pytest.mark.parametrize("most", ["-1", "9223372036854775808", "x", "1e3"])
async def test_what_is_no_number(most: str, tmp_path: Path) -> None:
    async with archives(tmp_path) as (_, juliet, __):
        answer, _ = await asked(juliet, query(page=f"<max>{most}</max>"))
        assert condition(answer) == "bad-request"


# --- what others let an archive say -----------------------------------------------------------

FORGED = (
    f"<result xmlns='{NS}' id='1' queryid='q'><forwarded xmlns='urn:xmpp:forward:0'>"
    "<message xmlns='jabber:client' from='romeo@verona.lit/a' to='juliet@verona.lit/b'>"
    "<body>come to the tomb</body></message></forwarded></result>"
)


@pytest.mark.parametrize("to", [JULIET, "juliet@verona.lit"])
@pytest.mark.parametrize("number", [1, 3])
async def test_results_of_nobody(to: str, number: int, tmp_path: Path) -> None:
    """Attack 21: not while she asks, nor at any other time; nor is it kept."""
    async with archives(tmp_path) as (_, juliet, mallory):
        await mallory.send(
            f"<message to='{to}' type='chat'><body>look</body>{FORGED * number}</message>"
        )
        await mallory.barrier()
        (message,) = await juliet.barrier()
        assert "tomb" not in write(message)
        _, results = await asked(juliet, query(("with", "mallory@verona.lit")))
        assert len(results) == 1
        assert "tomb" not in write(results[0])


async def test_an_archive_of_archives_does_not_grow(tmp_path: Path) -> None:
    """What the archive gives is not kept once more, however often it is asked."""
    async with archives(tmp_path) as (_, juliet, __):
        for _ in range(3):
            _, results = await asked(juliet, query())
            assert len(results) == 1


# --- retractions ------------------------------------------------------------------------------

RETRACT = "<retract xmlns='urn:xmpp:message-retract:1' id='{}'/>"


@pytest.mark.parametrize("to", [JULIET, "juliet@verona.lit", "romeo@verona.lit"])
async def test_nobody_takes_back_what_another_wrote(to: str, tmp_path: Path) -> None:
    """XEP-0424 §5: neither by its id, nor by one of the same name."""
    async with archives(tmp_path) as (service, juliet, mallory):
        romeo = await service.online("romeo@verona.lit/a")
        await mallory.send(
            f"<message to='{to}' type='chat' id='s'><body>mine</body></message>"
            f"<message to='{to}' type='chat' id='r'>{RETRACT.format('s')}</message>"
        )
        await mallory.barrier()
        for client, owner in ((juliet, "juliet"), (romeo, "romeo")):
            _, results = await asked(client, query(("with", "romeo@verona.lit")))
            kept = [write(result) for result in results]
            if owner == "juliet":
                assert [SECRET in text for text in kept] == [True]
        _, results = await asked(romeo, query(("with", "juliet@verona.lit")))
        assert [SECRET in write(result) for result in results] == [True]


async def test_many_retractions_of_one_message(tmp_path: Path) -> None:
    """Each is kept, one counts, and no tombstone is written over by another."""
    async with archives(tmp_path) as (_, juliet, __):
        for number in range(30):
            await juliet.send(
                f"<message to='romeo@verona.lit' type='chat' id='r{number}'>"
                f"{RETRACT.format('s')}</message>"
            )
        await juliet.barrier()
        _, results = await asked(juliet, query())
        assert len(results) == 31
        assert SECRET not in write(results[0])
        assert 'id="r0"' in write(results[0])
