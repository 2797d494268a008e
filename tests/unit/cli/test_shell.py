"""The shell: what its words do, with lines from a pipe and from a terminal."""

import asyncio
import hashlib
import os
import re
import signal
import ssl
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import ROMEO, Service, serving

from pyrite.cli.talk import FEATURES, Seeing, Talk
from pyrite.client.api import Call, Commands, Disco, form, form_field
from pyrite.client.state import Online, Suspended
from pyrite.client.testing import MemoryServer

PYRITE = str(Path(sys.executable).parent / "pyrite")


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[MemoryServer, Talk, list[str]]]:
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE), MemoryServer(["a", "b"], friends=[("a", "b")]) as srv:
        made = srv.client("a", features=FEATURES)
        made.__class__ = Seeing
        talk = Talk(made, lines.append)
        async with talk.client:
            await srv.quiet()
            yield srv, talk, lines
            await talk.close()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("help", "info [JID [NODE]]"),
        ("help join", "join ROOM [NICK [PASSWORD]]"),
        ("features", "what is sent is acknowledged"),
        ("services", "server/im"),
        ("ping", "ms"),
        ("time", "2026-"),
        ("last", "seconds"),
        ("card b@example.org", ""),
        ("node b@example.org", "refused: node JID NODE"),
        ("external", "refused: service-unavailable"),
        ("add nurse@example.org Nurse", ""),
        ("block tybalt@example.org", "  tybalt@example.org"),
        ("presence away out for a walk", ""),
        ("upload /nowhere b@example.org", "refused: "),
        ("join @", "refused:"),
        ("join den@example.org", "refused: example.org has no rooms"),
        ("rooms example.org", ""),
        ("leave", "refused: you are in no room"),
        ("who den@rooms.example.org", "refused: you are not in that room"),
        ("say hello", "refused: you are in no room"),
        ("answer a=b", "refused: no command goes on"),
        ("command", "refused: "),
        ("xml maybe", "refused: xml on|off"),
        ("info", "server/im"),
        ("info a@example.org", "urn:xmpp:mam:2"),
        ("items b@example.org", ""),
        ("roster", "b@example.org  (both)"),
        ("version", "Pyrite"),
        ("raw <iq type='get' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>", 'type="result"'),
        ("raw <iq type='result'/>", "refused: a message"),
        ("raw <iq", "refused:"),
        ("raw <cake/>", "refused:"),
        ("send b@example.org", "refused: send JID WORDS"),
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


async def test_a_command_of_two_steps() -> None:
    async with talking() as (srv, talk, lines), srv.client("b", features=[Commands, Disco]) as b:

        @b[Commands].offer("order", "Order a cake", allows=lambda who: True)
        async def order(call: Call) -> str:
            asked = await call.ask(form("urn:example:cake", form_field("cake", "text-single")))
            more = await call.ask(form("urn:example:size", form_field("size", "text-single")))
            return f"{more['size']} {asked['cake']} cake"

        await talk.do(f"command {b.jid}")
        assert lines[-1] == "  order Order a cake"
        assert talk.complete(f"command {b.jid} o") == ["order"]
        await talk.do(f"command {b.jid} order 'cake=plum and apple'")
        assert lines[-1] == "  (executing)"
        await talk.do("answer size=large")
        assert lines[-2:] == ["  large plum and apple cake", "  (completed)"]
        await talk.do(f"command {b.jid} order")
        await talk.do("answer cake")
        assert lines[-1] == 'refused: expected VAR=VALUE, not "cake"'
        await talk.do("cancel")
        await talk.do("answer cake=plum")
        assert lines[-1] == "refused: no command goes on"


async def test_stanzas_are_shown_as_they_are() -> None:
    async with talking() as (_, talk, lines):
        await talk.do("xml on")
        await talk.do("ping")
        assert any(line.startswith("> <iq") and "urn:xmpp:ping" in line for line in lines)
        assert any(line.startswith("< <iq") and 'type="result"' in line for line in lines)
        await talk.do("xml off")
        lines.clear()
        await talk.do("ping")
        assert len(lines) == 1


async def test_words_are_completed() -> None:
    async with talking() as (_, talk, _lines):
        assert talk.complete("ro") == ["rooms", "roster"]
        assert talk.complete("help arch") == ["archive"]
        assert talk.complete("send b@") == ["b@example.org"]
        assert talk.complete("info ex") == ["example.org"]
        assert talk.complete("info zz") == []


async def test_it_ends_with_the_session(tmp_path: Path) -> None:
    """Another client takes the resource, and so it is over, though nobody says quit."""
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        process = await asyncio.create_subprocess_exec(
            *words(service, f"{ROMEO}/here"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{PASSWORD}\n".encode())
        assert b"logged in" in await process.stdout.readline()
        await service.server.bind(ROMEO, "here")
        shown = (await process.stdout.read()).decode()
        assert "it is over: conflict" in shown
        assert await process.wait() == 0


async def test_what_becomes_of_the_connection_is_told() -> None:
    async with talking() as (srv, talk, lines):
        states = talk.client.lifecycle()
        srv.cut("a")
        assert isinstance(await states.next(), Suspended)
        await srv.advance(5)
        assert isinstance(await states.next(), Online)
        assert lines[-2:] == ["the connection broke; trying again", "connected again"]
        assert await talk.do("")


def words(service: Service, account: str = str(ROMEO)) -> list[str]:
    der = ssl.PEM_cert_to_DER_cert((service.folder / "cert.pem").read_text())
    pin = hashlib.sha256(der).hexdigest()
    at = f"127.0.0.1:{service.port}"
    return [PYRITE, "shell", account, "--server", at, "--pin", pin]


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


def heeds_interrupts() -> None:
    """As a program of a terminal does, even if the tests themselves are in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def test_a_terminal_is_left_as_it_was(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C sees afterwards what they type."""
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        ours, theirs = os.openpty()
        process = await asyncio.create_subprocess_exec(
            *words(service),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "dumb"},
            start_new_session=True,
            preexec_fn=heeds_interrupts,
        )
        before = termios.tcgetattr(theirs)[3]
        shown = ""
        for wait, typed in (("Password", f"{PASSWORD}\n"), ("> ", "ser")):
            while wait not in shown:
                shown += (await asyncio.to_thread(os.read, ours, 4096)).decode()
            os.write(ours, typed.encode())
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        assert termios.tcgetattr(theirs)[3] == before
        os.close(theirs)
        os.close(ours)


def test_words_that_are_wrong() -> None:
    from pyrite.cli.main import run

    assert run(["shell", "@"]) == 2


def test_the_page_names_every_word() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "client-shell.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| ") and "`" in row]
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    said = {line[2:].split()[0] for line in page.splitlines() if line.startswith("> ")}
    there = Talk(Seeing("a@example.org", features=FEATURES), print).words.keys()
    assert named == there
    assert said <= there | {"quit"}
