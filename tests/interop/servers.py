"""Real servers in a directory of their own, on free loopback ports: Pyrite, and Prosody.

The stories are played on both. Where Prosody agrees, our reading of the specification is not
only ours; where it does not, `test_slixmpp_*` says so beside the story.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import trustme

from pyrite.server.control import ask

VERONA = "verona.example"  # registration is closed
MANTUA = "mantua.example"  # registration is open
GUESTS = "guests.verona.example"  # where nobody needs an account, if the server is told so
DOMAINS = (VERONA, MANTUA, GUESTS)
START = 120.0  # seconds until every port is open: a busy machine takes a minute for ejabberd
STOP = 60.0  # seconds from SIGTERM to the end of the process
ADMIN = "mailto:admin@verona.example"
INSTALLED = Path("/")  # where the packages of Debian are
NEWER = Path(__file__).parents[2] / ".backports"  # of its backports: tools/setup unpacks them here
COMPLAINT = re.compile(r"\b(warn(ing)?|error|critical|exception|traceback)\b", re.IGNORECASE)


_given: set[int] = set()  # they may not be listened on yet


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on, and that nobody was given before."""
    sockets, ports = list[socket.socket](), list[int]()
    while len(ports) < count:
        sockets.append(socket.create_server(("127.0.0.1", 0)))
        port = sockets[-1].getsockname()[1]
        if port not in _given:
            ports.append(port)
            _given.add(port)
    for s in sockets:
        s.close()
    return ports


class Server(ABC):
    """One running server of `DOMAINS`, reached at 127.0.0.1 with certificates of `ca`."""

    name: str

    def __init__(self, home: Path) -> None:
        self.home = home
        self.c2s, self.c2s_tls = free_ports(2)
        self.ca = home / "ca.pem"
        self.certificate = home / "cert.pem"
        self.key = home / "key.pem"
        authority = trustme.CA()
        soon = datetime.now(UTC) + timedelta(days=30)  # ejabberd counts the milliseconds until then
        issued = authority.issue_cert(*DOMAINS, not_after=soon)
        authority.cert_pem.write_to_path(str(self.ca))
        issued.private_key_pem.write_to_path(str(self.key))
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(self.certificate), append=True)
        self.log = home / "log"
        self._process: subprocess.Popen[str] | None = None

    @abstractmethod
    def configure(self) -> list[str]:
        """Write the settings; the words that start the server."""

    @abstractmethod
    def add(self, jid: str, password: str) -> None:
        """Make an account while the server runs."""

    @abstractmethod
    def wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        """Return when every port accepts, within `START`."""

    def start(self) -> None:
        words = self.configure()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            self.wait_until_ready(self._process)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return self._process.returncode

    def complaints(self) -> list[str]:
        """Lines of the log that say that something is wrong."""
        return [line for line in self.log.read_text().splitlines() if COMPLAINT.search(line)]

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid


class Pyrite(Server):
    name = "pyrite"

    SETTINGS = """
        data = "{home}/data"
        [listen]
        c2s = "127.0.0.1:{c2s}"
        c2s-tls = "127.0.0.1:{c2s_tls}"
        [tls]
        certificate = "{home}/cert.pem"
        key = "{home}/key.pem"
        [limits]
        connections = 1000
        [modules.disco]
        admin = ["{admin}"]
        [host."verona.example"]
        registration = "closed"
        [host."mantua.example"]
        registration = "open"
    """

    def configure(self) -> list[str]:
        self.settings = self.home / "pyrite.toml"
        self.settings.write_text(self.text())
        return [*self.program(), "serve", "--config", str(self.settings)]

    def text(self) -> str:
        lines = self.SETTINGS.format(
            home=self.home, c2s=self.c2s, c2s_tls=self.c2s_tls, admin=ADMIN
        )
        return "\n".join(line.strip() for line in lines.splitlines())

    @staticmethod
    def program() -> list[str]:
        return [str(Path(sys.executable).parent / "pyrite")]

    def wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        first = first_line(process.stdout)
        assert first == "ready\n", f"{first!r}, and in the log:\n{self.log.read_text()}"

    def add(self, jid: str, password: str) -> None:
        """As ``pyrite account add`` does it, without starting Python for each account."""
        ask(self.home / "data", "account-add", {"jid": jid, "password": password})

    def command(self, *words: str, given: str | None = None) -> str:
        """Run ``pyrite`` with `words`; its standard output. Fails unless it exits with 0."""
        done = subprocess.run(
            [*self.program(), *words, "--config", str(self.settings)],
            input=given,
            capture_output=True,
            text=True,
            timeout=START,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout


class Prosody(Server):
    name = "prosody"
    root = INSTALLED

    SETTINGS = """
        run_as_root = true
        daemonize = false
        data_path = "{home}/data"
        pidfile = "{home}/prosody.pid"
        log = {{ {{ levels = {{ min = "warn" }}, to = "file", filename = "{home}/log" }} }}
        interfaces = {{ "127.0.0.1" }}
        c2s_ports = {{ {c2s} }}
        c2s_direct_tls_ports = {{ {c2s_tls} }}
        s2s_ports = {{ }}
        modules_disabled = {{ "s2s", "s2s_auth_certs" }}
        modules_enabled = {{
            "roster", "saslauth", "tls", "disco", "private", "blocklist", "pep", "vcard_legacy",
            "version", "uptime", "time", "ping", "register", "lastactivity", "carbons", "offline",
            "server_contact_info", "csi", "csi_simple", "smacks", "mam"
        }}
        contact_info = {{ admin = {{ "{admin}" }} }}
        authentication = "internal_hashed"
        c2s_require_encryption = true
        c2s_stanza_size_limit = 262144
        certificates = "{home}"
        ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        c2s_direct_tls_ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        VirtualHost "verona.example"
        allow_registration = false
        VirtualHost "mantua.example"
        allow_registration = true
    """

    def configure(self) -> list[str]:
        program, self.control = self.program("prosody"), self.program("prosodyctl")
        (self.home / "data").mkdir()
        self.settings = self.home / "prosody.cfg.lua"
        self.settings.write_text("\n".join(line.strip() for line in self.text().splitlines()))
        return [*program, "--config", str(self.settings)]

    def text(self) -> str:
        return self.SETTINGS.format(home=self.home, c2s=self.c2s, c2s_tls=self.c2s_tls, admin=ADMIN)

    def program(self, name: str) -> list[str]:
        """The words that run it; what is not installed has to be told where it is."""
        if self.root == INSTALLED:
            program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/sbin")
            assert program, f"{name} is not installed: make test as root installs it"
            return [program]
        unpacked = self.root / "usr/bin" / name
        assert unpacked.exists(), f"{unpacked} is missing: make test fetches it"
        told = unpacked.read_text().replace("'/usr/lib/prosody", f"'{self.root}/usr/lib/prosody")
        (self.home / name).write_text(told)
        return ["lua5.4", str(self.home / name)]

    def wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        until = time.monotonic() + START
        for port in (self.c2s, self.c2s_tls):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except ConnectionRefusedError:
                    assert process.poll() is None, self.log.read_text()
                    assert time.monotonic() < until, f"port {port} is not open"
                    threading.Event().wait(0.05)

    def add(self, jid: str, password: str) -> None:
        local, domain = jid.split("@")
        subprocess.run(
            [*self.control, "--config", str(self.settings), "register", local, domain, password],
            check=True,
            capture_output=True,
            timeout=START,
        )


SERVERS: dict[str, type[Server]] = {"pyrite": Pyrite, "prosody": Prosody}


def first_line(pipe: IO[str]) -> str:
    """The first line that a process writes, or what there is after `START` seconds."""
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(pipe.readline()), daemon=True)
    reader.start()
    reader.join(START)
    return lines[0] if lines else ""
