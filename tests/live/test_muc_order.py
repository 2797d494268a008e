"""Who may come to a room and who may speak there, on every server that has rooms."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pyrite.client.heard import Heard
from pyrite.client.mod.muc import (
    ConfigChanged,
    Destroyed,
    Excluded,
    Invited,
    Left,
    Moderated,
    Muc,
    RoleChanged,
    RoomEvent,
    Said,
    SubjectChanged,
    VoiceAsked,
)
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire.dataforms import WrongAnswers
from pyrite.wire.muc import History

from .conftest import PATIENCE, Login

SERVICE = JID(None, "conference.verona.example")
pytestmark = pytest.mark.lacks(pyrite="rooms are not served yet")


def place() -> JID:
    return JID(f"order-{uuid4().hex[:8]}", SERVICE.domain)


async def until(events: Heard[RoomEvent], kind: type) -> RoomEvent:
    """The next event of that kind."""
    async with asyncio.timeout(PATIENCE):
        while not isinstance(event := await events.next(), kind):
            pass
    return event


async def test_a_voice(login: Login) -> None:
    """XEP-0045 §7.13 and §8.6."""
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(place(), "Prince", settings={"moderatedroom": True}) as ours,
        asyncio.timeout(PATIENCE),
    ):
        if (await ours.info()).is_moderated is False:
            pytest.fail("the room is not as it was made")
        async with juliet[Muc].join(ours.jid, "Cap") as hers:
            if hers.me is not None and hers.me.role != "visitor":  # as ejabberd does by default
                await ours.set_role("Cap", "visitor")
                await until(hers.events(), RoleChanged)
            with pytest.raises(StanzaError, match="forbidden"):
                await (await hers.say("a word")).delivered
            mine, events = ours.events(), hers.events()
            await hers.ask_voice()
            asked = await until(mine, VoiceAsked)
            assert isinstance(asked, VoiceAsked)
            assert (asked.nick, asked.role) == ("Cap", "participant")
            assert asked.jid == juliet.jid
            await ours.answer(asked)
            changed = await until(events, RoleChanged)
            assert isinstance(changed, RoleChanged)
            assert (changed.who.nick, changed.who.role) == ("Cap", "participant")
            await (await hers.say("a word")).delivered


@pytest.mark.lacks(ejabberd="rooms keep no nicks: its service does")
async def test_a_nick_that_is_kept(login: Login) -> None:
    """XEP-0045 §7.10 and §7.12."""
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        login("tybalt") as tybalt,
        romeo[Muc].join(place(), "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        await ours.set_affiliation(juliet.jid, "member")
        room = juliet[Muc].at(ours.jid)
        assert await room.reserved_nick() is None
        asked = await room.registration()
        assert asked.form is not None
        with pytest.raises(WrongAnswers) as wrong:
            await room.register("Jule", first="Juliet")
        assert wrong.value.wrong == {"muc#register_first": "is not asked for"}
        await room.register("Jule")
        assert await room.reserved_nick() == "Jule"
        assert (await room.registration()).registered
        with pytest.raises(StanzaError, match="conflict"):
            async with tybalt[Muc].join(ours.jid, "Jule"):
                pass
        async with juliet[Muc].join(ours.jid) as hers:
            assert hers.nick == "Jule"
        await room.unregister()
        assert await room.reserved_nick() is None


async def test_a_nick_by_default(login: Login) -> None:
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        room = place()
        async with romeo[Muc].join(room) as ours:
            assert ours.nick == "romeo"
            shown = await romeo[Muc].at(room).nicks()
            assert shown in ((), ("romeo",))  # Prosody tells nobody of a hidden room


async def test_lists(login: Login) -> None:
    """XEP-0045 §9.2 to §9.8, §10.3 to §10.8."""
    people = {name: JID.parse(f"{name}@verona.example") for name in ("nurse", "paris", "tybalt")}
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(place(), "Mont") as ours,
        juliet[Muc].join(ours.jid, "Cap") as hers,
        asyncio.timeout(PATIENCE),
    ):
        events = hers.events()
        await ours.set_affiliations({people["paris"]: "member", people["tybalt"]: "outcast"})
        await ours.set_affiliation(people["nurse"], "admin", "she knows all")
        for affiliation, jid in (
            ("member", people["paris"]),
            ("outcast", people["tybalt"]),
            ("admin", people["nurse"]),
            ("owner", romeo.jid.bare),
        ):
            found = await ours.having(affiliation)  # type: ignore[arg-type]
            assert [entry.jid for entry in found] == [jid]
        await ours.set_affiliations({people["paris"]: "none", people["tybalt"]: "none"})
        assert await ours.having("outcast") == ()
        await ours.set_affiliation(juliet.jid, "owner")
        raised = await until(events, RoleChanged)
        assert isinstance(raised, RoleChanged)
        assert raised.who.affiliation == "owner"
        assert {entry.jid for entry in await hers.having("owner")} == {
            romeo.jid.bare,
            juliet.jid.bare,
        }
        moderators = await ours.having(role="moderator")
        assert {entry.nick for entry in moderators} == {"Mont", "Cap"}
        with pytest.raises(StanzaError):
            async with login("mercutio") as mercutio:
                await mercutio[Muc].at(ours.jid).ban(romeo.jid)


async def test_members_only(login: Login) -> None:
    """XEP-0045 §7.2.5, §9.4, and status codes 321 and 322."""
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        login("nurse") as nurse,
        romeo[Muc].join(place(), "Mont", settings={"membersonly": False}) as ours,
        juliet[Muc].join(ours.jid, "Cap") as hers,
        asyncio.timeout(PATIENCE),
    ):
        events = hers.events()
        await ours.configure(membersonly=True)
        left = await until(events, Left)
        assert isinstance(left, Left)
        assert left.is_own
        assert isinstance(left.reason, Excluded)
        with pytest.raises(StanzaError, match="registration-required"):
            async with nurse[Muc].join(ours.jid, "Nurse"):
                pass
        await ours.set_affiliation(nurse.jid, "member")
        async with nurse[Muc].join(ours.jid, "Nurse") as theirs:
            told = theirs.events()
            await ours.set_affiliation(nurse.jid, "none")
            left = await until(told, Left)
            assert isinstance(left, Left)
            assert isinstance(left.reason, Excluded)


async def test_a_room_that_is_not_there(login: Login) -> None:
    room = place()
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        with pytest.raises(StanzaError, match="item-not-found"):
            async with romeo[Muc].join(room, "Mont", create=False):
                pass
        with pytest.raises(WrongAnswers, match="whois"):
            async with romeo[Muc].join(room, "Mont", settings={"whois": "nobody"}):
                pass
        with pytest.raises(StanzaError, match="item-not-found"):
            async with romeo[Muc].join(room, "Mont", create=False):
                pass


async def test_what_a_room_says_of_itself(login: Login) -> None:
    """XEP-0045 §6.4 and §6.5."""
    settings = {"roomname": "Verona", "roomdesc": "A public place", "publicroom": True}
    async with (
        login("romeo") as romeo,
        login("nurse") as nurse,
        romeo[Muc].join(place(), "Mont", settings={**settings, "membersonly": False}) as ours,
        asyncio.timeout(PATIENCE),
    ):
        info = await nurse[Muc].at(ours.jid).info()
        assert (info.name, info.description) == ("Verona", "A public place")
        assert (info.is_public, info.is_members_only, info.has_password) == (True, False, False)
        assert info.occupants == 1
        await ours.configure(whois="anyone")
        await until(ours.events(), ConfigChanged)
        assert ours.shows_addresses
        assert (await ours.info()).shows_addresses


async def test_the_end_and_another_room(login: Login) -> None:
    """XEP-0045 §10.9."""
    other = place()
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(place(), "Mont") as ours,
        juliet[Muc].join(ours.jid, "Cap") as hers,
        asyncio.timeout(PATIENCE),
    ):
        events = hers.events()
        with pytest.raises(StanzaError, match="forbidden"):
            await hers.destroy()
        await ours.destroy("too small", other, password="sesame")
        ended = await until(events, Destroyed)
        assert isinstance(ended, Destroyed)
        assert (ended.other, ended.why) == (other, "too small")


async def test_history_in_any_measure(login: Login) -> None:
    """XEP-0045 §7.2.13."""
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(place(), "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        for number in range(3):
            await (await ours.say(str(number))).delivered
        later = datetime.now(UTC) + timedelta(hours=1)
        for wanted, expected in (
            (History(maxstanzas=0), []),
            (History(maxchars=0), []),
            (History(since=later), []),
            (History(seconds=3600), ["0", "1", "2"]),
            (History(since=later - timedelta(hours=2)), ["0", "1", "2"]),
        ):
            async with juliet[Muc].join(ours.jid, "Cap", history=wanted) as hers:
                events = hers.events()
                subject = uuid4().hex
                await ours.set_subject(subject)
                told: list[str] = []
                async for event in events:
                    if isinstance(event, Said):
                        told.append(event.body)
                    if isinstance(event, SubjectChanged) and event.subject == subject:
                        break
                assert told == expected, wanted


async def test_a_conversation_goes_on(login: Login) -> None:
    """XEP-0045 §7.9 and XEP-0249 §2."""
    async with (
        login("romeo", features=[Muc]) as romeo,
        login("juliet", features=[Muc]) as juliet,
        romeo[Muc].join(place(), "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        invited = juliet.hear(Invited)
        await ours.invite(juliet.jid.bare, "bring the nurse", thread="t1", direct=True)
        asked = await invited.next()
        assert (asked.thread, asked.why, asked.is_direct) == ("t1", "bring the nurse", True)


async def test_words_to_who_is_not_there(login: Login) -> None:
    """XEP-0045 §7.5: the room says so."""
    async with (
        login("romeo") as romeo,
        romeo[Muc].join(place(), "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        with pytest.raises(StanzaError) as refused:
            await (await ours.whisper("Nobody", "psst")).delivered
        assert refused.value.condition in ("item-not-found", "recipient-unavailable")


@pytest.mark.lacks(
    prosody="it takes a module of the community", ejabberd_23="it knows an older version of it"
)
async def test_words_are_taken_back(login: Login) -> None:
    """XEP-0425 §3 and §4."""
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(place(), "Mont") as ours,
        juliet[Muc].join(ours.jid, "Cap") as hers,
        asyncio.timeout(PATIENCE),
    ):
        mine, events = ours.events(), hers.events()
        await (await hers.say("a plague on both your houses")).delivered
        said = await until(mine, Said)
        assert isinstance(said, Said)
        assert said.id is not None
        with pytest.raises(StanzaError, match="forbidden"):
            await hers.take_back(said.id)
        await ours.take_back(said.id, "rude")
        taken = await until(events, Moderated)
        assert isinstance(taken, Moderated)
        assert (taken.id, taken.why) == (said.id, "rude")


@pytest.mark.lacks(ejabberd_23="rooms tell no such thing before 23.10")
async def test_the_same_person_again(login: Login) -> None:
    """XEP-0421: whatever the nick, and in another stay."""
    async with (
        login("romeo") as romeo,
        login("juliet") as juliet,
        romeo[Muc].join(place(), "Mont") as ours,
        asyncio.timeout(PATIENCE),
    ):
        ids = set()
        for nick in ("Cap", "Jule"):
            async with juliet[Muc].join(ours.jid, nick) as hers:
                await hers.say(nick)
                said = await until(ours.events(), Said)
                assert isinstance(said, Said)
                assert said.who is not None
                ids.add(said.who.id)
        assert len(ids) == 1
        assert None not in ids
        assert ours.me is not None
        assert ours.me.id not in ids
