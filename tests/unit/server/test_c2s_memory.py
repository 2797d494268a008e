"""What a client's connection leaves in memory once it is over: nothing to be collected later.

A TLS session and a parser are 40 KB. As garbage they would wait for the collector, which comes
by when thousands of objects are there, and memory would grow with every client that leaves.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service import NS_SASL, ROMEO, VERONA, Service, serving, until

from pyrite.net.connection import Connection
from pyrite.server.c2s import ClientConnection
from pyrite.server.c2s.entry import Entry
from pyrite.server.session import Session

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


KINDS = (ClientConnection, Connection, Entry, Session)


def there() -> set[int]:
    """What there is for clients, of other servers too."""
    return {id(each) for each in gc.get_objects() if isinstance(each, KINDS)}


@pytest.fixture
def uncollected() -> Iterator[set[int]]:
    """No collection for as long as the test runs; what was there before it."""
    gc.collect()
    gc.disable()
    yield there()
    gc.enable()


async def goes_without_a_trace(service: Service, before: set[int]) -> None:
    """Fails unless all that was there for clients is gone by itself."""
    await service.until_alone()
    await until(lambda: there() <= before)


async def test_who_says_goodbye(tmp_path: Path, uncollected: set[int]) -> None:
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online(ROMEO, available=True)
        await romeo.close()
        await goes_without_a_trace(service, uncollected)


async def test_who_hangs_up(tmp_path: Path, uncollected: set[int]) -> None:
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online(ROMEO, available=True)
        await romeo.abort()
        await goes_without_a_trace(service, uncollected)


async def test_whose_session_was_ended(tmp_path: Path, uncollected: set[int]) -> None:
    async with serving(tmp_path, clear=True) as service:
        one = await service.online(ROMEO.at("a"))
        other = await service.online(ROMEO.at("a"))
        await one.ends_with("conflict")
        await other.close()
        await goes_without_a_trace(service, uncollected)


async def test_who_hangs_up_amid_an_exchange(tmp_path: Path, uncollected: set[int]) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        data = "biwsbj1yb21lbyxyPWFiY2RlZmdoaWprbG1ub3A="
        await client.ask(f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>{data}</auth>")
        await client.abort()
        await goes_without_a_trace(service, uncollected)


async def test_who_never_opened_a_stream(tmp_path: Path, uncollected: set[int]) -> None:
    async with serving(tmp_path) as service:
        client = await service.connect_direct("xmpp-client")
        await client.open(VERONA)
        await client.close()
        silent = await service.connect_direct("xmpp-client")
        await silent.abort()
        await goes_without_a_trace(service, uncollected)
