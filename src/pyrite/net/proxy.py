"""Through a proxy: HTTP CONNECT (RFC 9110 §9.3.6), and SOCKS 5 (RFC 1928, RFC 1929)."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

MAX_HEADER: Final = 8192  # octets of the answer to CONNECT
MAX_FIELD: Final = 255  # octets of a name, and of a password, in SOCKS

Scheme = Literal["http", "socks5"]
PORTS: Final[dict[Scheme, int]] = {"http": 8080, "socks5": 1080}

REPLIES: Final = {  # RFC 1928 §6
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "it took too long",
    7: "it cannot connect",
    8: "it does not know such addresses",
}


class ProxyError(OSError):
    """The proxy does not let us through, or speaks something else."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is. It looks up names itself: nobody else learns where we go."""

    scheme: Scheme
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """As in ``socks5://name:password@host:1080``. Raises ValueError."""
        from urllib.parse import unquote, urlsplit  # few have a proxy, and all load this file

        parts = urlsplit(url)
        scheme: Scheme | None = next((s for s in PORTS if s == parts.scheme), None)
        if scheme is None or not parts.hostname:
            raise ValueError("a proxy is http://host:port or socks5://host:port")
        return cls(
            scheme,
            parts.hostname,
            parts.port or PORTS[scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    async def reach(self, host: str, port: int) -> socket.socket:
        """A socket that leads to `host`. Raises OSError. The caller limits the time."""
        loop = asyncio.get_running_loop()
        open_ = _SPEAKS[self.scheme]
        found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
            await open_(self, _Talk(sock), host, port)
        except BaseException:
            sock.close()
            raise
        return sock


class _Talk:
    """Octets to and from the proxy: never one more than is ours."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def say(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    async def hear(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = await self._loop.sock_recv(self._sock, size - len(data))
            if not more:
                raise ProxyError("the proxy hung up")
            data += more
        return data


async def _http(proxy: Proxy, talk: _Talk, host: str, port: int) -> None:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.username:
        both = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {both}")
    await talk.say("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # what comes behind it is not the proxy's
        head += await talk.hear(1)
        if len(head) > MAX_HEADER:
            raise ProxyError("the proxy's answer has no end")
    status = head.partition(b"\r\n")[0].decode("ascii", "replace")
    version, _, said = status.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ProxyError("that is no HTTP proxy")
    if not said.startswith("2"):
        raise ProxyError(f"the proxy refuses: {said}")


async def _socks5(proxy: Proxy, talk: _Talk, host: str, port: int) -> None:
    await talk.say(b"\x05\x02\x00\x02" if proxy.username else b"\x05\x01\x00")
    version, method = await talk.hear(2)
    if version != 5:
        raise ProxyError("that is no SOCKS 5 proxy")
    if method == 2 and proxy.username:
        await talk.say(b"\x01" + _field(proxy.username) + _field(proxy.password))
        if (await talk.hear(2))[1] != 0:
            raise ProxyError("the proxy refuses our name and password")
    elif method != 0:
        raise ProxyError("the proxy wants a name and password")
    name = host.encode("idna") if not host.isascii() else host.encode()
    await talk.say(b"\x05\x01\x00\x03" + _field(name) + port.to_bytes(2, "big"))
    _, reply, _, kind = await talk.hear(4)
    if reply != 0:
        raise ProxyError(f"the proxy refuses: {REPLIES.get(reply, f'reply {reply}')}")
    sizes = {1: 4, 4: 16}
    if kind not in sizes and kind != 3:
        raise ProxyError("the proxy's answer makes no sense")
    size = sizes[kind] if kind in sizes else (await talk.hear(1))[0]
    await talk.hear(size + 2)  # where it connected from is of no use to us


def _field(value: str | bytes) -> bytes:
    octets = value.encode() if isinstance(value, str) else value
    if len(octets) > MAX_FIELD:
        raise ProxyError(f"more than {MAX_FIELD} octets for the proxy")
    return bytes((len(octets),)) + octets


_SPEAKS: Final[dict[Scheme, Callable[[Proxy, _Talk, str, int], Awaitable[None]]]] = {
    "http": _http,
    "socks5": _socks5,
}
