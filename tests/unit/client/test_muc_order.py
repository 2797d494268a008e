"""Who may come and who may speak, and what a room says of itself: as the test plays it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pyrite.client.mod.muc import (
    ConfigChanged,
    HatsChanged,
    Muc,
    Outside,
    RegistrationAsked,
    VoiceAsked,
)
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.wire import conference, hats, muc, roominfo
from pyrite.wire.dataforms import Form, WrongAnswers
from pyrite.wire.registration import Registration

from .rooms import DEN, OWN, USER, inside, present, told, words
from .scripted import PATIENCE, Scripted

FORM = (
    "<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'>"
    "<value>http://jabber.org/protocol/muc#{}</value></field>{}</x>"
)
ALLOW = "<field var='muc#{}_allow' type='boolean'><value>0</value></field>"
WHO = (
    "<field var='muc#role' type='list-single'><value>participant</value></field>"
    "<field var='muc#jid' type='jid-single'><value>{}</value></field>"
    "<field var='muc#roomnick' type='text-single'><value>wolf</value></field>"
)
VOICE = FORM.format("request", WHO.format("w@b.lit/x") + ALLOW.format("request"))
NICK = "<field var='muc#register_roomnick' type='text-single'><required/>{}</field>"
REGISTER = FORM.format(
    "register", NICK.format("<value>owl</value>") + ALLOW.format("register")
)  # to an admin
NO = "<error type='{}'><{} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"


async def answer(client: Scripted, inside: str, type: str = "result") -> None:
    asked = await client.said()
    await client.hears(f"<iq type='{type}' from='{DEN}' id='{asked.id}'>{inside}</iq>")


# --- voice and membership (§7.10, §7.13, §8.6, §9.9) ------------------------------------------


async def test_a_voice_is_asked_for() -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        receipt = await room.ask_voice()
        asked = await client.said()
        assert (asked.to, asked.get(Form)) == (DEN, roominfo.voice())
        await client.hears(words(None, NO.format("auth", "forbidden"), "error", asked.id or ""))
        with pytest.raises(StanzaError, match="forbidden"):
            await receipt.delivered


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [(VOICE, VoiceAsked, "muc#request_allow"), (REGISTER, RegistrationAsked, "muc#register_allow")],
)
@pytest.mark.parametrize("allow", [True, False])
async def test_moderators_decide(text: str, kind: type, field: str, allow: bool) -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        events = room.events()
        await client.hears(words(None, text, "normal"))
        asked = await events.next()
        assert isinstance(asked, VoiceAsked | RegistrationAsked)
        assert isinstance(asked, kind)
        await room.answer(asked, allow=allow)
        said = await client.said()
        form = said.get(Form)
        assert form is not None
        assert (said.to, form.type, form.form_type) == (DEN, "submit", asked.form.form_type)
        assert form.value(field) == ("1" if allow else "0")
        assert {f.var for f in form.fields} == {f.var for f in asked.form.fields}


async def test_what_moderators_are_told() -> None:
    async with Scripted(Muc) as client:
        voice, nobody, member = await told(
            client,
            words(None, VOICE, "normal"),
            words(None, VOICE.replace("w@b.lit/x", "@"), "normal"),
            words(None, REGISTER, "normal"),
            words("wolf", VOICE, "normal"),  # of somebody who is not the room
            words(None, VOICE),  # to all
            words(None, FORM.format("request", WHO), "normal"),  # nothing can be allowed
            words(None, VOICE.replace("type='form'", "type='submit'"), "normal"),
            words(None, VOICE.replace("type='form'", "type='what'"), "normal"),
        )
    assert isinstance(voice, VoiceAsked)
    assert (voice.nick, voice.jid, voice.role) == (
        "wolf",
        JID.parse("w@b.lit/x"),
        "participant",
    )
    assert isinstance(nobody, VoiceAsked)
    assert nobody.jid is None
    assert isinstance(member, RegistrationAsked)
    assert member.nick == "owl"


async def test_nothing_that_could_be_allowed() -> None:
    asked = VoiceAsked(Form("form"), "wolf")
    async with Scripted(Muc) as client:
        with pytest.raises(StanzaError, match="bad-request"):
            await client[Muc].at(DEN).answer(asked)


async def test_becoming_a_member() -> None:
    form = FORM.format("register", NICK.format("") + NICK.format("").replace("roomnick", "first"))
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        room = client[Muc].at(str(DEN))
        asking = asyncio.ensure_future(room.register("fox"))
        await answer(client, f"<query xmlns='jabber:iq:register'>{form}</query>")
        with pytest.raises(WrongAnswers) as wrong:
            await asking
        assert wrong.value.wrong == {"muc#register_first": "is required"}
        asking = asyncio.ensure_future(room.register("fox", first="F"))
        await answer(client, f"<query xmlns='jabber:iq:register'>{form}</query>")
        said = await client.said()
        query = said.get(Registration)
        assert query is not None
        assert query.form is not None
        assert query.form.value("muc#register_roomnick") == "fox"
        assert query.form.value("muc#register_first") == "F"
        await client.hears(
            f"<iq type='error' from='{DEN}' id='{said.id}'>{NO.format('cancel', 'conflict')}</iq>"
        )
        with pytest.raises(StanzaError, match="conflict"):
            await asking


async def test_a_member_who_is_to_be_called_otherwise() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client[Muc].at(DEN).register("owl"))
        await answer(client, "<query xmlns='jabber:iq:register'><registered/></query>")
        said = await client.said()
        query = said.get(Registration)
        assert query is not None
        assert query.form is not None
        assert query.form.value("muc#register_roomnick") == "owl"
        await client.hears(f"<iq type='result' from='{DEN}' id='{said.id}'/>")
        await asking


# --- what it is -------------------------------------------------------------------------------


async def test_history_in_any_measure() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        wanted = muc.History(maxchars=0)
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox", history=wanted).__aenter__())
        await client.answers_disco()
        join = (await client.said()).get(muc.Join)
        assert join is not None
        assert join.history == wanted
        entering.cancel()
        await asyncio.wait((entering,))


async def test_what_a_room_does_with_what_it_knows() -> None:
    """Status codes of §7.2.3, §7.2.12 and §10.2.1."""
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        events = room.events()
        assert (room.is_logged, room.shows_addresses) == (False, False)
        for codes, expected in [
            ((170,), (True, False)),
            ((172,), (True, True)),
            ((171, 173), (False, False)),
            ((104,), (False, False)),
        ]:
            inside_it = "".join(f"<status code='{code}'/>" for code in codes)
            await client.hears(words(None, USER.format(inside_it)))
            changed = await events.next()
            assert changed == ConfigChanged(frozenset(codes))
            assert (room.is_logged, room.shows_addresses) == expected
        assert isinstance(changed, ConfigChanged)
        assert changed.words == ("the settings were changed",)


async def test_codes_of_who_comes() -> None:
    codes = OWN + "<status code='100'/><status code='170'/>"
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        entering = asyncio.ensure_future(client[Muc].join(DEN, "fox").__aenter__())
        await client.answers_disco()
        await client.said()
        await client.hears(present("fox", codes))
        room = await entering
        assert (room.is_logged, room.shows_addresses) == (True, True)


def test_every_code_has_words() -> None:
    acted = {value for name, value in vars(muc).items() if isinstance(value, int)}
    assert (acted | muc.CONFIGURED) - {1} <= muc.STATUS.keys()
    assert len(muc.STATUS) == 20


ROOM = """<query xmlns='http://jabber.org/protocol/disco#info'>
<identity category='conference' type='text' name='A Dark Cave'/>
<feature var='http://jabber.org/protocol/muc'/><feature var='muc_membersonly'/>
<feature var='muc_hidden'/><feature var='muc_nonanonymous'/><feature var='muc_moderated'/>
<feature var='muc_unsecured'/><feature var='muc_persistent'/>
<x xmlns='jabber:x:data' type='result'>
<field var='FORM_TYPE' type='hidden'>
<value>http://jabber.org/protocol/muc#roominfo</value></field>
<field var='muc#roominfo_description'><value>The place for all good witches!</value></field>
<field var='muc#roominfo_contactjid'><value>crone1@shakespeare.lit</value><value>@</value></field>
<field var='muc#roominfo_subject'><value>Spells</value></field>
<field var='muc#roominfo_subjectmod'><value>true</value></field>
<field var='muc#roominfo_occupants'><value>3</value></field>
<field var='muc#roominfo_lang'><value>en</value></field>
<field var='muc#roominfo_logs'><value>http://www.shakespeare.lit/</value></field>
<field var='muc#maxhistoryfetch'><value>fifty</value></field>
<field var='muc#roominfo_avatarhash'><value>a</value></field></x></query>"""


async def test_what_a_room_says_of_itself() -> None:
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client[Muc].at(DEN).info())
        await answer(client, ROOM)
        info = await asking
    assert (info.name, info.description, info.subject) == (
        "A Dark Cave",
        "The place for all good witches!",
        "Spells",
    )
    assert info.contacts == (JID.parse("crone1@shakespeare.lit"),)
    assert (info.occupants, info.most_history, info.language) == (3, None, "en")
    assert info.may_all_set_subject
    assert info.more == {"muc#roominfo_avatarhash": ("a",)}
    assert [
        info.is_members_only, info.is_public, info.shows_addresses, info.is_moderated,
        info.has_password, info.is_persistent,
    ] == [True, False, True, True, False, True]  # fmt: skip
    assert roominfo.RoomInfo().is_public is None


async def test_who_is_there_from_outside() -> None:
    items = "".join(f"<item jid='{jid}'/>" for jid in (f"{DEN}/wolf", DEN))
    async with Scripted(Muc) as client, asyncio.timeout(PATIENCE):
        asking = asyncio.ensure_future(client[Muc].at(DEN).nicks())
        await answer(
            client, f"<query xmlns='http://jabber.org/protocol/disco#items'>{items}</query>"
        )
        assert await asking == ("wolf",)


# --- what they are besides (XEP-0317) ---------------------------------------------------------

HATS = "<hats xmlns='urn:xmpp:hats:0'>{}</hats></presence>"
HAT = "<hat title='Host' uri='urn:x:host' hue='327.25'/>"


async def test_hats() -> None:
    """Of a room that has any, and so many of them as somebody can look at."""
    worn = [HATS.format(inside) for inside in (HAT, HAT * 100, "<hat/>")]
    wolf = [present("wolf").replace("</presence>", one) for one in worn]
    async with Scripted(Muc) as client:
        assert await told(client, *wolf) == []
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        room.know(room.features | {hats.NS})
        events = room.events()
        await client.hears(*wolf)
        one, many, none = [await events.next() for _ in wolf]
        assert isinstance(one, HatsChanged)
        assert one.who.hats == (hats.Hat("Host", "urn:x:host", 327.25),)
        assert one.before.hats == ()
        assert isinstance(many, HatsChanged)
        assert len(many.who.hats) == hats.MOST
        assert isinstance(none, HatsChanged)
        assert none.who.hats == ()


# --- a conversation that goes on (§7.9) -------------------------------------------------------


@pytest.mark.parametrize(
    ("invite", "payload"),
    [
        (
            lambda room: room.invite("a@b.lit", "come", thread="t"),
            muc.User(
                invites=(
                    muc.Invite(to=JID("a", "b.lit"), reason="come", goes_on=muc.Continue("t")),
                )
            ),
        ),
        (
            lambda room: room.invite("a@b.lit", "come", thread="t", direct=True),
            conference.Conference(DEN, None, "come", True, "t"),
        ),
    ],
)
async def test_the_thread_goes_along(
    invite: Callable[[Outside], Awaitable[object]], payload: object
) -> None:
    async with Scripted(Muc) as client, inside(client) as room, asyncio.timeout(PATIENCE):
        await invite(room)  # type: ignore[arg-type]
        said = await client.said()
        assert isinstance(said, Message)
        assert said.get(type(payload)) == payload
