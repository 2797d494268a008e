"""Makes the connections that begin here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from .proxy import Proxy

if TYPE_CHECKING:
    from .connection import Connection

E = TypeVar("E")

CONNECT = 30.0  # seconds in which a connection, and TLS on it, has to be made


async def connect(
    connection: Connection[E],
    host: str,
    port: int,
    *,
    within: float = CONNECT,
    proxy: Proxy | None = None,
) -> None:
    """Connect `connection` to a server; with direct TLS, until the handshake is done.

    Raises OSError, TimeoutError after `within` seconds, TlsError or ConnectionEndedError. The
    caller then awaits `connection.run()` in a task.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            if proxy is None:
                await loop.create_connection(lambda: connection, host, port)
            else:
                sock = await proxy.reach(host, port)
                await loop.create_connection(lambda: connection, sock=sock)
            if connection.tls is not None:
                await connection.secured()
    except BaseException:
        connection.abort()
        raise
