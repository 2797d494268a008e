"""A place on the web, that only who is told can find."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trustme
from aiohttp import web

from pyrite.net.dns import SystemResolver

HOST = "verona.lit"


class Website(SystemResolver):
    """As a resolver, it says that every host is this one. Path -> status and body, or where to."""

    def __init__(self, authorities: Path) -> None:
        super().__init__()
        self.authorities = authorities
        self.port = 0
        self.pages: dict[str, tuple[int, bytes]] = {}

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(socket.AF_INET, ("127.0.0.1", self.port))]

    async def answer(self, request: web.BaseRequest) -> web.Response:
        status, body = self.pages[request.path]
        if status == 302:
            return web.Response(status=status, headers={"Location": body.decode()})
        return web.Response(status=status, body=body)


@asynccontextmanager
async def website(folder: Path) -> AsyncIterator[Website]:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST, key_type=trustme.KeyType.ECDSA).configure_cert(context)
    site = Website(folder / "ca.pem")
    runner = web.ServerRunner(web.Server(site.answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        await runner.cleanup()
