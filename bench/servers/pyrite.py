"""Pyrite, from this repository."""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ..process import running
from .base import DOMAIN, ITERATIONS, PASSWORD, SALT, Server

COMMAND = Path(sys.executable).with_name("pyrite")
CONFIG = """\
data = "{home}/data"

[listen]
c2s = "127.0.0.1:{plain}"
c2s-tls = "127.0.0.1:{tls}"

[tls]
certificate = "{certificate}"
key = "{key}"
required = false

[auth]
plain-without-tls = true

[limits]
connections-per-address = 100000
connection-rate = 100000.0
connection-burst = 100000

[log]
level = "warning"

[host."{domain}"]
registration = "closed"
"""


class Pyrite(Server):
    """All its default modules are on; the limits of one address are lifted."""

    name = "pyrite"
    needs = (str(COMMAND),)
    package = ""

    def version(self) -> str:
        return metadata.version("pyrite")

    async def provision(self) -> None:
        # The only place where the bench uses what it measures: nothing of it is timed.
        from pyrite.core.jid import JID
        from pyrite.core.sasl.keys import HASHES, derive
        from pyrite.kit.clock import SystemClock
        from pyrite.server.store import open_stores

        data = self.home / "data"
        data.mkdir()
        keys = [derive(mechanism, PASSWORD, SALT, ITERATIONS) for mechanism in HASHES]
        now = datetime.now(UTC)
        async with (
            await open_stores("sqlite:///pyrite.db", data, SystemClock()) as stores,
            asyncio.TaskGroup() as tasks,
        ):
            for user in self.users:
                account = JID.parse(f"{user}@{DOMAIN}")
                tasks.create_task(stores.accounts.create(account, keys, now))

    def started(self, plain: int, tls: int) -> AbstractAsyncContextManager[int]:
        config = self.home / "pyrite.toml"
        config.write_text(self.config(plain, tls))
        return running(
            [COMMAND, "serve", "--config", config], port=tls, log=self.log, ready=b"ready"
        )

    def config(self, plain: int, tls: int) -> str:
        """Its settings, in TOML."""
        return CONFIG.format(
            home=self.home,
            plain=plain,
            tls=tls,
            certificate=self.certificate,
            key=self.key,
            domain=DOMAIN,
        )
