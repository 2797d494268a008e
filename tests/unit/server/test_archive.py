"""The archive where the disk, time and clients that go decide."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.scene import Memory, in_memory, quiet
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.stanza import NS as NS_CLIENT
from pyrite.core.xml import Element, parse, write
from pyrite.kit.config import DAY
from pyrite.server.mod.archive.preferences import MAX_LISTED
from pyrite.server.session import Session
from pyrite.server.store.archive import Entry
from pyrite.wire.archive import NS

pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])

ROMEO, JULIET = JID.parse("romeo@verona.lit/garden"), JID.parse("juliet@verona.lit/balcony")
TOMB = JULIET.bare.at("tomb")
OTHER_HOST = JID.parse("benvolio@mantua.lit/street")


def story(*modules: str, hosts: tuple[str, ...] = ("verona.lit",), **settings: str) -> Script:
    return Script(
        modules=("archive", *modules),
        hosts=hosts,
        settings={"archive": settings},
        extras=[ROMEO.bare, JULIET.bare],
    )


def chat(to: JID, body: str, id: str = "") -> str:
    return f'<message to="{to}" type="chat" id="{id}"><body>{body}</body></message>'


async def archived(scene: Memory, owner: JID = JULIET) -> list[Entry]:
    return (await scene.server.stores.archive.page(owner.bare, limit=1000)).entries


async def enter(scene: Memory, *actors: JID) -> None:
    for actor in actors:
        await scene.join(actor)
        await scene.send(actor, "<presence/>")
        scene.sessions[actor].take()


async def messages(scene: Memory, actor: JID) -> list[Element]:
    found: list[Element] = []
    while (element := await scene.receive(actor)) is not None:
        if element.name.tag == "message":
            found.append(element)
    return found


def bodies(entries: list[Entry]) -> list[str]:
    stanzas = [parse(entry.stanza, NS_CLIENT) for entry in entries]
    found = [stanza.child(NS_CLIENT, "body") for stanza in stanzas]
    return [body.text if body is not None else "" for body in found]


# --- an acknowledged message is committed -----------------------------------------------------


async def test_a_message_is_delivered_at_once_and_handled_when_it_is_kept(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        session = scene.sessions[ROMEO]
        before = session.handled
        await scene.send(ROMEO, chat(JULIET, "hi"))
        assert [stanza.tag for stanza in scene.sessions[JULIET].take()] == ["message"]
        assert session.handled == before + 1
        assert session.debts is not None
        assert session.debts.settled == before  # nothing of it is on the disk
        async with asyncio.timeout(PATIENCE):
            await session.debts.paid()
        assert session.debts.settled == before + 1
        assert bodies(await archived(scene)) == bodies(await archived(scene, ROMEO)) == ["hi"]


async def test_both_copies_have_ids_of_their_own_and_one_text(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "hi"))
        (delivered,) = scene.sessions[JULIET].take()
        (theirs,), (ours,) = await archived(scene), await archived(scene, ROMEO)
        assert theirs.stanza == delivered.write()
        assert theirs.id != ours.id
        assert str(theirs.id) in theirs.stanza
        assert "stanza-id" not in ours.stanza


async def test_who_is_not_kept_up_with_is_refused(tmp_path: Path) -> None:
    """Where too much waits for the disk, a message is refused and not delivered unkept."""
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "hi"))  # now nobody has to be asked what to keep
        for number in range(400):  # without a turn of the loop, in which some could be written
            scene.sessions[JULIET].take()
            await scene.send(ROMEO, chat(JULIET, "x" * 200_000, str(number)))
            if refused := scene.sessions[ROMEO].take():
                break
        else:
            pytest.fail("all were taken")
        assert refused[0].error is not None
        assert (refused[0].error.condition, refused[0].error.type) == (
            "resource-constraint",
            "wait",
        )
        assert scene.sessions[JULIET].take() == []


async def test_what_the_disk_refuses_is_told_to_who_sent_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "kept", "m1"))
        await archived(scene)

        def break_it(database: sqlite3.Connection) -> None:
            database.execute("ALTER TABLE archive_entries RENAME TO broken")

        await scene.server.stores.engine.write(break_it)
        session = scene.sessions[ROMEO]
        await scene.send(ROMEO, chat(JULIET, "lost", "m2"))
        assert [s.id for s in scene.sessions[JULIET].take()] == ["m1", "m2"]  # she does not wait
        await scene.server.stores.archive.close()  # it has no more patience
        async with asyncio.timeout(PATIENCE):
            await session.debts.paid() if session.debts else None
        (told,) = session.take()
        assert told.id == "m2"
        assert told.error is not None
        assert told.error.condition == "resource-constraint"
        caplog.clear()


# --- messages that come back from clients that are gone ---------------------------------------


@pytest.mark.parametrize("to", [JULIET, JULIET.bare], ids=str)
async def test_what_comes_back_is_kept_once(to: JID, tmp_path: Path) -> None:
    """It keeps its id, so that who gets it knows that it is in the archive."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(to, "hi"))
        await scene.server.unbind(scene.sessions.pop(JULIET))
        assert bodies(await archived(scene)) == ["hi"]
        (entry,) = await archived(scene)
        await scene.join(TOMB)
        await scene.send(TOMB, "<presence/>")
        (handed,) = await messages(scene, TOMB)
        named = handed.child("urn:xmpp:sid:0", "stanza-id")
        assert named is not None
        assert named.attrs == {"id": str(entry.id), "by": str(JULIET.bare)}
        assert len(await archived(scene)) == 1


async def test_results_are_for_the_client_that_asked(tmp_path: Path) -> None:
    """If it goes before taking them, they are nobody's: they do not wait, nor go to others."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "hi"))
        scene.sessions[JULIET].take()
        await scene.send(JULIET, f'<iq type="set" id="1"><query xmlns="{NS}"/></iq>')
        assert len(scene.sessions[JULIET].queue) == 2
        await scene.join(TOMB)
        await scene.send(TOMB, "<presence/>")
        await scene.server.unbind(scene.sessions.pop(JULIET))
        assert await messages(scene, TOMB) == []
        await scene.server.unbind(scene.sessions.pop(TOMB))
        assert await scene.server.stores.offline.count(JULIET.bare) == 0
        assert len(await archived(scene)) == 1


async def test_offline_storage_may_be_full(tmp_path: Path) -> None:
    """A message that is in the archive is not lost, and not refused."""
    script = story("offline")
    script.settings["offline"] = {"count": "1"}
    async with in_memory(script, tmp_path, 0) as scene:
        await enter(scene, ROMEO)
        for body in ("1", "2", "3"):
            await scene.send(ROMEO, chat(JULIET.bare, body))
        assert scene.sessions[ROMEO].take() == []
        assert await scene.server.stores.offline.count(JULIET.bare) == 1
        assert bodies(await archived(scene)) == ["1", "2", "3"]
        hint = '<no-permanent-store xmlns="urn:xmpp:hints"/>'
        await scene.send(ROMEO, chat(JULIET.bare, "4").replace("</message>", f"{hint}</message>"))
        (refused,) = scene.sessions[ROMEO].take()
        assert refused.error is not None
        assert refused.error.condition == "service-unavailable"


# --- whose messages are kept ------------------------------------------------------------------


def prefs(default: str, never: str = "") -> str:
    never = f"<never>{never}</never>"
    return f'<iq type="set" id="p"><prefs xmlns="{NS}" default="{default}">{never}</prefs></iq>'


async def test_preferences_outlive_the_module_and_not_the_account(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        host = scene.server.hosts["verona.lit"]
        await scene.send(JULIET, prefs("never"))
        await host.unload("archive")
        await scene.send(ROMEO, chat(JULIET, "nowhere"))
        await host.load("archive")
        await scene.send(ROMEO, chat(JULIET, "not in hers"))
        assert bodies(await archived(scene)) == []
        assert bodies(await archived(scene, ROMEO)) == ["not in hers"]
        await scene.server.unbind(scene.sessions.pop(JULIET))
        await scene.server.delete_account(JULIET.bare)
        await scene.server.stores.accounts.create(JULIET.bare, (), scene.clock.now())
        await enter(scene, JULIET)
        await scene.send(ROMEO, chat(JULIET, "a new Juliet"))
        assert bodies(await archived(scene)) == ["a new Juliet"]


@pytest.mark.parametrize(("default", "kept"), [("never", []), ("roster", []), ("always", ["hi"])])
async def test_what_holds_for_who_says_nothing(
    default: str, kept: list[str], tmp_path: Path
) -> None:
    async with in_memory(story(default=f'"{default}"'), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "hi"))
        assert bodies(await archived(scene)) == bodies(await archived(scene, ROMEO)) == kept


async def test_preferences_are_bounded(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        for number, condition in ((MAX_LISTED, None), (MAX_LISTED + 1, "policy-violation")):
            jids = "".join(f"<jid>a{n}@mantua.lit</jid>" for n in range(number))
            await scene.send(JULIET, prefs("always", jids + "<jid>a0@mantua.lit</jid>"))
            (answer,) = scene.sessions[JULIET].take()
            assert (answer.error.condition if answer.error else None) == condition


# --- pages ------------------------------------------------------------------------------------


async def test_a_page_is_given_as_fast_as_it_is_taken(tmp_path: Path) -> None:
    """A client that asks for much and reads nothing is waited for, and not ended."""
    async with in_memory(story(page="1000"), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        for number in range(300):
            await scene.send(ROMEO, chat(JULIET, f"{number:0500}"))
            scene.sessions[JULIET].take()
        session = scene.sessions[JULIET]
        waited: list[int] = []

        async def writable() -> None:
            waited.append(len(session.queue))
            taken.extend(session.take())

        taken: list[object] = []
        session.writable = writable
        session.limits = type(session.limits)(send_queue=100)
        await scene.send(JULIET, f'<iq type="set" id="1"><query xmlns="{NS}"/></iq>')
        assert waited
        assert max(waited) <= 51
        assert session.ended is None
        assert len(taken) + len(session.take()) == 301


async def test_what_cannot_be_read_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "one"))
        await scene.send(ROMEO, chat(JULIET, "two"))
        scene.sessions[JULIET].take()
        first, _ = await archived(scene)
        await scene.server.stores.archive.replace(JULIET.bare, first.id, "<message")
        await scene.send(JULIET, f'<iq type="set" id="1"><query xmlns="{NS}"/></iq>')
        result, fin = scene.sessions[JULIET].take()
        assert "two" in result.write()
        assert f"<first>{first.id}</first>" in write(fin.to_element())  # it has its place
        assert "cannot be read" in caplog.text
        caplog.clear()


# --- what is kept no longer -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"keep": '"7d12h"'}, ["2", "3"]),
        ({"count": "1"}, ["3"]),
        ({"size": '"1B"'}, []),
        ({"keep": '"0s"', "count": "0", "size": '"0B"'}, ["1", "2", "3"]),
    ],
)
async def test_the_oldest_go_first(
    settings: dict[str, str], left: list[str], tmp_path: Path
) -> None:
    async with in_memory(story(**settings), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        for body, days in (("1", 6), ("2", 1), ("3", 1)):
            await scene.send(ROMEO, chat(JULIET, body))
            await quiet(scene.server)
            scene.clock.advance(days * DAY)
        await quiet(scene.server)
        assert bodies(await archived(scene)) == left


@pytest.mark.parametrize("settings", [{"count": "100"}, {"size": '"64KiB"'}])
async def test_one_that_grows_fast_is_seen_to_at_once(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """Else it had an hour to fill the disk."""
    async with in_memory(story(**settings), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        for n in range(1100):
            await scene.send(ROMEO, chat(JULIET, f"{n} {'x' * 3000}"))
            scene.sessions[JULIET].take()
        await quiet(scene.server)
        for owner in (ROMEO, JULIET):
            entries = await archived(scene, owner)
            assert len(entries) < 700
            assert f">1099 {'x' * 3000}<" in entries[-1].stanza


async def test_each_host_has_its_limits(tmp_path: Path) -> None:
    script = story(hosts=("verona.lit", "mantua.lit"), keep='"1d"')
    script.extras.append(OTHER_HOST.bare)
    async with in_memory(script, tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET, OTHER_HOST)
        module = scene.server.hosts["mantua.lit"].modules["archive"]
        module.settings = type(module.settings)(keep=10 * DAY)
        await scene.send(ROMEO, chat(OTHER_HOST, "hi"))
        assert len(await archived(scene, ROMEO)) == len(await archived(scene, OTHER_HOST)) == 1
        scene.clock.advance(2 * DAY)
        await quiet(scene.server)
        assert await archived(scene, ROMEO) == []
        assert len(await archived(scene, OTHER_HOST)) == 1
        scene.clock.advance(9 * DAY)
        await quiet(scene.server)
        assert await archived(scene, OTHER_HOST) == []


async def test_an_account_takes_its_archive_along(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, ROMEO, JULIET)
        await scene.send(ROMEO, chat(JULIET, "hi"))
        assert len(await archived(scene)) == 1
        await scene.server.unbind(scene.sessions.pop(JULIET))
        await scene.server.delete_account(JULIET.bare)
        assert await archived(scene) == []
        assert len(await archived(scene, ROMEO)) == 1


async def test_what_a_client_has_fetched_waits_no_longer(tmp_path: Path) -> None:
    """It is not handed over, and it does not stay for the next one."""
    async with in_memory(story("offline", page="1000"), tmp_path, 0) as scene:
        await enter(scene, ROMEO)
        for number in range(3):
            await scene.send(ROMEO, chat(JULIET.bare, str(number)))
        await scene.join(JULIET)
        session: Session = scene.sessions[JULIET]
        await scene.send(JULIET, f'<iq type="set" id="1"><query xmlns="{NS}"/></iq>')
        session.take()
        await scene.send(JULIET, "<presence/>")
        await quiet(scene.server)
        assert [stanza.tag for stanza in session.take()] == ["presence"]
        assert await scene.server.stores.offline.count(JULIET.bare) == 0
