"""Bookmarks, cards, pictures, and how far one has read: on every server that keeps them."""

import asyncio
from base64 import b64encode

import pytest

from pyrite.client.mod.avatars import AvatarChanged, Avatars
from pyrite.client.mod.bookmarks import BookmarkChanged, Bookmarks
from pyrite.client.mod.displayed import Displayed, DisplayedElsewhere
from pyrite.client.mod.vcards import Card, VCards
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.wire import bookmarks
from pyrite.wire.bookmarks import Bookmark
from pyrite.wire.private import Private
from pyrite.wire.stanzaid import StanzaId
from pyrite.wire.vcard import Photo, VCard
from pyrite.wire.vcard4 import VCard4

from .conftest import PATIENCE, Login

DEN = JID.parse("den@conference.verona.example")
CAVE = JID.parse("cave@conference.verona.example")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
no_pep = pytest.mark.lacks(pyrite="publish-subscribe is not served yet")


@no_pep
async def test_bookmarks_on_two_clients(login: Login) -> None:
    async with (
        login("romeo", features=[Bookmarks]) as laptop,
        login("romeo", features=[Bookmarks]) as phone,
        asyncio.timeout(PATIENCE),
    ):
        changes = phone.hear(BookmarkChanged)
        mark = Bookmark("The den", autojoin=True, nick="fox")
        await laptop[Bookmarks].put(DEN, mark)
        assert await changes.next() == BookmarkChanged(DEN, mark)
        assert phone[Bookmarks].rooms == {DEN: mark}
        await phone[Bookmarks].remove(DEN)
        assert await changes.next() == BookmarkChanged(DEN, None)
        with pytest.raises(StanzaError) as refused:
            await phone[Bookmarks].remove(DEN)
        assert refused.value.condition == "item-not-found"
        await laptop[Bookmarks].put(CAVE, mark)
        async with login("romeo", features=[Bookmarks]) as tablet:
            assert tablet[Bookmarks].rooms == {CAVE: mark}
            assert await tablet[Bookmarks].convert() in (0, 1)


async def test_bookmarks_of_older_clients(login: Login) -> None:
    """XEP-0048 in private storage, where there is nothing else."""
    async with login("nurse") as old, asyncio.timeout(PATIENCE):
        storage = bookmarks.put(bookmarks.Storage(), DEN, Bookmark("Old", nick="fox"))
        await old.request(Private((encode(storage),)), type="set")
        async with login("nurse", features=[Bookmarks]) as new:
            await new[Bookmarks].convert()
            assert new[Bookmarks].rooms == {DEN: Bookmark("Old", nick="fox")}
            await new[Bookmarks].put(CAVE, Bookmark("New", autojoin=True))
            assert set(new[Bookmarks].rooms) == {DEN, CAVE}
            await new[Bookmarks].remove(DEN)
            assert set(new[Bookmarks].rooms) == {CAVE}


@no_pep
async def test_how_far_was_read(login: Login) -> None:
    async with (
        login("romeo", features=[Displayed]) as laptop,
        login("romeo", features=[Displayed]) as phone,
        asyncio.timeout(PATIENCE),
    ):
        told = phone.hear(DisplayedElsewhere)
        peer = JID.parse("juliet@verona.example")
        await laptop[Displayed].tell(peer, "id-1")
        assert await told.next() == DisplayedElsewhere(peer, "id-1", laptop.jid.bare)
        await laptop[Displayed].tell(DEN, "id-2", DEN)
        assert await told.next() == DisplayedElsewhere(DEN, "id-2", DEN)
        async with login("romeo", features=[Displayed]) as tablet:
            assert tablet[Displayed].last(peer) == StanzaId("id-1", laptop.jid.bare)


@no_pep
async def test_a_picture(login: Login) -> None:
    async with (
        login("tybalt", features=[Avatars]) as laptop,
        login("tybalt", features=[Avatars]) as phone,
        asyncio.timeout(PATIENCE),
    ):
        changes = phone.hear(AvatarChanged)
        with pytest.raises(ValueError, match="no picture"):
            await laptop[Avatars].publish(b"text")
        id = await laptop[Avatars].publish(PNG, width=1, height=1)
        assert await changes.next() == AvatarChanged(laptop.jid.bare, id)
        found = await phone[Avatars].fetch()
        assert found is not None
        assert (found.id, found.data, found.type) == (id, PNG, "image/png")
        assert phone[Avatars].id_of(laptop.jid.bare) == id
        await laptop[Avatars].remove()
        assert await changes.next() == AvatarChanged(laptop.jid.bare, None)


async def test_a_picture_in_a_card(login: Login) -> None:
    """XEP-0153: where there is no node, or the server puts it into one (XEP-0398)."""
    async with (
        login("mercutio", features=[Avatars, VCards]) as laptop,
        asyncio.timeout(PATIENCE),
    ):
        card = VCard().with_photo(Photo("image/png", b64encode(PNG).decode()))
        await laptop[VCards].set_vcard(card)
        found = await laptop[Avatars].fetch()
        assert found is not None
        assert found.data == PNG


async def test_the_older_card(login: Login) -> None:
    async with login("juliet", features=[VCards]) as me, asyncio.timeout(PATIENCE):
        card = VCard().with_text("FN", "Juliet Capulet").with_text("NICKNAME", "Jule")
        await me[VCards].set_vcard(card)
        assert (await me[VCards].vcard()).text("FN") == "Juliet Capulet"
        async with login("nurse", features=[VCards]) as nurse:
            found = await nurse[VCards].card("juliet@verona.example")
            assert found.name == "Juliet Capulet"
            assert found.nick == "Jule"
            assert await nurse[VCards].vcard() == VCard()


@no_pep
async def test_the_newer_card(login: Login) -> None:
    async with login("benvolio", features=[VCards]) as me, asyncio.timeout(PATIENCE):
        card = VCard4().with_("fn", "Benvolio").with_("tel", "tel:+39-45-1", kind="uri")
        await me[VCards].set_vcard4(card, access="open")
        assert await me[VCards].vcard4() == card
        async with login("nurse", features=[VCards]) as nurse:
            found = await nurse[VCards].card("benvolio@verona.example")
            assert found == Card(name="Benvolio", phone="tel:+39-45-1")
