"""Servers that ask programs of others who somebody is: Cyrus SASL with Kerberos, and Dovecot.

And what they know of themselves that few clients meet: certificates, old mechanisms, old tokens.
"""

from __future__ import annotations

import base64
import grp
import hashlib
import hmac
import json
import os
import pwd
import secrets
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from textwrap import dedent

import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from tests.attack.test_external import OURS
from tests.interop.ejabberd import MODULES, Ejabberd
from tests.interop.servers import NEWER, START, STOP, VERONA, Prosody, Server

from .realm import PATH, Realm

TICKETS = "tickets.verona.example"  # of Kerberos, by Cyrus SASL
TOKENS = "tokens.verona.example"  # by Dovecot
CARDS = "cards.verona.example"  # certificates of clients
OLD = "old.verona.example"  # passwords are kept as they are
HOSTS = (VERONA, TICKETS, TOKENS, CARDS, OLD)
SIGNER = b"the key of who gives the tokens."


def certify(server: Server) -> trustme.CA:
    """A certificate for all of `HOSTS` in place of what the server was made with; its issuer."""
    authority = trustme.CA()
    issued = authority.issue_cert(*HOSTS, not_after=datetime.now(UTC) + timedelta(days=30))
    authority.cert_pem.write_to_path(str(server.ca))
    issued.private_key_pem.write_to_path(str(server.key))
    server.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    (server.home / "clients.pem").write_bytes(OURS.certificate().public_bytes(Encoding.PEM))
    return authority


def web_token(subject: str, *, lasts: int = 60, key: bytes = SIGNER) -> str:
    """A token as an authorization server signs it (RFC 7519, HS256). `lasts` are seconds."""
    claims = {"sub": subject, "exp": int(time.time()) + lasts}
    parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    proof = base64.urlsafe_b64encode(hmac.digest(key, signed, hashlib.sha256)).rstrip(b"=")
    return b".".join((signed, proof)).decode()


class Dovecot:
    """Dovecot without mail: it only says whether a token is good."""

    SETTINGS = """
        base_dir = {home}/run
        state_dir = {home}
        log_path = {home}/log
        protocols =
        ssl = no
        default_internal_user = {user}
        default_internal_group = {group}
        default_login_user = {user}
        auth_mechanisms = oauthbearer
        auth_failure_delay = 0
        passdb {{
          driver = oauth2
          mechanisms = oauthbearer
          args = {home}/oauth2.conf
        }}
        userdb {{
          driver = static
          args = uid=65534 gid=65534 home=/nonexistent
        }}
        service auth {{
          user = {owner}
          unix_listener {home}/auth {{
            mode = 0600
            user = {owner}
          }}
        }}
        service anvil {{
          chroot =
          unix_listener anvil-auth-penalty {{
            mode = 0
          }}
        }}
    """

    VALIDATION = """
        introspection_mode = local
        local_validation_key_dict = fs:posix:prefix={home}/keys/
        username_attribute = sub
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        self.socket = home / "auth"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = self._configure()
        self._process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(settings)],
            env={**os.environ, "PATH": PATH},
            stdin=subprocess.DEVNULL,
        )
        until = time.monotonic() + START
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            threading.Event().wait(0.02)

    def _configure(self) -> Path:
        key = self.home / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(SIGNER))
        (self.home / "oauth2.conf").write_text(dedent(self.VALIDATION).format(home=self.home))
        owner, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        user = owner
        if owner == "root":
            user = group = "dovecot"
        settings = self.home / "dovecot.conf"
        settings.write_text(
            dedent(self.SETTINGS).format(home=self.home, user=user, group=group, owner=owner)
        )
        return settings

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            try:
                line.connect(str(self.socket))
            except OSError:
                return False
            return True

    def stop(self) -> int:
        assert self._process
        self._process.terminate()
        return self._process.wait(STOP)

    @property
    def log(self) -> str:
        file = self.home / "log"
        return file.read_text() if file.exists() else ""


class AskingProsody(Prosody):
    """A host for each way; the modules are those of Debian's prosody-modules."""

    SETTINGS = """
        run_as_root = true
        daemonize = false
        data_path = "{home}/data"
        pidfile = "{home}/prosody.pid"
        plugin_paths = {{ "{root}/usr/lib/prosody/modules/mod_auth_dovecot" }}
        log = {{ {{ levels = {{ min = "warn" }}, to = "file", filename = "{home}/log" }} }}
        interfaces = {{ "127.0.0.1" }}
        c2s_ports = {{ {c2s} }}
        c2s_direct_tls_ports = {{ {c2s_tls} }}
        s2s_ports = {{ }}
        modules_disabled = {{ "s2s", "s2s_auth_certs" }}
        modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", {more} }}
        c2s_require_encryption = true
        tls_server_end_point_hash = "{digest}"
        certificates = "{home}"
        ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        c2s_direct_tls_ssl = {{ certificate = "{home}/cert.pem", key = "{home}/key.pem" }}
        VirtualHost "verona.example"
        authentication = "internal_hashed"
        VirtualHost "tickets.verona.example"
        authentication = "cyrus"
        cyrus_application_name = "xmpp"
        cyrus_server_fqdn = "tickets.verona.example"
        VirtualHost "tokens.verona.example"
        authentication = "dovecot"
        dovecot_auth_socket = "{dovecot}"
        handle_appended = "split"
        VirtualHost "cards.verona.example"
        authentication = "ccert"
        certificate_match = "xmppaddr"
        c2s_ssl = {{
            cafile = "{home}/clients.pem",
            capath = false,
            verify = {{ "peer", "client_once" }},
            verifyext = {{ lsec_ignore_purpose = false }}
        }}
    """
    CYRUS = "mech_list: GSSAPI\nkeytab: {keytab}\n"
    more = ""

    def __init__(self, home: Path, realm: Realm, dovecot: Dovecot) -> None:
        super().__init__(home)
        self.authority = certify(self)
        self._realm, self._dovecot = realm, dovecot

    def text(self) -> str:
        shown = self.certificate.read_text().partition("-----END")[0] + "-----END CERTIFICATE-----"
        return self.SETTINGS.format(
            home=self.home,
            root=str(self.root).rstrip("/"),
            c2s=self.c2s,
            c2s_tls=self.c2s_tls,
            dovecot=self._dovecot.socket,
            more=self.more,
            digest=hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest(),
        )

    def configure(self) -> list[str]:
        told = self.CYRUS.format(keytab=self._realm.keytab)
        (self.home / "xmpp.conf").write_text(told)
        environment = {**self._realm.environment, "SASL_CONF_PATH": str(self.home)}
        words = super().configure()
        return ["env", *(f"{key}={value}" for key, value in environment.items()), *words]


class AskingNewerProsody(AskingProsody):
    root = NEWER
    more = '"sasl_ssdp"'

    def token(self, account: str) -> str:
        """A token that its own mod_tokenauth keeps, as it would give one to a web page."""
        local, domain = account.split("@")
        secret = secrets.token_bytes(18)
        hashed = hashlib.sha256(secret).hexdigest()
        folder = self.home / "data" / domain.replace(".", "%2e") / "auth_tokens"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{local}.dat").write_text(
            f'return {{ ["grant"] = {{ ["id"] = "grant"; ["owner"] = "{account}"; '
            f'["jid"] = "{account}"; ["created"] = {int(time.time())}; ["tokens"] = {{ '
            f'["sha256:{hashed}"] = {{ ["purpose"] = "oauth2"; ["created"] = 1; }}; }}; }}; }};'
        )
        told = b"2;grant;" + secret + b";" + account.encode()
        return "secret-token:" + base64.b64encode(told).decode()


FEW = {name: MODULES[name] for name in ("mod_disco", "mod_ping", "mod_roster")}


class AskingEjabberd(Ejabberd):
    """It asks itself; it believes certificates, and one host keeps passwords as they are."""

    modules = FEW
    issuer = "/api/oauth_issue_token"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.authority = certify(self)

    def _config(self, both: str) -> dict[str, object]:
        streams = {"ip": "127.0.0.1", "module": "ejabberd_c2s", "access": "all"} | {
            "tls_verify": True,
            "cafile": str(self.home / "clients.pem"),
        }
        web = {"/api": "mod_http_api"}
        return super()._config(both) | {
            "hosts": [VERONA, CARDS, OLD],
            "host_config": {OLD: {"auth_password_format": "plain"}},
            "disable_sasl_mechanisms": [],
            "oauth_access": "all",
            "listen": [
                {**streams, "port": self.c2s, "starttls_required": True},
                {**streams, "port": self.c2s_tls, "tls": True},
                {"ip": "127.0.0.1", "port": self.http, "module": "ejabberd_http"}
                | {"request_handlers": web},
            ],
        }

    def token(self, account: str) -> str:
        """A token of its own, for X-OAUTH2."""
        body = json.dumps({"jid": account, "ttl": 60, "scopes": "sasl_auth"})
        connection = HTTPConnection("127.0.0.1", self.http, timeout=START)
        connection.request("POST", self.issuer, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, text
        return str(json.loads(text)["token"])


class AskingNewerEjabberd(AskingEjabberd):
    root = NEWER
    issuer = "/api/oauth_issue_token/v0"  # as the older one takes it


PROSODY = {"prosody-0.12": AskingProsody, "prosody-13": AskingNewerProsody}
EJABBERD = {"ejabberd-23": AskingEjabberd, "ejabberd-24": AskingNewerEjabberd}

Acceptor = AskingProsody | AskingEjabberd
