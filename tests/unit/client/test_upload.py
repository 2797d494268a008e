"""Files by HTTP: what is fetched, what is not, and how a message tells of them."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from tests.peer import PATIENCE

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.mod.upload import Upload
from pyrite.client.shared import Shared, shared_in, told
from pyrite.client.transfer import NotAsAnnounced, TooLarge, TransferFailed
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import decode, encode, name_of
from pyrite.core.stanza import Message
from pyrite.core.xml import parse
from pyrite.net.dns import SystemResolver
from pyrite.net.tls import TlsError
from pyrite.wire import jingle, oob, sharing
from pyrite.wire.fallback import Fallback
from pyrite.wire.hashes import Hash

HOST = "files.example"
DATA = bytes(range(256)) * 300
FILE = sharing.File(name="f", size=len(DATA), hashes=(Hash("sha-256", sha256(DATA).digest()),))

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Here(SystemResolver):
    """A resolver for which every host is this machine."""

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(socket.AF_INET, ("127.0.0.1", port))]


@asynccontextmanager
async def serving(folder: Path, **answers: Answer) -> AsyncIterator[tuple[Upload, str]]:
    """A server of files at a URL, and a client's `Upload` that trusts it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    app = web.Application()
    for name, answer in answers.items():
        app.router.add_get(f"/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        client = Client("romeo@example.org", "x", trust=Trust(authorities=folder / "ca.pem"))
        client[Upload].resolver = Here()
        async with asyncio.timeout(PATIENCE):
            yield client[Upload], f"https://{HOST}:{port}"
    finally:
        await runner.cleanup()


async def whole(request: web.Request) -> web.StreamResponse:
    """The file, or what of it is asked for."""
    start = request.http_range.start or 0
    if not start:
        return web.Response(body=DATA)
    headers = {"Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"}
    return web.Response(status=206, body=DATA[start:], headers=headers)


async def always_whole(_: web.Request) -> web.StreamResponse:
    return web.Response(body=DATA)


async def other_octets(_: web.Request) -> web.StreamResponse:
    headers = {"Content-Range": f"bytes 0-{len(DATA) - 1}/{len(DATA)}"}
    return web.Response(status=206, body=DATA, headers=headers)


async def forged(_: web.Request) -> web.StreamResponse:
    return web.Response(body=bytes(len(DATA)))


async def larger(request: web.Request) -> web.StreamResponse:
    """More than was announced, without saying how much."""
    answer = web.StreamResponse()
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    await answer.write(DATA + b"more")
    await answer.write_eof()
    return answer


async def cut(request: web.Request) -> web.StreamResponse:
    """Half of it, and then nothing."""
    answer = web.StreamResponse(headers={"Content-Length": str(len(DATA))})
    await answer.prepare(request)
    await answer.write(DATA[: len(DATA) // 2])
    assert request.transport is not None
    request.transport.abort()
    return answer


async def elsewhere(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("https://other.example/")


async def gone(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


def at(url: str, *names: str) -> Shared:
    return Shared(FILE, tuple(f"{url}/{name}" for name in names))


async def test_each_place_is_tried(tmp_path: Path) -> None:
    async with serving(tmp_path, whole=whole, forged=forged, gone=gone) as (upload, url):
        steps: list[tuple[int, int | None]] = []
        got = await upload.fetch(
            at(url, "gone", "forged", "whole"),
            tmp_path / "got",
            progress=lambda done, of: steps.append((done, of)),
        )
        assert got.read_bytes() == DATA
        assert steps[-1] == (len(DATA), len(DATA))
        assert sorted(os.listdir(tmp_path)) == ["ca.pem", "got"]
        with pytest.raises(FileExistsError):
            await upload.fetch(at(url, "whole"), got)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (forged, NotAsAnnounced, "sha-256"),
        (larger, TooLarge, "are allowed"),
        (gone, TransferFailed, "404"),
        (elsewhere, OSError, "not followed"),
        (cut, OSError, "not completed"),
    ],
)
async def test_what_is_not_the_file(
    tmp_path: Path, answer: Answer, error: type[Exception], said: str
) -> None:
    async with serving(tmp_path, answer=answer) as (upload, url):
        with pytest.raises(error, match=said):
            await upload.fetch(at(url, "answer"), tmp_path / "got")
        assert not (tmp_path / "got").exists()


async def test_sizes(tmp_path: Path) -> None:
    async with serving(tmp_path, whole=whole, larger=larger) as (upload, url):
        got = tmp_path / "got"
        with pytest.raises(TooLarge) as large:
            await upload.fetch(at(url, "whole"), got, most=len(DATA) - 1)
        assert (large.value.size, large.value.most) == (len(DATA), len(DATA) - 1)
        for name in ("whole", "larger"):  # one says its size, and the other does not
            with pytest.raises(TooLarge):
                await upload.fetch(f"{url}/{name}", got, most=len(DATA) - 1)
        small = Shared(sharing.File(size=5), (f"{url}/whole",))
        with pytest.raises(NotAsAnnounced, match="5 were announced"):
            await upload.fetch(small, got)
        assert not got.exists()


@pytest.mark.parametrize(
    "url", ["http://files.example/1", "ftp://files.example/1", "https://", "https://[", "file:///"]
)
async def test_https_alone(tmp_path: Path, url: str) -> None:
    async with serving(tmp_path) as (upload, _):
        with pytest.raises(TransferFailed, match="HTTPS"):
            await upload.fetch(url, tmp_path / "got")
        with pytest.raises(TransferFailed, match="nobody says"):
            await upload.fetch(Shared(FILE, ()), tmp_path / "got")


async def test_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    async with serving(tmp_path, whole=whole) as (upload, url):
        upload.authorities = None
        with pytest.raises(TlsError):
            await upload.fetch(at(url, "whole"), tmp_path / "got")


@pytest.mark.parametrize(
    ("again", "is_right"), [(whole, True), (always_whole, True), (other_octets, False)]
)
async def test_what_was_cut_off_is_gone_on_with(
    tmp_path: Path, again: Answer, is_right: bool
) -> None:
    got, part = tmp_path / "got", tmp_path / "got.part"
    asked: list[str | None] = []

    async def noted(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        return await again(request)

    async with serving(tmp_path, cut=cut, again=noted) as (upload, url):
        with pytest.raises(OSError, match="not completed"):
            await upload.fetch(at(url, "cut"), got, resume=True)
        assert part.stat().st_size == len(DATA) // 2
        assert not got.exists()
        fetching = upload.fetch(at(url, "again"), got, resume=True)
        if is_right:
            await fetching
            assert got.read_bytes() == DATA
            assert not part.exists()
        else:
            with pytest.raises(TransferFailed, match="other octets"):
                await fetching
            assert part.stat().st_size == len(DATA) // 2
        assert asked == [f"bytes={len(DATA) // 2}-"]


async def test_what_is_here_already(tmp_path: Path) -> None:
    """All of it, or of something else; what has no hash is not gone on with."""
    got, part = tmp_path / "got", tmp_path / "got.part"
    async with serving(tmp_path, whole=whole) as (upload, url):
        part.write_bytes(DATA)
        await upload.fetch(at(url, "gone"), got, resume=True)  # nothing has to be fetched
        assert got.read_bytes() == DATA
        got.unlink()
        part.write_bytes(bytes(10))
        with pytest.raises(NotAsAnnounced):
            await upload.fetch(at(url, "whole"), got, resume=True)
        assert not part.exists()
        part.write_bytes(bytes(10))
        await upload.fetch(f"{url}/whole", got, resume=True)
        assert got.read_bytes() == DATA


# --- messages that tell of files ----------------------------------------------------------------

ROMEO = JID.parse("romeo@montague.lit/1")
URL = "https://files.example/1"


def message(*payloads: str | object) -> Message:
    elements = [parse(one) if isinstance(one, str) else encode(one) for one in payloads]
    return Message("chat", sender=ROMEO, payloads=tuple(elements))


def test_what_is_told_is_heard() -> None:
    one = Shared(FILE, (URL, URL + "0"), disposition="attachment")
    body, *payloads = told([one])
    assert body == URL
    assert [type(payload) for payload in payloads] == [sharing.FileSharing, Fallback, oob.XOob]
    assert shared_in(message(*payloads), False) == (
        Shared(FILE, one.urls, ROMEO, disposition="attachment"),
    )


def test_several_files_of_one_message() -> None:
    files = [Shared(FILE, (f"{URL}/{number}",)) for number in range(3)]
    body, *payloads = told(files)
    assert body.split() == [one.urls[0] for one in files]
    ids = [one.id for one in payloads if isinstance(one, sharing.FileSharing)]
    assert len(set(ids)) == 3  # XEP-0447 §4.2
    assert not any(isinstance(one, oob.XOob) for one in payloads)
    found = shared_in(message(*payloads), True)
    assert [one.urls for one in found] == [one.urls for one in files]
    assert all(one.outgoing for one in found)


SIMS = """
<reference xmlns="urn:xmpp:reference:0" begin="0" end="4" type="data">
<media-sharing xmlns="urn:xmpp:sims:1">
<file xmlns="urn:xmpp:jingle:apps:file-transfer:5"><name>summit.jpg</name><size>3</size>
<hash xmlns="urn:xmpp:hashes:2" algo="sha-256">AAAA</hash></file>
<sources><reference xmlns="urn:xmpp:reference:0" type="data" uri="https://files.example/1"/>
<reference xmlns="urn:xmpp:reference:0" type="data" uri="xmpp:romeo@montague.lit/1?jingle;id=9"/>
</sources></media-sharing></reference>"""


def test_as_older_clients_tell() -> None:
    (found,) = shared_in(message(SIMS), False)
    assert found.urls == (URL,)
    assert (found.file.name, found.file.size) == ("summit.jpg", 3)
    assert found.file.hashes == (Hash("sha-256", bytes(3)),)
    (found,) = shared_in(message(oob.XOob(URL, "a letter")), False)
    assert (found.urls, found.file) == ((URL,), sharing.File(desc="a letter"))


@pytest.mark.parametrize(
    "text",
    [
        "<x xmlns='jabber:x:oob'><url>http://files.example/1</url></x>",
        "<x xmlns='jabber:x:oob'/>",
        "<file-sharing xmlns='urn:xmpp:sfs:0'/>",
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'/>"
        "</file-sharing>",
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
        "<size>-1</size></file></file-sharing>",
        "<reference xmlns='urn:xmpp:reference:0' type='data'>"
        "<media-sharing xmlns='urn:xmpp:sims:1'/></reference>",
    ],
)
def test_what_cannot_be_had_is_not_told(text: str) -> None:
    assert shared_in(message(text), False) == ()


@pytest.mark.parametrize("zone", ["", "Z", "+00:00", "+00:00Z"])
@pytest.mark.parametrize("kind", [sharing.File, jingle.File])
def test_dates_as_others_write_them(kind: Any, zone: str) -> None:
    """COMPAT: slixmpp does not name the zone, and Gajim names it twice."""
    ns = name_of(kind).ns
    found = decode(
        kind, parse(f"<file xmlns='{ns}'><date>2026-11-21T11:43:08.5{zone}</date></file>")
    )
    assert found.date.isoformat() == "2026-11-21T11:43:08.500000+00:00"
    with pytest.raises(StanzaError):
        decode(kind, parse(f"<file xmlns='{ns}'><date>yesterday{zone}</date></file>"))
