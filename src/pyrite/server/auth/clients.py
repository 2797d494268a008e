"""The clients of accounts, and the tokens that they log in by instead of a password (XEP-0484).

A token has to be known to check the proof of it, as HT-* have it. So none is kept, not even
encrypted: each is made of the server's own secret, the account, the client and a salt, and the
salt is all that the store has. Who reads the database, or a copy of it, cannot log in; who
writes to it cannot give one account's token to another. Without the secret all tokens are void,
and clients log in with their passwords once more.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ...core.errors import SaslError
from ...core.jid import JID
from ...core.sasl import HASHES, TOKEN_MECHANISMS, base_name
from ...kit.clock import Clock
from ...store.errors import StoreError
from ..session import Key
from ..store.clients import Client, Token, Visit
from ..store.clients import Clients as Store
from .backend import BackendDown
from .changes import Changes
from .channel import Caller, Channel, Success
from .settings import AuthSettings

HELD = 2  # tokens that a client may have: the one it uses, and the next (XEP-0484 §5)
FRESH = timedelta(hours=1)  # how exactly it is known when a client was last seen
MAX_CLIENTS = 50  # of one account that are remembered
SALT = 16  # octets
REFERENCE = 12  # octets of what a client is called for others

#: What proves a password.
_BY_PASSWORD = {*HASHES, "DIGEST-MD5", "PLAIN"}


@dataclass(frozen=True, slots=True)
class Login:
    """How a session has come about."""

    mechanism: str
    client: str | None = None  # the id of its installation, which nobody else is to see

    @property
    def by_password(self) -> bool:
        return base_name(self.mechanism) in _BY_PASSWORD


#: How the session's client has logged in, last of all.
LOGIN: Key[Login | None] = Key("login", default=None)


@dataclass(frozen=True, slots=True)
class Held:
    """A token that a client may have; `kept` is None for one that nobody has."""

    secret: bytes = field(repr=False)
    kept: Token | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token on its way to a client."""

    token: str = field(repr=False)
    expires: datetime


class Clients:
    """All clients of all accounts. `secret` is what `secret_in` gives."""

    def __init__(
        self,
        store: Store,
        changes: Changes,
        settings: AuthSettings,
        clock: Clock,
        *,
        secret: bytes,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.settings = settings  # may be replaced
        self._store, self._changes, self._clock = store, changes, clock
        self._secret = hmac.digest(secret, b"clients", "sha256")
        self._random = random

    async def held(self, account: JID, client: str, mechanism: str) -> Sequence[Held]:
        """The tokens that a client may have: always `HELD`, so that strangers cost as much.

        Raises `BackendDown`.
        """
        try:
            kept = await self._store.tokens(account, client, mechanism)
        except StoreError as error:
            raise BackendDown(str(error)) from error
        found = [Held(self._token(account, client, one), one) for one in kept[:HELD]]
        return [*found, *(Held(self._random(32), None) for _ in range(HELD - len(found)))]

    def check(self, token: Token, count: int | None) -> None:
        """Whether a token that was proven may be used. Raises `SaslError`.

        ``credentials-expired``, or ``not-authorized`` for a count that was there before.
        """
        if token.expires <= self._clock.now():
            raise SaslError("credentials-expired", "log in with the password")
        if token.count is not None and (count is None or count <= token.count):
            raise SaslError("not-authorized", "the count has to grow")

    async def enter(
        self, success: Success, caller: Caller, channel: Channel, offered: Sequence[str]
    ) -> Issued | None:
        """A client is in: keep that, and give it a token if it is to have one of `offered`.

        Raises `SaslError` if what it has proven counts no more; `BackendDown`.
        """
        if self._changes.is_void(success.jid, success.mark):
            raise SaslError("not-authorized", "changed meanwhile")
        if caller.client is None or success.mechanism == "ANONYMOUS":
            return None
        issued = self._due(success.token, caller, offered)
        if issued is None and self._is_routine(success.token, caller):
            return None  # nobody waits for the disk, also when all clients come back at once
        visit = self._visit(success, caller, channel, issued)
        kept_since = max(self.settings.client_memory, self.settings.token_life)
        since = self._clock.now() - timedelta(seconds=kept_since)
        try:
            is_in = await self._store.enter(success.jid, visit, limit=MAX_CLIENTS, since=since)
        except StoreError as error:
            raise BackendDown(str(error)) from error
        if not is_in:
            raise SaslError("not-authorized")  # somebody was quicker, or has revoked it
        if issued is None:
            return None
        return Issued(self._token(success.jid, caller.client, issued).decode(), issued.expires)

    def _is_routine(self, used: Token | None, caller: Caller) -> bool:
        """Whether a client that has come by a token leaves nothing that has to be kept."""
        if used is None or not used.used or used.seen is None or caller.ends:
            return False
        counts = caller.count is not None or self.settings.client_addresses
        return not counts and self._clock.now() - used.seen < FRESH

    def _visit(
        self, success: Success, caller: Caller, channel: Channel, issued: Token | None
    ) -> Visit:
        return Visit(
            caller.client or "",
            self._clock.now(),
            caller.software,
            caller.device,
            channel.address if self.settings.client_addresses else None,
            password=base_name(success.mechanism) in _BY_PASSWORD,
            used=success.token.salt if success.token else None,
            count=caller.count,
            ends=caller.ends and success.token is not None,
            issued=issued,
        )

    def _due(self, used: Token | None, caller: Caller, offered: Sequence[str]) -> Token | None:
        """The token to issue: what is asked for, or the successor of one that has served."""
        now, mechanism = self._clock.now(), caller.wants
        if mechanism is None and used is not None and not caller.ends:
            served = (now - used.issued).total_seconds()
            mechanism = used.mechanism if served >= self.settings.token_rotation else None
        if mechanism is None or mechanism not in offered:
            return None
        expires = now + timedelta(seconds=self.settings.token_life)
        return Token(mechanism, self._random(SALT), now, expires)

    async def list(self, account: JID) -> list[Client]:
        """The clients that are remembered. Raises `StoreError`."""
        return await self._store.list(account)

    async def forget(self, account: JID, client: str) -> bool:
        """Forget a client, and end its tokens; whether it was known. Raises `StoreError`."""
        with self._changes.changing(account):
            return await self._store.forget(account, client)

    def resource(self, account: JID, client: str) -> str:
        """A part of a resource: the same each time, and telling nothing (XEP-0386 §3.2.1)."""
        return self._name("resource", account, client)

    def reference(self, account: JID, client: str) -> str:
        """What a client is called in a list for the account's owner."""
        return self._name("reference", account, client)

    def _name(self, use: str, *parts: object) -> str:
        return urlsafe_b64encode(self._made(use, *parts)[:REFERENCE]).decode()

    def _token(self, account: JID, client: str, token: Token) -> bytes:
        made = self._made("token", account, client, token.mechanism, token.salt.hex())
        return urlsafe_b64encode(made).rstrip(b"=")

    def _made(self, *parts: object) -> bytes:
        return hmac.digest(self._secret, "\0".join(map(str, parts)).encode(), "sha256")


def mechanisms_for(channel: Channel) -> tuple[str, ...]:
    """The mechanisms that take a token on this channel, the strongest first (XEP-0484 §3.1)."""
    if not channel.secure:
        return ()
    return tuple(n for n, type in TOKEN_MECHANISMS.items() if not type or type in channel.bindings)
