"""What a server says in one element may be as large as people's rosters are."""

import asyncio

from tests.peer import PATIENCE

from pyrite.client.mod.roster import Roster
from pyrite.client.testing import MemoryServer
from pyrite.core.jid import JID
from pyrite.server.store.roster import Edit, Item


async def test_a_roster_of_thousands() -> None:
    """RFC 6121 §2.1: it comes in one stanza, with three elements for a contact and more."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv:
        owner = srv.jid("a")
        items = [
            Item(JID.parse(f"contact{number}@example.net"), f"Contact {number}", ("One", "Two"))
            for number in range(3000)
        ]
        edits = [Edit(owner, item.jid, lambda _, item=item: item) for item in items]  # type: ignore[misc]
        await srv.server.stores.roster.edit(*edits)
        async with srv.client("a", features=[Roster]) as a:
            assert len(a[Roster]) == 3000
