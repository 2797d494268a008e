"""A look around a server, from a terminal or from a script's lines."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .failure import USAGE, Failure

if TYPE_CHECKING:
    from ..net.dns import Target
    from .talk import Talk

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
    from ..client.app import Client
    from ..client.connector import Tcp
    from ..client.errors import ClientError
    from ..core.errors import StreamError
    from ..core.jid import JID, JIDError
    from ..net.dns import DnsError
    from ..net.tls import TlsError
    from .talk import FEATURES, Talk

    try:
        account = JID.parse(jid)
    except JIDError as error:
        raise Failure(str(error), USAGE) from None
    password = _password(account.bare.text, from_input=password_stdin)
    trust = Trust(pin=pin.replace(":", "").lower() if pin else None)
    client = Client(
        account,
        account=Account(account, password, trust=trust),
        connector=Tcp(_targets(server, direct=direct)),
        features=FEATURES,
    )
    try:
        asyncio.run(_talk(Talk(client, print)))
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


async def _talk(talk: Talk) -> None:
    """Do what the lines say, one after the other, and meanwhile show what comes."""
    line = _terminal() if sys.stdin.isatty() else _plain
    async with talk.client as client:
        print(f"logged in as {client.jid}", flush=True)
        while (words := await asyncio.to_thread(line)) is not None:
            if not await talk.do(words):
                break


def _plain() -> str | None:
    return sys.stdin.readline() or None


def _terminal() -> Callable[[], str | None]:
    """Lines with editing, and with a history that is kept."""
    import readline

    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    file = Path(state) / "pyrite" / "history"
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if file.exists():
            readline.read_history_file(file)
    readline.set_history_length(HISTORY)
    atexit.register(_keep, file)

    def line() -> str | None:
        try:
            return input(PROMPT)
        except EOFError:
            return None

    return line


def _keep(file: Path) -> None:
    import readline

    with contextlib.suppress(OSError):
        readline.write_history_file(file)
        file.chmod(0o600)
