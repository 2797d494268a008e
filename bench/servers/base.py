"""What the bench knows of any server."""

import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar

from .. import certificate
from ..load.client import PLAIN, TLS, Target
from ..load.scram import HASHES
from ..plan import Plan
from ..process import give, ports

DOMAIN = "bench.example"
PASSWORD = "correct horse battery staple"
SALT = b"one salt for all"
ITERATIONS = 10_000  # of PBKDF2, the same for all servers


class Server(ABC):
    """A server that can be prepared once and started often, each time on new ports."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]  # programs
    package: ClassVar[str]  # Debian's, which has them; "" for our own
    owner: ClassVar[str | None] = None  # the user it runs as, if we are root

    def __init__(self, home: Path, plan: Plan) -> None:
        self.home = home
        self.plan = plan
        self.users = tuple(f"user{n:04}" for n in range(plan.accounts))
        self.hash = HASHES.get(plan.mechanism, "sha1")
        self.certificate, self.key = home / "cert.pem", home / "key.pem"
        self.log = home / "server.log"

    @classmethod
    def missing(cls) -> list[str]:
        """The programs that are not installed."""
        return [program for program in cls.needs if shutil.which(program) is None]

    async def prepare(self) -> None:
        """Make certificate and accounts; done once, before the first start."""
        certificate.write(DOMAIN, self.certificate, self.key)
        await self.provision()
        give(self.home, self.owner)

    @asynccontextmanager
    async def running(self, features: Collection[str] = ()) -> AsyncIterator[Target]:
        """The server on free ports of the loopback, with these features beside the usual."""
        plain, tls = ports(2)
        async with self.started(plain, tls, features) as pid:
            yield Target(
                name=self.name,
                version=self.version(),
                pid=pid,
                ports={PLAIN: plain, TLS: tls},
                domain=DOMAIN,
                users=self.users,
                password=PASSWORD,
                mechanism=self.plan.mechanism,
            )

    @abstractmethod
    def version(self) -> str:
        """As its makers write it."""

    @abstractmethod
    async def provision(self) -> None:
        """Make the accounts of `self.users`, all with `PASSWORD`."""

    async def archive(self, user: str, count: int) -> None:
        """Put so many messages into a user's archive, while the server does not run."""
        raise NotImplementedError(f"{self.name} is given no archive")

    @abstractmethod
    def started(
        self, plain: int, tls: int, features: Collection[str]
    ) -> AbstractAsyncContextManager[int]:
        """Its pid, while it runs and accepts on both ports."""


def debian_version(package: str) -> str:
    """The upstream version of an installed package."""
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    full = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    return full.rpartition("-")[0].rpartition(":")[2] or full
