"""What wakes a device, what it is told, and which answers of a push service are its last."""

import pytest

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode
from pyrite.core.stanza import Iq, Message, read
from pyrite.core.xml import parse
from pyrite.wire import offline, push
from pyrite.wire.dataforms import submission
from pyrite.wire.pubsub import NS_PUBLISH_OPTIONS

ROMEO, JULIET = JID.parse("romeo@verona.lit/garden"), JID.parse("juliet@verona.lit")
SERVICE = JID.parse("push.example")
BODY = "<body>Sleep dwell upon thine eyes</body>"
CALL = "<{} xmlns='urn:xmpp:jingle-message:0' id='1'/>"
OMEMO = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/>{}</encrypted>"
ROOM = "<x xmlns='http://jabber.org/protocol/muc#user'>{}</x>"
HINT = "<{} xmlns='urn:xmpp:hints'/>"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"


@pytest.mark.parametrize(
    ("type", "inside", "wakes"),
    [
        ("chat", BODY, True),
        ("normal", BODY, True),
        ("groupchat", BODY, True),
        ("headline", BODY, False),
        ("error", BODY, False),
        ("chat", "<body/>", False),
        ("chat", STATE, False),
        ("chat", BODY + STATE, True),
        ("chat", "<thread>1</thread>", False),
        ("groupchat", "<subject>Balconies</subject>", False),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", False),
        ("chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", False),
        ("chat", "<x xmlns='urn:example:x'/>", False),
        # calls (XEP-0353): to be answered, and what came of it; not that it rings elsewhere
        ("chat", CALL.format("propose"), True),
        ("chat", CALL.format("propose") + HINT.format("store"), True),
        ("chat", CALL.format("retract"), True),
        ("chat", CALL.format("proceed"), True),
        ("chat", CALL.format("reject"), True),
        ("chat", CALL.format("ringing"), False),
        ("chat", CALL.format("finish"), False),
        # words that cannot be read here, and keys without words (XEP-0384 §5.6)
        ("chat", OMEMO.format("<payload>ZWxlZ3k=</payload>"), True),
        ("chat", OMEMO.format(""), False),
        ("chat", "<openpgp xmlns='urn:xmpp:openpgp:0'>ZWxlZ3k=</openpgp>", True),
        ("chat", "<x xmlns='jabber:x:encrypted'>ZWxlZ3k=</x>", True),
        # invitations to rooms, and not whatever else a room says
        ("normal", ROOM.format(f"<invite from='{ROMEO}'/>"), True),
        ("normal", ROOM.format("<status code='104'/>"), False),
        ("normal", "<x xmlns='jabber:x:conference' jid='hall@rooms.example'/>", True),
        # what its sender wants kept nowhere
        ("chat", BODY + HINT.format("no-store"), False),
        ("chat", CALL.format("propose") + HINT.format("no-store"), False),
        ("chat", BODY + HINT.format("no-permanent-store"), True),
        ("chat", HINT.format("store"), False),
    ],
)
def test_what_wakes(type: str, inside: str, wakes: bool) -> None:
    stanza = read(parse(f"<message type='{type}'>{inside}</message>", "jabber:client"))
    assert isinstance(stanza, Message)
    message = stanza.routed(sender=ROMEO, to=JULIET)
    assert push.is_worth_waking(message, JULIET) is wakes
    assert not push.is_worth_waking(message, ROMEO.bare)
    if wakes and type != "groupchat":  # which no account is sent that nobody is at
        assert offline.is_worth_keeping(message), "it would wake for what is not there"


@pytest.mark.parametrize(
    ("enable", "condition"),
    [
        (push.Enable(SERVICE), "feature-not-implemented"),
        (push.Enable(SERVICE, ""), "feature-not-implemented"),
        (push.Enable(JULIET, "n"), "bad-request"),
        (push.Enable(JULIET.at("balcony"), "n"), "bad-request"),
        (push.Enable(SERVICE, "n", submission("urn:example:other", {})), "bad-request"),
    ],
)
def test_what_cannot_be_enabled(enable: push.Enable, condition: str) -> None:
    with pytest.raises(StanzaError) as refused:
        push.check(enable, JULIET.at("balcony"))
    assert refused.value.condition == condition


def test_what_is_published() -> None:
    """§7: with what was said when it was enabled, and no more about the message than given."""
    options = submission(NS_PUBLISH_OPTIONS, {"secret": "s"})
    enable = push.Enable(SERVICE, "n", options)
    push.check(enable, JULIET)
    made = push.publication(enable, push.summary(3, requests=0, sender=ROMEO, body="Hush"))
    assert made.options is not None
    assert made.options.form == options
    assert made.publish is not None
    assert made.publish.node == "n"
    (item,) = made.publish.items
    assert item.id is None
    assert item.payload is not None
    form = decode(push.Notification, item.payload).form
    assert form is not None
    assert form.form_type == "urn:xmpp:push:summary"
    assert {f.var: f.value for f in form.fields[1:]} == {
        "message-count": "3",
        "pending-subscription-count": "0",
        "last-message-sender": str(ROMEO),
        "last-message-body": "Hush",
    }
    bare = push.publication(push.Enable(SERVICE, "n"), push.summary(1))
    assert bare.options is None


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        ("<error type='cancel'><item-not-found {}/></error>", True),
        ("<error type='auth'><forbidden {}/></error>", True),
        ("<error type='cancel'><gone {}/></error>", True),
        ("<error type='modify'><bad-request {}/></error>", True),
        ("<error type='cancel'><feature-not-implemented {}/></error>", True),
        ("<error type='wait'><policy-violation {}/></error>", False),
        ("<error type='wait'><item-not-found {}/></error>", False),
        ("<error type='cancel'><service-unavailable {}/></error>", False),
        ("<error type='cancel'><remote-server-not-found {}/></error>", False),
        ("<error type='cancel'><internal-server-error {}/></error>", False),
        ("<error type='cancel'/>", False),
        ("", False),
    ],
)
def test_which_errors_are_the_last(error: str, is_final: bool) -> None:
    inside = error.format("xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'")
    iq = read(parse(f"<iq type='error' id='1'>{inside}</iq>", "jabber:client"))
    assert isinstance(iq, Iq)
    assert iq.error is not None
    assert push.is_final(iq.error) is is_final


AFFILIATION = "<affiliation jid='{}' affiliation='{}'/>"
TOLD = "<pubsub xmlns='http://jabber.org/protocol/pubsub'{}>{}</pubsub>"
NODE = " node='n'"


@pytest.mark.parametrize(
    ("type", "inside", "node"),
    [
        ("normal", TOLD.format(NODE, AFFILIATION.format(JULIET, "none")), "n"),
        ("normal", TOLD.format(NODE, AFFILIATION.format(JULIET, "outcast")), "n"),
        ("normal", TOLD.format(NODE, AFFILIATION.format(JULIET, "publish-only")), None),
        ("normal", TOLD.format(NODE, AFFILIATION.format(ROMEO.bare, "none")), None),
        ("normal", TOLD.format(NODE, AFFILIATION.format("@", "none")), None),
        ("normal", TOLD.format("", AFFILIATION.format(JULIET, "none")), None),
        ("normal", TOLD.format(NODE, ""), None),
        (
            "headline",
            TOLD.format(
                "", f"<affiliations node='m'>{AFFILIATION.format(JULIET, 'none')}</affiliations>"
            ),
            "m",
        ),
        ("error", TOLD.format(NODE, AFFILIATION.format(JULIET, "none")), None),
        ("normal", BODY, None),
    ],
)
def test_what_a_service_withdraws(type: str, inside: str, node: str | None) -> None:
    """§8, as it is shown there and as XEP-0060 §8.9.4 shows it."""
    stanza = read(parse(f"<message type='{type}'>{inside}</message>", "jabber:client"))
    assert isinstance(stanza, Message)
    assert push.withdrawn(stanza.routed(sender=SERVICE, to=JULIET), JULIET) == node
