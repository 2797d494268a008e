"""Servers with all that they can do switched on, for the client library to be judged by."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.interop.ejabberd import COMPONENTS, SECRET, Ejabberd
from tests.interop.servers import Prosody, Pyrite, Server, free_ports

PEOPLE = (
    "romeo",
    "juliet",
    "nurse",
    "tybalt",
    "mercutio",
    "benvolio",
    "paris",
    "rosaline",
    "admin",
)
PASSWORD = "wherefore art thou"


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
        allow_registration = true
        registration_throttle_max = 1000
        VirtualHost "verona.example"
        VirtualHost "mantua.example"
        Component "conference.verona.example" "muc"
        modules_enabled = {{ "muc_mam" }}
        muc_log_by_default = true
        Component "pubsub.verona.example" "pubsub"
        Component "upload.verona.example" "http_file_share"
        http_host = "verona.example"
        http_external_url = "https://verona.example:{https}/"
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


LIVE: dict[str, type[Server]] = {
    "pyrite": LivePyrite,
    "prosody": LiveProsody,
    "ejabberd": Ejabberd,
}
