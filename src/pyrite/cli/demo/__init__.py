"""Runs a server with accounts to try it with, all that it keeps in one directory."""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..failure import Failure, reason
from .place import DOMAIN, Place

if TYPE_CHECKING:
    from ...server.app import Server

FOLDER = Path("demo")
TRIES = 3  # choices of ports


def main(*, folder: Path = FOLDER, once: bool = False) -> None:
    """Run a server with accounts to try it with.

    Prints where it listens, the accounts and how to connect, and lets two of them talk. It
    runs until Ctrl-C. A second run finds everything again.

    Parameters
    ----------
    folder
        The directory for all that the server keeps.
    once
        Stop when the conversation is over.
    """
    from ...kit import log
    from ...net.tls import TlsError
    from ...server.control import InUseError, claim
    from ...store.errors import StoreError

    place = Place(folder.resolve())
    log.setup("warning")
    try:
        place.prepare()
        with claim(place.data):
            _run_where_there_is_room(place, once=once)
    except (InUseError, OSError, TlsError, StoreError) as error:
        raise Failure(reason(error)) from None
    except ExceptionGroup as group:
        raise Failure(f"the conversation failed: {_first(group)!r}") from group


def _run_where_there_is_room(place: Place, *, once: bool) -> None:
    """Run it; when somebody takes a port that was free a moment ago, on others."""
    for left in reversed(range(TRIES)):
        place.choose_ports()
        try:
            with asyncio.Runner() as runner:
                runner.run(_run(place, once=once))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not left:
                raise


async def _run(place: Place, *, once: bool) -> None:
    from ...server.app import Server
    from ...server.catalogue import Installed
    from ...server.control import serving
    from ...server.settings import load
    from .play import play

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    server = Server(load(place.settings, Installed()))
    async with server.running(), serving(place.data, server.commands):
        await _make_accounts(server, place)
        _tell(place)
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(play(place, _say))
            waiting = tasks.create_task(stopped.wait())
            await asyncio.wait({playing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done() and not once:
                _say("\nThe server goes on. Ctrl-C stops it.")
                await waiting
            playing.cancel()
            waiting.cancel()
    _say(f"\nStopped. Everything is kept in {place.shown}, and is there next time.")


async def _make_accounts(server: Server, place: Place) -> None:
    """Those that are not there yet, with the passwords in the place's file."""
    for jid, password in place.accounts.items():
        if not await server.accounts.exists(jid):
            await server.accounts.create(jid, password)


def _tell(place: Place) -> None:
    _say(f"Pyrite serves {DOMAIN}\n")
    _say(f"  clients (STARTTLS)      127.0.0.1:{place.ports.c2s}")
    _say(f"  clients (direct TLS)    127.0.0.1:{place.ports.c2s_tls}\n")
    _say("Accounts" + ("" if place.is_new else f"; their passwords are in {place.passwords}"))
    for jid, password in place.accounts.items():
        _say(f"  {jid!s:24}{password if place.is_new else ''}".rstrip())
    if place.is_new:
        _say(f"  (kept in {place.passwords}; shown this once)")
    first = next(iter(place.accounts))
    _say(f"""
Connect with any XMPP client, for instance
  profanity:  /connect {first} server 127.0.0.1 port {place.ports.c2s} tls trust
The certificate is self-signed; its SHA-256 fingerprint is
  {place.fingerprint()}
More accounts, from another terminal
  {sys.argv[0]} account add NAME@{DOMAIN} --config {place.settings}
""")


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _say(line: str) -> None:
    print(line, flush=True)
