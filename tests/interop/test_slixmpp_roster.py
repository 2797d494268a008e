"""Contacts and subscriptions (RFC 6121 §2, §3 and Appendix A)."""

import pytest
from slixmpp.exceptions import IqError
from slixmpp.stanza import Iq, Presence

from .people import Cast, Person, befriend, settle
from .servers import VERONA

NURSE = f"nurse@{VERONA}"


async def test_add_rename_group_remove(cast: Cast) -> None:
    """Every change is answered, kept, and pushed to each session that asked for the roster."""
    home = await cast.enter("juliet/home")
    away = await cast.again(home, "away")
    deaf = await cast.again(home, "deaf", roster=False)

    await home.client.update_roster(NURSE, name="Nurse", groups=["Household"])
    for session in (home, away):
        item = await session.push(NURSE)
        assert item.attrib == {"jid": NURSE, "name": "Nurse", "subscription": "none"}
        assert [group.text for group in item] == ["Household"]

    await home.client.update_roster(NURSE, name="Angelica", groups=["Household", "Friends"])
    item = await away.push(NURSE)
    assert item.get("name") == "Angelica"
    assert {group.text for group in item} == {"Household", "Friends"}
    assert (await away.roster())[NURSE].get("name") == "Angelica"

    await home.client.del_roster_item(NURSE)
    assert (await away.push(NURSE)).get("subscription") == "remove"
    assert await home.roster() == {}
    await settle(home, away, deaf)
    assert not [s for s in deaf.unheard(Iq) if 'type="set"' in s]


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("<item jid='a@{d}'/><item jid='b@{d}'/>", "bad-request"),
        ("", "bad-request"),
        ("<item jid='nobody-here@{d}' subscription='remove'/>", "item-not-found"),
    ],
)
async def test_a_wrong_change_is_refused(cast: Cast, query: str, condition: str) -> None:
    """RFC 6121 §2.3.3, §2.5.3."""
    juliet = await cast.enter("juliet")
    items = query.format(d=VERONA)
    with pytest.raises(IqError, match=condition):
        await juliet.ask("set", f"<query xmlns='jabber:iq:roster'>{items}</query>")


async def test_versioning(cast: Cast) -> None:
    """RFC 6121 §2.6: nothing is sent again that the client has."""
    juliet = await cast.enter("juliet")
    assert "rosterver" in juliet.client.features
    await juliet.client.update_roster(NURSE, name="Nurse")
    await juliet.push(NURSE)
    full = await juliet.ask("get", "<query xmlns='jabber:iq:roster' ver=''/>")
    version = full["roster"]["ver"]
    assert version
    same = await juliet.ask("get", f"<query xmlns='jabber:iq:roster' ver='{version}'/>")
    assert len(same.xml) == 0
    await juliet.client.update_roster(NURSE, name="Angelica")
    await juliet.push(NURSE)
    newer = await juliet.ask("get", f"<query xmlns='jabber:iq:roster' ver='{version}'/>")
    if len(newer.xml):
        assert newer["roster"]["items"][NURSE]["name"] == "Angelica"
    else:
        assert (await juliet.push(NURSE)).get("name") == "Angelica"


async def state(person: Person, contact: Person) -> tuple[str, str]:
    """The subscription and the question that is open, as the server keeps it."""
    item = (await person.roster()).get(contact.bare)
    return ("", "") if item is None else (item.get("subscription", ""), item.get("ask", ""))


async def test_the_whole_way_there_and_back(cast: Cast) -> None:
    """none, asked, to, both; then cancelled and unsubscribed, none again (§3.1 to §3.3)."""
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")

    romeo.send_presence(juliet.bare, "subscribe", pstatus="Let me in")
    item = await romeo.push(juliet.bare)
    assert (item.get("subscription"), item.get("ask")) == ("none", "subscribe")
    asked = await juliet.presence("subscribe", romeo.bare)
    assert asked["status"] == "Let me in"
    assert await state(juliet, romeo) == ("", "")  # §2.1.2.5: not before she answers

    juliet.send_presence(romeo.bare, "subscribed")
    await romeo.presence("subscribed", juliet.bare)
    await romeo.presence(sender=juliet.full)
    assert (await juliet.push(romeo.bare)).get("subscription") == "from"
    assert (await romeo.push(juliet.bare)).get("subscription") == "to"

    juliet.send_presence(romeo.bare, "subscribe")
    await romeo.presence("subscribe", juliet.bare)
    romeo.send_presence(juliet.bare, "subscribed")
    await juliet.presence("subscribed", romeo.bare)
    await juliet.presence(sender=romeo.full)
    await settle(romeo, juliet)
    assert await state(romeo, juliet) == ("both", "")
    assert await state(juliet, romeo) == ("both", "")

    romeo.forget()
    juliet.send_presence(romeo.bare, "unsubscribed")
    await romeo.presence("unavailable", juliet.full)
    await romeo.presence("unsubscribed", juliet.bare)
    await settle(romeo, juliet)
    assert await state(romeo, juliet) == ("from", "")
    assert await state(juliet, romeo) == ("to", "")

    juliet.forget()
    juliet.send_presence(romeo.bare, "unsubscribe")
    await romeo.presence("unsubscribe", juliet.bare)
    await settle(romeo, juliet)
    assert await state(romeo, juliet) == ("none", "")
    assert await state(juliet, romeo) == ("none", "")


@pytest.mark.lacking("it leaves the last presence standing with who unsubscribes")
async def test_who_unsubscribes_is_told_unavailable(cast: Cast) -> None:
    """§3.3.3 step 3, and §2.5.2 with §3.2.2."""
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet")
    await befriend(romeo, juliet)
    juliet.send_presence(romeo.bare, "unsubscribe")
    await juliet.presence("unavailable", romeo.full)
    await romeo.client.del_roster_item(juliet.bare)
    await juliet.push(romeo.bare)
    other = await cast.enter("nurse")
    await befriend(romeo, other)
    await romeo.client.del_roster_item(other.bare)
    await other.presence("unavailable", romeo.full)


async def test_a_request_waits_for_who_is_away(cast: Cast) -> None:
    """§3.1.3: it is delivered, whole, at each login until it is answered."""
    romeo = await cast.enter("romeo")
    account = cast.account("juliet")
    romeo.send_presence(account, "subscribe", pstatus="It is the east")
    await romeo.push(account)
    await settle(romeo)
    for _ in range(2):
        juliet = await cast.person(account).log_in()
        asked = await juliet.presence("subscribe", romeo.bare)
        assert asked["status"] == "It is the east"
        await juliet.leave()
    juliet = await cast.person(account).log_in()
    await juliet.presence("subscribe", romeo.bare)
    juliet.send_presence(romeo.bare, "unsubscribed")
    await romeo.presence("unsubscribed", account)
    await juliet.leave()
    juliet = await cast.person(account).log_in()
    await settle(juliet)
    assert not [s for s in juliet.unheard(Presence) if "subscribe" in s]


async def test_removing_a_contact_ends_both_subscriptions(cast: Cast) -> None:
    """§2.5.2."""
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet")
    await befriend(romeo, juliet)
    await romeo.client.del_roster_item(juliet.bare)
    await juliet.presence("unsubscribe", romeo.bare)
    await juliet.presence("unsubscribed", romeo.bare)
    await settle(romeo, juliet)
    assert await state(juliet, romeo) == ("none", "")


@pytest.mark.lacking("it announces it but does not say that a contact is approved")
async def test_approval_in_advance(cast: Cast) -> None:
    """§3.4: what was approved before it was asked for is granted without a question."""
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet")
    assert "preapproval" in juliet.client.features
    juliet.send_presence(romeo.bare, "subscribed")
    assert (await juliet.push(romeo.bare)).get("approved") == "true"
    romeo.send_presence(juliet.bare, "subscribe")
    await romeo.presence("subscribed", juliet.bare)
    await romeo.presence(sender=juliet.full)
    await settle(romeo, juliet)
    assert not [s for s in juliet.unheard(Presence) if "subscribe" in s]
    assert await state(juliet, romeo) == ("from", "")
    assert await state(romeo, juliet) == ("to", "")
