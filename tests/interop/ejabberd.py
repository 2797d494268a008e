"""ejabberd of Debian, on a node without distribution, with all that a client may meet."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path

from .servers import GUESTS, INSTALLED, START, VERONA, Server, first_line, free_ports

SECRET = "no more light answers"  # of components
COMPONENTS = ("echo.verona.example", "capulet.verona.example")

MODULES: dict[str, dict[str, object]] = {
    "mod_adhoc": {},
    "mod_announce": {"access": "announce"},
    "mod_avatar": {},
    "mod_blocking": {},
    "mod_bosh": {},
    "mod_caps": {},
    "mod_carboncopy": {},
    "mod_client_state": {},
    "mod_configure": {},
    "mod_disco": {},
    "mod_http_upload": {
        "put_url": "https://verona.example:{https}/upload",
        "host": f"upload.{VERONA}",
        "access": "all",
    },
    "mod_last": {},
    "mod_mam": {"default": "always"},
    "mod_muc": {"access_create": "all", "default_room_options": {"mam": True}},
    "mod_offline": {},
    "mod_ping": {},
    "mod_privacy": {},
    "mod_private": {},
    "mod_proxy65": {"port": "{proxy}", "ip": "127.0.0.1", "hostname": "127.0.0.1"},
    "mod_pubsub": {"plugins": ["flat", "pep"], "access_createnode": "all"},
    "mod_push": {},
    "mod_register": {"ip_access": "all"},
    "mod_roster": {"versioning": True},
    "mod_stream_mgmt": {"resend_on_timeout": "if_offline", "resume_timeout": 60},
    "mod_stun_disco": {
        "access": "all",
        "credentials_lifetime": "12h",
        "services": [{"host": "127.0.0.1", "port": 3478, "type": "stun", "restricted": False}],
    },
    "mod_time": {},
    "mod_vcard": {"search": True},
    "mod_vcard_xupdate": {},
    "mod_version": {},
}


class Ejabberd(Server):
    """Its tables are on disk below its home; operators use its HTTP interface."""

    name = "ejabberd"
    root = INSTALLED
    modules = MODULES
    hash = "sha"  # by which passwords are kept

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.http, self.https, self.component, self.proxy = free_ports(4)

    def configure(self) -> list[str]:
        libraries = [*self.root.glob("usr/lib/*/ejabberd-*/ebin")]
        assert libraries, "ejabberd is not there: make test as root sees to it"
        (self.home / "mnesia").mkdir()
        both = self.home / "both.pem"
        both.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        (self.home / "ejabberd.yml").write_text(json.dumps(self._config(str(both)), indent=1))
        self._environment = {
            "HOME": str(self.home),
            "ERL_LIBS": str(libraries[0].parents[1]),
            "ERL_INETRC": "/etc/ejabberd/inetrc",
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.home / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.log),
        }
        return [
            *("erl", "+K", "true", "-noinput", "-mnesia", "dir", f'"{self.home}/mnesia"'),
            *self._newer_libraries(),
            *("-s", "ejabberd", "-eval", 'io:format("ready~n").'),
        ]

    def _newer_libraries(self) -> list[str]:
        """Erlang looks at them before what is installed."""
        if self.root == INSTALLED:
            return []
        return ["-pa", *(str(path) for path in self.root.glob("usr/lib/erlang/lib/*/ebin"))]

    def start(self) -> None:
        words = self.configure()
        words = ["env", *(f"{key}={value}" for key, value in self._environment.items()), *words]
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        try:
            self.wait_until_ready(self._process)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise

    def _config(self, both: str) -> dict[str, object]:
        ports = {"{https}": self.https, "{proxy}": self.proxy}
        modules = json.dumps(self.modules).replace('"{proxy}"', str(self.proxy))
        for mark, port in ports.items():
            modules = modules.replace(mark, str(port))
        local = {"ip": "127.0.0.1", "access": "all", "shaper": "none"}
        web = {
            "/api": "mod_http_api",
            "/ws": "ejabberd_http_ws",
            "/bosh": "mod_bosh",
            "/upload": "mod_http_upload",
        }
        return {
            "hosts": [VERONA, GUESTS],
            "host_config": {
                GUESTS: {
                    "auth_method": ["anonymous"],
                    "anonymous_protocol": "sasl_anon",
                    "modules": {"mod_disco": {}, "mod_ping": {}, "mod_roster": {}},
                }
            },
            "loglevel": "warning",
            "registration_timeout": "infinity",
            "certfiles": [both],
            "auth_method": ["internal"],
            "auth_password_format": "scram",
            "auth_scram_hash": self.hash,
            "acl": {"admin": {"user": [f"admin@{VERONA}"]}},
            "access_rules": {"configure": {"allow": "admin"}, "announce": {"allow": "admin"}},
            "api_permissions": {
                "here": {"who": {"ip": "127.0.0.1/8"}, "what": "*", "from": ["mod_http_api"]}
            },
            "shaper_rules": {"max_user_sessions": 100},
            "listen": [
                {**local, "port": self.c2s, "module": "ejabberd_c2s", "starttls_required": True},
                {**local, "port": self.c2s_tls, "module": "ejabberd_c2s", "tls": True},
                {
                    "ip": "127.0.0.1",
                    "port": self.component,
                    "module": "ejabberd_service",
                    "hosts": {name: {"password": SECRET} for name in COMPONENTS},
                },
                {"ip": "127.0.0.1", "port": self.http, "module": "ejabberd_http"}
                | {"request_handlers": web},
                {"ip": "127.0.0.1", "port": self.https, "module": "ejabberd_http", "tls": True}
                | {"request_handlers": web},
            ],
            "modules": json.loads(modules),
        }

    def wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        until = time.monotonic() + START
        while first_line(process.stdout) != "ready\n":
            log = self.log.read_text() if self.log.exists() else ""
            assert process.poll() is None, log
            assert time.monotonic() < until, log
        socket.create_connection(("127.0.0.1", self.c2s), 5).close()

    def add(self, jid: str, password: str) -> None:
        user, host = jid.split("@")
        body = json.dumps({"user": user, "host": host, "password": password})
        connection = HTTPConnection("127.0.0.1", self.http, timeout=START)
        connection.request("POST", "/api/register", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, text
