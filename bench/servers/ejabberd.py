"""ejabberd, from Debian's package."""

import base64
import json
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from glob import glob
from pathlib import Path

from ..load import scram
from ..process import running
from .base import DOMAIN, ITERATIONS, PASSWORD, SALT, Server, debian_version

LIBRARIES = "/usr/lib/*/ejabberd-*/ebin"
# Without distribution: no node name, no epmd. Idle schedulers sleep instead of spinning,
# which would count as CPU for messages that they did not handle.
RUNTIME = "+K true +P 250000 +sbwt none +sbwtdcpu none +sbwtdio none -noinput".split()
MODULES = (
    "mod_roster mod_disco mod_blocking mod_privacy mod_private mod_vcard mod_register mod_ping"
    " mod_version mod_time mod_last mod_offline mod_caps"
).split()
EXTRA: dict[str, dict[str, object]] = {
    "carbons": {"mod_carboncopy": {}},
    "sm": {"mod_stream_mgmt": {}},
    "csi": {"mod_client_state": {}},
    "pep": {"mod_pubsub": {"plugins": ["flat", "pep"]}},
    "archive": {"mod_mam": {"default": "always"}},
}
# Runs in the server once it has started. The record is that of ejabberd_auth_mnesia.
ACCOUNTS = """\
Keys = {{scram, <<"{stored}">>, <<"{server}">>, <<"{salt}">>, {hash}, {iterations}}}.
lists:foreach(fun(N) ->
  User = iolist_to_binary(io_lib:format("user~4..0B", [N])),
  mnesia:dirty_write({{passwd, {{User, <<"{domain}">>}}, Keys}})
end, lists:seq(0, {last})).
io:format("ready~n").
"""


class Ejabberd(Server):
    """Its accounts are written into Mnesia at the start; there are no shapers."""

    name = "ejabberd"
    needs = ("ejabberdctl", "erl")
    package = "ejabberd"
    owner = "ejabberd"

    def version(self) -> str:
        return debian_version(self.package)

    async def provision(self) -> None:
        (self.home / "mnesia").mkdir()
        keys = scram.keys(self.hash, PASSWORD, SALT, ITERATIONS)
        self._script.write_text(
            ACCOUNTS.format(
                stored=base64.b64encode(keys.stored).decode(),
                server=base64.b64encode(keys.server).decode(),
                salt=base64.b64encode(SALT).decode(),
                hash=self.hash.replace("sha1", "sha"),
                iterations=ITERATIONS,
                domain=DOMAIN,
                last=len(self.users) - 1,
            )
        )
        pem = self.certificate.read_bytes() + self.key.read_bytes()
        (self.home / "both.pem").write_bytes(pem)

    def started(
        self, plain: int, tls: int, features: Collection[str]
    ) -> AbstractAsyncContextManager[int]:
        config = self.home / "ejabberd.yml"
        config.write_text(
            json.dumps(self.config(plain, tls, features), indent=1)
        )  # YAML holds JSON
        spool = ["-mnesia", "dir", f'"{self.home}/mnesia"']
        accounts = ["-s", "ejabberd", "-eval", f'{{ok, _}} = file:script("{self._script}")']
        return running(
            ["erl", *RUNTIME, *spool, *accounts],
            port=tls,
            log=self.log,
            owner=self.owner,
            ready=b"ready",
            env={
                "HOME": str(self.home),
                "ERL_LIBS": str(Path(glob(LIBRARIES)[0]).parents[1]),
                "ERL_INETRC": "/etc/ejabberd/inetrc",
                "ERL_CRASH_DUMP_BYTES": "0",
                "EJABBERD_CONFIG_PATH": str(config),
                "EJABBERD_LOG_PATH": str(self.home / "ejabberd.log"),
            },
        )

    def config(self, plain: int, tls: int, features: Collection[str] = ()) -> dict[str, object]:
        """Its settings."""
        listener = {
            "ip": "127.0.0.1",
            "module": "ejabberd_c2s",
            "access": "all",
            "shaper": "none",
            "backlog": 1024,  # 5 by default: a login storm would wait for the kernel's retries
        }
        modules: dict[str, object] = {module: {} for module in MODULES}
        for feature in features:
            modules.update(EXTRA[feature])
        return {
            "hosts": [DOMAIN],
            "loglevel": "warning",
            "certfiles": [str(self.home / "both.pem")],
            "auth_method": ["internal"],
            "auth_password_format": "scram",
            "auth_scram_hash": self.hash.replace("sha1", "sha"),
            "shaper_rules": {"max_user_sessions": 100},
            "listen": [{"port": plain, **listener}, {"port": tls, "tls": True, **listener}],
            "modules": modules,
        }

    @property
    def _script(self) -> Path:
        return self.home / "accounts.erl"
