"""People move between Pyrite and Prosody with their files, and find all as it was (XEP-0227).

Prosody's own storage in this format is what reads and writes the other side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .people import Cast, Person, befriend, settle
from .servers import VERONA, Prosody, Pyrite

CARD = "<vCard xmlns='vcard-temp'><FN>Romeo Montague</FN><NICKNAME>R&amp;J</NICKNAME></vCard>"
PREFERENCES = "<prefs xmlns='urn:test:prefs'><colour>rosé</colour></prefs>"


class Filed(Prosody):
    """A Prosody whose accounts are files of the format."""

    name = "prosody-xep0227"
    SETTINGS = (
        Prosody.SETTINGS.replace('"vcard_legacy"', '"vcard"')
        .replace('"pep", ', "")
        .replace(
            'VirtualHost "verona.example"',
            """
        storage = {{
            accounts = "xep0227", roster = "xep0227", vcard = "xep0227", private = "xep0227"
        }}
        VirtualHost "verona.example"
    """,
        )
    )

    def file(self, jid: str) -> Path:
        return self.home / "data" / f"{jid}.xml"


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filed]:
    running = Filed(tmp_path_factory.mktemp("filed"))
    running.start()
    yield running
    assert running.stop() == 0


async def asked(person: Person, query: str) -> str:
    """What the server has, in a form that can be compared."""
    answer = await person.ask("get", query)
    return ElementTree.canonicalize(ElementTree.tostring(answer.xml[0]))


async def belongings(person: Person) -> dict[str, object]:
    """What the person sees of what is kept."""
    items = await person.roster()
    return {
        "contacts": {
            jid: (
                item.get("name"),
                item.get("subscription"),
                item.get("ask"),
                sorted(group.text or "" for group in item),
            )
            for jid, item in items.items()
        },
        "card": await asked(person, "<vCard xmlns='vcard-temp'/>"),
        "private": await asked(
            person,
            "<query xmlns='jabber:iq:private'><prefs xmlns='urn:test:prefs'/></query>",
        ),
    }


async def furnish(cast: Cast) -> tuple[Person, Person, str]:
    """Romeo with all that he keeps, Juliet who is his friend, and who waits for his answer."""
    romeo, juliet, paris = [
        await cast.enter(name, plugins=()) for name in ("romeo", "juliet", "paris")
    ]
    await befriend(romeo, juliet)
    await romeo.ask("set", CARD)
    await romeo.ask("set", f"<query xmlns='jabber:iq:private'>{PREFERENCES}</query>")
    await romeo.ask(
        "set",
        f"<query xmlns='jabber:iq:roster'><item jid='{juliet.bare}' name='Juliet &lt;3'>"
        "<group>Friends</group><group>Verona</group></item></query>",
    )
    romeo.send_presence(f"nobody@{VERONA}", "subscribe")
    paris.send_presence(romeo.bare, "subscribe")
    await romeo.presence("subscribe", paris.bare)
    await settle(romeo, juliet, paris)
    return romeo, juliet, paris.bare


async def at_home(cast: Cast, jid: str, **how: str) -> Person:
    return await cast.person(jid).log_in(**how)


async def test_from_pyrite_to_prosody(pyrite: Pyrite, filed: Filed) -> None:
    before, after = Cast(pyrite, -1), Cast(filed, -1)
    romeo, juliet, paris = await furnish(before)
    had = await belongings(romeo)
    people = [romeo.bare, juliet.bare]
    await before.go_home()
    for jid in people:
        pyrite.command("account", "export", jid, "--output", str(filed.file(jid)))
    romeo = await at_home(after, people[0], mechanism="SCRAM-SHA-1")
    juliet = await at_home(after, people[1], mechanism="PLAIN")
    assert await belongings(romeo) == had
    await romeo.presence(sender=juliet.full)
    await romeo.presence("subscribe", paris)
    await after.go_home()


async def test_from_prosody_to_pyrite(pyrite: Pyrite, filed: Filed) -> None:
    before, after = Cast(filed, -2), Cast(pyrite, -2)
    romeo, juliet, paris = await furnish(before)
    had = await belongings(romeo)
    people = [romeo.bare, juliet.bare]
    await before.go_home()
    told = pyrite.command("account", "import", *(str(filed.file(jid)) for jid in people))
    assert told.count("SCRAM-SHA-1\n") == 2, told
    romeo = await at_home(after, people[0], mechanism="SCRAM-SHA-1")
    juliet = await at_home(after, people[1], mechanism="PLAIN")
    assert await belongings(romeo) == had
    await romeo.presence(sender=juliet.full)
    await romeo.presence("subscribe", paris)
    await after.go_home()


async def test_there_and_back(pyrite: Pyrite, filed: Filed) -> None:
    """What Prosody has rewritten is the same to us."""
    before, between = Cast(pyrite, -3), Cast(filed, -3)
    romeo, *_ = await furnish(before)
    jid, had = romeo.bare, await belongings(romeo)
    await before.go_home()
    pyrite.command("account", "export", jid, "--output", str(filed.file(jid)))
    romeo = await at_home(between, jid, mechanism="SCRAM-SHA-1")
    card = CARD.replace("Romeo Montague", "Romeo of Mantua")
    await romeo.ask("set", card)
    await between.go_home()
    pyrite.command("account", "import", str(filed.file(jid)), "--replace")
    romeo = await at_home(before, jid, mechanism="SCRAM-SHA-256")
    has = await belongings(romeo)
    assert has.pop("card") == had.pop("card").replace("Romeo Montague", "Romeo of Mantua")
    assert has == had
    await before.go_home()
