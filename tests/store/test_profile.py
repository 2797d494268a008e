"""The small aggregates: private elements, cards, last activity, live settings."""

from datetime import UTC, datetime

from pyrite.core.jid import JID
from pyrite.server.store import Stores
from pyrite.server.store.activity import LastActivity
from pyrite.server.store.vcards import VCard
from pyrite.store.shapes import Quota

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
AMPLE = Quota(10, 1000)


async def test_private_elements_are_found_by_namespace_and_name(stores: Stores) -> None:
    private = stores.private
    assert await private.find(ROMEO, "exodus:prefs", "exodus") is None
    assert await private.put(ROMEO, "exodus:prefs", "exodus", "<exodus>1</exodus>", AMPLE)
    assert await private.put(ROMEO.at("x"), "exodus:prefs", "exodus", "<exodus>ä</exodus>", AMPLE)
    assert await private.find(ROMEO, "exodus:prefs", "exodus") == "<exodus>ä</exodus>"
    assert await private.find(ROMEO, "exodus:prefs", "other") is None
    assert await private.find(ROMEO, "other", "exodus") is None
    assert await private.find(JULIET, "exodus:prefs", "exodus") is None
    assert await private.remove(ROMEO, "exodus:prefs", "exodus")
    assert not await private.remove(ROMEO, "exodus:prefs", "exodus")


async def test_private_elements_are_limited(stores: Stores) -> None:
    put = stores.private.put
    assert not await put(ROMEO, "a", "x", "12345", Quota(2, 4))
    assert await put(ROMEO, "a", "x", "ä", Quota(2, 4))
    assert await put(ROMEO, "b", "x", "12", Quota(2, 4))
    assert not await put(ROMEO, "b", "x", "123", Quota(2, 4))
    assert not await put(ROMEO, "c", "x", "", Quota(2, 4))
    assert await put(ROMEO, "b", "x", "1", Quota(1, 1))  # less than before is always allowed
    assert await put(JULIET, "c", "x", "1234", Quota(2, 4))


async def test_vcards(stores: Stores) -> None:
    assert await stores.vcards.find(ROMEO) is None
    assert await stores.vcards.photo(ROMEO) is None
    for card in (VCard("<vCard>ä</vCard>", "ab12"), VCard("<vCard/>", None)):
        await stores.vcards.put(ROMEO, card)
        assert await stores.vcards.find(ROMEO) == card
        assert await stores.vcards.photo(ROMEO) == card.photo
    assert await stores.vcards.find(JULIET) is None
    assert await stores.vcards.remove(ROMEO)
    assert not await stores.vcards.remove(ROMEO)


async def test_last_activity(stores: Stores) -> None:
    assert await stores.activity.find(ROMEO) is None
    await stores.activity.put(ROMEO, LastActivity(datetime(2026, 1, 1, tzinfo=UTC), None))
    assert await stores.activity.find(ROMEO) is None  # a guest, or an account that was deleted
    await stores.accounts.create(ROMEO, [], datetime(2026, 1, 1, tzinfo=UTC))
    for minute, status in enumerate([None, "gone ☂", ""]):
        last = LastActivity(datetime(2026, 1, 1, 0, minute, tzinfo=UTC), status)
        await stores.activity.put(ROMEO, last)
        assert await stores.activity.find(ROMEO) == last


async def test_live_settings(stores: Stores) -> None:
    assert await stores.settings.load() == {}
    await stores.settings.put("motd", '"hello"')
    await stores.settings.put("a", "1")
    await stores.settings.put("motd", '"ä"')
    assert await stores.settings.load() == {"a": "1", "motd": '"ä"'}
    assert await stores.settings.remove("a")
    assert not await stores.settings.remove("a")
    assert await stores.settings.load() == {"motd": '"ä"'}
