"""Where a server tells that it is ill, and what it tells there."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from pyrite.client.api import Component, Outages, Request, TlsError
from pyrite.client.testing import MemoryServer
from pyrite.net.dns import SystemResolver
from pyrite.wire import disco, outage
from pyrite.wire.dataforms import Field, result
from pyrite.wire.outage import Outage

PATIENCE = 10.0
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


class Here(SystemResolver):
    """A resolver for which every host is this machine, at this port."""

    port = 0

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(socket.AF_INET, ("127.0.0.1", self.port))]


@pytest.fixture
async def outages(tmp_path: Path) -> AsyncIterator[tuple[Outages, dict[str, web.Response]]]:
    """Of a client that is not even connected, and a page that it can fetch."""
    answers: dict[str, web.Response] = {}

    async def answer(request: web.BaseRequest) -> web.Response:
        return answers[request.path]

    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("verona.lit", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    made, here = Outages(Component("nobody.lit", "secret")), Here()
    here.port = runner.addresses[0][1]
    made.resolver, made.authorities = here, tmp_path / "ca.pem"
    yield made, answers
    await runner.cleanup()


async def test_what_is_told(outages: tuple[Outages, dict[str, web.Response]]) -> None:
    asking, answers = outages
    async with asyncio.timeout(PATIENCE):
        for nothing in (b"null", b"{}"):
            answers["/status.json"] = web.Response(body=nothing)
            assert await asking.status(PAGE) is None
        answers["/status.json"] = web.Response(body=ILL)
        words = {"default": "the operator is at lunch"}
        assert await asking.status(PAGE) == Outage(
            False, datetime(2026, 11, 21, 12, tzinfo=UTC), None, words
        )


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>", ValueError),
        (200, b"[1]", ValueError),
        (200, b" " * 100_000, OSError),
        (500, b"", OSError),
        (302, b"", OSError),
    ],
    ids=["no json", "no status", "too much", "refused", "elsewhere"],
)
async def test_what_is_no_status(
    outages: tuple[Outages, dict[str, web.Response]],
    status: int,
    body: bytes,
    error: type[Exception],
) -> None:
    asking, answers = outages
    elsewhere = {"Location": "https://elsewhere.lit/"} if status == 302 else None
    answers["/status.json"] = web.Response(status=status, body=body, headers=elsewhere)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(error):
            await asking.status(PAGE)


async def test_who_is_not_believed(outages: tuple[Outages, dict[str, web.Response]]) -> None:
    asking, answers = outages
    answers["/status.json"] = web.Response(body=b"null")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TlsError):
            await asking.status("https://mantua.lit/status.json")
        with pytest.raises(ValueError, match="not an address of HTTPS"):
            await asking.status("http://verona.lit/status.json")
