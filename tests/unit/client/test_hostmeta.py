"""What a domain says on the web of where it is reached, and whom we believe (XEP-0156)."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from tests.service import ROMEO, VERONA

from pyrite.client.account import Account, Trust
from pyrite.client.bosh import Bosh
from pyrite.client.errors import ConnectionFailed, TlsError
from pyrite.client.hostmeta import discover, read_json, read_xml
from pyrite.client.websocket import WebSocket
from pyrite.net import http
from pyrite.wire.hostmeta import BOSH, WEBSOCKET

# XEP-0156, examples 1 and 2
XML = b"""<?xml version='1.0' encoding='utf-8'?>
<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
  <!-- ... -->
  <Link rel="urn:xmpp:alt-connections:xbosh" href="https://web.example.com:5280/bosh" />
  <Link rel="urn:xmpp:alt-connections:websocket" href="wss://web.example.com:443/ws" />
</XRD>"""
JSON = b"""{ "links": [
    {"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://web.example.com:5280/bosh"},
    {"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://web.example.com:443/ws"}
] }"""
LINKS = [(BOSH, "https://web.example.com:5280/bosh"), (WEBSOCKET, "wss://web.example.com:443/ws")]
CLEAR = b"""{"links": [{"rel": "urn:xmpp:alt-connections:websocket", "href": "ws://a/ws"}]}"""


class Web:
    """Every host and port is this one server, whose pages are `pages`."""

    def __init__(self, folder: Path) -> None:
        self.pages: dict[str, bytes | str] = {}  # text is where to go instead
        self.asked: list[str] = []
        self.port = 0
        self.trust = Trust(authorities=folder / "ca.pem")

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        page = self.pages.get(request.path)
        if isinstance(page, str):
            raise web.HTTPFound(page)
        if page is None:
            raise web.HTTPNotFound
        return web.Response(body=page)

    async def records(self, name: str) -> list[object]:
        return []

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(2, ("127.0.0.1", self.port))]

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        settings = self.trust.settings(VERONA, direct=False)
        session = await http.session(settings, self, within=5.0)  # type: ignore[arg-type]
        try:
            yield session
        finally:
            await http.hang_up(session)


@asynccontextmanager
async def serving(folder: Path, name: str = VERONA) -> AsyncIterator[Web]:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, key_type=trustme.KeyType.ECDSA).configure_cert(context)
    here = Web(folder)
    runner = web.ServerRunner(web.Server(here.answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    here.port = runner.addresses[0][1]
    try:
        yield here
    finally:
        await runner.cleanup()


def test_both_forms() -> None:
    assert read_xml(XML) == LINKS
    assert read_json(JSON) == LINKS


@pytest.mark.parametrize(
    "odd", [b"", b"{", b"[]", b'{"links": 1}', b'{"links": ["x"]}', b"[" * 99999]
)
def test_what_is_no_json(odd: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(odd)


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"<html/>",
        b"<XRD",
        XML + b"<x/>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>",
    ],
)
def test_what_is_no_xrd(odd: bytes) -> None:
    with pytest.raises(ValueError):
        read_xml(odd)


@pytest.mark.parametrize("form", ["host-meta.json", "host-meta"])
async def test_it_is_found(tmp_path: Path, form: str) -> None:
    async with serving(tmp_path) as here, here.session() as session:
        here.pages[f"/.well-known/{form}"] = JSON if form.endswith("json") else XML
        for relation, url in LINKS:
            assert await discover(session, VERONA, relation) == [url]


@pytest.mark.parametrize("page", [None, b"nonsense", b"x" * 100_000, "http://verona.lit/x", CLEAR])
async def test_it_is_not_found(tmp_path: Path, page: bytes | str | None) -> None:
    """Not there, not understood, too large, elsewhere, or in the clear."""
    async with serving(tmp_path) as here, here.session() as session:
        if page is not None:
            here.pages |= dict.fromkeys(
                ["/.well-known/host-meta.json", "/.well-known/host-meta"], page
            )
        with pytest.raises(ConnectionFailed, match=r"verona\.lit names no wss address"):
            await discover(session, VERONA, WEBSOCKET)
        assert here.asked == ["/.well-known/host-meta.json", "/.well-known/host-meta"]


async def test_the_clear_has_to_be_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path) as here, here.session() as session:
        here.pages["/.well-known/host-meta.json"] = CLEAR
        assert await discover(session, VERONA, WEBSOCKET, encrypted=False) == ["ws://a/ws"]


@pytest.mark.parametrize("kind", [WebSocket, Bosh])
async def test_a_connector_looks_there(tmp_path: Path, kind: type[WebSocket] | type[Bosh]) -> None:
    async with serving(tmp_path) as here:
        scheme = "wss" if kind is WebSocket else "https"
        relation = WEBSOCKET if kind is WebSocket else BOSH
        page = f'{{"links": [{{"rel": "{relation}", "href": "{scheme}://{VERONA}/not-here"}}]}}'
        here.pages["/.well-known/host-meta.json"] = page.encode()
        way = kind(resolver=here)  # type: ignore[arg-type]
        with pytest.raises(ConnectionFailed, match="404"):
            await way.connect(Account(ROMEO, trust=here.trust))
        assert here.asked == ["/.well-known/host-meta.json", "/not-here"]


@pytest.mark.parametrize("kind", [WebSocket, Bosh])
async def test_whom_we_believe(tmp_path: Path, kind: type[WebSocket] | type[Bosh]) -> None:
    """Another name, an unknown issuer, another certificate than the pinned one."""
    url = f"{'wss' if kind is WebSocket else 'https'}://{VERONA}/x"
    async with serving(tmp_path, "mantua.lit") as here:
        way = kind(url, resolver=here)  # type: ignore[arg-type]
        for trust, why in (
            (here.trust, "certificate verify failed"),
            (Trust(), "certificate verify failed"),
            (Trust(pin="00" * 32), "not the one expected"),
        ):
            with pytest.raises(TlsError, match=why):
                await way.connect(Account(ROMEO, trust=trust))
        assert here.asked == []
