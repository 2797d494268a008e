"""Where a message goes (RFC 6121 §8.5), and what happens when nobody is there."""

import pytest
from slixmpp.stanza import Message

from .people import PATIENCE, Cast, attribute, befriend, child, settle
from .servers import VERONA

KINDS = ["normal", "chat", "headline", "groupchat", "error"]


async def test_a_conversation(cast: Cast) -> None:
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")
    first = romeo.say(juliet.bare, 'She speaks: <O> & "speak" again!')
    heard = await juliet.message(sender=romeo.full)
    assert heard["body"] == first["body"]
    assert heard["id"] == first["id"]
    assert attribute(heard, "to") == juliet.bare
    heard.reply("Wherefore art thou?").send()
    answer = await romeo.message(sender=juliet.full)
    assert attribute(answer, "to") == romeo.full


@pytest.mark.parametrize("kind", KINDS)
async def test_to_a_resource_that_is_there(cast: Cast, kind: str) -> None:
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet/balcony")
    romeo.say(juliet.full, "here", mtype=kind)
    heard = await juliet.message(sender=romeo.full)
    assert (attribute(heard, "type") or "normal") == kind


@pytest.mark.parametrize("kind", ["normal", "chat", "headline"])
async def test_to_the_account(cast: Cast, kind: str) -> None:
    """§8.5.2.1.1: never to a resource of negative priority."""
    romeo, home = await cast.enter("romeo"), await cast.enter("juliet/home")
    away = await cast.again(home, "away")
    await away.appear(ppriority=-1)
    romeo.say(home.bare, "anyone?", mtype=kind)
    await home.message("anyone?")
    await settle(romeo, home, away)
    assert away.unheard(Message) == []
    assert romeo.unheard(Message) == []


async def test_a_chat_message_to_a_resource_that_has_gone(cast: Cast) -> None:
    """§8.5.3.2.1: as if it had been sent to the account."""
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet/balcony")
    romeo.say(f"{juliet.bare}/gone", "still there?")
    await juliet.message("still there?", sender=romeo.full)


@pytest.mark.parametrize("kind", ["groupchat"])
async def test_to_the_account_what_only_a_room_sends(cast: Cast, kind: str) -> None:
    """§8.5.2.1.1, §8.5.2.2.1."""
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet")
    romeo.say(juliet.bare, "all together", mtype=kind)
    refused = await romeo.message(sender=juliet.bare)
    assert attribute(refused, "type") == "error"
    assert refused["error"]["condition"] == "service-unavailable"
    await settle(romeo, juliet)
    assert juliet.unheard(Message) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_to_an_account_that_does_not_exist(cast: Cast, kind: str) -> None:
    """§8.5.1; and RFC 6120 §8.3.1: an error is never answered."""
    romeo = await cast.enter("romeo")
    sent = romeo.say(f"nobody-at-all@{VERONA}", "hello?", mtype=kind)
    await settle(romeo)
    answers = [s for s in romeo.heard if isinstance(s, Message)]
    assert len(answers) <= (kind != "error")
    for answer in answers:
        assert attribute(answer, "type") == "error"
        assert answer["error"]["condition"] == "service-unavailable"
        assert answer["id"] == sent["id"]


async def test_to_a_malformed_address(cast: Cast) -> None:
    """RFC 6120 §8.3.3.8; the stream goes on."""
    romeo = await cast.enter("romeo")
    romeo.client.send_raw("<message to='a b@verona.example' id='m1' type='chat'/>")
    refused = await romeo.message()
    assert (refused["id"], refused["error"]["condition"]) == ("m1", "jid-malformed")
    await romeo.ping()


async def test_offline_messages_wait_and_say_since_when(cast: Cast) -> None:
    """§8.5.2.2.1, XEP-0160, XEP-0203: in order, stamped, and once."""
    romeo, account = await cast.enter("romeo"), cast.account("juliet")
    for number in range(3):
        romeo.say(account, f"letter {number}", mtype=("chat", "normal")[number % 2])
    romeo.say(account, "news of the day", mtype="headline")
    await settle(romeo)
    assert romeo.unheard(Message) == []
    juliet = await cast.person(account).log_in()
    for number in range(3):
        letter = await juliet.message(f"letter {number}", sender=romeo.full)
        delay = child(letter, "urn:xmpp:delay", "delay")
        assert delay is not None
        assert delay.get("stamp", "").endswith("Z")
        assert delay.get("from") == VERONA
    await settle(juliet)
    assert juliet.unheard(Message) == []
    await juliet.leave()
    again = await cast.person(account).log_in()
    await settle(again)
    assert again.unheard(Message) == []


@pytest.mark.lacking("it delivers what waits at the first presence, and not at a later one")
async def test_negative_priority_is_as_good_as_away(cast: Cast) -> None:
    """§8.5.2.1.1; the messages come when the priority rises."""
    romeo, account = await cast.enter("romeo"), cast.account("juliet")
    juliet = await cast.person(account).log_in(presence=False)
    await juliet.appear(ppriority=-1)
    romeo.say(account, "later, then")
    await settle(romeo, juliet)
    assert juliet.unheard(Message) == []
    await juliet.appear(ppriority=1)
    await juliet.message("later, then")


@pytest.mark.lacking("it keeps hints for its archive alone")
async def test_what_must_not_be_stored_is_not(cast: Cast) -> None:
    """XEP-0334 §4.2, §4.3."""
    romeo = await cast.enter("romeo")
    romeo.client.register_plugin("xep_0334")
    account = cast.account("juliet")
    message = romeo.client.make_message(mto=account, mbody="burn this", mtype="chat")
    message.enable("no-store")
    message.send()
    romeo.say(account, "keep this")
    await settle(romeo)
    juliet = await cast.person(account).log_in()
    await juliet.message("keep this")
    await settle(juliet)
    assert juliet.unheard(Message) == []


@pytest.mark.lacking("it does not know XEP-0013")
async def test_offline_messages_are_counted_and_fetched(cast: Cast) -> None:
    """XEP-0013."""
    romeo, account = await cast.enter("romeo"), cast.account("juliet")
    romeo.say(account, "one")
    romeo.say(account, "two")
    await settle(romeo)
    juliet = await cast.person(account, plugins=["xep_0013"]).log_in(presence=False)
    info = await juliet["xep_0013"].get_count(timeout=PATIENCE)
    fields = {f.get("var"): f[0].text for f in info.xml.iter("{jabber:x:data}field")}
    assert fields["number_of_messages"] == "2"
    headers = await juliet["xep_0013"].get_headers(timeout=PATIENCE)
    nodes = sorted(item[1] for item in headers["disco_items"]["items"])
    assert len(nodes) == 2
    await juliet["xep_0013"].view([nodes[0]], timeout=PATIENCE, callback=lambda _: None)
    await juliet.message("one")
    await juliet["xep_0013"].remove([nodes[0]], timeout=PATIENCE)
    await juliet.appear()
    await settle(juliet)
    assert len(juliet.unheard(Message)) <= 1


async def test_order_is_kept(cast: Cast) -> None:
    """RFC 6120 §10.1."""
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet")
    await befriend(romeo, juliet)
    for number in range(200):
        romeo.say(juliet.bare, str(number))
    for number in range(200):
        assert (await juliet.message())["body"] == str(number)
