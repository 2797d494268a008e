"""Who is away is answered for: once, to people, and no longer than it is wanted."""

from __future__ import annotations

import pytest

from pyrite.server.api import JID, CommandError

from .conftest import Play

SET = '<iq type="set" id="s"><notice xmlns="urn:pyrite:away:1">{}</notice></iq>'
HELLO = '<message to="juliet@example.org" type="{}"><body>hello</body></message>'
CHAT = HELLO.format("chat")


async def test_a_sender_hears_it_once_in_a_while(play: Play) -> None:
    romeo = await play.comes("romeo@example.org/garden")
    juliet = await play.comes("juliet@example.org/balcony")
    assert await play.says(romeo, CHAT) == []
    await play.says(juliet, SET.format("Away"))
    (answer,) = await play.says(romeo, CHAT)
    assert 'from="juliet@example.org"' in answer
    assert "<body>Away</body>" in answer
    assert await play.says(romeo, CHAT) == []
    play.clock.advance(2 * 3600)
    assert len(await play.says(romeo, CHAT)) == 1
    await play.says(juliet, SET.format(""))
    play.clock.advance(2 * 3600)
    assert await play.says(romeo, CHAT) == []


async def test_two_who_are_away_do_not_talk_for_ever(play: Play) -> None:
    romeo = await play.comes("romeo@example.org/garden")
    juliet = await play.comes("juliet@example.org/balcony")
    for session in (romeo, juliet):
        await play.says(session, SET.format("Away"))
    assert len(await play.says(romeo, CHAT)) == 1
    assert len(juliet.take()) == 1


@pytest.mark.parametrize("type", ["groupchat", "headline", "error"])
async def test_what_nobody_waits_for_is_not_answered(play: Play, type: str) -> None:
    romeo = await play.comes("romeo@example.org/garden")
    juliet = await play.comes("juliet@example.org/balcony")
    await play.says(juliet, SET.format("Away"))
    answers = await play.says(romeo, HELLO.format(type))
    assert not any("Away" in answer for answer in answers)


async def test_whom_the_user_writes_to_is_not_told(play: Play) -> None:
    romeo = await play.comes("romeo@example.org/garden")
    juliet = await play.comes("juliet@example.org/balcony")
    await play.says(juliet, SET.format("Away"))
    to_romeo = CHAT.replace("juliet", "romeo")
    assert await play.says(juliet, to_romeo) == []
    assert len(romeo.take()) == 1
    assert await play.says(romeo, CHAT) == []


async def test_the_user_is_reminded_and_may_look(play: Play) -> None:
    juliet = await play.comes("juliet@example.org/balcony")
    (result,) = await play.says(juliet, SET.format("Away"))
    assert 'type="result"' in result
    await play.says(juliet, '<presence type="unavailable"/>')
    reminder, *_ = [text for text in await play.says(juliet, "<presence/>") if "headline" in text]
    assert "You are marked as away: Away" in reminder
    (shown,) = await play.says(juliet, SET.format("").replace('"set"', '"get"'))
    assert ">Away</notice>" in shown


async def test_it_has_a_size(play: Play) -> None:
    juliet = await play.comes("juliet@example.org/balcony")
    (refused,) = await play.says(juliet, SET.format("x" * 21))
    assert "not-acceptable" in refused
    with pytest.raises(CommandError, match="more than"):
        await play.server.commands.run("away-set", {"jid": "juliet@example.org", "text": "x" * 21})


async def test_operators_do_it_for_others(play: Play) -> None:
    run = play.server.commands.run
    romeo = await play.comes("romeo@example.org/garden")
    await play.comes("juliet@example.org/balcony")
    await run("away-set", {"jid": "juliet@example.org", "text": "On leave"})
    assert await run("away-show", {"jid": "juliet@example.org"}) == "On leave"
    assert len(await play.says(romeo, CHAT)) == 1
    assert ("away_answers", 'host="example.org"', 1) in play.server.meter.samples()
    with pytest.raises(CommandError, match="no account of"):
        await run("away-show", {"jid": "juliet@example.com"})


async def test_a_deleted_account_leaves_nothing(play: Play) -> None:
    romeo = await play.comes("romeo@example.org/garden")
    await play.comes("juliet@example.org/balcony")
    await play.server.commands.run("away-set", {"jid": "juliet@example.org", "text": "On leave"})
    await play.server.accounts.delete(JID.parse("juliet@example.org"))
    await play.comes("juliet@example.org/balcony")
    assert await play.says(romeo, CHAT) == []
