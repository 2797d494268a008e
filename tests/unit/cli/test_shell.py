"""The shell: what its words do, with lines from a pipe and from a terminal."""

import asyncio
import hashlib
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.peer import PASSWORD
from tests.service import ROMEO, Service, serving

from pyrite.cli.talk import FEATURES, Talk
from pyrite.client.state import Online, Suspended
from pyrite.client.testing import MemoryServer

PATIENCE = 30.0
PYRITE = str(Path(sys.executable).parent / "pyrite")


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[MemoryServer, Talk, list[str]]]:
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE), MemoryServer(["a", "b"], friends=[("a", "b")]) as srv:
        talk = Talk(srv.client("a", features=FEATURES), lines.append)
        async with talk.client:
            await srv.quiet()
            yield srv, talk, lines


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("help", "info [JID]"),
        ("info", "server/im"),
        ("info a@example.org", "urn:xmpp:mam:2"),
        ("items b@example.org", ""),
        ("roster", "b@example.org  (both)"),
        ("version", "Pyrite"),
        ("raw <iq type='get' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>", 'type="result"'),
        ("raw <iq type='result'/>", "refused: a message"),
        ("raw <iq", "refused:"),
        ("raw <cake/>", "refused:"),
        ("send b@example.org", "refused: send JID TEXT"),
        ("send @ hi", "refused:"),
        ("info nobody@example.org", "refused: service-unavailable"),
        ("command example.org nothing", "refused:"),
        ("dance", 'there is no "dance"'),
    ],
)
async def test_what_a_line_does(line: str, shown: str) -> None:
    async with talking() as (_, talk, lines):
        assert await talk.do(line)
        assert shown in "\n".join(lines)


async def test_talking_and_reading_it_again() -> None:
    async with talking() as (srv, talk, lines), srv.client("b") as b:
        heard = b.messages()
        await talk.do(f"send {b.jid} hello there")
        assert (await heard.next()).message.body == "hello there"
        await b.send(talk.client.jid, "\x7f hi\u202e\n")
        await srv.quiet()
        assert f"{b.jid} is available" in lines
        assert f"{b.jid}:   hi  " in lines  # nothing that a terminal would obey
        lines.clear()
        await talk.do("archive b@example.org")
        assert len(lines) == 2
        assert lines[0].endswith("hello there")
        assert not await talk.do("quit")


async def test_what_becomes_of_the_connection_is_told() -> None:
    async with talking() as (srv, talk, lines):
        states = talk.client.lifecycle()
        srv.cut("a")
        assert isinstance(await states.next(), Suspended)
        await srv.advance(5)
        assert isinstance(await states.next(), Online)
        assert lines[-2:] == ["the connection broke; trying again", "connected again"]
        assert await talk.do("")


def words(service: Service) -> list[str]:
    der = ssl.PEM_cert_to_DER_cert((service.folder / "cert.pem").read_text())
    pin = hashlib.sha256(der).hexdigest()
    at = f"127.0.0.1:{service.port}"
    return [PYRITE, "shell", str(ROMEO), "--server", at, "--pin", pin]


@pytest.mark.parametrize(("password", "status"), [(PASSWORD, 0), ("wrong", 1)])
async def test_lines_from_a_pipe(tmp_path: Path, password: str, status: int) -> None:
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        process = await asyncio.create_subprocess_exec(
            *words(service),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(f"{password}\nversion\n".encode())
        assert process.returncode == status, err
        if status == 0:
            assert b"logged in as romeo@verona.lit/" in out
            assert b"Pyrite" in out
        else:
            assert b"not-authorized" in err


async def test_lines_from_a_terminal(tmp_path: Path) -> None:
    """The password is asked for and not shown; there is a prompt, and a history that is kept."""
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        ours, theirs = os.openpty()
        process = await asyncio.create_subprocess_exec(
            *words(service),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(theirs)
        shown = ""
        for wait, line in (("Password", PASSWORD), ("> ", "version"), ("Pyrite", "quit")):
            while wait not in shown:
                shown += (await asyncio.to_thread(os.read, ours, 4096)).decode()
            assert PASSWORD not in shown
            if wait != "Password":
                shown = shown[shown.index(wait) + len(wait) :]
            os.write(ours, f"{line}\n".encode())
        assert await process.wait() == 0
        os.close(ours)
        history = (tmp_path / "state" / "pyrite" / "history").read_text()
        assert history.splitlines() == ["version", "quit"]
        assert PASSWORD not in history


def test_words_that_are_wrong() -> None:
    from pyrite.cli.main import run

    assert run(["shell", "@"]) == 2
