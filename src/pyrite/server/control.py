"""The control socket: how the command line runs commands in a running server.

One request a connection: a line of JSON ``{"command": …, "args": {…}}``, answered by a line
``{"result": …}`` or ``{"error": text, "code": exit code}``. Only the server's own user and
root get an answer, by what the kernel says of the peer.

A command that reads or writes a file does so through the asking side, which alone may open it:
before the answer come lines ``{"wants": octets}``, each answered by four octets of length and so
many of the file, none at its end; and lines ``{"piece": text}`` to add to the file. One side at a
time speaks, so that neither waits for the other for ever.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ..kit.accept import accepting
from .commands import PIECE, CommandError, Commands, encode

log = logging.getLogger(__name__)

NAME = "control.sock"
LOCK = "lock"
MAX_REQUEST = 1 << 20  # octets
MAX_ANSWER = 64 << 20  # octets that the asking side takes
MAX_CONNECTIONS = 16  # at a time; further ones wait in the kernel's queue
ASKING = 10.0  # seconds for the peer to send its request
RUNNING = 300.0  # seconds for a command to end
ANSWERING = 30.0  # seconds for the peer to take the answer
_MAX_PATH = 100  # octets; the kernel takes 107
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_LENGTH = struct.Struct("!I")  # of a piece of a file, before it


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What the command line asks."""

    command: str
    args: dict[str, Any] = msgspec.field(default_factory=dict)


class Answer(msgspec.Struct, omit_defaults=True):
    """What it is told: a result, or an error and the exit code for it; and before that pieces."""

    result: Any = None
    error: str | None = None
    code: int = 0
    wants: int = 0
    piece: str | None = None


class File(Protocol):
    """The asking side of a `commands.Stream`. Both raise `OSError`."""

    def read(self, most: int, /) -> bytes:
        """What comes next, at most so many octets; nothing at the end."""

    def write(self, text: str, /) -> object:
        """Add `text`."""


class NotRunningError(Exception):
    """No server answers on the control socket."""


class InUseError(Exception):
    """Another process works with the data directory."""


@contextmanager
def claim(data: Path) -> Iterator[None]:
    """Be the only process that works with `data`, which is made if it is not there.

    Raises InUseError if there is another one, OSError if `data` cannot be used. The claim ends
    with the process at the latest.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, "is no directory", str(data)) from None
    lock = os.open(data / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUseError(f"another process works with {data}") from None
        yield
    finally:
        os.close(lock)


@asynccontextmanager
async def serving(
    data: Path, commands: Commands, trusted: frozenset[int] | None = None
) -> AsyncIterator[None]:
    """Answer on the control socket in `data`, which the caller has claimed.

    `trusted` are the user ids that get an answer: our own and root's.
    """
    users = frozenset({0, os.geteuid()}) if trusted is None else trusted

    async def handle(peer: socket.socket) -> None:
        if _user_of(peer) in users:
            await _serve(peer, commands)
        else:
            log.warning("control socket: another user's process was refused")

    path = data / NAME
    path.unlink(missing_ok=True)  # of a server that was killed
    try:
        async with accepting([_listener(path)], handle, MAX_CONNECTIONS):
            yield
    finally:
        path.unlink(missing_ok=True)


def ask(
    data: Path,
    command: str,
    args: Mapping[str, Any],
    patience: float = RUNNING,
    file: File | None = None,
) -> Any:
    """The result, as plain data, of a command that is run in the server of `data`.

    Raises `NotRunningError` if there is none, `CommandError` as the command did, and what `file`
    raises, which the command may read or write.
    """
    try:
        request = msgspec.json.encode(Request(command, dict(args))) + b"\n"
    except UnicodeEncodeError:  # what the shell passed on was not UTF-8
        raise CommandError("an argument is not UTF-8") from None
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(patience)
        _connect(peer, data / NAME)
        with _trouble():
            peer.sendall(request)
        answer = _answer_of(peer, file)
    if answer.error is not None:
        refusal = CommandError(answer.error)
        refusal.exit_code = answer.code
        raise refusal
    return answer.result


def _answer_of(peer: socket.socket, file: File | None) -> Answer:
    """The answer, after all that was asked of `file`."""
    with peer.makefile("rb") as lines:
        while True:
            with _trouble():
                answer = msgspec.json.decode(lines.readline(MAX_ANSWER), type=Answer)
            if answer.piece is not None and file is not None:
                file.write(answer.piece)
            elif answer.wants and file is not None:
                octets = file.read(min(answer.wants, PIECE))
                with _trouble():
                    peer.sendall(_LENGTH.pack(len(octets)) + octets)
            else:
                return answer


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except (OSError, msgspec.DecodeError) as error:
        raise CommandError(f"the server did not answer: {error}") from None


def _connect(peer: socket.socket, path: Path) -> None:
    try:
        with _short(path) as name:
            peer.connect(name)
    except PermissionError:
        raise CommandError(f"no right to use {path}") from None
    except OSError:
        raise NotRunningError(str(path)) from None


async def _serve(peer: socket.socket, commands: Commands) -> None:
    async with asyncio.timeout(ASKING):
        request = await _receive(peer)
    answer = await _answer(request, commands, peer)
    async with asyncio.timeout(ANSWERING):
        written = msgspec.json.encode(answer) + b"\n"
        await asyncio.get_running_loop().sock_sendall(peer, written)


async def _receive(peer: socket.socket) -> bytes:
    """The octets up to the end of the first line; too many are returned without it."""
    loop, received = asyncio.get_running_loop(), bytearray()
    while b"\n" not in received and len(received) <= MAX_REQUEST:
        octets = await loop.sock_recv(peer, 1 << 16)
        if not octets:
            raise ConnectionError("closed before the end of the line")
        received += octets
    return bytes(received)


class _Stream:
    """See `commands.Stream`; the end of `RUNNING` is put off whenever the peer does its part."""

    def __init__(self, peer: socket.socket, running: asyncio.Timeout) -> None:
        self._peer, self._running = peer, running

    async def read(self) -> bytes:
        await self._send(Answer(wants=PIECE))
        (length,) = _LENGTH.unpack(await self._receive(_LENGTH.size))
        if length > PIECE:
            raise CommandError("the piece is too long")
        return await self._receive(length)

    async def write(self, text: str) -> None:
        await self._send(Answer(piece=text))

    async def _send(self, answer: Answer) -> None:
        written = msgspec.json.encode(answer) + b"\n"
        try:
            await asyncio.get_running_loop().sock_sendall(self._peer, written)
        except OSError as error:
            raise CommandError(f"the asking side is gone: {error}") from None
        self._put_off()

    async def _receive(self, count: int) -> bytes:
        loop, received = asyncio.get_running_loop(), bytearray()
        while len(received) < count:
            octets = await loop.sock_recv(self._peer, count - len(received))
            if not octets:
                raise CommandError("the asking side is gone")
            received += octets
            self._put_off()
        return bytes(received)

    def _put_off(self) -> None:
        self._running.reschedule(asyncio.get_running_loop().time() + RUNNING)


async def _answer(line: bytes, commands: Commands, peer: socket.socket) -> Answer:
    if len(line) > MAX_REQUEST:
        return Answer(error="the request is too long", code=2)
    try:
        request = msgspec.json.decode(line, type=Request)
    except msgspec.DecodeError as error:
        return Answer(error=f"not a request: {error}", code=2)
    try:
        async with asyncio.timeout(RUNNING) as running:
            stream = _Stream(peer, running)
            result = await commands.run(request.command, request.args, stream=stream)
            return Answer(encode(result))
    except CommandError as error:
        return Answer(error=str(error), code=error.exit_code)
    except TimeoutError:
        return Answer(error=f"{request.command} took too long and was stopped", code=1)
    except Exception:
        log.exception("command failed: %s", request.command)
        return Answer(error=f"{request.command} failed; the log says why", code=1)


def _user_of(peer: socket.socket) -> int:
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return int(uid)


def _listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before bind, so that it is never open to others
        with _short(path) as name:
            listener.bind(name)
        path.chmod(0o600)
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for `path` that the kernel takes, however deep the directory is."""
    if len(os.fsencode(path)) <= _MAX_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
