"""What can wait for somebody to look, and what stands for it."""

import pytest

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, read
from pyrite.core.xml import parse
from pyrite.wire import carbons, csi

ROMEO, JULIET = JID.parse("romeo@verona.lit/garden"), JID.parse("juliet@verona.lit/phone")
OWN = "<status code='110'/>"
STATE = "<paused xmlns='http://jabber.org/protocol/chatstates'/>"
RECEIPT = "<received xmlns='urn:xmpp:receipts' id='1'/>"
DISPLAYED = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
EVENT = (
    "<message type='{}'><event xmlns='http://jabber.org/protocol/pubsub#event'>"
    "<items node='{}'>{}</items></event>{}</message>"
)
ROOM = "<x xmlns='http://jabber.org/protocol/muc#user'><item role='none'/>{}</x>"


@pytest.mark.parametrize(
    ("xml", "waits"),
    [
        ("<presence/>", True),
        ("<presence type='unavailable'/>", True),
        (f"<presence>{ROOM.format('')}</presence>", True),
        (f"<presence type='unavailable'>{ROOM.format(OWN)}</presence>", False),
        ("<presence type='subscribe'/>", False),
        ("<presence type='unsubscribed'/>", False),
        ("<presence type='error'/>", False),
        (f"<message type='chat'>{STATE}</message>", True),
        (f"<message type='chat'>{STATE}<thread>1</thread></message>", True),
        (f"<message>{STATE}</message>", True),
        (f"<message type='chat'><body>hi</body>{STATE}</message>", False),
        (f"<message type='error'>{STATE}</message>", False),
        ("<message type='groupchat'><body>hi</body></message>", False),
        ("<message type='chat'/>", False),
        # hints, ids and delays say nothing to a person
        (f"<message type='chat'>{STATE}<no-store xmlns='urn:xmpp:hints'/></message>", True),
        (f"<message type='chat'>{STATE}<origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>", True),
        (f"<message type='chat'>{STATE}<delay xmlns='urn:xmpp:delay' stamp=''/></message>", True),
        (f"<message type='chat'>{STATE}<x xmlns='urn:example:x'/></message>", False),
        ("<message type='chat'><no-store xmlns='urn:xmpp:hints'/></message>", False),
        # receipts and markers
        (f"<message type='chat'>{RECEIPT}</message>", True),
        (f"<message>{RECEIPT}<store xmlns='urn:xmpp:hints'/></message>", True),
        (f"<message type='chat'>{RECEIPT}{DISPLAYED}{STATE}</message>", True),
        (f"<message type='groupchat'>{DISPLAYED}</message>", True),
        (f"<message type='chat'>{RECEIPT}<body>hi</body></message>", False),
        (f"<message type='error'>{RECEIPT}</message>", False),
        ("<message type='chat'><request xmlns='urn:xmpp:receipts'/></message>", False),
        ("<message><propose xmlns='urn:xmpp:jingle-message:0' id='1'/></message>", False),
        ("<iq type='result' id='1'/>", False),
    ],
)
def test_what_can_wait(xml: str, waits: bool) -> None:
    stanza = read(parse(xml, "jabber:client")).routed(sender=ROMEO, to=JULIET)
    assert (csi.topic(stanza) is not None) is waits
    if isinstance(stanza, Message):
        copy = carbons.wrap(stanza, carbons.Received, JULIET.bare.at("tablet"))
        assert (csi.topic(copy) is not None) is (waits and stanza.type != "error")


def read_message(xml: str) -> Message:
    stanza = read(parse(xml, "jabber:client")).routed(sender=ROMEO, to=JULIET)
    assert isinstance(stanza, Message)
    return stanza


def test_what_another_client_has_displayed() -> None:
    """It takes away what this one shows; that somebody else has displayed it does not."""
    displayed = read_message(f"<message type='chat'>{DISPLAYED}</message>")
    assert csi.topic(carbons.wrap(displayed, carbons.Received, JULIET)) is not None
    assert csi.topic(carbons.wrap(displayed, carbons.Sent, JULIET)) is None
    receipt = read_message(f"<message type='chat'>{RECEIPT}</message>")
    assert csi.topic(carbons.wrap(receipt, carbons.Sent, JULIET)) is not None


def test_no_receipt_stands_for_another() -> None:
    one, other = (
        csi.topic(read_message(f"<message type='chat'>{RECEIPT.replace('1', id)}</message>"))
        for id in "12"
    )
    assert None not in (one, other)
    assert one != other


@pytest.mark.parametrize(
    ("type", "node", "body", "waits"),
    [
        ("headline", "urn:xmpp:bookmarks:1", "", True),
        ("headline", "urn:xmpp:mds:displayed:0", "", False),
        ("headline", "urn:xmpp:bookmarks:1", "<body>hi</body>", False),
        ("chat", "urn:xmpp:bookmarks:1", "", False),
    ],
)
def test_which_events_wait(type: str, node: str, body: str, waits: bool) -> None:
    """§3.2, but for what other clients of the account have displayed (XEP-0490)."""
    event = read_message(EVENT.format(type, node, "<item id='a'/>", body))
    assert (csi.topic(event) is not None) is waits


def test_an_event_stands_for_what_happened_to_its_item_before() -> None:
    changes = ("<item id='a'/>", "<item id='b'/>", "<retract id='a'/>", "<item id='a'><x/></item>")
    first, other, gone, again = (
        csi.topic(read_message(EVENT.format("headline", "n", change, ""))) for change in changes
    )
    assert first is not None
    assert first == gone == again
    assert first != other
    elsewhere = csi.topic(read_message(EVENT.format("headline", "m", changes[0], "")))
    assert first != elsewhere


def test_an_event_without_anything() -> None:
    ns = "http://jabber.org/protocol/pubsub#event"
    assert (
        csi.topic(read_message(f"<message type='headline'><event xmlns='{ns}'/></message>")) is None
    )


def test_what_stands_for_what() -> None:
    """The newest from one resource to one address; copies are about what they copy."""
    stanza = read(parse(f"<message type='chat'>{STATE}</message>", "jabber:client"))
    assert isinstance(stanza, Message)
    said = stanza.routed(sender=ROMEO, to=JULIET)
    kinds = (carbons.Received, carbons.Sent)
    copies = [carbons.wrap(said, kind, JULIET) for kind in kinds]
    others = [said.routed(sender=ROMEO.bare.at("orchard")), said.routed(to=JULIET.bare)]
    topics = [csi.topic(each) for each in (said, *copies, *others)]
    assert None not in topics
    assert len(set(topics)) == len(topics)
    assert csi.topic(said) == csi.topic(stanza.routed(sender=ROMEO, to=JULIET))


@pytest.mark.parametrize(
    "inside",
    [
        f"<sent xmlns='{carbons.NS}'/>",
        f"<sent xmlns='{carbons.NS}'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<iq xmlns='jabber:client'/></forwarded></sent>",
    ],
)
def test_what_is_no_copy_goes_through(inside: str) -> None:
    assert csi.topic(read(parse(f"<message>{inside}</message>", "jabber:client"))) is None
