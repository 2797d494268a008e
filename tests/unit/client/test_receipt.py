"""Whoever waits for a step of a receipt learns that it was reached, or why it cannot be."""

import asyncio

import pytest
from tests.peer import PATIENCE

from pyrite.client.component import Component
from pyrite.client.errors import NotAcknowledged, SessionReset
from pyrite.client.mod import receipts
from pyrite.client.mod.receipts import Receipts
from pyrite.client.receipt import Receipt
from pyrite.client.testing import MemoryServer
from pyrite.client.testing.server import SECRET
from pyrite.core.errors import StanzaError
from pyrite.core.stanza import Message

from .scripted import Scripted


async def test_nobody_acknowledges_to_a_component() -> None:
    echo = Component("echo.example.org", SECRET)
    async with MemoryServer(users=["a"], components=[echo]), asyncio.timeout(PATIENCE):
        receipt = await echo.send("a@example.org", "hi")
        with pytest.raises(NotAcknowledged, match="the server acknowledges nothing"):
            await receipt.acked
        assert receipt.written.is_reached
        assert not receipt.acked.is_reached


async def test_what_a_room_tells_to_all_needs_no_acknowledgement() -> None:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        said = await client.send(Message("groupchat", client.jid, id="1"), "hi")
        await client.said()  # presence
        await said.written
        said.acked.reach()  # as the feature for rooms does, when it comes back
        await said.acked


@pytest.mark.parametrize("level", ["delivered", "displayed"])
@pytest.mark.parametrize("features", [(Receipts,), ()])
async def test_after_the_end_no_step_is_reached(
    level: str, features: tuple[type[Receipts], ...]
) -> None:
    async with MemoryServer(users=["a", "b"]) as srv, asyncio.timeout(PATIENCE):
        async with srv.client("a", features=features) as a:
            receipt = await a.send(srv.jid("b"), "hi")
            await receipt.acked
            waiting = asyncio.ensure_future(_until(receipt, level))
            await asyncio.sleep(0)
        for late in (waiting, _until(receipt, level)):
            with pytest.raises(SessionReset, match="the client is closed"):
                await late
        await receipt.acked  # that stays as it was


async def _until(receipt: Receipt, level: str) -> None:
    await getattr(receipt, level)


async def test_a_refusal_is_no_delivery() -> None:
    async with Scripted(Receipts) as client, asyncio.timeout(PATIENCE):
        receipt = await client.send("juliet@verona.lit", "hi")
        await client.hears(refused("juliet@verona.lit", receipt))
        for level in ("delivered", "displayed"):
            with pytest.raises(StanzaError, match="service-unavailable"):
                await _until(receipt, level)


async def test_nobody_else_can_refuse() -> None:
    async with Scripted(Receipts) as client, asyncio.timeout(PATIENCE):
        receipt = await client.send("juliet@verona.lit", "hi")
        await client.hears(
            refused("tybalt@verona.lit", receipt),
            refused("juliet@verona.lit/balcony", receipt),  # it went to none of her clients
            arrived(receipt),
        )
        await receipt.delivered


def refused(sender: str, receipt: Receipt) -> str:
    return (
        f"<message type='error' from='{sender}' id='{receipt.message.id}'><error type='cancel'>"
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )


def arrived(receipt: Receipt) -> str:
    return (
        "<message from='juliet@verona.lit/balcony' id='2'>"
        f"<received xmlns='urn:xmpp:receipts' id='{receipt.message.id}'/></message>"
    )


async def test_too_many_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MOST", 1)
    async with Scripted(Receipts) as client, asyncio.timeout(PATIENCE):
        first, last = [await client.send("juliet@verona.lit", "hi") for _ in range(2)]
        with pytest.raises(SessionReset, match="too many"):
            await first.delivered
        await client.hears(arrived(last))
        await last.delivered
