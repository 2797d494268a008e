"""The accounts of a server, as commands, registration and authentication see them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from ..core.jid import JID, JIDError, prepare_local
from ..core.sasl import HASHES, SALT_SIZE, Keys, derive
from ..core.sasl.digest_md5 import NAME as DIGEST_MD5
from ..core.sasl.digest_md5 import derive as derive_digest
from ..kit.clock import Clock
from .auth.changes import Changes
from .auth.hashing import Hasher
from .auth.internal import Internal
from .auth.names import is_reserved, mixes_scripts
from .auth.passwords import PasswordError, acceptable, storable
from .auth.settings import AuthSettings
from .store.accounts import Account
from .store.accounts import Accounts as Store

MAX_PAGE = 1000  # accounts in one answer of `Accounts.list`

Condition = Literal["bad-request", "conflict", "item-not-found", "not-acceptable", "not-allowed"]
Tell = Callable[[object], Awaitable[None]]


class AccountError(Exception):
    """It was not done; the text says why to a person, `condition` (RFC 6120 §8.3.3) to a client."""

    def __init__(self, text: str, condition: Condition) -> None:
        super().__init__(text)
        self.text, self.condition = text, condition


@dataclass(frozen=True, slots=True)
class AccountCreated:
    """There is a new account, maybe in place of an old one: what was known of it is void."""

    jid: JID


@dataclass(frozen=True, slots=True)
class AccountDeleted:
    """There was an account; what the store had of it is gone."""

    jid: JID


@dataclass(frozen=True, slots=True)
class AccountDisabled:
    """The account may not be used for now; whoever uses it has to go."""

    jid: JID


@dataclass(frozen=True, slots=True)
class AccountEnabled:
    """The account may be used again."""

    jid: JID


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The account has another password; what was granted for the old one is void."""

    jid: JID


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """What may be shown of an account."""

    jid: JID
    created: datetime
    disabled: bool
    mechanisms: tuple[str, ...]


class Accounts:
    """All accounts. Every method takes bare JIDs, and raises `AccountError` and `StoreError`.

    `tell` hears of each change once it is kept. `hosts` are the served domains; None is any.
    `secret` is what `secret_in` gives.
    """

    def __init__(
        self,
        store: Store,
        settings: AuthSettings,
        clock: Clock,
        tell: Tell,
        *,
        secret: bytes,
        hosts: Container[str] | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.settings = settings  # may be replaced
        self.hasher = Hasher()
        self.changes = Changes()
        self.backend = Internal(store, self.hasher, secret, lambda: self.settings.iterations)
        self._store, self._clock, self._tell = store, clock, tell
        self._hosts, self._random = hosts, random

    async def create(self, jid: JID, password: str) -> None:
        """Make an account, as an operator does: any name, any password that can be used."""
        self.check_address(jid)
        await self._create(jid, _checked(storable, password))

    async def register(self, jid: JID, password: str) -> None:
        """Make an account, as anyone may who can register: by the rules of the settings."""
        self.check_address(jid)
        await self._check_name(jid)
        await self._create(jid, self._chosen(jid, password))

    async def delete(self, jid: JID) -> None:
        """Delete an account and all that is kept for it."""
        _check_bare(jid)
        with self.changes.changing(jid):
            if not await self._store.delete(jid):
                raise _missing(jid)
        await self._tell(AccountDeleted(jid))

    async def set_password(self, jid: JID, password: str) -> None:
        """Set a password, as an operator does."""
        await self._set_password(jid, _checked(storable, password))

    async def change_password(self, jid: JID, password: str) -> None:
        """Set a password that the user has chosen, by the rules of the settings."""
        await self._set_password(jid, self._chosen(jid, password))

    async def disable(self, jid: JID) -> None:
        """Let nobody log in, and lose nothing."""
        _check_bare(jid)
        with self.changes.changing(jid):
            if not await self._store.set_disabled(jid, True):
                raise _missing(jid)
        await self._tell(AccountDisabled(jid))

    async def enable(self, jid: JID) -> None:
        """Undo `disable`."""
        _check_bare(jid)
        if not await self._store.set_disabled(jid, False):
            raise _missing(jid)
        await self._tell(AccountEnabled(jid))

    async def lacks_keys(self, jid: JID, mechanism: str) -> bool:
        """Whether there is such an account, and it has no keys for the SCRAM mechanism."""
        found = await self._store.find(jid)
        return found is not None and all(keys.mechanism != mechanism for keys in found.keys)

    async def complete_keys(self, jid: JID, keys: Keys) -> None:
        """Add keys that the account lacks, of the password that it has (XEP-0480)."""
        await self._store.complete_keys(jid, keys)

    async def keys(self, jid: JID, password: str) -> tuple[Keys, ...]:
        """What an account of this password would have, as `create` makes it."""
        return await self._derive(jid, _checked(storable, password))

    async def restored(self, jid: JID) -> None:
        """Tell of an account that was made with all that it has, or in place of an old one."""
        await self._tell(AccountCreated(jid))

    async def exists(self, jid: JID) -> bool:
        """Whether there is such an account, disabled or not."""
        return jid.local is not None and await self._store.exists(jid)

    async def list(
        self, host: str, *, after: JID | None = None, limit: int = MAX_PAGE
    ) -> list[JID]:
        """Accounts of `host` in the order of their text, from the first behind `after`."""
        behind = None if after is None else str(after)
        return await self._store.list(host, after=behind, limit=max(0, min(limit, MAX_PAGE)))

    async def count(self, host: str) -> int:
        """How many accounts `host` has."""
        return await self._store.count(host)

    async def show(self, jid: JID) -> AccountDetails:
        """What is known of an account."""
        _check_bare(jid)
        found = await self._store.find(jid)
        if found is None:
            raise _missing(jid)
        return _details(found)

    async def _create(self, jid: JID, password: str) -> None:
        if await self._store.exists(jid):  # before the costly part; the store asks once more
            raise AccountError(f"{jid} exists already", "conflict")
        keys = await self._derive(jid, password)
        if not await self._store.create(jid, keys, self._clock.now()):
            raise AccountError(f"{jid} exists already", "conflict")
        await self._tell(AccountCreated(jid))

    async def _set_password(self, jid: JID, password: str) -> None:
        _check_bare(jid)
        if not await self.exists(jid):
            raise _missing(jid)
        keys = await self._derive(jid, password)
        with self.changes.changing(jid):
            if not await self._store.set_keys(jid, keys):
                raise _missing(jid)
        await self._tell(PasswordChanged(jid))

    async def _derive(self, jid: JID, password: str) -> tuple[Keys, ...]:
        iterations = self.settings.iterations
        salts = {name: self._random(SALT_SIZE) for name in HASHES}
        work = partial(_derive_all, password, salts, iterations)
        keys = await self.hasher.run(work, iterations * len(salts))
        if DIGEST_MD5 in self.settings.mechanisms:
            keys = (*keys, derive_digest(jid.local or "", jid.domain, password))
        return keys

    def _chosen(self, jid: JID, password: str) -> str:
        return _checked(acceptable, password, jid.local or "", self.settings)

    def check_address(self, jid: JID) -> None:
        """Raises `AccountError` if there can be no account of this address here."""
        _check_bare(jid)
        if self._hosts is not None and jid.domain not in self._hosts:
            raise AccountError(f"{jid.domain} is not served here", "item-not-found")
        try:
            is_prepared = prepare_local(jid.local or "") == jid.local
        except JIDError:
            is_prepared = False
        if not is_prepared:
            raise AccountError(f"{jid.local} cannot be a name", "not-acceptable")

    async def _check_name(self, jid: JID) -> None:
        name = jid.local or ""
        if is_reserved(name, self.settings.reserved_names):
            raise AccountError(f"the name {name} is reserved", "not-allowed")
        if not self.settings.mixed_scripts and mixes_scripts(name):
            raise AccountError(f"the name {name} mixes letters that look alike", "not-acceptable")
        deleted = await self._store.deleted_at(jid)
        if deleted and self._clock.now() - deleted < timedelta(seconds=self.settings.name_rest):
            # no word of an earlier owner: to who asks, the name is taken
            raise AccountError(f"{jid} exists already", "conflict")


def _check_bare(jid: JID) -> None:
    if jid.local is None or jid.resource is not None:
        raise AccountError(f"{jid} is no address of an account: write name@host", "bad-request")


def _checked(rule: Callable[..., str], *given: object) -> str:
    try:
        return rule(*given)
    except PasswordError as error:
        raise AccountError(str(error), "not-acceptable") from None


def _derive_all(password: str, salts: dict[str, bytes], iterations: int) -> tuple[Keys, ...]:
    return tuple(derive(name, password, salt, iterations) for name, salt in salts.items())


def _details(account: Account) -> AccountDetails:
    mechanisms = tuple(sorted(keys.mechanism for keys in account.keys))
    return AccountDetails(account.jid, account.created, account.disabled, mechanisms)


def _missing(jid: JID) -> AccountError:
    return AccountError(f"there is no account {jid}", "item-not-found")
