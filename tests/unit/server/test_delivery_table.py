"""Table 1 of RFC 6121 §8.5.4, each cell of it, played."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import NS
from pyrite.core.xml import write

ONE_LOOP = pytest.mark.asyncio(loop_factories=["asyncio"])
ROMEO: Final = JID.parse("romeo@verona.lit/garden")
TYPES: Final = ("normal", "chat", "groupchat", "headline")

#: O: kept, E: an error, S: silence, D: to the resource, M: to some of them, A: to all that are not
#: negative.
TABLE: Final = """
nobody   | bare        | S/E | S/E | E   | S
nobody   | no match    | S/E | S/E | S/E | S/E
absent   | bare        | O/E | O/E | E   | S
absent   | no match    | S/E | O/E | S/E | S/E
negative | bare        | O/E | O/E | E   | S
negative | match       | D   | D   | D   | D
negative | no match    | S/E | O/E | S/E | S/E
one      | bare        | D   | D   | E   | D
one      | match       | D   | D   | D   | D
one      | no match    | S/E | D   | S/E | S/E
several  | bare        | M/A | M/A | E   | A
several  | match       | D   | D/A | D   | D
several  | no match    | S/E | M/A | S/E | S/E
"""

#: account -> resource -> priority; None: it has not said that it is available
RESOURCES: Final[dict[str, dict[str, int | None]]] = {
    "absent": {},
    "negative": {"a": -1, "b": -128, "c": None},
    "one": {"a": 0, "b": -1, "c": None},
    "several": {"a": 0, "b": 127, "c": -1, "d": None},
}


class Cell(NamedTuple):
    account: str
    address: str
    type: str
    allowed: set[str]

    @property
    def to(self) -> JID:
        bare = JID.parse(f"{self.account}@verona.lit")
        return {"bare": bare, "match": bare.at("a"), "no match": bare.at("z")}[self.address]


def cells() -> Iterator[Cell]:
    for line in TABLE.strip().splitlines():
        account, address, *verdicts = (part.strip() for part in line.split("|"))
        for type, verdict in zip(TYPES, verdicts, strict=True):
            yield Cell(account, address, type, set(verdict.split("/")))
        yield Cell(account, address, "error", {"D" if address == "match" else "S"})


async def arrive(scene: Memory) -> None:
    await scene.join(ROMEO)
    for account, resources in RESOURCES.items():
        for resource, priority in resources.items():
            actor = JID.parse(f"{account}@verona.lit/{resource}")
            await scene.join(actor)
            if priority is not None:
                await scene.send(actor, f"<presence><priority>{priority}</priority></presence>")
    for actor in scene.sessions:
        await ids(scene, actor)


async def ids(scene: Memory, actor: JID) -> list[str]:
    """What `actor` has received by now: the id of each stanza, and its type if it is an error."""
    found: list[str] = []
    while (element := await scene.receive(actor)) is not None:
        error = element.attrs.get("type") == "error" and actor == ROMEO
        found.append(element.attrs.get("id", "") + ("!" if error else ""))
    return found


async def outcome(scene: Memory, to: JID, type: str | None, id: str) -> tuple[set[str], set[str]]:
    """What became of a message: its letters in the table, and the resources that got it."""
    store, bare = scene.server.stores.offline, to.bare
    before = await store.count(bare)
    attr = f' type="{type}"' if type else ""
    await scene.send(ROMEO, f'<message to="{to}"{attr} id="{id}"><body>x</body></message>')
    resources = RESOURCES.get(bare.local or "", {})
    got = {r for r in resources if await ids(scene, bare.at(r)) == [id]}
    willing = {r for r, priority in resources.items() if (priority or 0) >= 0} - {"c", "d"}
    errors = await ids(scene, ROMEO)
    assert errors in ([], [f"{id}!"])
    letters: set[str] = set()
    if errors:
        letters.add("E")
    if await store.count(bare) > before:
        letters.add("O")
    if got:
        letters |= {"A", "M"} if got == willing and to.resource != "a" else set()
        letters |= {"D"} if got == {"a"} else set()
    return letters or {"S"}, got


@ONE_LOOP
async def test_table_1(tmp_path: Path) -> None:
    accounts = [JID.parse(f"{name}@verona.lit") for name in RESOURCES]
    script = Script(modules=("offline",), hosts=("verona.lit",), extras=[ROMEO.bare, *accounts])
    async with in_memory(script, tmp_path, 0) as scene:
        await arrive(scene)
        for number, cell in enumerate(cells()):
            letters, got = await outcome(scene, cell.to, cell.type, f"m{number}")
            assert letters & cell.allowed, (cell, letters)
            assert letters <= cell.allowed | {"A", "M", "D"}, (cell, letters)
            if cell.address != "match":  # §8.5.2.1.1: never to one that wants none
                assert not {r for r in got if (RESOURCES[cell.account][r] or 0) < 0}, cell
            if cell.type == "normal":  # §5.2.2: so is one without a type, and of an unknown one
                for other in (None, "whisper"):
                    again = await outcome(scene, cell.to, other, f"m{number}{other}")
                    assert again == (letters, got), (cell, other)


@ONE_LOOP
async def test_nobody_is_as_somebody_who_is_away(tmp_path: Path) -> None:
    """§8.1: whoever tries addresses learns nothing, whatever the stanza."""
    absent = JID.parse("absent@verona.lit")
    script = Script(hosts=("verona.lit",), extras=[ROMEO.bare, absent])
    payloads = [
        *(
            f'<message to="{{}}" type="{t}"><body>x</body></message>'
            for t in (*TYPES, "error", "?")
        ),
        *(f'<presence to="{{}}" type="{t}"/>' for t in ("subscribe", "subscribed")),
        *(f'<presence to="{{}}" type="{t}"/>' for t in ("unsubscribe", "unsubscribed", "probe")),
        '<presence to="{}"/>',
        '<presence to="{}" type="unavailable"/>',
        *(f'<iq to="{{}}" type="{t}" id="1"><x xmlns="urn:x"/></iq>' for t in ("get", "set")),
        '<iq to="{}" type="get" id="1"><query xmlns="jabber:iq:last"/></iq>',
        '<iq to="{}" type="get" id="1"><vCard xmlns="vcard-temp"/></iq>',
        '<iq to="{}" type="get" id="1"><query xmlns="jabber:iq:roster"/></iq>',
        '<iq to="{}" type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>',
        '<iq to="{}" type="get" id="1"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>',
        '<iq to="{}" type="get" id="1"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>',
        '<iq to="{}" type="result" id="1"/>',
    ]
    async with in_memory(script, tmp_path, 0) as scene:
        await scene.join(ROMEO)
        for payload in payloads:
            for resource in ("", "/home"):
                answers: list[list[str]] = []
                for name in ("absent", "nobody"):
                    await scene.send(ROMEO, payload.format(f"{name}@verona.lit{resource}"))
                    answers.append([])
                    while (element := await scene.receive(ROMEO)) is not None:
                        answers[-1].append(write(element, NS).replace(name, "someone"))
                assert answers[0] == answers[1], payload
