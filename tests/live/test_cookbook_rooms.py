"""Every recipe of docs/how-to/client-rooms-cookbook.md does what it says, on servers of others;
and the one of docs/how-to/client-commands.md that takes an operator."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from tests.interop.servers import Server

from pyrite.client.api import Bookmarks, Disco, MessageReceived, Muc, rooms
from pyrite.core.jid import JID
from pyrite.wire.chatstates import Composing
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)

Run = Callable[[Login, Any, JID, str], Awaitable[None]]
RUNS: dict[str, Run] = {}
pytestmark = pytest.mark.lacks(pyrite="neither rooms nor service administration are served yet")


def recipes(page: str) -> dict[str, str]:
    """Heading -> the program below it."""
    found = {}
    for part in (DOCS / page).read_text().split("\n## ")[1:]:
        if block := BLOCK.search(part):
            found[part.partition("\n")[0]] = block[1]
    return found


COOKBOOK = recipes("client-rooms-cookbook.md")


def runs(heading: str) -> Callable[[Run], Run]:
    def remember(run: Run) -> Run:
        RUNS[heading] = run
        return run

    return remember


def load(text: str) -> Any:
    module = ModuleType("recipe")
    exec(compile(text, "recipe.py", "exec"), module.__dict__)
    return module


async def until(events: Any, kind: type) -> Any:
    while not isinstance(event := await events.next(), kind):
        pass
    return event


@runs("A bot that answers in a room")
async def bot(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(where, "Mont") as room,
    ):
        events = room.events()
        answering = asyncio.create_task(recipe.answer(juliet, str(where)))
        await until(events, rooms.Joined)
        await room.say("!echo hush")
        while (said := await until(events, rooms.Said)).is_own:
            pass
        assert said.body == "Mont: hush"
        await room.whisper("Echo", "psst")
        assert (await until(events, rooms.Whispered)).body == "you said psst"
        await room.say("!leave")
        await answering


@runs("A room of one's own")
async def own(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with login("romeo") as romeo, login("juliet") as juliet:
        member = str(juliet.jid.bare)
        assert await recipe.make(romeo, str(where), "Verona", [member]) == "1 members"
        info = await juliet[Muc].at(where).info()
        assert (info.name, info.is_members_only, info.is_persistent) == ("Verona", True, True)
        await romeo[Muc].at(where).destroy()


@runs("Only a room that is there")
async def there(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with login("romeo") as romeo, login("juliet") as juliet:
        assert await recipe.visit(juliet, str(where)) == ["item-not-found"]
        async with romeo[Muc].join(where, "Mont"):
            assert await recipe.visit(juliet, str(where)) == ["Mont", "juliet"]


@runs("What a room is, before one goes in")
async def what(login: Login, recipe: Any, where: JID, _: str) -> None:
    settings = {"roomname": "Verona", "membersonly": False}
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(where, "Mont", settings=settings),
    ):
        assert await recipe.describe(juliet, str(where)) == "Verona, open, 1 there"


@runs("Take an invitation")
async def invitation(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with (
        login("romeo") as romeo,
        login("juliet", features=[Muc]) as juliet,
        login("tybalt", features=[Muc]) as tybalt,
        romeo[Muc].join(where, "Mont") as room,
        tybalt[Muc].join(JID(f"{where.local}-2", where.domain), "Tyb") as other,
    ):
        taking = asyncio.create_task(recipe.wait_for_one(juliet, str(romeo.jid.bare)))
        declined = tybalt.hear(rooms.Declined)
        await juliet.request(Ping())
        await other.invite(juliet.jid.bare)
        assert (await declined.next()).why == "I do not know you"
        await room.invite(juliet.jid, "wherefore not?", direct=True)
        assert await taking == f"juliet in {where.local}: wherefore not?"


@runs("Words of the last hour")
async def lately(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(where, "Mont") as room,
    ):
        await room.set_subject("love")
        for word in ("one", "two"):
            await (await room.say(word)).delivered
        assert await recipe.lately(juliet, str(where)) == ["Mont: one", "Mont: two"]


@runs("Give a voice to who asks for it")
async def voice(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with login("romeo") as romeo, login("juliet") as juliet, login("nurse") as nurse:
        settings = {"moderatedroom": True, "persistentroom": True}
        async with romeo[Muc].join(where, "First", settings=settings) as first:
            moderating = asyncio.create_task(recipe.moderate(nurse, str(where), 1))
            await first.set_affiliation(nurse.jid, "admin")
            await until(first.events(), rooms.Joined)
        async with juliet[Muc].join(where, "Cap") as room:
            events = room.events()
            if room.me is not None and room.me.role == "visitor":
                await room.ask_voice()
                await until(events, rooms.RoleChanged)
            await room.say("a word")
            assert await moderating == ["Cap"]
        await romeo[Muc].at(where).destroy()


@runs("Keep order")
async def order(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with (
        login("romeo") as romeo,
        login("tybalt") as tybalt,
        login("nurse") as nurse,
        nurse[Muc].join(where, "Nurse") as hers,
    ):
        await hers.set_affiliation(romeo.jid, "owner")
        keeping = asyncio.create_task(recipe.keep_order(romeo, str(where), "villain"))
        await until(hers.events(), rooms.Joined)
        async with tybalt[Muc].join(where, "Tyb") as room:
            events = room.events()
            await room.say("thou art a villain")
            assert "once more" in (await until(events, rooms.Whispered)).body
            await room.say("a villain, I say")
            left = await until(events, rooms.Left)
            assert isinstance(left.reason, rooms.Banned)
            assert await keeping == str(tybalt.jid.bare)


@runs("A nick of one's own")
async def nick(login: Login, recipe: Any, where: JID, make: str) -> None:
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(where, "Mont") as room,
    ):
        await room.set_affiliation(juliet.jid, "member")
        found = await recipe.reserve(juliet, str(where), "Jule")
        # the rooms of ejabberd keep no nicks, or make members without telling their nick
        assert found in (("service-unavailable", "juliet") if make == "ejabberd" else ("Jule",))


@runs("Look after a room from outside")
async def outside(login: Login, recipe: Any, where: JID, _: str) -> None:
    other = JID(f"{where.local}-2", where.domain)
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(where, "Mont", settings={"persistentroom": True}) as room,
        juliet[Muc].join(where, "Cap") as hers,
    ):
        events = hers.events()
        await room.set_affiliation("paris@verona.example", "member")
        assert await recipe.move(romeo, str(where), str(other)) == 1
        assert (await until(events, rooms.Destroyed)).other == other
        await romeo[Muc].at(other).destroy()


@runs("Show that one is typing")
async def typing(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(where, "Mont") as room,
    ):
        events = room.events()
        saying = asyncio.create_task(recipe.say_slowly(juliet, str(where), "well"))
        shown = await until(events, rooms.StateChanged)
        assert (shown.who.nick, shown.state) == ("Slow", Composing())
        assert (await until(events, rooms.Said)).body == "well"
        await saying


@runs("Be where the bookmarks say")
async def marked(login: Login, recipe: Any, where: JID, _: str) -> None:
    async with login("rosaline", features=[Bookmarks]) as rosaline:
        assert await recipe.join_marked(rosaline, str(where)) == "Marked"
        await rosaline[Bookmarks].remove(where)


@pytest.mark.parametrize("heading", COOKBOOK)
async def test_a_recipe(login: Login, server: Server, heading: str) -> None:
    where = JID(f"recipe-{uuid4().hex[:8]}", "conference.verona.example")
    async with asyncio.timeout(PATIENCE):
        await RUNS[heading](login, load(COOKBOOK[heading]), where, server.name)


def test_every_recipe_is_run() -> None:
    assert RUNS.keys() == COOKBOOK.keys()


async def test_an_operator(login: Login) -> None:
    recipe = load(recipes("client-commands.md")["Administer a server"])
    name = f"new-{uuid4().hex[:8]}@verona.example"
    async with login("admin", features=[Disco]) as admin, asyncio.timeout(PATIENCE):
        told = admin.hear(MessageReceived)
        assert await recipe.administer(admin, name) == ["0 contacts", "True"]
        assert (await told.next()).body == "The watch is coming"
