"""Attack 8: a client that never reads, while others write to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.service import JULIET, ROMEO, serving, until

from pyrite.core.jid import JID

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

LIMITS = "send-queue = 50\nsend-queue-size = '200kB'"


async def test_senders_go_on_and_memory_is_bounded(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online("juliet@verona.lit/b", available=True)
        deaf = await service.online("romeo@verona.lit/deaf", available=True)
        await juliet.barrier()
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        session = service.server.sessions.find(JID.parse("romeo@verona.lit/deaf"))
        assert session is not None
        message = f"<message to='{session.jid}' type='chat'><body>{'x' * 4000}</body></message>"
        sent = 0
        while session.ended is None:
            for _ in range(20):
                await juliet.send(message)
            sent += 20
            await juliet.barrier()
            assert len(session.queue) <= 51
            assert sent < 20_000
        assert session.ended.condition == "resource-constraint"
        await until(lambda: service.server.sessions.find(session.jid) is None)
        await juliet.is_served()
        assert session.queue == []


async def test_somebody_who_asks_and_does_not_listen(tmp_path: Path) -> None:
    """Its own answers pile up: it is ended as well."""
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        other = await service.online("juliet@verona.lit/b")
        deaf = await service.online("romeo@verona.lit/deaf")
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        session = service.server.sessions.find(JID.parse("romeo@verona.lit/deaf"))
        assert session is not None
        asked = b"<iq type='get' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>" % (b"x" * 2000)

        async def ask() -> None:
            try:
                while session.ended is None:
                    deaf.writer.write(asked * 10)
                    await deaf.writer.drain()
            except ConnectionError:
                return

        asking = asyncio.create_task(ask())
        await until(lambda: session.ended is not None)
        asking.cancel()
        assert session.ended is not None
        assert session.ended.condition == "resource-constraint"
        await until(lambda: service.server.sessions.find(session.jid) is None)
        await other.is_served()


async def test_somebody_who_listens_slowly_is_served(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        for number in range(200):
            await juliet.send(
                f"<message to='romeo@verona.lit/a' id='{number}'><body>{'x' * 500}</body></message>"
            )
            if number % 40 == 39:
                await juliet.barrier()
        await juliet.barrier()
        assert [e.attrs["id"] for e in await romeo.barrier()] == [str(n) for n in range(200)]
