"""Where a server tells that it is ill, and what it tells there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.peer import PATIENCE

from pyrite.client.api import Component, Outages, Request, TlsError
from pyrite.client.testing import MemoryServer
from pyrite.wire import disco, outage
from pyrite.wire.dataforms import Field, result
from pyrite.wire.outage import Outage

from .website import Website, website

PAGE = "https://verona.lit/status.json"
ILL = (
    b'{"planned": false, "beginning": "2026-11-21T12:00:00Z",'
    b' "message": {"default": "the operator is at lunch"}}'
)


async def test_where_it_is_told() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.component("ill.example.org") as ill,
        srv.client("a") as a,
    ):

        @ill.serve("get", disco.Info)
        def info(request: Request[disco.Info]) -> disco.Info:
            urls = (PAGE, "http://plain.lit/", "javascript:1", "https://[")
            told = result(outage.NS, Field("external-status-addresses", "list-multi", values=urls))
            return disco.Info(forms=(told,))

        assert await a[Outages].addresses("ill.example.org") == (PAGE,)
        assert await a[Outages].addresses() == a[Outages].known == ()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Outages, Website]]:
    """Of a client that is not even connected, and where it looks."""
    async with asyncio.timeout(PATIENCE), website(tmp_path) as site:
        outages = Outages(Component("nobody.lit", "secret"))
        outages.resolver, outages.authorities = site, site.authorities
        yield outages, site


async def test_what_is_told(place: tuple[Outages, Website]) -> None:
    outages, site = place
    for nothing in (b"null", b"{}"):
        site.pages["/status.json"] = 200, nothing
        assert await outages.status(PAGE) is None
    site.pages["/status.json"] = 200, ILL
    words = {"default": "the operator is at lunch"}
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert await outages.status(PAGE) == Outage(False, noon, None, words)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>", ValueError),
        (200, b"[1]", ValueError),
        (200, b" " * 100_000, OSError),
        (500, b"", OSError),
        (302, b"https://elsewhere.lit/", OSError),
    ],
    ids=["no json", "no status", "too much", "refused", "elsewhere"],
)
async def test_what_is_no_status(
    place: tuple[Outages, Website],
    status: int,
    body: bytes,
    error: type[Exception],
) -> None:
    outages, site = place
    site.pages["/status.json"] = status, body
    with pytest.raises(error):
        await outages.status(PAGE)


async def test_who_is_not_believed(place: tuple[Outages, Website]) -> None:
    outages, site = place
    site.pages["/status.json"] = 200, b"null"
    with pytest.raises(TlsError):
        await outages.status("https://mantua.lit/status.json")
    with pytest.raises(ValueError, match="not an address of HTTPS"):
        await outages.status("http://verona.lit/status.json")
