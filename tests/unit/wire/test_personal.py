"""The rules beside what people publish of themselves, and beside rooms."""

import pytest

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode
from pyrite.core.stanza import Message
from pyrite.core.xml import parse
from pyrite.wire import bookmarks, muc, occupants
from pyrite.wire.activity import Activity, activity
from pyrite.wire.bookmarks import Bookmark, Storage
from pyrite.wire.geoloc import Geoloc
from pyrite.wire.mood import Mood, mood
from pyrite.wire.vcard4 import VCard4

DEN, CAVE = JID.parse("den@conf.lit"), JID.parse("cave@conf.lit")


def test_moods() -> None:
    assert decode(Mood, encode(mood("in_love", "but soft"))).name == "in_love"
    assert (
        decode(Mood, parse("<mood xmlns='http://jabber.org/protocol/mood'><odd/></mood>")).name
        is None
    )
    with pytest.raises(ValueError, match="no such mood"):
        mood("odd")


@pytest.mark.parametrize(
    ("general", "specific"),
    [("relaxing", "partying"), ("relaxing", None), ("talking", "other"), ("undefined", None)],
)
def test_activities(general: str, specific: str | None) -> None:
    told = decode(Activity, encode(activity(general, specific, "words")))
    assert (told.general, told.specific, told.words[0].text) == (general, specific, "words")


@pytest.mark.parametrize(("general", "specific"), [("odd", None), ("talking", "sleeping")])
def test_no_activities(general: str, specific: str | None) -> None:
    with pytest.raises(ValueError, match="no such activity"):
        activity(general, specific)
    assert Activity().general is Activity().specific is None


@pytest.mark.parametrize("lat", ["91", "-90.5", "nan", "inf", "x", ""])
def test_no_latitude(lat: str) -> None:
    text = f"<geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>{lat}</lat></geoloc>"
    with pytest.raises(StanzaError, match="bad-request"):
        decode(Geoloc, parse(text))


def test_bookmarks_old_and_new() -> None:
    storage = bookmarks.put(Storage(), DEN, Bookmark("a", nick="fox"))
    storage = bookmarks.put(storage, CAVE, Bookmark("b", autojoin=True))
    storage = bookmarks.put(storage, DEN, Bookmark("c"))
    again = decode(Storage, encode(storage))
    assert bookmarks.from_old(again) == {CAVE: Bookmark("b", autojoin=True), DEN: Bookmark("c")}
    assert bookmarks.from_old(bookmarks.put(again, CAVE, None)) == {DEN: Bookmark("c")}


def test_cards() -> None:
    card = VCard4().with_("tel", "tel:1", "tel:2", kind="uri").with_("fn", "Romeo")
    assert card.all("tel") == ("tel:1", "tel:2")
    assert card.with_("tel").text("tel") is None
    name = parse(
        "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><n><surname>M</surname></n>"
        "<tel><parameters/><uri>tel:3</uri></tel></vcard>"
    )
    assert decode(VCard4, name).part("n", "surname") == "M"
    assert decode(VCard4, name).part("n", "given") is None
    assert decode(VCard4, name).text("tel") == "tel:3"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("service-unavailable", True),
        ("feature-not-implemented", True),
        ("item-not-found", True),
        ("remote-server-not-found", None),
        ("remote-server-timeout", None),
        ("not-acceptable", False),
    ],
)
def test_who_is_in(condition: str, expected: bool | None) -> None:
    """XEP-0410 §3.2."""
    assert muc.is_in(StanzaError(condition)) is expected


def test_two_identifiers_are_none() -> None:
    one = occupants.OccupantId("a")
    assert occupants.id_of(Message().add(one)) == "a"
    assert occupants.id_of(Message().add(one, one)) is None
    assert (
        occupants.id_of(Message().add(parse("<occupant-id xmlns='urn:xmpp:occupant-id:0'/>")))
        is None
    )
