"""Commands: others', step by step, an operator's, and our own, on every server."""

import asyncio
from uuid import uuid4

import pytest

from pyrite.client.mod.commands import Call, Commands
from pyrite.client.mod.disco import Disco
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import commands, dataforms
from pyrite.wire.dataforms import field

from .conftest import Login

PATIENCE = 20.0
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
async def test_nobody_else_is_an_operator(login: Login) -> None:
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        with pytest.raises(StanzaError):
            async with romeo[Commands].run(SERVER, commands.admin_node("add-user")):
                pass
