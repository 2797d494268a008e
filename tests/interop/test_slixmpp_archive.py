"""A client finds what its account said and heard (XEP-0313, XEP-0359, XEP-0441)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slixmpp.exceptions import IqError

from .people import PATIENCE, Cast, Person, attribute, child, settle
from .servers import VERONA

NS = "urn:xmpp:mam:2"
NS_IDS = "urn:xmpp:sid:0"
PLUGINS = ["xep_0030", "xep_0059", "xep_0280", "xep_0313", "xep_0359", "xep_0424", "xep_0441"]
CLIENT = "{jabber:client}"

pytestmark = pytest.mark.ejabberd


def told(result: Any) -> tuple[str, str]:
    """The id and the words of one result."""
    inner = result.xml.find(f".//{CLIENT}message")
    assert inner is not None
    return result["mam_result"]["id"], inner.findtext(f"{CLIENT}body") or ""


def body(result: Any) -> str:
    return told(result)[1]


def named(message: Any, owner: str) -> str:
    """The id that the archive of `owner` gave a message."""
    ids = [e for e in message.xml.findall(f"{{{NS_IDS}}}stanza-id") if e.get("by") == owner]
    assert len(ids) == 1
    return str(ids[0].get("id"))


async def page(person: Person, **asked: Any) -> Any:
    """The answer to one question, with its results."""
    answer = await person["xep_0313"].retrieve(timeout=PATIENCE, **asked)
    return answer["mam"]["results"]


async def talk(cast: Cast, number: int) -> tuple[Person, Person]:
    """Romeo and Juliet, who have said so much in turn: 0, 1, 2 ..."""
    romeo = await cast.enter("romeo/desk", plugins=PLUGINS)
    juliet = await cast.enter("juliet/balcony")
    for turn in range(number):
        speaker, hearer = (romeo, juliet) if turn % 2 == 0 else (juliet, romeo)
        speaker.say(hearer.full, str(turn))
        await hearer.message(str(turn))
    await settle(romeo, juliet)
    return romeo, juliet


@pytest.mark.ejabberd("no extended fields, no metadata")
async def test_it_is_announced(cast: Cast) -> None:
    """§7; an account says so, and not the server."""
    romeo = await cast.enter("romeo/desk", plugins=PLUGINS)
    info = await romeo["xep_0030"].get_info(romeo.bare, timeout=PATIENCE)
    features = info["disco_info"]["features"]
    assert {NS, f"{NS}#extended", NS_IDS} <= set(features)


async def test_page_by_page_both_ways(cast: Cast) -> None:
    """§4.3; all of it, in the order in which it was said."""
    romeo, _ = await talk(cast, 7)
    forwards = [body(m) async for m in romeo["xep_0313"].iterate(rsm={"max": 3})]
    assert forwards == [str(n) for n in range(7)]
    backwards = [body(m) async for m in romeo["xep_0313"].iterate(rsm={"max": 3}, reverse=True)]
    assert backwards == [str(n) for n in reversed(range(7))]


async def test_by_partner_and_by_time(cast: Cast) -> None:
    """§4.1.1, §4.1.2."""
    romeo, juliet = await talk(cast, 3)
    nurse = await cast.enter("nurse/kitchen")
    nurse.say(romeo.full, "my lady calls")
    await romeo.message("my lady calls")
    assert [body(m) for m in await page(romeo, with_jid=juliet.bare)] == ["0", "1", "2"]
    assert [body(m) for m in await page(romeo, with_jid=nurse.full)] == ["my lady calls"]
    assert await page(romeo, with_jid=f"nobody@{VERONA}") == []
    now = datetime.now(UTC)
    everything = ["0", "1", "2", "my lady calls"]
    assert [body(m) for m in await page(romeo, start=now - timedelta(hours=1))] == everything
    assert await page(romeo, start=now + timedelta(hours=1)) == []
    assert await page(romeo, end=now - timedelta(hours=1)) == []


async def test_an_id_is_the_same_on_its_way_and_in_the_archive(cast: Cast) -> None:
    """§3.5, XEP-0359: who gets a message knows what it is called; who sent it is not told."""
    romeo, juliet = await talk(cast, 0)
    juliet.say(romeo.full, "one")
    heard = await romeo.message("one")
    romeo.say(juliet.full, "two")
    assert [e for e in (await juliet.message("two")).xml.findall(f"{{{NS_IDS}}}stanza-id")
            if e.get("by") == romeo.bare] == []  # fmt: skip
    (first, _) = map(told, await page(romeo))
    assert first == (named(heard, romeo.bare), "one")


@pytest.mark.ejabberd("an id that it never gave is no error")
async def test_from_a_known_message_on(cast: Cast) -> None:
    """§4.3.2: how a client catches up; what it asks behind must be there."""
    romeo, juliet = await talk(cast, 4)
    known = [told(m)[0] for m in await page(romeo)]
    juliet.say(romeo.full, "news")
    await romeo.message("news")
    assert [body(m) for m in await page(romeo, rsm={"after": known[-1]})] == ["news"]
    assert [body(m) for m in await page(romeo, rsm={"before": known[2]})] == ["0", "1"]
    with pytest.raises(IqError) as raised:
        await romeo["xep_0313"].retrieve(rsm={"after": "no-such-id"}, timeout=PATIENCE)
    assert raised.value.condition == "item-not-found"


async def test_what_a_phone_sent_is_known_by_its_id(cast: Cast) -> None:
    """§3.5 with XEP-0280: a copy of what another client of the account has sent."""
    desk, juliet = await talk(cast, 0)
    phone = await cast.again(desk, "phone", plugins=PLUGINS)
    await phone["xep_0280"].enable(timeout=PATIENCE)
    desk.say(juliet.full, "from the desk")
    copy = await phone.hear(lambda s: child(s, "urn:xmpp:carbons:2", "sent") is not None)
    inner = copy.xml.find(f".//{CLIENT}message")
    ids = {e.get("by"): e.get("id") for e in inner.findall(f"{{{NS_IDS}}}stanza-id")}
    (kept,) = map(told, await page(phone))
    assert kept == (ids[desk.bare], "from the desk")


async def test_what_waits_is_what_the_archive_has(cast: Cast) -> None:
    """§6.1.1: the id tells a client that it knows the message already."""
    romeo, juliet = await talk(cast, 0)
    await romeo.leave()
    juliet.say(romeo.bare, "are you there?")
    await settle(juliet)
    again = await cast.again(romeo, "phone", plugins=PLUGINS)
    waited = await again.message("are you there?")
    (kept,) = map(told, await page(again))
    assert kept == (named(waited, romeo.bare), "are you there?")


@pytest.mark.ejabberd("what waits is handed over although the archive was read")
async def test_who_asks_first_gets_it_once(cast: Cast) -> None:
    """§6.1.1: a client that has read its archive is not given the same from offline storage."""
    romeo, juliet = await talk(cast, 0)
    await romeo.leave()
    juliet.say(romeo.bare, "are you there?")
    await settle(juliet)
    again = await cast.again(romeo, "phone", plugins=PLUGINS, presence=False)
    assert [body(m) for m in await page(again)] == ["are you there?"]
    again.forget()
    await again.appear()
    await settle(again)
    assert [s for s in again.heard if attribute(s, "type") == "chat"] == []


async def test_hints(cast: Cast) -> None:
    """XEP-0334 §4."""
    romeo, juliet = await talk(cast, 0)
    for hint in ("no-store", "no-permanent-store"):
        juliet.client.send_raw(
            f"<message type='chat' to='{romeo.full}'><body>{hint}</body>"
            f"<{hint} xmlns='urn:xmpp:hints'/></message>"
        )
        await romeo.message(hint)
    juliet.say(romeo.full, "this is kept")
    await romeo.message("this is kept")
    assert [body(m) for m in await page(romeo)] == ["this is kept"]


async def test_preferences(cast: Cast) -> None:
    """XEP-0441: from the next message on."""
    romeo, juliet = await talk(cast, 0)
    plugin = romeo["xep_0441"]
    await plugin.set_preferences(default="never", always=[], never=[], timeout=PATIENCE)
    juliet.say(romeo.full, "not kept")
    await romeo.message("not kept")
    await plugin.set_preferences(default="never", always=[juliet.bare], never=[], timeout=PATIENCE)
    default, always, never = await plugin.get_preferences(timeout=PATIENCE)
    assert (default, list(map(str, always)), list(never)) == ("never", [juliet.bare], [])
    juliet.say(romeo.full, "kept")
    await romeo.message("kept")
    assert [body(m) for m in await page(romeo)] == ["kept"]


@pytest.mark.ejabberd("no metadata")
async def test_metadata(cast: Cast) -> None:
    """§5."""
    romeo, _ = await talk(cast, 3)
    kept = [told(m)[0] for m in await page(romeo)]
    found = (await romeo["xep_0313"].get_archive_metadata(timeout=PATIENCE))["mam_metadata"]
    assert (found["start"]["id"], found["end"]["id"]) == (kept[0], kept[-1])
    assert found["start"]["timestamp"] <= found["end"]["timestamp"]


@pytest.mark.ejabberd("a question for somebody else's archive gets no error")
async def test_an_archive_is_its_owners(cast: Cast) -> None:
    """§8.1: whatever the error, nothing is given."""
    romeo, juliet = await talk(cast, 2)
    with pytest.raises(IqError):
        await juliet.ask("set", f"<query xmlns='{NS}'/>", romeo.bare)
    await settle(juliet)
    assert [s for s in juliet.heard if child(s, NS, "result") is not None] == []


@pytest.mark.ejabberd("no tombstones, and no search")
@pytest.mark.lacking("no retraction, and no search")
async def test_retraction_and_search(cast: Cast) -> None:
    """XEP-0424 §4, XEP-0431: what is taken back is a tombstone, and found no more."""
    romeo, juliet = await talk(cast, 1)
    field = "{urn:xmpp:fulltext:0}fulltext"
    form = (
        f"<query xmlns='{NS}'><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE'><value>{NS}</value></field>"
        f"<field var='{field}'><value>WINDOW</value></field></x></query>"
    )
    offered = {f["var"] for f in await romeo["xep_0313"].get_fields(timeout=PATIENCE)}
    assert field in offered
    said = romeo.say(juliet.full, "the wrong window")
    await juliet.message("the wrong window")
    await romeo.ask("set", form)
    found = await romeo.hear(lambda s: child(s, NS, "result") is not None)
    assert body(found) == "the wrong window"
    romeo["xep_0424"].send_retraction(juliet.full, said["id"], mtype="chat")
    await settle(romeo, juliet)
    romeo.forget()
    await romeo.ask("set", form)
    assert [s for s in romeo.heard if child(s, NS, "result") is not None] == []
    stone = (await page(romeo, with_jid=juliet.bare))[1]
    inner = stone.xml.find(f".//{CLIENT}message")
    assert inner.get("id") == said["id"]
    assert inner.find("{urn:xmpp:message-retract:1}retracted") is not None
    assert inner.find(f"{CLIENT}body") is None
