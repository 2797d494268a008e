"""The control socket: how the command line runs commands in a running server.

One request a connection: a line of JSON ``{"command": …, "args": {…}}``, answered by a line
``{"result": …}`` or ``{"error": text, "code": exit code}``. Only the server's own user and
root get an answer, by what the kernel says of the peer.
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
from typing import Any

import msgspec

from ..kit.accept import accepting
from .commands import CommandError, Commands, encode

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


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What the command line asks."""

    command: str
    args: dict[str, Any] = msgspec.field(default_factory=dict)


class Answer(msgspec.Struct, omit_defaults=True):
    """What it is told: a result, or an error and the exit code for it."""

    result: Any = None
    error: str | None = None
    code: int = 0


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


def ask(data: Path, command: str, args: Mapping[str, Any], patience: float = RUNNING) -> Any:
    """The result, as plain data, of a command that is run in the server of `data`.

    Raises `NotRunningError` if there is none, `CommandError` as the command did.
    """
    try:
        request = msgspec.json.encode(Request(command, dict(args))) + b"\n"
    except UnicodeEncodeError:  # what the shell passed on was not UTF-8
        raise CommandError("an argument is not UTF-8") from None
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(patience)
        _connect(peer, data / NAME)
        try:
            peer.sendall(request)
            answer = msgspec.json.decode(_line(peer), type=Answer)
        except (OSError, msgspec.DecodeError) as error:
            raise CommandError(f"the server did not answer: {error}") from None
    if answer.error is not None:
        refusal = CommandError(answer.error)
        refusal.exit_code = answer.code
        raise refusal
    return answer.result


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
    answer = await _answer(request, commands)
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


async def _answer(line: bytes, commands: Commands) -> Answer:
    if len(line) > MAX_REQUEST:
        return Answer(error="the request is too long", code=2)
    try:
        request = msgspec.json.decode(line, type=Request)
    except msgspec.DecodeError as error:
        return Answer(error=f"not a request: {error}", code=2)
    try:
        async with asyncio.timeout(RUNNING):
            return Answer(encode(await commands.run(request.command, request.args)))
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


def _line(peer: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n") and len(received) <= MAX_ANSWER:
        octets = peer.recv(1 << 16)
        if not octets:
            break
        received += octets
    return bytes(received)
