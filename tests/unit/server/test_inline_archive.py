"""Where the archive ends, told along with a log-in (XEP-0386 §3.2, XEP-0313 §5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.entering import BIND, TABLET, Entered, enter
from tests.service import ROMEO, serving

from pyrite.core.payload import decode
from pyrite.store.errors import StoreError
from pyrite.wire import archive, stanzaid

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


def metadata(entered: Entered) -> archive.Metadata:
    (told,) = [element for element in entered.bound if element.name.ns == archive.NS]
    return decode(archive.Metadata, told)


async def test_the_ends_of_the_archive(tmp_path: Path) -> None:
    """Nothing at first, then the first and the last message; and none of another's."""
    async with serving(tmp_path) as service:
        phone, juliet = await service.secured(), await service.secured()
        first = await enter(phone, BIND)
        assert metadata(first) == archive.Metadata()
        await enter(juliet, BIND, name="juliet")
        ids = []
        for word in ("one", "two"):
            full = first.success.identifier
            await juliet.send(f"<message to='{full}' type='chat'><body>{word}</body></message>")
            message = await phone.element()
            found = [e for e in message.elements if e.name.ns == stanzaid.NS]
            ids += [e.attrs["id"] for e in found if e.attrs.get("by") == str(ROMEO)]
        told = metadata(await enter(await service.secured(), BIND, id=TABLET))
        assert told.start
        assert told.end
        assert [told.start.id, told.end.id] == ids


async def test_a_store_that_fails_costs_nobody_the_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:

        async def down(_: object) -> None:
            raise StoreError("the disk is full")

        service.server.stores.archive.ends = down  # type: ignore[method-assign, assignment]
        client = await service.secured()
        entered = await enter(client, BIND)
        assert entered.bound == ()
        await client.is_served()
