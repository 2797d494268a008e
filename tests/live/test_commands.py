"""Commands: others', step by step, an operator's, and our own, on every server."""

import asyncio
from uuid import uuid4

import pytest

from pyrite.client.errors import AuthenticationFailed
from pyrite.client.mod.commands import Administration, Call, CommandFailed, Commands
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.roster import Roster
from pyrite.client.state import Closed, Reset, Suspended
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Presence
from pyrite.wire import commands, dataforms
from pyrite.wire.dataforms import WrongAnswers, field

from .conftest import PATIENCE, Login

SERVER = "verona.example"
WEATHER = dataforms.form(
    "urn:example:weather",
    field("city", "text-single", "Which city?", required=True),
    field("days", "list-single", "How far ahead?", "1", options=[("1", "A day"), ("7", "A week")]),
    title="Weather",
)
no_admin = pytest.mark.lacks(pyrite="no service administration yet")


async def test_our_own_commands(login: Login) -> None:
    """XEP-0050 §2 and §4: found, run in steps, with typed answers, and by whom it may be."""
    async with (
        login("romeo", features=[Commands, Disco]) as romeo,
        login("juliet") as juliet,
        asyncio.timeout(PATIENCE),
    ):

        @romeo[Commands].offer("weather", "The weather", allows=lambda who: who == juliet.jid)
        async def weather(call: Call) -> str:
            asked = await call.ask(WEATHER)
            more = await call.ask(
                dataforms.form("urn:example:more", field("sure", "boolean", required=True))
            )
            return f"{asked['city']} for {asked['days']}: {more['sure']}"

        async with juliet[Commands].run(romeo.jid, "weather") as command:
            assert command.form == WEATHER
            assert command.status == "executing"
            with pytest.raises(StanzaError):  # found out before it is sent
                await command.next({"city": "Oslo", "days": "3"})
            form = await command.next({"city": "Oslo"})
            assert form is not None
            await command.complete({"sure": True})
            assert command.status == "completed"
            assert [note.text for note in command.notes] == ["Oslo for 1: True"]
        listed = await juliet[Commands].list(romeo.jid)
        assert [item.name for item in listed] == ["The weather"]


async def test_who_may_not_and_what_is_not(login: Login) -> None:
    async with (
        login("romeo", features=[Commands]) as romeo,
        login("tybalt") as tybalt,
        asyncio.timeout(PATIENCE),
    ):

        @romeo[Commands].offer("secret", "A secret")
        async def secret(_: Call) -> str:
            return "never"

        for node, condition in (("secret", "forbidden"), ("nothing", "item-not-found")):
            with pytest.raises(StanzaError) as refused:
                async with tybalt[Commands].run(romeo.jid, node):
                    pass
            assert refused.value.condition == condition
        stolen = commands.Command("secret", "guessed", "next")
        with pytest.raises(StanzaError):
            await tybalt.request(stolen, romeo.jid, type="set")


async def test_a_command_that_is_left_is_cancelled(login: Login) -> None:
    async with (
        login("romeo", features=[Commands]) as romeo,
        login("juliet") as juliet,
        asyncio.timeout(PATIENCE),
    ):
        ended = asyncio.Event()

        @romeo[Commands].offer("ask", "A question", allows=lambda _: True)
        async def ask(call: Call) -> None:
            try:
                await call.ask(WEATHER)
            finally:
                ended.set()

        async with juliet[Commands].run(romeo.jid, "ask") as command:
            assert "cancel" in command.actions
        await ended.wait()
        assert command.status == "canceled"


async def test_back_and_forth(login: Login) -> None:
    """XEP-0050 §2.4.2: what was answered is still there, and what a command is can be asked."""
    async with (
        login("romeo", features=[Commands, Disco]) as romeo,
        login("juliet", features=[Disco]) as juliet,
        asyncio.timeout(PATIENCE),
    ):

        @romeo[Commands].offer("trip", "A trip", allows=lambda _: True, can_go_back=True)
        async def trip(call: Call) -> str:
            where = await call.ask(WEATHER, last=False)
            call.note("Are you sure?", "warn")
            sure = dataforms.form("urn:example:more", field("sure", "boolean", required=True))
            if not (await call.ask(sure, last=True))["sure"]:
                raise CommandFailed("as you like")
            return f"to {where['city']}"

        info = await juliet[Disco].info(romeo.jid, "trip")
        assert info.is_a("automation", "command-node")
        async with juliet[Commands].run(romeo.jid, "trip") as command:
            await command.next({"city": "Oslo"})
            assert [note.type for note in command.notes] == ["warn"]
            assert command.actions == {"execute", "prev", "complete", "cancel"}
            form = await command.back()
            assert form is not None
            assert form.value("city") == "Oslo"
            await command.next({"city": "Rome"})
            await command.complete({"sure": True})
            assert [note.text for note in command.notes] == ["to Rome"]
        async with juliet[Commands].run(romeo.jid, "trip") as command:
            await command.next({"city": "Oslo"})
            await command.complete({"sure": False})
            assert command.failure == "as you like"


@no_admin
async def test_an_operator_makes_and_ends_an_account(login: Login) -> None:
    """XEP-0133 §4.1: with the form that the server shows."""
    name, word = f"new-{uuid4().hex[:8]}@{SERVER}", uuid4().hex
    async with login("admin") as admin, asyncio.timeout(PATIENCE):
        nodes = {item.node for item in await admin[Commands].list(SERVER)}
        assert commands.admin_node("add-user") in nodes
        async with admin[Commands].run(SERVER, commands.admin_node("add-user")) as command:
            await command.complete(
                {"accountjid": JID.parse(name), "password": word, "password-verify": word}
            )
            assert command.status == "completed"
        async with login(name.partition("@")[0], password=word) as new:
            assert new.jid.bare == JID.parse(name)
        async with admin[Commands].run(SERVER, commands.admin_node("delete-user")) as command:
            await command.complete({"accountjids": (JID.parse(name),)})
            assert command.status == "completed"


@no_admin
async def test_accounts_by_name(login: Login) -> None:
    """XEP-0133 §4.1, §4.2, §4.5, §4.7, §4.10: whichever way a server's forms are made."""
    name = f"new-{uuid4().hex[:8]}"
    jid = JID.parse(f"{name}@{SERVER}")
    async with login("admin") as admin, asyncio.timeout(PATIENCE):
        here = admin[Administration].at()
        await here.add_user(jid, "first")
        with pytest.raises((StanzaError, CommandFailed)):
            await here.add_user(jid, "again")
        with pytest.raises(WrongAnswers) as wrong:
            await here.add_user(jid, "again", email="somebody@example.org")
        assert wrong.value.wrong == {"email": "is not asked for"}
        await here.change_password(jid, "second")
        async with login(name, password="second") as new:
            await new[Roster].put(JID.parse(f"juliet@{SERVER}"))
            known = await here.user_statistics(jid)
            assert known.roster_size == 1
            assert new.jid.resource in known.resources
            assert jid in await here.online()
            ended = new.lifecycle()
            await here.end_sessions(jid)
            assert isinstance(await ended.next(), Suspended | Reset | Closed)
        other = JID.parse(f"{name}-2@{SERVER}")
        await here.add_user(other, "third")
        await here.delete_users(jid, other)
        with pytest.raises(AuthenticationFailed):
            async with login(name, password="second"):
                pass


@no_admin
async def test_words_for_all(login: Login) -> None:
    """XEP-0133 §4.23."""
    async with login("admin") as admin, login("nurse") as nurse, asyncio.timeout(PATIENCE):
        heard = nurse.messages()
        await admin[Administration].at().announce("The watch\nis coming", "Night")
        said = (await heard.next()).message
        while said.sender != JID(None, SERVER):  # what waited for her since other tests
            said = (await heard.next()).message
        assert said.body == "The watch\nis coming"


@pytest.mark.lacks(pyrite="no service administration yet", prosody="it has no such command")
async def test_numbers_and_lists(login: Login) -> None:
    """XEP-0133 §4.9, §4.13, §4.15, §4.18, §4.20."""
    async with login("admin") as admin, asyncio.timeout(PATIENCE):
        here = admin[Administration].at(SERVER)
        accounts = await here.registered()
        assert await here.registered_count() == len(accounts) > 5
        assert len(await here.registered(3)) == 3
        assert JID.parse(f"juliet@{SERVER}") in accounts
        assert await here.online_count() == len(await here.online())
        assert await here.last_login(admin.jid.bare) == "Online"


@pytest.mark.lacks(pyrite="no service administration yet", prosody="it has no such command")
async def test_a_message_of_the_day(login: Login) -> None:
    """XEP-0133 §4.24 to §4.26."""
    async with login("admin") as admin, asyncio.timeout(PATIENCE):
        here = admin[Administration].at()
        await here.set_motd("A plague on both your houses", "News")
        async with login("paris") as paris:
            heard = paris.messages()
            await paris.send_presence(Presence())
            assert (await heard.next()).message.body == "A plague on both your houses"
        assert "A plague on both your houses" in await here.motd()
        await here.delete_motd()


@no_admin
async def test_nobody_else_is_an_operator(login: Login) -> None:
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        with pytest.raises(StanzaError):
            await romeo[Administration].at().add_user(f"x@{SERVER}", "y")
        with pytest.raises(StanzaError):
            async with romeo[Commands].run(SERVER, commands.admin_node("add-user")):
                pass


@no_admin
async def test_what_a_server_does_not_do(login: Login) -> None:
    """Each says so, and nothing of it is done."""
    async with login("admin") as admin, asyncio.timeout(PATIENCE):
        here = admin[Administration].at()
        for ask in (here.blacklist, here.whitelist, here.admins, here.welcome, here.idle):
            with pytest.raises(StanzaError) as refused:
                await ask()
            assert refused.value.condition in ("service-unavailable", "item-not-found")
