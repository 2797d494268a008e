"""Answers to choose from, and what comes of it."""

import asyncio

import pytest
from tests.peer import PATIENCE

from pyrite.client.api import ActionSelected, QuickAsked, QuickResponses
from pyrite.client.testing import MemoryServer
from pyrite.wire.quickresponse import Action, Response

ODD = (
    '<message to="{}" type="chat"><body>?</body>'
    '<response xmlns="urn:xmpp:tmp:quick-response"/>'
    '<response xmlns="urn:xmpp:tmp:quick-response" value="1"/>'
    '<action xmlns="urn:xmpp:tmp:quick-response" id="2"/></message>'
)


async def test_a_choice() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["bot", "me"]) as srv,
        srv.client("bot", features=[QuickResponses]) as bot,
        srv.client("me", features=[QuickResponses]) as me,
    ):
        asked, chosen, heard = me.hear(QuickAsked), bot.hear(ActionSelected), bot.messages()
        await bot[QuickResponses].ask(me.jid, "Tea?", {"yes": "Yes, please", "no": ""})
        question = await asked.next()
        assert question.message.body == "Tea?"
        assert question.responses == (Response("yes", "Yes, please"), Response("no"))
        await me[QuickResponses].respond(question, "yes")
        assert (await heard.next()).body == "yes"
        await bot[QuickResponses].offer(me.jid, "It is late.", {"off": "Lights off"})
        question = await asked.next()
        assert question.actions == (Action("off", "Lights off"),)
        await me[QuickResponses].select(question, "off")
        assert (await chosen.next()).id == "off"
        with pytest.raises(ValueError, match="none of the actions"):
            await me[QuickResponses].select(question, "on")
        with pytest.raises(ValueError, match="none of the answers"):
            await me[QuickResponses].respond(question, "off")
        with pytest.raises(ValueError, match="nothing to choose"):
            await bot[QuickResponses].ask(me.jid, "?", {})


async def test_what_cannot_be_read_is_not_offered() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["bot", "me"]) as srv,
        srv.client("me", features=[QuickResponses]) as me,
    ):
        asked = me.hear(QuickAsked)
        bot = await srv.actor("bot/x")
        await bot.send(ODD.format(me.jid))
        question = await asked.next()
        assert (question.responses, question.actions) == ((Response("1"),), ())
