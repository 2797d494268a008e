"""A host with accounts, and clients that want in."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pyrite.core.errors import SaslError
from pyrite.core.jid import JID
from pyrite.core.sasl import Advertised, Challenge, Credentials, choose
from pyrite.kit.clock import ManualClock
from pyrite.server.accounts import Accounts
from pyrite.server.auth import Authenticator, AuthSettings, Channel, Clients, Exchange, Success
from pyrite.server.store import Stores

DOMAIN = "verona.lit"
ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
NOBODY = JID.parse("nobody@verona.lit")
PASSWORD = "wherefore art thou"
SECRET = b"the secret of Verona's server...."
BINDINGS = {"tls-server-end-point": b"certified", "tls-exporter": b"exported"}
SECURE = Channel(True, BINDINGS, "192.0.2.1")

_numbers = count()


def options(**more: Any) -> AuthSettings:
    return AuthSettings(**{"iterations": 4096, **more})


@dataclass
class World:
    stores: Stores
    clock: ManualClock
    told: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.configure(options())

    def configure(self, settings: AuthSettings, secret: bytes = SECRET) -> None:
        clock = self.clock
        self.accounts = Accounts(
            self.stores.accounts, settings, clock, self.tell, secret=secret, hosts={DOMAIN}
        )
        self.clients = Clients(
            self.stores.clients, self.accounts.changes, settings, clock, secret=secret
        )
        self.authenticator = Authenticator(
            DOMAIN, self.accounts, settings, clock, clients=self.clients
        )

    async def tell(self, event: object) -> None:
        self.told.append(event)

    async def login(
        self,
        username: str,
        password: str,
        mechanism: str = "SCRAM-SHA-256-PLUS",
        channel: Channel = SECURE,
        authzid: str = "",
    ) -> Success:
        """What our own client gets; raises what either side raises."""
        exchange = self.authenticator.exchange(channel)
        told = Advertised(
            DOMAIN,
            self.authenticator.mechanisms(channel),
            self.authenticator.binding_types(channel),
            channel.bindings,
        )
        credentials = Credentials(username, password, authzid, certificate=True)
        client = choose(told, credentials, f"client-{next(_numbers):08d}", [mechanism])
        step = await exchange.start(client.name, client.start())
        while isinstance(step, Challenge):
            step = await exchange.respond(client.step(step.data))
        client.finish(step.data)
        return step

    async def failure(self, username: str, password: str, *more: Any, **named: Any) -> SaslError:
        """How a login fails."""
        try:
            await self.login(username, password, *more, **named)
        except SaslError as error:
            return error
        raise AssertionError(f"{username} got in")

    async def plain(self, message: bytes, channel: Channel = SECURE) -> str:
        """The condition, or the JID, that a PLAIN message leads to."""
        return await outcome(self.authenticator.exchange(channel), "PLAIN", message)


async def outcome(exchange: Exchange, mechanism: str, initial: bytes | None) -> str:
    """The condition that `start` fails with, or the JID of its success."""
    try:
        step = await exchange.start(mechanism, initial)
    except SaslError as error:
        return error.condition
    return str(step.jid) if isinstance(step, Success) else "challenge"
