"""Chat states: who wants to know that we are typing, and who does not (XEP-0085 §5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pyrite.client.abilities import Abilities
from pyrite.client.app import Client
from pyrite.client.feature import Feature
from pyrite.client.mod.chats import Chats
from pyrite.client.mod.chats import Said as Words
from pyrite.client.mod.chats import StateChanged as Shown
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.muc import Muc, Said, StateChanged
from pyrite.client.testing import MemoryServer
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.wire import chatstates, disco
from pyrite.wire.chatstates import Active, Composing, Gone, Paused
from pyrite.wire.message import Thread

from .rooms import END, inside, told, words
from .scripted import PATIENCE, Scripted


class Nobody(Feature):
    """A client that says nothing of itself."""

    spec = disco.SPEC


@asynccontextmanager
async def talking(feature: type[Feature]) -> AsyncIterator[tuple[MemoryServer, Client, Client]]:
    """Romeo, who shows states, and Juliet with this feature; they see each other."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["romeo", "juliet"]) as srv:
        await srv.befriend("romeo", "juliet")
        async with (
            srv.client("romeo", features=[Chats]) as romeo,
            srv.client("juliet", features=[feature]) as juliet,
        ):
            await srv.quiet()
            yield srv, romeo, juliet


async def test_who_understands_states_is_shown_them_at_once() -> None:
    """§4: as its capabilities say, before it has said a word."""
    async with talking(Chats) as (srv, romeo, juliet), romeo[Chats].with_(juliet.jid) as chat:
        await srv.quiet()
        messages = juliet.messages()
        await chat.show(Composing())
        await chat.show(Composing())  # §5.3: not twice
        await chat.show(Paused())
        states = [chatstates.state((await messages.next()).message) for _ in range(2)]
        assert states == [Composing(), Paused()]


async def test_who_does_not_understand_them_is_never_shown_any() -> None:
    async with talking(Disco) as (srv, romeo, juliet), romeo[Chats].with_(juliet.jid) as chat:
        await srv.quiet()
        messages = juliet.messages()
        await chat.show(Composing())
        await chat.say("hello")
        await chat.show(Paused())
        said = (await messages.next()).message
        assert (said.body, chatstates.state(said)) == ("hello", None)


async def test_who_says_nothing_of_itself_is_asked_by_the_first_words() -> None:
    """§5.1: until it has answered, words carry a state, and nothing else does."""
    async with talking(Nobody) as (srv, romeo, juliet), romeo[Chats].with_(juliet.jid) as chat:
        await srv.quiet()
        messages = juliet.messages()
        await chat.show(Composing())
        await chat.say("hello")
        said = (await messages.next()).message
        assert (said.body, chatstates.state(said)) == ("hello", Active())
        await juliet.send(romeo.jid, "hi")
        await chat.next()
        await chat.show(Composing())
        await chat.say("no states, then")
        said = (await messages.next()).message
        assert (said.body, chatstates.state(said)) == ("no states, then", None)


async def test_who_has_switched_them_off_is_believed() -> None:
    """§5.1: an answer without a state counts for more than what the client could do."""
    async with talking(Chats) as (srv, romeo, juliet):
        juliet[Chats].shows_states = False
        async with (
            romeo[Chats].with_(juliet.jid) as his,
            juliet[Chats].with_(romeo.jid) as hers,
        ):
            await srv.quiet()
            await hers.show(Composing())
            await hers.say("I do not say when I type")
            said = await his.next()
            assert chatstates.state(said.message) is None
            messages = juliet.messages()
            await his.show(Composing())
            await his.say("well")
            answer = (await messages.next()).message
            assert (answer.body, chatstates.state(answer)) == ("well", None)


async def test_who_comes_later_is_asked_then() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["romeo", "juliet"]) as srv:
        await srv.befriend("romeo", "juliet")
        async with (
            srv.client("romeo", features=[Chats]) as romeo,
            romeo[Chats].with_(srv.jid("juliet").bare) as chat,
        ):
            assert romeo[Chats].hears_states(chat.peer) is None
            async with srv.client("juliet", features=[Chats]):
                await srv.quiet()
                assert romeo[Chats].hears_states(chat.peer) is True
            await srv.quiet()
            assert romeo[Chats].hears_states(chat.peer) is None


async def test_a_conversation_that_has_ended_begins_anew() -> None:
    """§5.7: who was told that it is over does not go on in its thread."""
    async with talking(Chats) as (srv, romeo, juliet), juliet[Chats].with_(romeo.jid) as hers:
        events = hers.events()
        async with romeo[Chats].with_(juliet.jid, thread="t1") as his:
            await srv.quiet()
            await his.say("once")
            while not isinstance(event := await events.next(), Words):
                pass
            assert event.thread == Thread("t1")
            assert hers.resource == romeo.jid.resource
        while event != Shown(romeo.jid.bare, romeo.jid, Gone()):
            event = await events.next()
        assert (hers.thread, hers.resource) == (None, None)
        messages = romeo.messages()
        await hers.say("again")
        thread = (await messages.next()).message.get(Thread)
        assert thread is not None
        assert thread.id != "t1"


async def test_clients_that_come_and_go_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrite.client.abilities.CLIENTS", 3)
    async with Scripted(Chats) as client:
        who = "juliet@verona.lit"
        await client.hears(*(f"<presence from='{who}/{number}'/>" for number in range(9)))
        assert len(client[Abilities].clients(JID.parse(who))) == 3
        await client.hears(f"<presence from='{who}/1' type='unavailable'/>")
        assert len(client[Abilities].clients(JID.parse(who))) == 2


# --- in rooms (§5.5) --------------------------------------------------------------------------

STATE = "<{} xmlns='http://jabber.org/protocol/chatstates'/>"


async def test_states_in_a_room() -> None:
    async with Scripted(Muc) as client:
        events = await told(
            client,
            words("wolf", STATE.format("composing")),
            words("wolf", STATE.format("gone")),  # which its presence says
            words("fox", STATE.format("composing")),  # our own
            words(None, STATE.format("composing")),
            words("wolf", STATE.format("odd")),
            words("wolf", STATE.format("paused") + "<delay xmlns='urn:xmpp:delay' stamp='"
                  "2026-01-01T00:00:00Z'/>"),
            words("wolf", "<body>x</body>" + STATE.format("active")),
        )  # fmt: skip
    assert [type(event) for event in events] == [StateChanged, Said]
    assert isinstance(events[0], StateChanged)
    assert (events[0].who.nick, events[0].state) == ("wolf", Composing())


async def test_our_states_in_a_room() -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        await room.say("first")  # who shows none is asked for none
        assert chatstates.state(await message(client)) is None
        for state in (Composing(), Composing(), Paused(), Gone()):
            await room.show(state)
        assert [chatstates.state(await message(client)) for _ in range(2)] == [
            Composing(),
            Paused(),
        ]
        await room.say("second")
        assert chatstates.state(await message(client)) == Active()
        assert client.link.sent.empty()
        await client.hears(END)


async def message(client: Scripted) -> Message:
    said = await client.said()
    assert isinstance(said, Message)
    return said
