"""Conversations: who is spoken to, what is changed, and whose word counts."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.peer import PATIENCE
from tests.service import JULIET, MALLORY, ROMEO, serving, until

from pyrite.client.mod.carbons import Carbons
from pyrite.client.mod.chats import (
    Chat,
    ChatEvent,
    Chats,
    Corrected,
    Reacted,
    Refused,
    Retracted,
    Said,
    StateChanged,
)
from pyrite.client.mod.chats.known import MOST, Memory
from pyrite.client.mod.receipts import Receipts
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Message, Presence
from pyrite.wire import hints, styling
from pyrite.wire.chatstates import Active, Composing, Gone, Paused
from pyrite.wire.correction import Replace
from pyrite.wire.delay import Delay
from pyrite.wire.message import Body, Thread
from pyrite.wire.ping import Ping
from pyrite.wire.reactions import Reactions
from pyrite.wire.retraction import Retract

from .pair import client, pair

E = TypeVar("E")


async def event_of(chat: Chat, kind: type[E]) -> E:
    """The next one of that kind."""
    async with asyncio.timeout(PATIENCE), chat.events() as events:
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError


async def test_words_both_ways_and_whom_they_are_for(tmp_path: Path) -> None:
    """RFC 6121 §5.1: to all of the other side's clients, until one has answered."""
    async with (
        serving(tmp_path) as service,
        pair(service, Chats, Receipts) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(JULIET) as his,
        juliet[Chats].with_(romeo.jid) as hers,
    ):
        assert his.to == JULIET
        await his.say("But soft!")
        said = await hers.next()
        assert (said.text, said.peer, said.outgoing) == ("But soft!", ROMEO, False)
        assert said.message.type == "chat"
        assert said.thread is not None
        assert hers.to == romeo.jid
        receipt = await hers.say("Ay me!")
        answer = await his.next()
        assert answer.text == "Ay me!"
        assert answer.thread == said.thread  # §5.2.5: the same conversation
        assert his.to == juliet.jid
        await receipt.delivered


async def test_presence_unlocks(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        async with (
            pair(service, Chats) as (romeo, juliet),
            romeo[Chats].with_(JULIET) as his,
            asyncio.timeout(PATIENCE),
        ):
            await juliet.send(romeo.jid, "Ay me!")
            await his.next()
            assert his.to == juliet.jid
            await juliet.send_presence(Presence("unavailable"))
            await until(lambda: his.to == JULIET)


async def test_another_client_of_hers_is_answered(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        client(service, JULIET) as phone,
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        for one in (juliet, phone):
            await one.send(romeo.jid, "Ay me!")
            await his.next()
            assert his.to == one.jid


async def test_what_waits_until_somebody_listens(tmp_path: Path) -> None:
    """The last hundred things, and nothing is held up meanwhile."""
    async with serving(tmp_path) as service, pair(service, Chats) as (romeo, juliet):
        async with romeo[Chats].with_(JULIET) as his, asyncio.timeout(PATIENCE):
            for number in range(150):
                await juliet.send(romeo.jid, str(number))
            heard = romeo.hear(Said)
            await juliet.send(romeo.jid, "end")
            while (await heard.next()).text != "end":
                pass
            texts = [(await his.next()).text for _ in range(100)]
            assert texts == [*map(str, range(51, 150)), "end"]
            loops = []
            await juliet.send(romeo.jid, "1")
            await juliet.send(romeo.jid, "2")
            async for said in his:
                loops.append(said.text)
                break
            async for said in his:
                loops.append(said.text)
                break
            assert loops == ["1", "2"]
        assert [said async for said in his] == []


async def test_a_conversation_ends_with_its_client(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, _),
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        listening = asyncio.ensure_future(his.next())
        await asyncio.sleep(0)
        await romeo.close()
        with pytest.raises(StopAsyncIteration):
            await listening


# --- corrections, retractions ----------------------------------------------------------------


async def test_a_correction_of_a_correction(tmp_path: Path) -> None:
    """XEP-0308 §4: always the id of the first version."""
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(JULIET) as his,
        juliet[Chats].with_(ROMEO) as hers,
    ):
        first = await his.say("yonder airlock")
        second = await his.correct(first, "yonder door")
        await his.correct(second, "yonder window")
        await hers.next()
        for text in ("yonder door", "yonder window"):
            said = await hers.next()
            assert isinstance(said, Corrected)
            assert (said.text, said.replaces) == (text, first.message.id)
            assert said.is_known
        with pytest.raises(StanzaError, match="not-allowed"):
            await hers.correct(said, "mine now")
        with pytest.raises(StanzaError, match="item-not-found"):
            await hers.correct(Said(ROMEO, Message("chat"), outgoing=True), "what?")


async def test_what_is_taken_back(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(JULIET) as his,
        juliet[Chats].with_(ROMEO) as hers,
    ):
        first = await his.say("I hate you")
        newer = await his.correct(first, "I love you")
        await his.retract(newer)
        await his.correct(first, "too late")
        await his.say("end")
        events = hers.events()
        told: list[ChatEvent] = []
        while not told or not isinstance(told[-1], Said) or told[-1].text != "end":
            told.append(await events.next())
        kinds = [type(one) for one in told if not isinstance(one, StateChanged)]
        assert kinds == [Said, Corrected, Retracted, Said]
        (back,) = (one for one in told if isinstance(one, Retracted))
        assert back.id == first.message.id
        assert back.is_known
        assert juliet.forged["correction"] == 1
        with pytest.raises(StanzaError, match="not-allowed"):
            await hers.retract(first.message.id or "")


FORGERIES = {"correction": Replace, "retraction": Retract}


@pytest.mark.parametrize("name", sorted(FORGERIES))
async def test_only_its_author_changes_a_message(tmp_path: Path, name: str) -> None:
    """Juliet would put words into Romeo's mouth: in his own conversation with her."""
    kind = FORGERIES[name]
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        mine = (await his.say("I love you")).message.id or ""
        await juliet.send(romeo.jid, "I hate you", kind(mine))
        await juliet.send(Message("chat", romeo.jid, id=mine).add(Body("the same id")))
        await juliet.send(romeo.jid, "I hate you", kind(mine))
        await juliet.send(romeo.jid, "end")
        texts = [(await his.next()).text, (await his.next()).text]
        assert texts == ["the same id", "end"]
        assert romeo.forged[name] == 2


@pytest.mark.parametrize("name", sorted(FORGERIES))
async def test_a_stranger_changes_nothing(tmp_path: Path, name: str) -> None:
    """What she says is of her conversation, where there is no such message."""
    kind = FORGERIES[name]
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        client(service, MALLORY) as mallory,
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        changes = romeo.hear(Corrected if name == "correction" else Retracted)
        said = await juliet.send(romeo.jid, "Ay me!")
        await his.next()
        await mallory.send(romeo.jid, "I hate you", kind(said.message.id or ""))
        change = await changes.next()
        assert change.peer == MALLORY
        assert not change.is_known  # and so not believed without a look at the history


async def test_another_client_of_ours_has_said_it(tmp_path: Path) -> None:
    """Copies: the words are ours, and we may correct them here; she may not."""
    async with (
        serving(tmp_path) as service,
        pair(service, Chats, Carbons) as (romeo, juliet),
        client(service, ROMEO, Carbons, Chats) as phone,
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        await phone.send(JULIET, "But soft!")
        said = await his.next()
        assert said.outgoing
        assert his.to == JULIET
        await juliet.send(ROMEO, "I hate you", Replace(said.message.id or ""))
        await his.correct(said, "But hark!")
        async with juliet[Chats].with_(ROMEO) as hers:
            await juliet.request(Ping())
            await phone.send(JULIET, "end")
            while (await hers.next()).text != "end":
                pass
        while (await his.next()).text != "end":
            pass
        assert romeo.forged["correction"] == 1


# --- replies and reactions --------------------------------------------------------------------


async def test_a_reply_quotes_and_who_knows_replies_does_not_see_it(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(JULIET) as his,
        juliet[Chats].with_(ROMEO) as hers,
    ):
        first = await his.say("What light\nthrough yonder 🪟?")
        said = await hers.next()
        await hers.say("The 🌞", reply_to=said, mentions={"🌞": JULIET})
        answer = await his.next()
        assert answer.text == "The 🌞"
        assert answer.reply is not None
        assert answer.reply.id == first.message.id
        assert answer.reply.to == romeo.jid
        body = answer.message.body
        assert body == "> romeo wrote:\n> What light\n> through yonder 🪟?\nThe 🌞"
        assert answer.mentions == (JULIET,)
        await hers.say("again", reply_to=said, quote=False)
        assert (await his.next()).message.body == "again"
        await his.say("And?", reply_to=answer)  # quotes the answer, not what it quotes
        assert (await hers.next()).message.body == "> juliet wrote:\n> The 🌞\nAnd?"


async def test_reactions(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(JULIET) as his,
        juliet[Chats].with_(ROMEO) as hers,
    ):
        events = his.events()
        first = await his.say("But soft!")
        newer = await his.correct(first, "But hark!")
        said = await hers.next()
        await hers.react(said, "👋", "🐢", "👋")
        await hers.react(newer.message.id or "")
        for expected in (("👋", "🐢"), ()):
            event = await events.next()
            assert isinstance(event, Reacted)
            assert (event.id, event.reactions) == (first.message.id, expected)
            assert event.message.has(hints.Store)
            assert event.message.body is None
        with pytest.raises(StanzaError, match="not-acceptable"):
            await hers.react(said, "lol")
        with pytest.raises(StanzaError, match="item-not-found"):
            await hers.react(Said(ROMEO, Message("chat")), "👋")


async def test_an_old_reaction_comes_late(tmp_path: Path) -> None:
    """XEP-0444 §4.1: the newest counts, also if an older one arrives after it."""
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        events = his.events()
        before = romeo.clock.now()
        await juliet.send(romeo.jid, Reactions("m1", ("👋",)))
        await juliet.send(romeo.jid, Reactions("m1", ("💔",)), Delay(before))
        await juliet.send(romeo.jid, Reactions("m2", ("🐢",)), Delay(before))
        ids = []
        for _ in range(2):
            event = await events.next()
            assert isinstance(event, Reacted)
            ids.append((event.id, event.reactions))
        assert ids == [("m1", ("👋",)), ("m2", ("🐢",))]


# --- states, threads, names, hints ------------------------------------------------------------


async def test_states_only_to_who_wants_them(tmp_path: Path) -> None:
    """XEP-0085 §5.1, §5.3."""
    async with serving(tmp_path) as service, pair(service, Chats) as (romeo, juliet):
        async with asyncio.timeout(PATIENCE), romeo[Chats].with_(JULIET) as his:
            raw = juliet.messages()
            await his.show(Composing())  # she has not shown anything
            first = await his.say("But soft!")
            assert first.message.has(Active)
            assert (await raw.next()).message.body == "But soft!"
            await juliet.send(romeo.jid, "no states here")
            await his.next()
            assert not (await his.say("so be it")).message.has(Active)
            await his.show(Composing())
            await juliet.send(romeo.jid, Active(), type="chat")
            await event_of(his, StateChanged)
            assert his.peer_state == Active()
            await his.show(Composing())
            await his.show(Composing())
            await his.show(Paused())
            assert (await raw.next()).message.body == "so be it"
            for state in (Composing, Paused):
                message = (await raw.next()).message
                assert message.has(state)
                assert message.has(hints.NoStore)
                assert message.body is None
        async with asyncio.timeout(PATIENCE):
            assert (await raw.next()).message.has(Gone)


async def test_a_state_that_comes_late_says_nothing(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        events = his.events()
        await juliet.send(romeo.jid, Composing(), Delay(romeo.clock.now()))
        await juliet.send(romeo.jid, Paused())
        event = await events.next()
        assert isinstance(event, StateChanged)
        assert event.state == Paused()
        assert his.peer_state == Paused()
        assert his.to == juliet.jid


async def test_words_that_have_waited_are_answered_to_all(tmp_path: Path) -> None:
    """Who said them from there may be elsewhere by now."""
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        await juliet.send(romeo.jid, "Ay me!", Composing(), Delay(romeo.clock.now()))
        await his.next()
        assert his.to == JULIET
        assert his.peer_state is None


async def test_threads_names_and_hints(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, pair(service, Chats) as (romeo, juliet):
        romeo[Chats].nick = "Montague"
        async with (
            asyncio.timeout(PATIENCE),
            romeo[Chats].with_(JULIET, thread="t1") as his,
            juliet[Chats].with_(ROMEO) as hers,
        ):
            await his.say("one", keep=False, copies=False)
            said = await hers.next()
            assert said.nick == "Montague"
            assert said.thread == Thread("t1")
            assert said.message.has(hints.NoStore)
            assert said.message.has(hints.NoCopy)
            thread = his.branch()
            await his.say("> _ <", styled=False, keep=True)
            said = await hers.next()
            assert said.nick is None
            assert said.thread == thread == Thread(thread.id, "t1")
            assert said.blocks == (styling.Line((styling.Span("> _ <"),)),)
            assert said.message.has(hints.Store)
            assert hers.thread == thread


async def test_what_does_not_arrive(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, pair(service, Chats) as (romeo, _):
        nobody = JID.parse("nobody@nowhere.lit")
        async with romeo[Chats].with_(nobody) as his, asyncio.timeout(PATIENCE):
            receipt = await his.say("hello?")
            refused = await event_of(his, Refused)
            assert refused.id == receipt.message.id
            assert refused.error.condition == "remote-server-not-found"
            with pytest.raises(StanzaError, match="remote-server-not-found"):
                await receipt.delivered


async def test_an_error_of_somebody_else_refuses_nothing(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Chats) as (romeo, juliet),
        client(service, MALLORY) as mallory,
        romeo[Chats].with_(JULIET) as his,
        asyncio.timeout(PATIENCE),
    ):
        receipt = await his.say("hello?")
        error = Message("error", romeo.jid, id=receipt.message.id)
        await mallory.send(error.refuse(StanzaError("gone")).routed(to=romeo.jid))
        await mallory.send(romeo.jid, "end")
        await juliet.send(romeo.jid, "end")
        assert (await his.next()).text == "end"
        assert not receipt.delivered.is_reached
        receipt.delivered.reach()
        await receipt.delivered  # nobody has made it fail


HOSTILE = (
    "<replace xmlns='urn:xmpp:message-correct:0'/><body>1</body>",
    "<retract xmlns='urn:xmpp:message-retract:1'/><body>1</body>",
    "<reactions xmlns='urn:xmpp:reactions:0'><reaction/></reactions><body>1</body>",
    "<reply xmlns='urn:xmpp:reply:0' to='@'/><body>1</body>",
    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='x'/></fallback>"
    "<body>1</body>",
    "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:@'/><body>1</body>",
    "<thread/><nick xmlns='http://jabber.org/protocol/nick'> </nick><body>1</body>",
    "<lol xmlns='http://jabber.org/protocol/chatstates'/><body>1</body>",
)


@pytest.mark.parametrize("inside", HOSTILE)
async def test_what_makes_no_sense_is_only_words(tmp_path: Path, inside: str) -> None:
    async with (
        serving(tmp_path, clear=True) as service,
        client(service, ROMEO, Chats) as romeo,
        romeo[Chats].with_(MALLORY) as his,
    ):
        mallory = await service.online(MALLORY)
        await mallory.send(f"<message to='{romeo.jid}' type='chat'>{inside}</message>")
        async with asyncio.timeout(PATIENCE):
            said = await his.next()
        assert type(said) is Said
        assert said.text == "1"
        assert (said.reply, said.mentions, said.nick) == (None, (), None)
        assert said.blocks


async def test_occupants_of_a_room_are_not_each_other(tmp_path: Path) -> None:
    """XEP-0045 §7.5: all have the room's bare address. Here a person stands for the room."""
    user = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
    async with (
        serving(tmp_path, clear=True) as service,
        client(service, ROMEO, Chats) as romeo,
    ):
        one, other = (JID.parse(f"{MALLORY}/{name}") for name in ("one", "other"))
        first, second = await service.online(one), await service.online(other)
        async with romeo[Chats].with_(one, in_room=True) as his, asyncio.timeout(PATIENCE):
            text = "<message to='{}' type='chat' id='{}'>{}<body>{}</body></message>"
            replace = "<replace id='1' xmlns='urn:xmpp:message-correct:0'/>"
            heard = romeo.hear(Corrected)
            await first.send(text.format(romeo.jid, "1", user, "mine"))
            assert (await his.next()).peer == one
            assert his.to == one
            await second.send(text.format(romeo.jid, "2", user + replace, "not mine"))
            change = await heard.next()
            assert change.peer == other
            assert not change.is_known
            await first.send(text.format(romeo.jid, "3", replace, "mine again"))
            change = await heard.next()
            assert (change.peer, change.is_known) == (one, True)
            receipt = await his.say("hello")
            assert receipt.message.child("http://jabber.org/protocol/muc#user", "x") is not None


async def test_what_has_waited_says_since_when(tmp_path: Path) -> None:
    """XEP-0203: as our server says, and nobody else."""
    host = 'modules = ["roster", "ping", "offline", "delay"]'  # and no archive to look into
    async with serving(tmp_path, host=host) as service, client(service, ROMEO) as romeo:
        forged = datetime(1999, 1, 1, tzinfo=UTC)
        await romeo.send(JULIET, "while you were away", Delay(forged, ROMEO))
        await romeo.request(Ping())
        juliet = client(service, JULIET, Chats)
        heard = juliet.hear(Said)
        async with asyncio.timeout(PATIENCE), juliet:
            said = await heard.next()
            assert said.delayed == service.clock.now()
            await romeo.send(juliet.jid, "and now", Delay(forged, ROMEO))
            assert (await heard.next()).delayed is None


async def test_an_occupant_cannot_refuse_for_another(tmp_path: Path) -> None:
    one, other = (JID.parse(f"{MALLORY}/{name}") for name in ("one", "other"))
    error = "<message type='error' to='{}' id='{}'><error type='cancel'>{}</error></message>"
    gone = "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    async with serving(tmp_path, clear=True) as service, client(service, ROMEO, Chats) as romeo:
        first, second = await service.online(one), await service.online(other)
        refusals = romeo.hear(Refused)
        async with romeo[Chats].with_(one, in_room=True) as his, asyncio.timeout(PATIENCE):
            receipts = [await his.say("1"), await his.say("2")]
            await second.send(error.format(romeo.jid, receipts[0].message.id, gone))
            await second.barrier()
            await first.send(error.format(romeo.jid, receipts[1].message.id, gone))
            refused = await refusals.next()
            assert (refused.peer, refused.id) == (one, receipts[1].message.id)
            assert refused.error.condition == "gone"


# --- what is remembered -----------------------------------------------------------------------

PEOPLE = st.sampled_from([ROMEO, JULIET, MALLORY])
STEP = st.tuples(PEOPLE, st.sampled_from("abcd"), PEOPLE, st.booleans(), st.sampled_from("abcd"))


@given(st.lists(STEP, max_size=40))
def test_a_message_keeps_its_author(steps: list[tuple[JID, str, JID, bool, str]]) -> None:
    """Whatever comes later under the same id, in the same conversation."""
    memory, first = Memory(), {}
    for peer, id, author, ours, original in steps:
        memory.put(peer, id, author, ours=ours, original=original)
        first.setdefault((peer, id), (author, original, ours))
    for (peer, id), (author, original, ours) in first.items():
        known = memory.get(peer, id)
        assert known is not None
        assert (known.author, known.original) == (author, original)
        assert memory.is_ours(peer, id) is ours


def test_many_messages_of_others_do_not_make_us_forget_ours() -> None:
    memory = Memory()
    memory.put(JULIET, "mine", ROMEO, ours=True)
    for number in range(2 * MOST):
        memory.put(JULIET, str(number), JULIET, ours=False)
    assert memory.is_ours(JULIET, "mine")
    assert memory.get(JULIET, "0") is None
