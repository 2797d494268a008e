"""A client that nobody looks at (XEP-0352)."""

import pytest
from slixmpp.stanza import Message, Presence

from .people import Cast, Person, befriend, settle

pytestmark = pytest.mark.ejabberd


def shows(person: Person, on_prosody: bool) -> list[str]:
    """What was heard of others' presence; of Prosody, which lets nothing out, the newest."""
    heard = [str(stanza["show"]) for stanza in person.heard if isinstance(stanza, Presence)]
    return heard[-1:] if on_prosody else heard


async def look_away(person: Person, friend: Person) -> None:
    """Nobody looks, and the server knows.

    It is not asked: for seconds after it has answered, Prosody keeps nothing back.
    """
    person["xep_0352"].send_inactive()
    person.say(friend.full, "Good night")
    await friend.message("Good night")
    person.forget()


async def test_an_inactive_phone(cast: Cast, on_prosody: bool) -> None:
    """§3.2, §4.2: what can wait comes before the words; later, with the client's return."""
    romeo = await cast.enter("romeo/desk")
    juliet = await cast.enter("juliet/phone", plugins=["xep_0085", "xep_0352"])
    await befriend(romeo, juliet)
    assert juliet["xep_0352"].enabled
    await look_away(juliet, romeo)
    for show in ("away", "dnd", "xa"):
        await romeo.appear(pshow=show)
    romeo.client.send_raw(
        f"<message type='chat' to='{juliet.full}'>"
        "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    await romeo.ping()
    assert juliet.heard == []
    romeo.say(juliet.full, "wake up")
    await juliet.message("wake up")
    assert shows(juliet, on_prosody) == ["xa"]
    assert [s["chat_state"] for s in juliet.heard if isinstance(s, Message)] == ["composing"]
    juliet.forget()
    for show in ("away", "dnd"):
        await romeo.appear(pshow=show)
    juliet["xep_0352"].send_active()
    await settle(juliet)
    assert shows(juliet, on_prosody) == ["dnd"]


async def test_receipts_wait_for_somebody_to_look(cast: Cast) -> None:
    """§3.2: a phone that nobody looks at need not wake up to learn that a message has arrived."""
    romeo = await cast.enter("romeo/desk")
    juliet = await cast.enter("juliet/phone", plugins=["xep_0184", "xep_0352"])
    await befriend(romeo, juliet)
    await look_away(juliet, romeo)
    romeo.client.send_raw(
        f"<message type='chat' to='{juliet.full}'>"
        "<received xmlns='urn:xmpp:receipts' id='m1'/><store xmlns='urn:xmpp:hints'/></message>"
    )
    await romeo.ping()
    assert juliet.heard == []
    juliet["xep_0352"].send_active()
    await settle(juliet)
    (receipt,) = [s for s in juliet.heard if isinstance(s, Message)]
    assert receipt["receipt"] == "m1"
