"""The control socket: its own user, one request, bounded in size and time."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.peer import PATIENCE

from pyrite.kit.config import Secret
from pyrite.server import control
from pyrite.server.commands import PIECE, CommandError, Commands, Stream, command


class Actions:
    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ended = asyncio.Event()

    @command()
    async def echo(self, text: str, password: Secret | None = None) -> dict[str, object]:
        """Say it again."""
        return {"text": text, "length": len(password.reveal()) if password else 0}

    @command()
    async def refuse(self) -> None:
        """Refuse."""
        raise CommandError("not today")

    @command()
    async def crash(self) -> None:
        """Fail."""
        raise RuntimeError("a bug with secret details")

    @command()
    async def shout(self, stream: Stream) -> int:
        """Give back a file in capitals; how many octets it has."""
        count = 0
        while octets := await stream.read():
            count += len(octets)
            await stream.write(octets.decode().upper())
        return count

    @command()
    async def flood(self, stream: Stream) -> None:
        """Write without end."""
        try:
            while True:
                await stream.write("x" * PIECE)
        finally:
            self.ended.set()

    @command()
    async def hang(self) -> None:
        """Never end."""
        self.started.set()
        await asyncio.Event().wait()


@asynccontextmanager
async def served(data: Path) -> AsyncIterator[Actions]:
    commands, actions = Commands(), Actions()
    commands.add_all(actions)
    async with asyncio.timeout(PATIENCE), control.serving(data, commands):
        yield actions


async def raw(data: Path, octets: bytes) -> bytes:
    """What a peer gets that writes `octets` and then no more."""
    reader, writer = await asyncio.open_unix_connection(str(data / control.NAME))
    try:
        writer.write(octets)
        return await reader.read()
    except ConnectionError:  # it was closed before all that we said had come
        return b""
    finally:
        writer.close()


async def ask(data: Path, name: str, **args: object) -> object:
    return await asyncio.to_thread(control.ask, data, name, args, 10.0)


async def test_a_command_runs_and_its_result_comes_back(tmp_path: Path) -> None:
    async with served(tmp_path):
        result = await ask(tmp_path, "echo", text="wherefore\n", password="pa\u2028ss")
    assert result == {"text": "wherefore\n", "length": 5}


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [("refuse", "not today", 1), ("echo", "text: is missing", 2), ("ecko", "did you mean", 2)],
)
async def test_a_refusal_keeps_its_words_and_exit_code(
    tmp_path: Path, name: str, said: str, code: int
) -> None:
    async with served(tmp_path):
        with pytest.raises(CommandError, match=said) as caught:
            await ask(tmp_path, name)
    assert caught.value.exit_code == code


async def test_a_crash_is_logged_and_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path):
        with pytest.raises(CommandError, match="crash failed; the log says why"):
            await ask(tmp_path, "crash")
        assert await ask(tmp_path, "echo", text="still here")
    assert "command failed: crash" in caplog.text
    caplog.clear()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"\n", "not a request"),
        (b"[]\n", "not a request"),
        (b'{"command": "echo", "arg": {}}\n', "not a request"),
        (b"\xff\xfe\n", "not a request"),
        (b"[" * 100_000 + b"\n", "not a request"),
        (b"x" * (control.MAX_REQUEST + 1), "too long"),
    ],
)
async def test_what_is_no_request_is_refused(tmp_path: Path, sent: bytes, said: str) -> None:
    async with served(tmp_path):
        answer = msgspec.json.decode(await raw(tmp_path, sent))
    assert said in answer["error"]
    assert answer["code"] == 2


async def test_a_peer_that_says_nothing_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ASKING", 0.01)
    async with served(tmp_path):
        assert await raw(tmp_path, b'{"command"') == b""


async def test_a_command_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "RUNNING", 0.01)
    async with served(tmp_path):
        with pytest.raises(CommandError, match="took too long"):
            await ask(tmp_path, "hang")


async def test_stopping_ends_commands_under_way_and_leaves_no_socket(tmp_path: Path) -> None:
    async with served(tmp_path) as actions:
        reading = asyncio.create_task(raw(tmp_path, b'{"command": "hang"}\n'))
        await actions.started.wait()
    assert await reading == b""
    assert not (tmp_path / control.NAME).exists()


async def test_more_peers_than_slots_wait_and_are_served(tmp_path: Path) -> None:
    async with served(tmp_path):
        asked = [ask(tmp_path, "echo", text=str(i)) for i in range(3 * control.MAX_CONNECTIONS)]
        assert len(await asyncio.gather(*asked)) == 3 * control.MAX_CONNECTIONS


async def test_the_socket_is_the_owners_alone(tmp_path: Path) -> None:
    async with served(tmp_path):
        assert stat.S_IMODE((tmp_path / control.NAME).stat().st_mode) == 0o600


async def test_another_users_process_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nobody: frozenset[int] = frozenset()
    async with asyncio.timeout(PATIENCE), control.serving(tmp_path, Commands(), nobody):
        assert await raw(tmp_path, b"") == b""
    assert "another user's process was refused" in caplog.text
    caplog.clear()


async def test_a_directory_may_be_deep(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-name"] * 8)
    deep.mkdir(parents=True)
    async with served(deep):
        assert await ask(deep, "echo", text="from below")


class Book:
    """A file of `size` octets, and what was written to it."""

    def __init__(self, size: int, trouble: str = "") -> None:
        self.left, self.trouble, self.written, self.pieces = size, trouble, 0, 0

    def read(self, most: int) -> bytes:
        if self.trouble == "reading":
            raise OSError("the page is torn")
        size = min(most, self.left)
        self.left -= size
        return b"a" * size

    def write(self, text: str) -> None:
        if self.trouble == "writing":
            raise OSError("the pen is dry")
        assert set(text) <= {"A", "x"}
        self.written += len(text)
        self.pieces += 1


async def with_book(data: Path, name: str, book: Book) -> object:
    return await asyncio.to_thread(control.ask, data, name, {}, 10.0, book)


@pytest.mark.parametrize("size", [0, 1, PIECE, 50 * PIECE + 7])
async def test_a_command_reads_and_writes_a_file_of_the_asking_side(
    tmp_path: Path, size: int
) -> None:
    book = Book(size)
    async with served(tmp_path):
        assert await with_book(tmp_path, "shout", book) == size
    assert (book.written, book.pieces) == (size, -(-size // PIECE))


@pytest.mark.parametrize(("trouble", "said"), [("reading", "torn"), ("writing", "dry")])
async def test_what_the_file_refuses_ends_the_command(
    tmp_path: Path, trouble: str, said: str
) -> None:
    async with served(tmp_path):
        with pytest.raises(OSError, match=said):
            await with_book(tmp_path, "shout", Book(3 * PIECE, trouble))
        assert await ask(tmp_path, "echo", text="still there")


async def test_a_command_does_not_run_ahead_of_who_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel holds is all that is held, and that not for ever."""
    monkeypatch.setattr(control, "RUNNING", 0.05)
    monkeypatch.setattr(control, "ANSWERING", 0.01)
    async with served(tmp_path) as actions:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(tmp_path / control.NAME))
            peer.sendall(b'{"command": "flood"}\n')
            await actions.ended.wait()
            assert await ask(tmp_path, "echo", text="meanwhile")
            octets = await asyncio.to_thread(peer.makefile("rb").read)
    assert PIECE < len(octets) < 1 << 21


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"\0\0\0\x05ab"])
async def test_a_piece_that_is_none_ends_the_command(tmp_path: Path, length: bytes) -> None:
    async with served(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / control.NAME))
        writer.write(b'{"command": "shout"}\n')
        assert msgspec.json.decode(await reader.readline()) == {"wants": PIECE}
        writer.write(length)
        writer.write_eof()
        answer = msgspec.json.decode(await reader.readline())
        writer.close()
    assert answer["code"] == 1
    assert answer["error"] in ("the piece is too long", "the asking side is gone")


def test_without_a_server_that_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent", tmp_path.joinpath(*["absent" * 5] * 6)):
        with pytest.raises(control.NotRunningError):
            control.ask(folder, "echo", {})


async def test_a_dead_servers_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / control.NAME))
    with pytest.raises(control.NotRunningError):
        await ask(tmp_path, "echo", text="")
    async with served(tmp_path):
        assert await ask(tmp_path, "echo", text="")


def test_a_data_directory_is_claimed_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with control.claim(data):
        with pytest.raises(control.InUseError), control.claim(data):
            raise AssertionError
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
    with control.claim(data):
        pass
