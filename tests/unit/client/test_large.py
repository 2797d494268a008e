"""What a server says in one element may be as large as people's rosters are."""

import asyncio

from pyrite.client.mod.roster import Roster
from pyrite.client.testing import MemoryServer
from pyrite.core.jid import JID
from pyrite.server.store.roster import Item


async def test_a_roster_of_thousands() -> None:
    """RFC 6121 §2.1: it comes in one stanza, with three elements for a contact and more."""
    async with asyncio.timeout(20), MemoryServer(["a"]) as srv:
        owner = srv.jid("a")
        for number in range(3000):
            contact = JID.parse(f"contact{number}@example.net")
            item = Item(contact, name=f"Contact {number}", groups=("One", "Two"))
            await srv.server.stores.roster.put(owner, item)
        async with srv.client("a", features=[Roster]) as a:
            assert len(a[Roster]) == 3000
