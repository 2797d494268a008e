"""Runs the server in the foreground, until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .call import load
from .failure import Failure, reason

if TYPE_CHECKING:
    from ..server.app import Server
    from ..server.settings import Settings

log = logging.getLogger(__name__)

OTHER_FILES = 512  # descriptors besides connections: the store, the log, libraries
#: Cycles are rare here, since stanzas are trees; and what one turn of the loop has under way is
#: some ten thousand objects, which a collection looks at in vain: that took 1 to 3 µs of each
#: message. Where it is quiet for a while, `kit.memory` sees to what has piled up.
COLLECTIONS = (100_000, 20, 20)
STOPS = (signal.SIGTERM, signal.SIGINT)


def serve(*, config: Path | None = None) -> None:
    """Run the server in the foreground.

    Prints `ready` once every listener accepts. SIGTERM ends it cleanly, SIGHUP lets it read
    its settings and certificates again. It logs to standard error.

    Parameters
    ----------
    config
        The settings of the server.
    """
    from ..server.control import InUseError, claim
    from ..server.settings import set_up_log

    settings = load(config)
    os.umask(0o077)
    set_up_log(settings)
    _allow_files(settings.limits.connections + OTHER_FILES)
    try:
        with claim(settings.data), asyncio.Runner(loop_factory=_loop()) as runner:
            runner.run(_serve(settings))
    except (InUseError, OSError) as error:
        raise Failure(reason(error)) from None
    except BaseExceptionGroup as group:
        raise Failure(_reasons(group)) from None


async def _serve(settings: Settings) -> None:
    from ..net.tls import TlsError
    from ..server import control, metrics
    from ..server.app import Server
    from ..server.module import ModuleError
    from ..store.errors import StoreError

    signals = _Signals()
    server = Server(settings)
    try:
        async with (
            server.running(),
            metrics.serving(settings.metrics.listen, server.meter),
            control.serving(settings.data, server.commands),
        ):
            gc.collect()
            gc.freeze()  # what is loaded now stays; no collection need look at it again
            gc.set_threshold(*COLLECTIONS)
            print("ready", flush=True)
            _notify("READY=1")
            await signals.until_stop(server)
            log.info("stopping")
            _notify("STOPPING=1")
    except (ModuleError, TlsError, StoreError) as error:
        raise Failure(str(error)) from None


class _Signals:
    """What the process was told from outside."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._stops = self._reloads = False
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    async def until_stop(self, server: Server) -> None:
        """Return when the server is to stop; reload whenever that is asked for."""
        while not self._stops:
            await self._told.wait()
            self._told.clear()
            if self._reloads and not self._stops:
                self._reloads = False
                await _reload(server)

    def _stop(self) -> None:
        self._stops = True
        self._told.set()
        for number in STOPS:  # who asks twice does not want to wait
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    def _reload(self) -> None:
        self._reloads = True
        self._told.set()


async def _reload(server: Server) -> None:
    from ..server.commands import CommandError

    _notify("RELOADING=1")
    try:
        await server.commands.run("reload")
    except CommandError as error:
        for line in str(error).splitlines():
            log.error("reload: %s", line)
    except Exception:
        log.exception("reloading failed")
    _notify("READY=1")


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # it is not there on every system
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _allow_files(wanted: int) -> None:
    """Let the process open as many descriptors as it may need, if the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("only %d files may be open: raise the limit, or lower connections", allowed)


def _notify(state: str) -> None:
    """Tell the service manager, if it has asked for it (sd_notify(3))."""
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.sendto(state.encode(), address)


def _reasons(group: BaseExceptionGroup[BaseException]) -> str:
    """What an operator can do something about, in words; anything else goes on as it is."""
    leaves = list(_leaves(group))
    if not all(isinstance(leaf, OSError | Failure) for leaf in leaves):
        raise group
    return "\n".join(map(reason, leaves))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
