"""Values that a settings file writes as text: durations, sizes, addresses, secrets.

Each class reads itself with `parse`, which raises ValueError in words, and ``str()`` gives
what `parse` reads, but for secrets.
"""

from __future__ import annotations

import hmac
import re
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, NoReturn

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

_DURATIONS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": 1.0, "ms": 0.001}  # seconds
_SIZES = {  # octets
    "GiB": 1 << 30,
    "GB": 10**9,
    "MiB": 1 << 20,
    "MB": 10**6,
    "KiB": 1 << 10,
    "kB": 10**3,
    "KB": 10**3,
    "B": 1,
}
_PARTS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|[wdhms])")
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)")
_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")
_MAX_SECRET = 64 * 1024  # octets in a secret's file


class Duration(float):
    """Seconds, written with units: ``30s``, ``5m``, ``1h30m``, ``7d``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Duration:
        parts = _PARTS.findall(text)
        if not parts or "".join(map("".join, parts)) != text:
            raise ValueError(f'{_shown(text)} is no duration: write "30s", "5m", "12h" or "7d"')
        return cls(sum(float(number) * _DURATIONS[unit] for number, unit in parts))

    def __str__(self) -> str:
        left, text = round(self * 1000), ""
        for unit, seconds in list(_DURATIONS.items())[1:]:  # "7d" reads better than "1w"
            number, left = divmod(left, round(seconds * 1000))
            text += f"{number}{unit}" if number else ""
        return text or "0s"


class Size(int):
    """Octets, written with units: ``16KiB``, ``10MB``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Size:
        found = _SIZE.fullmatch(text)
        if not found or found[2] not in _SIZES:
            raise ValueError(f'{_shown(text)} is no size: write "512B", "16KiB" or "10MB"')
        octets = float(found[1]) * _SIZES[found[2]]
        if octets != int(octets):
            raise ValueError(f"{_shown(text)} is no whole number of octets")
        return cls(octets)

    def __str__(self) -> str:
        fitting = (unit for unit, octets in _SIZES.items() if self and self % octets == 0)
        unit = next(fitting, "B")
        return f"{self // _SIZES[unit]}{unit}"


class Address(str):
    """Where to listen: ``127.0.0.1:5222`` or ``[::]:5222``. Port 0 is any free one."""

    __slots__ = ("host", "port")
    host: str
    port: int

    def __new__(cls, host: str, port: int) -> Address:
        """The address of a host (without brackets) and a port."""
        address = super().__new__(cls, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        address.host, address.port = host, port
        return address

    @classmethod
    def parse(cls, text: str) -> Address:
        host, colon, port = text.rpartition(":")
        if not colon or not _is_host(host) or not _is_port(port):
            raise ValueError(f'{_shown(text)} is no address: write "127.0.0.1:5222" or "[::]:5222"')
        return cls(host.strip("[]"), int(port))


class Addresses(tuple[Address, ...]):
    """Addresses to listen on, written as one or as a list; none is false."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Addresses:
        return cls((Address.parse(text),))

    @classmethod
    def from_toml(cls, raw: Any, folder: Path | None) -> Addresses:
        texts = raw if isinstance(raw, list) else [raw]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError('expected an address as "127.0.0.1:5222", or a list of them')
        return cls(map(Address.parse, texts))

    def __str__(self) -> str:
        return ", ".join(self)


class Secret:
    """Text that never prints: only `reveal` gives it. From the file, or from one it names."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def from_toml(cls, raw: Any, folder: Path | None) -> Secret:
        match raw:
            case str():
                return cls(raw)
            case {"file": str() as name} if len(raw) == 1 and folder is not None:
                return cls(_first_line(folder / name))
        raise ValueError("expected text" + (', or { file = "path" }' if folder else ""))

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written out")


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_SECRET).decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ValueError(f"cannot read the secret from {path}: {reason}") from None
    if not text or "\n" in text:
        raise ValueError(f"{path} is to hold the secret in one line")
    return text


def _is_host(host: str) -> bool:
    bare = host.removeprefix("[").removesuffix("]")
    try:
        is_bracketed = isinstance(ip_address(bare), IPv6Address)
    except ValueError:
        return host == bare and bool(_NAME.fullmatch(host))
    return host == (f"[{bare}]" if is_bracketed else bare)


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) < 1 << 16


def _shown(text: str) -> str:
    """Text in a message: quoted, in one line, not too long."""
    return ascii(text if len(text) <= 40 else text[:40] + "…") if text else "nothing"
