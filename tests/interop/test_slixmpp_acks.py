"""A stream that breaks, and goes on (XEP-0198)."""

from __future__ import annotations

import asyncio

import pytest
from slixmpp.stanza import Message, Presence

from .people import PATIENCE, Cast, Person, befriend, settle

PLUGINS = ["xep_0198"]

pytestmark = pytest.mark.ejabberd


async def come_back(person: Person) -> None:
    """Connect again; fails unless the session goes on."""
    client, resumed = person.client, asyncio.get_running_loop().create_future()
    events = {
        "session_resumed": lambda _: resumed.set_result(None),
        "sm_failed": lambda _: resumed.set_exception(AssertionError("not resumed")),
    }
    for name, handler in events.items():
        client.add_event_handler(name, handler)
    client.connect("127.0.0.1", person.server.c2s)
    await asyncio.wait_for(resumed, PATIENCE)
    for name, handler in events.items():
        client.del_event_handler(name, handler)


async def test_what_is_said_during_a_break(cast: Cast) -> None:
    """§5: it comes afterwards, once and in order, and friends hear nothing of the break."""
    romeo = await cast.enter("romeo/desk")
    juliet = await cast.enter("juliet/phone", plugins=PLUGINS)
    await befriend(romeo, juliet)
    assert juliet["xep_0198"].enabled_in
    romeo.say(juliet.full, "before")
    await juliet.message("before")
    await settle(romeo, juliet)
    romeo.forget()
    juliet.forget()
    full, id = juliet.full, juliet["xep_0198"].sm_id
    await juliet.break_off()
    for body in ("one", "two", "three"):
        romeo.say(full, body)
    await romeo.ping()
    await come_back(juliet)
    assert (juliet.full, juliet["xep_0198"].sm_id) == (full, id)
    await settle(juliet, romeo)
    assert [s["body"] for s in juliet.heard if isinstance(s, Message)] == ["one", "two", "three"]
    assert not any(isinstance(s, Presence) for s in romeo.heard)
    juliet.say(romeo.full, "here I am")
    await romeo.message("here I am")


async def test_every_stanza_is_acknowledged(cast: Cast) -> None:
    """§4: what slixmpp asks about, the server answers for; nothing stays in its queue."""
    romeo = await cast.enter("romeo/desk")
    juliet = await cast.enter("juliet/phone", plugins=PLUGINS)
    acknowledged: list[str] = []
    is_all = asyncio.Event()

    def note(stanza: object) -> None:
        if isinstance(stanza, Message):
            acknowledged.append(stanza["body"])
            if len(acknowledged) == 20:
                is_all.set()

    juliet.client.add_event_handler("stanza_acked", note)
    for n in range(20):
        juliet.say(romeo.full, str(n))
    await romeo.message("19")
    juliet["xep_0198"].request_ack()  # it does so itself, but only after every fifth
    await asyncio.wait_for(is_all.wait(), PATIENCE)  # each is on the disk before it is
    assert acknowledged == [str(n) for n in range(20)]


async def test_a_session_that_is_gone(cast: Cast) -> None:
    """§5: whoever left in good order begins anew; what it did not acknowledge is not lost."""
    romeo = await cast.enter("romeo/desk")
    juliet = await cast.enter("juliet/phone", plugins=PLUGINS)
    romeo.say(juliet.full, "heard")
    await juliet.message("heard")
    await juliet.leave()
    romeo.say(juliet.bare, "missed")
    await romeo.ping()
    again = await cast.again(juliet, "phone", plugins=PLUGINS)
    await again.message("missed")
    assert again["xep_0198"].enabled_in
