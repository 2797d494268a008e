"""Attack 44: what a peer writes into our log, and what of ours anybody can read."""

from __future__ import annotations

import asyncio
import io
import logging
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.peer import PASSWORD
from tests.service import ROMEO, VERONA, serving

from pyrite.kit import log
from pyrite.kit.log import Format

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

BODY = "the body that nobody but Juliet may read"
EVIL = "x&#10;2026-01-01 error pyrite: forged&#13;\u2028\u202e"
FORGED = "error pyrite: forged"


@pytest.fixture(params=["text", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """All that is logged, at every level, as an operator would see it."""
    format: Format = request.param
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.level
    log.setup("debug", format, {"asyncio": "warning"}, stream)
    yield stream
    for handler in [h for h in root.handlers if getattr(h, "is_ours", False)]:
        root.removeHandler(handler)
    root.setLevel(before)


async def test_no_secret_and_no_body_is_logged(written: io.StringIO, tmp_path: Path) -> None:
    """A whole conversation, at the level that says most."""
    async with serving(tmp_path) as service:
        plain = await service.secured()
        await plain.plain("juliet")
        await plain.open(VERONA)
        await plain.bind("b")
        await plain.send("<presence><status>my secret status</status></presence>")
        scram = await service.secured()
        await scram.scram("romeo", "wrong password")
        await scram.scram("romeo")
        await scram.open(VERONA)
        await scram.bind("a")
        for to in ("juliet@verona.lit/b", "juliet@verona.lit", "nobody@verona.lit", "@@"):
            await scram.send(f"<message to='{to}' type='chat'><body>{BODY}</body></message>")
        await scram.ask(
            "<iq type='set' id='1'><query xmlns='jabber:iq:register'><username>romeo</username>"
            "<password>another secret password</password></query></iq>"
        )
        await scram.ask(
            "<iq type='set' id='1'><query xmlns='jabber:iq:private'>"
            "<x xmlns='urn:x'>my private data</x></query></iq>"
        )
        await scram.send(f"<message><body>{BODY}</b></message>")
        await scram.ends_with("not-well-formed")
        secret = (service.folder / "data").glob("*secret*")
        secrets = [file.read_bytes() for file in secret if file.is_file()]
    text = written.getvalue()
    assert "romeo@verona.lit/a" in text
    for word in (
        PASSWORD,
        "wrong password",
        BODY,
        "secret status",
        "another secret",
        "private data",
    ):
        assert word not in text
        assert b64encode(word.encode()).decode()[:20] not in text
    for word in ("AGp1bGlldA", "client-final", "p=", "salt"):
        assert word not in text
    for octets in secrets:
        assert octets.hex() not in text


async def test_nobody_forges_a_line(written: io.StringIO, tmp_path: Path) -> None:
    """Names, resources, languages, reasons: each line that is written is one of ours."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.opening(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            f" version='1.0' to='verona.lit' from='{EVIL}' xml:lang='{EVIL}'>"
        )
        name = "x\n2026-01-01 error pyrite: forged\r\u2028"
        await client.auth("PLAIN", f"\0{name}\0y".encode())
        await client.auth(EVIL, b"x")
        answer = await client.auth("SCRAM-SHA-256", f"n,,n={name},r=abcdefgh".encode())
        if answer.name.tag == "challenge":
            await client.respond(b"x")
        await client.plain("romeo")
        await client.open(VERONA)
        await client.bind("x\u202e 2026-01-01 error pyrite: forged")
        await client.bind("x 2026-01-01 error pyrite: forged")
        await client.send(
            f"<message to='{EVIL}' id='{EVIL}' type='{EVIL}'><body>x</body></message>"
        )
        await client.send(f"<iq type='get' id='{EVIL}'><x xmlns='urn:x'/></iq>")
        await client.barrier()
        await client.send(f"<{'x' * 300} xmlns='urn:\u202e'/>")
        await client.ends_with("unsupported-stanza-type")
    for line in written.getvalue().splitlines():
        assert not line.lstrip().startswith(("2026-01-01 error", FORGED)), line
        assert "\u202e" not in line
        assert "\x1b" not in line


async def test_a_crash_tells_of_itself_and_not_of_the_message(
    written: io.StringIO, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from pyrite.kit.hooks import Stage

    async with serving(tmp_path, clear=True) as service:
        client = await service.online("romeo@verona.lit/a")

        def crash(*_: object) -> None:
            raise ZeroDivisionError

        service.server.hosts[VERONA].sending.add(Stage.GUARD, crash)
        await client.send(f"<message to='juliet@verona.lit'><body>{BODY}</body></message>")
        assert (await client.element()).attrs["type"] == "error"
    text = written.getvalue()
    assert "ZeroDivisionError" in text
    assert BODY not in text
    caplog.clear()


async def test_hundreds_of_attackers_write_no_warnings(
    written: io.StringIO, tmp_path: Path
) -> None:
    """What anybody can provoke is not what an operator is woken for."""
    async with serving(tmp_path, limits="connection-burst = 1000") as service:

        async def bother(text: str) -> None:
            client = await service.connect()
            await client.write(text)
            await client.rest()
            client.writer.close()

        await asyncio.gather(
            *(
                bother(text)
                for text in (
                    "GET / HTTP/1.1\r\n\r\n",
                    "\x16\x03\x01",
                    "<a><!--",
                    "\0\0\0\0",
                    "<a>&e;",
                )
                for _ in range(20)
            )
        )
    text = written.getvalue()
    assert "stream ended" in text
    for word in (" warning ", " error ", '"warning"', '"error"', "Traceback"):
        assert word not in text


async def test_what_is_kept_is_for_the_servers_user_alone(tmp_path: Path) -> None:
    """Stores, keys and secrets, made by the server itself."""
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/a")
        await romeo.is_served()
        for file in service.server.settings.data.rglob("*"):
            if file.is_file() and file.suffix != ".pem":
                assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0, file


async def test_no_password_is_kept(tmp_path: Path) -> None:
    """Only salted keys: the store has neither the password nor a plain hash of it."""
    async with serving(tmp_path, clear=True) as service:
        await service.server.accounts.set_password(ROMEO, "an unmistakable password")
        client = await service.connect()
        await client.open(VERONA)
        assert (await client.plain("romeo", "an unmistakable password")).name.tag == "success"
        for file in service.server.settings.data.rglob("*"):
            if file.is_file():
                assert b"an unmistakable password" not in file.read_bytes(), file
