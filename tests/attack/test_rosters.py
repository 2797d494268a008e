"""Attack 20: other people's rosters, and rosters that are meant to burst."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import JULIET, ROMEO, Client, condition, serving

from pyrite.core.jid import JID
from pyrite.core.stanza import Iq, read
from pyrite.core.xml import Element
from pyrite.wire import roster

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

SET = "<iq type='set' id='{}' {}><query xmlns='jabber:iq:roster'>{}</query></iq>"
MINE = "mallory@verona.lit"


async def has_roster(client: Client) -> list[str]:
    """The addresses on the client's roster, as the server says."""
    answer = await client.ask("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
    while answer.attrs.get("id") != "roster":
        answer = await client.element()
    query = answer.child("jabber:iq:roster", "query")
    return [item.attrs["jid"] for item in query.elements] if query else []


@pytest.mark.parametrize("to", ["juliet@verona.lit", "verona.lit", "nobody@verona.lit"])
@pytest.mark.parametrize("kind", ["get", "set"])
async def test_a_roster_is_its_owners(kind: str, to: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online(f"{MINE}/m")
        item = f"<item jid='{MINE}' subscription='both'/>" if kind == "set" else ""
        answer = await mallory.ask(SET.format(1, f"to='{to}'", item).replace("'set'", f"'{kind}'"))
        assert condition(answer) in ("forbidden", "service-unavailable", "not-allowed")
        assert await has_roster(juliet) == ["romeo@verona.lit"]


async def test_a_push_from_a_stranger_is_known_as_such(tmp_path: Path) -> None:
    """It reaches the client, which believes only its own server (RFC 6121 §2.1.6)."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online(f"{MINE}/m")
        item = f"<item jid='{MINE}' subscription='both'/>"
        await mallory.send(SET.format(1, "to='juliet@verona.lit/b'", item))
        await mallory.barrier()
        (push,) = await juliet.barrier()
        assert push.attrs["from"] == f"{MINE}/m"
        iq = read(push)
        assert isinstance(iq, Iq)
        assert not roster.is_push(iq, JULIET)
        assert await has_roster(juliet) == []


async def test_nobody_gives_themselves_a_subscription(tmp_path: Path) -> None:
    """§2.1.2.5: what only the server may say is not taken from a client."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        mallory = await service.online(f"{MINE}/m", available=True)
        await mallory.send(
            SET.format(1, "", "<item jid='juliet@verona.lit' subscription='both' approved='true'/>")
        )
        await mallory.send(f"<presence from='{MINE}/m'><status>x</status></presence>")
        await mallory.barrier()
        assert await juliet.barrier() == []
        kept = await service.server.rosters.of(JID.parse(MINE))
        assert kept.items[JULIET].subscription == "none"
        assert not kept.items[JULIET].approved


BOMBS = {
    "name": "<item jid='juliet@verona.lit' name='{x}'/>",
    "group": "<item jid='juliet@verona.lit'><group>{x}</group></item>",
    "empty group": "<item jid='juliet@verona.lit'><group/></item>",
    "many groups": "<item jid='juliet@verona.lit'>"
    + "".join(f"<group>{n}</group>" for n in range(3000))
    + "</item>",
    "many items": "".join(f"<item jid='x{n}@verona.lit'/>" for n in range(3000)),
    "no item": "",
    "no address": "<item name='x'/>",
    "a resource": "<item jid='juliet@verona.lit/b'/>",
    "itself": f"<item jid='{MINE}'/>",
    "no such address": "<item jid='@@@'/>",
    "long address": "<item jid='{x}@verona.lit'/>",
}


async def test_a_group_as_long_as_a_stanza(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online(f"{MINE}/m")
        item = f"<item jid='juliet@verona.lit'><group>{'x' * 500_000}</group></item>"
        assert condition(await mallory.ask(SET.format(1, "", item))) == "not-acceptable"
        await mallory.is_served()


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_bombs_are_refused(bomb: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online(f"{MINE}/m")
        answer = await mallory.ask(SET.format(1, "", bomb.format(x="x" * 10_000)))
        assert condition(answer) in (
            "bad-request", "not-acceptable", "not-allowed", "jid-malformed", "policy-violation"
        )  # fmt: skip
        assert await has_roster(mallory) == []


async def test_a_roster_has_an_end(tmp_path: Path) -> None:
    """Contacts that are listed, and strangers who ask: neither grows without limit."""
    from pyrite.server.store.roster import LIMITS, Edit, Item

    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online(f"{MINE}/m")
        me = JID.parse(MINE)
        edits = [
            Edit(me, jid, lambda _, jid=jid: Item(jid))  # type: ignore[misc]
            for jid in (JID.parse(f"x{n}@verona.lit") for n in range(LIMITS.listed))
        ]
        await service.server.stores.roster.edit(*edits)
        answer = await mallory.ask(SET.format(1, "", "<item jid='one-more@verona.lit'/>"))
        assert condition(answer) == "resource-constraint"
        answer = await mallory.ask("<presence to='juliet@verona.lit' type='subscribe' id='1'/>")
        assert condition(answer) == "resource-constraint"


async def test_a_flood_of_requests_is_one_request(tmp_path: Path) -> None:
    """However often the same stranger asks (§3.1.3): one is kept, and it is not large."""
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online(f"{MINE}/m", available=True)
        asked = "<presence to='juliet@verona.lit' type='subscribe'><status>{}</status></presence>"
        for number in range(300):
            await mallory.send(asked.format(number))
        await mallory.send(asked.format("x" * 400_000))
        await mallory.barrier()
        juliet = await service.online("juliet@verona.lit/b")
        await juliet.send("<presence/>")
        requests = [e for e in await juliet.barrier() if e.attrs.get("type") == "subscribe"]
        assert len(requests) == 1
        kept = (await service.server.rosters.of(JULIET)).items[JID.parse(MINE)]
        assert kept.request is not None
        assert len(kept.request) < 20_000
        assert isinstance(requests[0], Element)
