"""What can wait for somebody to look, and what stands for it."""

import pytest

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, read
from pyrite.core.xml import parse
from pyrite.wire import carbons, csi

ROMEO, JULIET = JID.parse("romeo@verona.lit/garden"), JID.parse("juliet@verona.lit/phone")
OWN = "<status code='110'/>"
STATE = "<paused xmlns='http://jabber.org/protocol/chatstates'/>"
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
        ("<message type='chat'><received xmlns='urn:xmpp:receipts' id='1'/></message>", False),
        ("<message type='chat'/>", False),
        ("<iq type='result' id='1'/>", False),
    ],
)
def test_what_can_wait(xml: str, waits: bool) -> None:
    stanza = read(parse(xml, "jabber:client")).routed(sender=ROMEO, to=JULIET)
    assert (csi.topic(stanza) is not None) is waits
    if isinstance(stanza, Message):
        copy = carbons.wrap(stanza, carbons.Received, JULIET.bare.at("tablet"))
        assert (csi.topic(copy) is not None) is (waits and stanza.type != "error")


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
