"""Privacy lists, of which block lists are a part."""

from pyrite.core.jid import JID
from pyrite.server.store import Stores
from pyrite.server.store.privacy import PrivacyList, PrivacyNames

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")


async def test_privacy_lists(stores: Stores) -> None:
    privacy, work, home = stores.privacy, PrivacyList("work", "<i/>"), PrivacyList("home", "")
    assert await privacy.names(ROMEO) == PrivacyNames((), None)
    assert await privacy.put(ROMEO, work, limit=2)
    assert await privacy.put(ROMEO, home, limit=2)
    assert not await privacy.put(ROMEO, PrivacyList("third", ""), limit=2)
    assert await privacy.put(ROMEO, work._replace(rules="<j/>"), limit=2)
    assert await privacy.names(ROMEO) == PrivacyNames(("home", "work"), None)
    assert await privacy.find(ROMEO, "work") == PrivacyList("work", "<j/>")
    assert await privacy.find(ROMEO, "third") is None
    assert await privacy.find(JULIET, "work") is None


async def test_the_default_privacy_list(stores: Stores) -> None:
    privacy, work, home = stores.privacy, PrivacyList("work", "<i/>"), PrivacyList("home", "")
    assert not await privacy.set_default(ROMEO, "work")
    for entry in (work, home):
        await privacy.put(ROMEO, entry, limit=2)
        assert await privacy.set_default(ROMEO, entry.name)
        assert await privacy.default(ROMEO) == entry
    assert await privacy.names(ROMEO) == PrivacyNames(("home", "work"), "home")
    assert await privacy.set_default(ROMEO, None)
    assert await privacy.default(ROMEO) is None
    await privacy.set_default(ROMEO, "work")
    assert await privacy.remove(ROMEO, "work")
    assert not await privacy.remove(ROMEO, "work")
    assert await privacy.default(ROMEO) is None
    assert await privacy.names(ROMEO) == PrivacyNames(("home",), None)
