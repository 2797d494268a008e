"""Where the servers of the live suite are reached by HTTP, and people whom nobody else knows."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.interop.servers import VERONA, Server

from pyrite.client import bosh
from pyrite.client.bosh import Bosh
from pyrite.client.connector import Connector
from pyrite.client.websocket import WebSocket

from .servers import PASSWORD, Ejabberd, LiveProsody

WAYS = ["websocket", "bosh"]
PATHS = {
    ("prosody", "websocket"): "xmpp-websocket",
    ("prosody", "bosh"): "http-bind",
    ("ejabberd", "websocket"): "ws",
    ("ejabberd", "bosh"): "bosh",
}


class Here:
    """A resolver for which every host is this machine, at another port if so wished."""

    def __init__(self, port: int = 0) -> None:
        self.port = port

    async def records(self, name: str) -> list[object]:
        return []

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(2, ("127.0.0.1", self.port or port))]


def https(server: Server) -> int:
    """The port of its web."""
    assert isinstance(server, LiveProsody | Ejabberd)
    return server.https


def connector(server: Server, way: str, host: str = VERONA, *, port: int = 0) -> Connector:
    """A way there, by another port if so wished."""
    rest = f"{host}:{https(server)}/{PATHS[server.name, way]}"
    if way == "websocket":
        return WebSocket(f"wss://{rest}", resolver=Here(port))
    return Bosh(f"https://{rest}", resolver=Here(port))


def on_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of BOSH wait longer for those before them, if the net breaks.

    A twentieth of a second is little for a busy machine to find that one is broken. Where the next
    one goes first, Prosody has forgotten the broken one when it is made again, and ends the
    session; and ejabberd lets the two wait for each other.
    """
    monkeypatch.setattr(bosh, "SETTLING", 5 * bosh.SETTLING)


def newcomers(server: Server) -> tuple[str, str]:
    """Two for whom nothing waits, and nothing is on its way."""
    names = f"romeo-{uuid4()}", f"juliet-{uuid4()}"
    for name in names:
        server.add(f"{name}@{VERONA}", PASSWORD)
    return names
