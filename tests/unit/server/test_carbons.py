"""Copies of messages whose clients go, and what the module keeps while it is away."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.xml import Element
from pyrite.wire.carbons import NS

pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])

JULIET = JID.parse("juliet@verona.lit/balcony")
DESK, PHONE, LAPTOP = (JID.parse(f"romeo@verona.lit/{r}") for r in ("desk", "phone", "laptop"))
ENABLE = f'<iq type="set" id="on"><enable xmlns="{NS}"/></iq>'
AVAILABLE, UNWILLING = "<presence/>", "<presence><priority>-1</priority></presence>"


async def enter(scene: Memory, actor: JID, *says: str) -> None:
    await scene.join(actor)
    for xml in says:
        await scene.send(actor, xml)


async def messages(scene: Memory, actor: JID) -> list[str]:
    """What `actor` got since: ``copy`` for a copy, else the words."""
    found: list[str] = []
    while (element := await scene.receive(actor)) is not None:
        if element.name.tag == "message":
            found.append("copy" if _is_copy(element.elements) else next(element.elements).text)
    return found


def _is_copy(payloads: Iterable[Element]) -> bool:
    return any(payload.name.ns == NS for payload in payloads)


def chat(to: JID, body: str) -> str:
    return f'<message to="{to}" type="chat"><body>{body}</body></message>'


def story(*modules: str) -> Script:
    return Script(
        modules=("carbons", "delay", *modules),
        hosts=("verona.lit",),
        extras=[JULIET.bare, DESK.bare],
    )


@pytest.mark.parametrize("to", [DESK, DESK.bare], ids=str)
async def test_what_comes_back_is_not_copied_again(to: JID, tmp_path: Path) -> None:
    """The message was for a client that is gone, and waits now; its copy was taken."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE)
        await enter(scene, PHONE, UNWILLING, ENABLE)
        await scene.send(JULIET, chat(to, "hi"))
        assert await messages(scene, PHONE) == ["copy"]
        await scene.server.unbind(scene.sessions.pop(DESK))
        assert await messages(scene, PHONE) == []
        assert await scene.server.stores.offline.count(DESK.bare) == 1


async def test_a_message_that_waited_is_not_copied_when_it_is_handed_on(tmp_path: Path) -> None:
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET, chat(DESK.bare, "hi"))
        await enter(scene, PHONE, UNWILLING, ENABLE)
        await enter(scene, DESK, AVAILABLE)
        await scene.server.unbind(scene.sessions.pop(DESK))
        assert await messages(scene, PHONE) == []
        await enter(scene, LAPTOP, AVAILABLE)
        assert await messages(scene, LAPTOP) == ["hi"]


async def test_a_copy_is_for_its_client_alone(tmp_path: Path) -> None:
    """A client that goes before taking it leaves it to nobody."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE)
        await enter(scene, LAPTOP, AVAILABLE, ENABLE)
        await enter(scene, PHONE, UNWILLING, ENABLE)
        await scene.send(JULIET, chat(DESK, "hi"))
        await scene.server.unbind(scene.sessions.pop(PHONE))
        assert await messages(scene, DESK) == ["hi"]
        assert await messages(scene, LAPTOP) == ["copy"]
        assert await messages(scene, JULIET) == []
        for actor in (DESK, LAPTOP):
            await scene.server.unbind(scene.sessions.pop(actor))
        assert await scene.server.stores.offline.count(DESK.bare) == 0


async def test_a_new_start_of_the_module_forgets_nobody(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK)
        await enter(scene, PHONE, ENABLE)
        host = scene.server.hosts["verona.lit"]
        before = len(host.sending.handlers)
        await host.unload("carbons")
        await scene.send(JULIET, chat(DESK, "not copied"))
        await host.load("carbons")
        assert len(host.sending.handlers) == before
        await scene.send(JULIET, chat(DESK, "copied"))
        assert await messages(scene, PHONE) == ["copy"]


async def test_while_nobody_wants_copies_nothing_is_asked(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]
        quiet = len(host.sending.handlers), len(host.delivering.handlers)
        await enter(scene, PHONE, ENABLE)
        await enter(scene, DESK, ENABLE)
        assert (len(host.sending.handlers), len(host.delivering.handlers)) > quiet
        await scene.server.unbind(scene.sessions.pop(PHONE))
        await scene.send(DESK, ENABLE.replace("enable", "disable"))
        assert (len(host.sending.handlers), len(host.delivering.handlers)) == quiet


async def test_a_privacy_list_holds_for_copies(tmp_path: Path) -> None:
    """XEP-0016 §2.2: a client's own list keeps from it what others of the account get."""
    async with in_memory(story("privacy"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK)
        await enter(scene, PHONE, ENABLE)
        item = f'<item type="jid" value="{JULIET.bare}" action="deny" order="1"><message/></item>'
        for number, inside in enumerate((f'<list name="a">{item}</list>', '<active name="a"/>')):
            query = f'<query xmlns="jabber:iq:privacy">{inside}</query>'
            await scene.send(PHONE, f'<iq type="set" id="{number}">{query}</iq>')
        await scene.send(JULIET, chat(DESK, "hi"))
        assert await messages(scene, DESK) == ["hi"]
        assert await messages(scene, PHONE) == []


# --- what is not said twice --------------------------------------------------------------------

NOTICE = f'<message to="{PHONE}" type="headline"><body>news</body></message>'


async def gone(scene: Memory, actor: JID) -> None:
    """`actor` goes, and has taken nothing of what came since it was looked at last."""
    await scene.server.unbind(scene.sessions.pop(actor))


async def waiting(scene: Memory) -> int:
    return await scene.server.stores.offline.count(DESK.bare)


async def test_rule_65_who_has_a_copy_does_not_get_it_again(tmp_path: Path) -> None:
    async with in_memory(story("archive", "offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE, ENABLE)
        await enter(scene, PHONE, AVAILABLE)
        await scene.send(JULIET, chat(PHONE, "hi"))
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == ["copy"]
        assert await waiting(scene) == 0


async def test_who_has_none_gets_it_and_nobody_else(tmp_path: Path) -> None:
    async with in_memory(story("archive", "offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE, ENABLE)
        await enter(scene, LAPTOP, AVAILABLE)
        await enter(scene, PHONE, AVAILABLE)
        await scene.send(JULIET, chat(PHONE, "hi"))
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == ["copy"]
        assert await messages(scene, LAPTOP) == ["hi"]


@pytest.mark.parametrize("late", ["it asks for copies", "it was private", "the module was away"])
async def test_what_was_not_copied_comes(late: str, tmp_path: Path) -> None:
    async with in_memory(story("archive", "offline"), tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE)
        if late != "it asks for copies":
            await scene.send(DESK, ENABLE)
        if late == "the module was away":
            await host.unload("carbons")
        await enter(scene, PHONE, AVAILABLE)
        said = chat(PHONE, "hi")
        if late == "it was private":
            said = said.replace("</message>", '<no-copy xmlns="urn:xmpp:hints"/></message>')
        scene.clock.advance(1)
        await scene.send(JULIET, said)
        scene.clock.advance(1)
        if late == "it asks for copies":
            await scene.send(DESK, ENABLE)
        if late == "the module was away":
            await host.load("carbons")
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == ["hi"]


@pytest.mark.parametrize("has_taken", [True, False])
async def test_without_an_archive_a_copy_is_enough_once_it_is_taken(
    has_taken: bool, tmp_path: Path
) -> None:
    """Until then it is lost with its client: better twice than not at all."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE, ENABLE)
        await enter(scene, PHONE, AVAILABLE)
        await scene.send(JULIET, chat(PHONE, "hi"))
        if has_taken:
            assert await messages(scene, DESK) == ["copy"]
        scene.clock.advance(1)
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == ([] if has_taken else ["copy", "hi"])


async def test_new_presence_is_no_new_client(tmp_path: Path) -> None:
    """What it was given, it has, wherever its user has gone since."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE)
        await enter(scene, PHONE, AVAILABLE)
        scene.clock.advance(1)
        await scene.send(JULIET, chat(DESK.bare, "hi"))
        scene.clock.advance(1)
        await scene.send(DESK, "<presence><show>away</show></presence>")
        assert await messages(scene, DESK) == ["hi"]
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == []


async def test_who_comes_later_has_nothing_of_it(tmp_path: Path) -> None:
    """However long it has waited for a client that took nothing."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, PHONE, AVAILABLE)
        await messages(scene, PHONE)
        await scene.send(JULIET, chat(DESK.bare, "hi"))
        scene.clock.advance(1)
        await enter(scene, DESK, AVAILABLE)
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == ["hi"]


async def test_what_came_back_and_comes_back_once_more(tmp_path: Path) -> None:
    """All who were there had it the second time."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, PHONE, AVAILABLE)
        await messages(scene, PHONE)
        await scene.send(JULIET, chat(DESK.bare, "hi"))
        scene.clock.advance(1)
        await enter(scene, LAPTOP, AVAILABLE)
        await enter(scene, DESK, AVAILABLE)
        await messages(scene, LAPTOP)
        scene.clock.advance(1)
        await gone(scene, PHONE)
        await gone(scene, LAPTOP)
        assert await messages(scene, DESK) == ["hi"]


async def test_a_headline_for_one_client_is_for_no_other(tmp_path: Path) -> None:
    """RFC 6121 §8.5.3.2.1: who is gone does not hear it, and nobody instead."""
    async with in_memory(story("offline"), tmp_path, 0) as scene:
        await enter(scene, JULIET)
        await enter(scene, DESK, AVAILABLE)
        await enter(scene, PHONE, AVAILABLE)
        await scene.send(JULIET, NOTICE)
        await gone(scene, PHONE)
        assert await messages(scene, DESK) == []
        assert await messages(scene, JULIET) == []
