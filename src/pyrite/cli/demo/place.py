"""Where a demo keeps its things: settings, passwords, and the server's data."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

from ...core.jid import JID
from ...kit.ids import Ids

DOMAIN = "localhost"  # so that clients find it without being told where it is
NAMES = ("fools-gold", "pickaxe", "canary")
PREFERRED = (5222, 5223)  # ports, if nobody else listens there
PASSWORD = 12  # characters; 72 bits of chance

SETTINGS = """\
# Written by `pyrite demo` at each start.
data = "data"

[listen]
c2s = "127.0.0.1:{c2s}"
c2s-tls = "127.0.0.1:{c2s_tls}"

[limits]
connections = 400

[host."{domain}"]
registration = "open"
"""


class Ports(NamedTuple):
    """Where the server listens on the loopback interface."""

    c2s: int
    c2s_tls: int


class Place:
    """One directory. `prepare` makes what is missing, and changes nothing that is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.settings = folder / "pyrite.toml"
        self.passwords = folder / "passwords"
        self.is_new = not self.passwords.exists()
        self.accounts: dict[JID, str] = {}
        self.ports = Ports(0, 0)

    @property
    def shown(self) -> str:
        """The directory as a user would write it."""
        here = Path.cwd()
        return f"./{self.folder.relative_to(here)}/" if self._is_below(here) else str(self.folder)

    def _is_below(self, folder: Path) -> bool:
        return self.folder.is_relative_to(folder)

    def prepare(self) -> None:
        """Make the directory and the passwords. Raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.is_new:
            self._make_passwords()
        lines = self.passwords.read_text().splitlines()
        pairs = (line.split(maxsplit=1) for line in lines if line)
        self.accounts = {JID.parse(jid): password for jid, password in pairs}

    def choose_ports(self) -> None:
        """Write the settings, with ports that nobody listens on. Raises `OSError`."""
        self.ports = Ports(*(free(port) for port in PREFERRED))
        self.settings.write_text(SETTINGS.format(domain=DOMAIN, **self.ports._asdict()))

    def _make_passwords(self) -> None:
        ids = Ids()
        lines = [f"{name}@{DOMAIN} {ids()[:PASSWORD]}\n" for name in NAMES]
        handle = os.open(self.passwords, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w") as file:
            file.writelines(lines)

    def fingerprint(self) -> str:
        """SHA-256 of the server's certificate, as clients show it."""
        der = ssl.PEM_cert_to_DER_cert((self.data / "cert.pem").read_text())
        return hashlib.sha256(der).digest().hex(":").upper()


def free(port: int) -> int:
    """`port` of the loopback interface, or another one if somebody listens there."""
    for candidate in (port, 0):
        try:
            with socket.create_server(("127.0.0.1", candidate)) as listener:
                found: int = listener.getsockname()[1]
                return found
        except OSError:
            continue
    raise OSError("no port of the loopback interface is free")
