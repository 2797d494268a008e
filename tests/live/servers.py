"""Servers with all that they can do switched on, for the client library to be judged by.

There are two versions of Prosody and of ejabberd: the packages of Debian 12, and of its backports.
"""

from __future__ import annotations

from pathlib import Path

from tests.interop.ejabberd import COMPONENTS, MODULES, SECRET, Ejabberd
from tests.interop.servers import NEWER, Prosody, Pyrite, Server, free_ports

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
COMMUNITY = ("sasl2", "sasl2_bind2", "sasl2_fast", "sasl2_sm", "privacy_lists")


class LivePyrite(Pyrite):
    """Ours, with all modules, as they are by default; and guests."""

    SETTINGS = (
        Pyrite.SETTINGS
        + """
        [host."guests.verona.example"]
        [auth]
        mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "ANONYMOUS"]
    """
    )


class LiveProsody(Prosody):
    """Prosody with every module of its own that a client may meet."""

    modules: tuple[str, ...] = (
        *("roster", "saslauth", "tls", "disco", "private", "blocklist", "pep", "vcard4"),
        *("vcard_legacy", "version", "uptime", "time", "ping", "register", "lastactivity"),
        *("carbons", "offline", "server_contact_info", "csi", "csi_simple", "smacks", "mam"),
        *("bookmarks", "bosh", "websocket", "external_services", "admin_adhoc", "announce"),
    )
    hash = "SHA-1"  # by which passwords are kept
    SETTINGS = """
        run_as_root = true
        daemonize = false
        data_path = "{home}/data"
        pidfile = "{home}/prosody.pid"
        log = {{ {{ levels = {{ min = "warn" }}, to = "file", filename = "{home}/log" }} }}
        interfaces = {{ "127.0.0.1" }}
        network_settings = {{ nagle = false }}
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
            {modules}
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
        password_hash = "{hash}"
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
        VirtualHost "guests.verona.example"
        authentication = "anonymous"
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

    def text(self) -> str:
        return self.SETTINGS.format(
            home=self.home,
            c2s=self.c2s,
            c2s_tls=self.c2s_tls,
            http=self.http,
            https=self.https,
            component=self.component,
            proxy=self.proxy,
            modules="\n".join(f'"{module}",' for module in self.modules),
            hash=self.hash,
            components="\n".join(
                f'Component "{name}"\ncomponent_secret = "{SECRET}"' for name in COMPONENTS
            ),
        )


class NewerProsody(LiveProsody):
    """That of the backports, with those modules of the community that it is usually run with."""

    root = NEWER
    modules = (*LiveProsody.modules, "cloud_notify", *COMMUNITY)
    hash = "SHA-256"


class NewerEjabberd(Ejabberd):
    """That of the backports, with what the older one does not know."""

    root = NEWER
    modules = MODULES | {"mod_muc_occupantid": {}, "mod_auth_fast": {}}
    hash = "sha256"


#: By make, and version if there are several.
LIVE: dict[str, type[Server]] = {
    "pyrite": LivePyrite,
    "prosody-0.12": LiveProsody,
    "prosody-13": NewerProsody,
    "ejabberd-23": Ejabberd,
    "ejabberd-24": NewerEjabberd,
}
