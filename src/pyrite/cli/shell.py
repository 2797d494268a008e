"""A look around a server, from a terminal or from a script's lines."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failure import USAGE, Failure

if TYPE_CHECKING:
    from ..client.app import Client
    from ..net.dns import Target

HISTORY = 1000  # lines that are remembered
PROMPT = "> "


def shell(
    jid: str,
    /,
    *,
    server: str | None = None,
    pin: str | None = None,
    direct: bool = False,
    password_stdin: bool = False,
) -> None:
    """Log in, and look around: `help` lists what can be asked.

    Parameters
    ----------
    jid
        The account.
    server
        HOST:PORT to connect to, in place of what the domain's records say.
    pin
        SHA-256 of the only certificate that is trusted.
    direct
        TLS from the first octet, at `server`.
    password_stdin
        Read the password from the first line of the standard input.
    """
    from ..client.account import Account, Trust
    from ..client.connector import Tcp
    from ..client.errors import ClientError
    from ..core.errors import StreamError
    from ..core.jid import JID, JIDError
    from ..net.dns import DnsError
    from ..net.tls import TlsError
    from .talk import FEATURES, Seeing

    try:
        account = JID.parse(jid)
    except JIDError as error:
        raise Failure(str(error), USAGE) from None
    password = _password(account.bare.text, from_input=password_stdin)
    trust = Trust(pin=pin.replace(":", "").lower() if pin else None)
    client = Seeing(
        account,
        account=Account(account, password, trust=trust),
        connector=Tcp(_targets(server, direct=direct)),
        features=FEATURES,
    )
    try:
        asyncio.run(_talk(client))
    except (ClientError, StreamError, DnsError, TlsError, TimeoutError) as error:
        raise Failure(str(error) or "no answer in time") from None


def _password(account: str, *, from_input: bool) -> str:
    if from_input or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass(f"Password of {account}: ")


def _targets(server: str | None, *, direct: bool) -> list[Target]:
    from ..net.dns import Target

    if server is None:
        return []
    host, _, port = server.rpartition(":")
    if not host or not port.isdigit():
        raise Failure(f'expected HOST:PORT, not "{server}"', USAGE)
    return [Target(host.strip("[]"), int(port), direct)]


async def _talk(client: Client) -> None:
    """Do what the lines say, one after the other, and meanwhile show what comes."""
    from ..client.state import Closed
    from .talk import Talk

    lines = Terminal() if sys.stdin.isatty() else Lines()
    talk = Talk(client, lines.show)
    lines.completes(talk.complete)
    async with talk.client as client, client.hear(Closed) as ends:
        over = asyncio.ensure_future(ends.next())
        try:
            lines.show(f"logged in as {client.jid}")
            lines.start()
            while (words := await _either(lines.next(), over)) is not None:
                if not await talk.do(words):
                    break
        finally:
            over.cancel()
            lines.end()
            await talk.close()


async def _either(line: Coroutine[Any, Any, str | None], over: asyncio.Future[Any]) -> str | None:
    """The next line; None also where the session has come to its end."""
    reading = asyncio.ensure_future(line)
    try:
        await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else None
    finally:
        reading.cancel()


class Lines:
    """What is typed, or comes from a pipe, read by a thread that nobody waits for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    async def next(self) -> str | None:
        """The next line; None at the end."""
        self._wanted.release()
        return await self._lines.get()

    def _run(self) -> None:
        is_open = True
        while is_open:
            self._wanted.acquire()
            line = self.read()
            is_open = line is not None
            with contextlib.suppress(RuntimeError):  # the program is at its end
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    def read(self) -> str | None:
        """Read one."""
        return sys.stdin.readline() or None

    def show(self, line: str) -> None:
        """Print it."""
        print(line, flush=True)

    def completes(self, complete: Callable[[str], list[str]]) -> None:
        """Let words be completed by this, where that can be."""

    def end(self) -> None:
        """Leave everything as it was."""


class Terminal(Lines):
    """Lines with editing and completion, and with a history that is kept."""

    def __init__(self) -> None:
        super().__init__()
        import readline
        import termios

        self._readline = readline
        self._before = termios.tcgetattr(sys.stdin)
        self._is_asking = False
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        self._file = Path(state) / "pyrite" / "history"
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._file.exists():
                readline.read_history_file(self._file)
        readline.set_history_length(HISTORY)

    def read(self) -> str | None:
        self._is_asking = True
        try:
            return input(PROMPT)
        except EOFError:
            return None
        finally:
            self._is_asking = False

    def show(self, line: str) -> None:
        """Above what is being typed, which stays."""
        if self._is_asking:
            typed = self._readline.get_line_buffer()
            print(f"\r\x1b[K{line}\n{PROMPT}{typed}", end="", flush=True)
        else:
            super().show(line)

    def completes(self, complete: Callable[[str], list[str]]) -> None:
        def give(_: str, number: int) -> str | None:
            line = self._readline.get_line_buffer()[: self._readline.get_endidx()]
            found = complete(line)
            return f"{found[number]} " if number < len(found) else None

        self._readline.set_completer_delims(" ")
        self._readline.set_completer(give)
        self._readline.parse_and_bind("tab: complete")

    def end(self) -> None:
        import termios

        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
        self._readline.set_completer(None)
        with contextlib.suppress(OSError):
            self._readline.write_history_file(self._file)
            self._file.chmod(0o600)
