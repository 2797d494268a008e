"""Prosody, from Debian's package."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager

from ..load import scram
from ..process import running
from .base import DOMAIN, ITERATIONS, PASSWORD, SALT, Server, debian_version

MODULES = (
    "roster saslauth tls disco blocklist private vcard register ping version time lastactivity"
    " offline posix"
).split()
EXTRA = {
    "carbons": ["carbons"],
    "sm": ["smacks"],
    "csi": ["csi", "csi_simple"],
    "pep": ["pep"],
    "archive": ["mam"],
}
CONFIG = """\
daemonize = false
pidfile = "{home}/prosody.pid"
data_path = "{home}/data"
log = {{ {{ levels = {{ min = "warn" }}, to = "console" }} }}
modules_enabled = {{ {modules} }}
modules_disabled = {{ "s2s" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {tls} }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
password_hash = "{hash}"
storage = "internal"
default_archive_policy = true
ssl = {{ certificate = "{certificate}", key = "{key}" }}
c2s_direct_tls_ssl = ssl
VirtualHost "{domain}"
"""
ACCOUNT = """\
return {{ ["salt"] = "{salt}", ["iteration_count"] = {iterations},
  ["stored_key"] = "{stored}", ["server_key"] = "{server}" }};
"""


class Prosody(Server):
    """Its accounts are files; `mod_limits` is off."""

    name = "prosody"
    needs = ("prosody",)
    package = "prosody"
    owner = "prosody"

    def version(self) -> str:
        return debian_version(self.package)

    async def provision(self) -> None:
        directory = self.home / "data" / _escaped(DOMAIN) / "accounts"
        directory.mkdir(parents=True)
        keys = scram.keys(self.hash, PASSWORD, SALT, ITERATIONS)
        text = ACCOUNT.format(
            salt=SALT.decode(),
            iterations=ITERATIONS,
            stored=keys.stored.hex(),
            server=keys.server.hex(),
        )
        for user in self.users:
            (directory / f"{_escaped(user)}.dat").write_text(text)

    def started(
        self, plain: int, tls: int, features: Collection[str]
    ) -> AbstractAsyncContextManager[int]:
        config = self.home / "prosody.cfg.lua"
        config.write_text(self.config(plain, tls, features))
        return running(
            ["prosody", "-F", "--config", config],
            port=tls,
            log=self.log,
            owner=self.owner,
        )

    def config(self, plain: int, tls: int, features: Collection[str] = ()) -> str:
        """Its settings, in Lua."""
        modules = [*MODULES, *(m for f in features for m in EXTRA[f])]
        return CONFIG.format(
            home=self.home,
            modules=", ".join(f'"{module}"' for module in modules),
            plain=plain,
            tls=tls,
            hash=self.hash.upper().replace("SHA", "SHA-"),
            domain=DOMAIN,
            certificate=self.certificate,
            key=self.key,
        )


def _escaped(name: str) -> str:
    """As Prosody names its files: all but ASCII letters and digits as %xx."""
    return "".join(c if c.isascii() and c.isalnum() else f"%{ord(c):02x}" for c in name)
