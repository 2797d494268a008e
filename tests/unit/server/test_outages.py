"""The disk is full or the store is gone: whoever asks is told so, and all else goes on."""

import logging
import sqlite3
from pathlib import Path

import pytest
from tests.peer import Peer
from tests.scene import Memory, in_memory, over_sockets
from tests.stage import Contact, Script

from pyrite.core.jid import JID
from pyrite.core.stanza import NS, Stanza
from pyrite.core.xml import Element
from pyrite.kit.hooks import Stage
from pyrite.server.app import Server
from pyrite.server.auth import BackendDown
from pyrite.server.session import Session
from pyrite.store.errors import QuotaExceeded, StoreBusy, StoreError

ROMEO = JID.parse("romeo@verona.lit/garden")
JULIET, NURSE = JID.parse("juliet@verona.lit/balcony"), JID.parse("nurse@verona.lit/home")


def assert_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """That the store fails is the store's to log."""
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in loud] in ([], ["pyrite.store.engine"])
    caplog.clear()


def story(*modules: str) -> Script:
    """All of them are friends."""
    people = [ROMEO.bare, JULIET.bare, NURSE.bare]
    contacts = [Contact(one, other, "both") for one in people for other in people if one != other]
    return Script(
        modules=modules,
        hosts=("verona.lit",),
        contacts=contacts,
        host_settings={"registration": '"open"'},
    )


async def fill_disk(server: Server) -> None:
    """From now on nothing can be written."""
    await server.stores.engine.write(lambda db: db.execute("PRAGMA query_only = ON").fetchone())


async def break_table(server: Server, name: str) -> None:
    """From now on the table cannot be read."""

    def rename(database: sqlite3.Connection) -> None:
        database.execute(f"ALTER TABLE {name} RENAME TO broken_{name}")

    await server.stores.engine.write(rename)


async def received(scene: Memory, actor: JID) -> list[Element]:
    elements: list[Element] = []
    while (element := await scene.receive(actor)) is not None:
        elements.append(element)
    return elements


async def conditions(scene: Memory, actor: JID) -> list[str]:
    """What the error stanzas say that `actor` has received."""
    return [
        next(error.elements).name.tag
        for stanza in await received(scene, actor)
        if (error := stanza.child(NS, "error")) is not None
    ]


MESSAGE = f'<message to="{JULIET.bare}" type="chat"><body>1</body></message>'
ROSTER_SET = '<iq type="set" id="1"><query xmlns="jabber:iq:roster"><item jid="{}"/></query></iq>'


@pytest.mark.parametrize(
    "xml", [MESSAGE, ROSTER_SET.format("a@x"), '<presence to="a@verona.lit" type="subscribe"/>']
)
async def test_a_full_disk_is_the_servers_error(
    xml: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And nobody has to read about it in the log, once for each stanza."""
    async with in_memory(story("offline", "roster"), tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await fill_disk(scene.server)
        await scene.send(ROMEO, xml)
        assert await conditions(scene, ROMEO) == ["internal-server-error"]
        assert scene.sessions[ROMEO].ended is None
        assert_told_once(caplog)


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (StoreError("gone"), "internal-server-error"),
        (StoreBusy("later"), "resource-constraint"),
        (BackendDown("later"), "resource-constraint"),
        (QuotaExceeded("enough"), "resource-constraint"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_no_bug_is_not_taken_for_one(
    error: Exception, condition: str, tmp_path: Path
) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await scene.join(ROMEO)

        def fail(_: Stanza, __: Session) -> None:
            raise error

        scene.server.hosts["verona.lit"].sending.add(Stage.GUARD, fail)
        await scene.send(ROMEO, MESSAGE)
        assert await conditions(scene, ROMEO) == [condition]


async def test_a_session_ends_on_a_full_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_memory(story("last", "roster"), tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.send(ROMEO, "<presence/>")
        await fill_disk(scene.server)
        await scene.leave(ROMEO, cleanly=True)
        assert not scene.server.sessions.of(ROMEO.bare)
        assert_told_once(caplog)


async def test_who_cannot_be_asked_is_told_nothing_and_the_others_are(tmp_path: Path) -> None:
    """A list that cannot be read lets nothing through, and holds up nobody else's presence."""
    async with in_memory(story("blocking", "roster"), tmp_path, 0) as scene:
        for actor in (ROMEO, JULIET, NURSE):
            await scene.join(actor)
        for actor in (ROMEO, NURSE):
            await scene.send(actor, "<presence/>")
        await break_table(scene.server, "privacy_defaults")
        await scene.send(JULIET, "<presence/>")
        await received(scene, NURSE)
        await scene.send(ROMEO, '<presence type="unavailable"/>')
        told = [stanza.attrs.get("type") for stanza in await received(scene, NURSE)]
        assert told == ["unavailable"]


async def test_registration_fails_without_ending_the_stream(tmp_path: Path) -> None:
    async with over_sockets(story("registration"), tmp_path, 0) as scene:
        await break_table(scene.server, "accounts")
        peer = await Peer.connect(scene.server.listeners.ports["c2s"])
        await peer.open("verona.lit")
        query = "<username>bill</username><password>wherefore art thou</password>"
        for number in range(2):
            ask = f'<query xmlns="jabber:iq:register">{query}</query>'
            answer = await peer.ask(f'<iq type="set" id="{number}">{ask}</iq>')
            assert answer.attrs["id"] == str(number)
            assert answer.attrs["type"] == "error"
        await peer.abort()


async def test_what_waited_for_who_is_gone_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its sender must not believe that it was kept."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.join(JULIET)
        await scene.send(JULIET, "<presence/>")
        await scene.send(ROMEO, MESSAGE)
        await fill_disk(scene.server)
        await scene.server.unbind(scene.sessions.pop(JULIET))
        assert await conditions(scene, ROMEO) == ["internal-server-error"]
        assert_told_once(caplog)


async def test_a_session_ends_without_its_roster(tmp_path: Path) -> None:
    """What waited for it is kept all the same."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        for actor in (ROMEO, JULIET):
            await scene.join(actor)
        await scene.send(JULIET, "<presence/>")
        await scene.send(ROMEO, MESSAGE)
        scene.server.rosters.forget(JULIET.bare)
        await break_table(scene.server, "roster_items")
        await scene.server.unbind(scene.sessions.pop(JULIET))
        assert await scene.server.stores.offline.count(JULIET.bare) == 1
