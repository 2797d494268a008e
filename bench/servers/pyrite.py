"""Pyrite, from this repository."""

import asyncio
import sys
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ..load.chat import BODY, message
from ..process import running
from .base import DOMAIN, ITERATIONS, PASSWORD, SALT, Server

CONTACTS = 100  # to whom the owner of a large archive has written in turn
WAITING = 5000  # messages that may wait for the disk while it is filled
OFF = {"archive"}  # unless it is asked for: all other features are on
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
modules = {modules}
"""


class Pyrite(Server):
    """All its default modules are on; the limits of one address are lifted."""

    name = "pyrite"
    needs = (str(COMMAND),)
    package = ""

    def version(self) -> str:
        return metadata.version("pyrite")

    # The only places where the bench uses what it measures: nothing of them is timed.

    async def provision(self) -> None:
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

    async def archive(self, user: str, count: int) -> None:
        from pyrite.core.jid import JID
        from pyrite.kit.clock import SystemClock
        from pyrite.server.store import open_stores

        owner, clock = JID.parse(f"{user}@{DOMAIN}"), SystemClock()
        peers = [JID.parse(f"{each}@{DOMAIN}/bench") for each in self.users[:CONTACTS]]
        texts = [message(str(peer), "fill").decode() for peer in peers]
        async with await open_stores("sqlite:///pyrite.db", self.home / "data", clock) as stores:
            archive = stores.archive
            for number in range(count):
                peer, text = peers[number % len(peers)], texts[number % len(peers)]
                id, now = archive.next_id(), clock.now()
                done = archive.add(id, owner, peer, now, text, body=BODY, is_sent=True)
                if archive.waiting >= WAITING:
                    await done

    def started(
        self, plain: int, tls: int, features: Collection[str]
    ) -> AbstractAsyncContextManager[int]:
        config = self.home / "pyrite.toml"
        config.write_text(self.config(plain, tls, features))
        return running(
            [COMMAND, "serve", "--config", config], port=tls, log=self.log, ready=b"ready"
        )

    def config(self, plain: int, tls: int, features: Collection[str] = ()) -> str:
        """Its settings, in TOML."""
        from pyrite.server.hosts import built_in

        off = OFF - set(features)
        return CONFIG.format(
            modules=[name for name in built_in() if name not in off],
            home=self.home,
            plain=plain,
            tls=tls,
            certificate=self.certificate,
            key=self.key,
            domain=DOMAIN,
        )
