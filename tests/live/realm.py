"""A Kerberos realm of MIT's programs on loopback, all of it in one directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from textwrap import dedent

from tests.interop.servers import START, STOP, first_line, free_ports

REALM = "VERONA.EXAMPLE"
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"

CLIENTS = """
    [libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    [realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
    [domain_realm]
    .verona.example = {realm}
"""

CENTER = """
    [kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
    [realms]
    {realm} = {{
        database_name = {home}/principal
        key_stash_file = {home}/stash
    }}
    [logging]
    kdc = FILE:{home}/log
    default = FILE:{home}/log
"""


class Realm:
    """The realm's key distribution center. `environment` is for whoever is to believe it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        (self.port,) = free_ports(1)
        self.keytab = home / "keytab"
        self.environment = {
            "KRB5_CONFIG": str(home / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(home / "kdc.conf"),
            "KRB5_KTNAME": f"FILE:{self.keytab}",
            "KRB5RCACHENAME": f"file2:{home}/replays",
        }
        for name, text in (("krb5.conf", CLIENTS), ("kdc.conf", CENTER)):
            (home / name).write_text(dedent(text).format(realm=REALM, port=self.port, home=home))
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._run("kdb5_util", "create", "-s", "-W", "-P", "the master's")
        self._process = subprocess.Popen(
            ["krb5kdc", "-n"],
            env={**os.environ, "PATH": PATH, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr
        said = first_line(self._process.stderr)  # when its sockets are open
        assert said == "krb5kdc: starting...\n", f"{said}{self.log}"

    def stop(self) -> int:
        assert self._process
        self._process.terminate()
        self._process.communicate(timeout=STOP)
        return self._process.returncode

    @property
    def log(self) -> str:
        file = self.home / "log"
        return file.read_text() if file.exists() else ""

    def add(self, name: str, password: str) -> None:
        """A person who may have tickets."""
        self._run("kadmin.local", "addprinc", "-pw", password, name)

    def add_service(self, name: str) -> None:
        """A service, whose key goes to the keytab."""
        self._run("kadmin.local", "addprinc", "-randkey", name)
        self._run("kadmin.local", "ktadd", "-k", str(self.keytab), name)

    def ticket(self, name: str, password: str, lasts: str) -> str:
        """As ``kinit`` fetches it; the cache that it is in."""
        cache = f"FILE:{self.home}/{name}"
        self._run("kinit", "-l", lasts, "-c", cache, name, given=f"{password}\n")
        return cache

    def _run(self, *words: str, given: str = "") -> None:
        done = subprocess.run(
            words,
            input=given,
            env={**os.environ, "PATH": PATH, **self.environment},
            capture_output=True,
            text=True,
            timeout=START,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
