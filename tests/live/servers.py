"""Servers with all that they can do switched on, for the client library to be judged by."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from glob import glob
from pathlib import Path

from tests.interop.servers import START, VERONA, Prosody, Pyrite, Server, first_line, free_ports

PEOPLE = ("romeo", "juliet", "nurse", "tybalt", "mercutio", "benvolio", "admin")
PASSWORD = "wherefore art thou"
SECRET = "no more light answers"  # of components
COMPONENTS = ("echo.verona.example", "capulet.verona.example")


class LivePyrite(Pyrite):
    """Ours, with all modules, as they are by default."""

    def extras(self) -> None:
        """Nothing has to be said: what is there is on."""


class LiveProsody(Prosody):
    """Prosody with every module of its own that a client may meet."""

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
        http_ports = {{ {http} }}
        https_ports = {{ {https} }}
        component_ports = {{ {component} }}
        proxy65_ports = {{ {proxy} }}
        admins = {{ "admin@verona.example" }}
        modules_disabled = {{ "s2s", "s2s_auth_certs" }}
        modules_enabled = {{
            "roster", "saslauth", "tls", "disco", "private", "blocklist", "pep", "vcard4",
            "vcard_legacy", "version", "uptime", "time", "ping", "register", "lastactivity",
            "carbons", "offline", "server_contact_info", "csi", "csi_simple", "smacks", "mam",
            "bookmarks", "bosh", "websocket", "cloud_notify", "external_services", "admin_adhoc",
            "announce", "limits"
        }}
        smacks_hibernation_time = 60
        smacks_enabled_s2s = false
        default_archive_policy = true
        external_services = {{ {{ type = "stun", host = "stun.verona.example", port = 3478 }} }}
        consider_websocket_secure = true
        consider_bosh_secure = true
        http_default_host = "verona.example"
        http_host = "verona.example"
        authentication = "internal_hashed"
        c2s_require_encryption = true
        c2s_stanza_size_limit = 262144
        certificates = "{home}"
        ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        c2s_direct_tls_ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        https_ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        VirtualHost "verona.example"
        VirtualHost "mantua.example"
        allow_registration = true
        registration_throttle_max = 1000
        Component "conference.verona.example" "muc"
        modules_enabled = {{ "muc_mam" }}
        muc_log_by_default = true
        Component "pubsub.verona.example" "pubsub"
        Component "upload.verona.example" "http_file_share"
        http_host = "verona.example"
        http_external_url = "https://localhost:{https}/"
        Component "proxy.verona.example" "proxy65"
        proxy65_address = "127.0.0.1"
        proxy65_acl = {{ "verona.example" }}
        {components}
    """

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.http, self.https, self.component, self.proxy = free_ports(4)

    def configure(self) -> list[str]:
        program = shutil.which("prosody", path="/usr/bin:/usr/sbin:/usr/local/bin")
        assert program, "prosody is not installed: make test as root installs it"
        (self.home / "data").mkdir()
        self.settings = self.home / "prosody.cfg.lua"
        lines = self.SETTINGS.format(
            home=self.home,
            c2s=self.c2s,
            c2s_tls=self.c2s_tls,
            http=self.http,
            https=self.https,
            component=self.component,
            proxy=self.proxy,
            components="\n".join(
                f'Component "{name}"\ncomponent_secret = "{SECRET}"' for name in COMPONENTS
            ),
        )
        self.settings.write_text("\n".join(line.strip() for line in lines.splitlines()))
        return [program, "--config", str(self.settings)]


MODULES: dict[str, dict[str, object]] = {
    "mod_adhoc": {},
    "mod_announce": {},
    "mod_avatar": {},
    "mod_blocking": {},
    "mod_bosh": {},
    "mod_caps": {},
    "mod_carboncopy": {},
    "mod_client_state": {},
    "mod_configure": {},
    "mod_disco": {},
    "mod_http_upload": {"put_url": "https://localhost:{https}/upload", "host": f"upload.{VERONA}"},
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
        "credentials_lifetime": "12h",
        "services": [{"host": "127.0.0.1", "port": 3478, "type": "stun", "restricted": False}],
    },
    "mod_time": {},
    "mod_vcard": {"search": True},
    "mod_vcard_xupdate": {},
    "mod_version": {},
}

SCRIPT = """
lists:foreach(fun(User) ->
  ejabberd_auth:try_register(User, <<"verona.example">>, <<"{password}">>)
end, [{people}]).
io:format("ready~n").
"""


class LiveEjabberd(Server):
    """ejabberd of Debian, on a node without distribution, its tables in memory and on disk."""

    name = "ejabberd"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.http, self.https, self.component, self.proxy = free_ports(4)

    def configure(self) -> list[str]:
        libraries = glob("/usr/lib/*/ejabberd-*/ebin")
        assert libraries, "ejabberd is not installed: make test as root installs it"
        (self.home / "mnesia").mkdir()
        both = self.home / "both.pem"
        both.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        (self.home / "ejabberd.yml").write_text(json.dumps(self._config(str(both)), indent=1))
        people = ", ".join(f'<<"{name}">>' for name in PEOPLE)
        script = self.home / "accounts.erl"
        script.write_text(SCRIPT.format(password=PASSWORD, people=people))
        self._environment = {
            "HOME": str(self.home),
            "ERL_LIBS": str(Path(libraries[0]).parents[1]),
            "ERL_INETRC": "/etc/ejabberd/inetrc",
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(self.home / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.log),
        }
        return [
            *("erl", "+K", "true", "-noinput", "-mnesia", "dir", f'"{self.home}/mnesia"'),
            *("-s", "ejabberd", "-eval", f'{{ok, _}} = file:script("{script}")'),
        ]

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
        modules = json.dumps(MODULES).replace('"{proxy}"', str(self.proxy))
        for mark, port in ports.items():
            modules = modules.replace(mark, str(port))
        local = {"ip": "127.0.0.1", "access": "all", "shaper": "none"}
        web = {"/ws": "ejabberd_http_ws", "/bosh": "mod_bosh", "/upload": "mod_http_upload"}
        return {
            "hosts": [VERONA],
            "loglevel": "warning",
            "registration_timeout": "infinity",
            "certfiles": [both],
            "auth_method": ["internal"],
            "auth_password_format": "scram",
            "acl": {"admin": {"user": [f"admin@{VERONA}"]}},
            "access_rules": {"configure": {"allow": "admin"}, "announce": {"allow": "admin"}},
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
        raise NotImplementedError("its accounts are made at its start")


LIVE: dict[str, type[Server]] = {
    "pyrite": LivePyrite,
    "prosody": LiveProsody,
    "ejabberd": LiveEjabberd,
}
