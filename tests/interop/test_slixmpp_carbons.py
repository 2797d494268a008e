"""Two clients of one account see the same conversations (XEP-0280)."""

from xml.etree import ElementTree

import pytest
from slixmpp.stanza import Message

from .people import PATIENCE, Cast, Person, attribute, child, settle
from .servers import VERONA

NS = "urn:xmpp:carbons:2"
PLUGINS = ["xep_0030", "xep_0280"]

pytestmark = pytest.mark.ejabberd


def is_copy(stanza: object, kind: str, body: str) -> bool:
    if not isinstance(stanza, Message):
        return False
    copy = child(stanza, NS, kind)
    return copy is not None and copy.findtext(".//{jabber:client}body") == body


async def copy_of(person: Person, kind: str, body: str) -> ElementTree.Element:
    """The message inside the copy that `person` gets; the copy itself must be genuine."""
    copy = await person.hear(lambda stanza: is_copy(stanza, kind, body))
    assert attribute(copy, "from") == person.bare
    assert attribute(copy, "to") == person.full
    inner = copy.xml.find(
        f"{{{NS}}}{kind}/{{urn:xmpp:forward:0}}forwarded/{{jabber:client}}message"
    )
    assert inner is not None
    assert inner.get("type", "normal") == (attribute(copy, "type") or "normal")
    return inner


async def test_both_ways(cast: Cast) -> None:
    """§7, §8; the phone sees what the desk says and hears."""
    desk, juliet = await cast.enter("romeo/desk"), await cast.enter("juliet/balcony")
    phone = await cast.again(desk, "phone", plugins=PLUGINS)
    seen: list[str] = []
    for event in ("carbon_sent", "carbon_received"):
        phone.client.add_event_handler(event, lambda copy, event=event: seen.append(event))
    assert await phone["xep_0030"].supports(VERONA, feature=NS)
    await phone["xep_0280"].enable(timeout=PATIENCE)
    desk.say(juliet.full, "from the desk")
    sent = await copy_of(phone, "sent", "from the desk")
    assert (sent.get("from"), sent.get("to")) == (desk.full, juliet.full)
    juliet.say(desk.full, "to the desk")
    received = await copy_of(phone, "received", "to the desk")
    assert (received.get("from"), received.get("to")) == (juliet.full, desk.full)
    assert seen == ["carbon_sent", "carbon_received"]
    await settle(desk, juliet, phone)
    assert not any(child(s, NS, "sent") for s in desk.heard if isinstance(s, Message))


async def test_no_copy_for_who_got_it_anyway(cast: Cast) -> None:
    """§7: a message to the account is delivered to both."""
    desk, juliet = await cast.enter("romeo/desk"), await cast.enter("juliet")
    phone = await cast.again(desk, "phone", plugins=PLUGINS)
    await phone["xep_0280"].enable(timeout=PATIENCE)
    juliet.say(desk.bare, "to both")
    await desk.message("to both")
    await phone.message("to both")
    await settle(desk, juliet, phone)
    assert phone.unheard(Message) == []


async def test_a_negative_priority_gets_the_copy(cast: Cast) -> None:
    """§7 with RFC 6121 §8.5.2.1.1."""
    desk, juliet = await cast.enter("romeo/desk"), await cast.enter("juliet")
    phone = await cast.again(desk, "phone", plugins=PLUGINS)
    await phone.appear(ppriority=-1)
    await phone["xep_0280"].enable(timeout=PATIENCE)
    juliet.say(desk.bare, "who takes it?")
    await desk.message("who takes it?")
    await copy_of(phone, "received", "who takes it?")


async def test_private_messages_are_not_copied(cast: Cast) -> None:
    """§9, XEP-0334 §4.3; and no more after `disable` (§5)."""
    desk, juliet = await cast.enter("romeo/desk"), await cast.enter("juliet/balcony")
    phone = await cast.again(desk, "phone", plugins=PLUGINS)
    await phone["xep_0280"].enable(timeout=PATIENCE)
    for mark in (f"<private xmlns='{NS}'/>", "<no-copy xmlns='urn:xmpp:hints'/>"):
        desk.client.send_raw(
            f"<message type='chat' to='{juliet.full}'><body>hush</body>{mark}</message>"
        )
        await juliet.message("hush")
    desk.say(juliet.full, "this is for all")
    await copy_of(phone, "sent", "this is for all")
    desk.say(juliet.full, "together", mtype="headline")
    await phone.ask("set", f"<disable xmlns='{NS}'/>")
    desk.say(juliet.full, "no more")
    await juliet.message("no more")
    await settle(desk, juliet, phone)
    assert phone.unheard(Message) == []


async def test_forged_copies(cast: Cast) -> None:
    """§11: whatever arrives of them, no client takes it for its own server's."""
    romeo, tybalt = await cast.enter("romeo/desk", plugins=PLUGINS), await cast.enter("tybalt")
    await romeo["xep_0280"].enable(timeout=PATIENCE)
    believed: list[Message] = []
    romeo.client.add_event_handler("carbon_received", believed.append)
    tybalt.client.send_raw(
        f"<message to='{romeo.full}'><body>look</body><received xmlns='{NS}'>"
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'"
        f" from='juliet@{VERONA}/balcony' to='{romeo.full}' type='chat'><body>drink it</body>"
        "</message></forwarded></received></message>"
    )
    heard = await romeo.message("look")
    assert attribute(heard, "from") == tybalt.full
    await settle(romeo, tybalt)
    assert believed == []
