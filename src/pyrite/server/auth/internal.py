"""Accounts of our own: SCRAM keys in the store."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ...core.errors import SaslError
from ...core.jid import JID
from ...core.sasl import HASHES, Keys, derive, fake_keys
from ...store.errors import StoreError
from ..store.accounts import Account
from ..store.accounts import Accounts as Store
from .backend import BackendDown
from .hashing import Hasher

T = TypeVar("T")

#: Which keys a password is checked against: the cheapest to derive of what is strong.
CHECKED = ("SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1")


class Internal:
    """See `Backend`. `secret` makes strangers' keys, and has to outlive a restart.

    `iterations` is asked each time: strangers look like accounts that are made now.
    """

    mechanisms = frozenset({*HASHES, "PLAIN", "DIGEST-MD5", "EXTERNAL"})

    def __init__(
        self, store: Store, hasher: Hasher, secret: bytes, iterations: Callable[[], int]
    ) -> None:
        self._store, self._hasher = store, hasher
        self._secret, self._iterations = secret, iterations

    async def keys(self, account: JID, mechanism: str) -> Keys:
        return self._select(account, await self._find(account), (mechanism,))[0]

    async def check(self, account: JID, password: str) -> bool:
        keys, is_real = self._select(account, await self._find(account), CHECKED)
        work = partial(derive, keys.mechanism, password, keys.salt, keys.iterations)
        derived = await self._hasher.run(work, keys.iterations)
        return hmac.compare_digest(derived.stored_key, keys.stored_key) and is_real

    async def admit(self, account: JID) -> None:
        found = await self._find(account, again=True)
        if found is None:
            raise SaslError("not-authorized")
        if found.disabled:
            raise SaslError("account-disabled")

    async def _find(self, account: JID, *, again: bool = False) -> Account | None:
        try:
            return await (self._store.find_again if again else self._store.find)(account)
        except StoreError as error:
            raise BackendDown(str(error)) from error

    def _select(
        self, account: JID, found: Account | None, mechanisms: tuple[str, ...]
    ) -> tuple[Keys, bool]:
        """The account's keys for the first of `mechanisms` that it has any for, or a stranger's;
        and which of both."""
        fake = fake_keys(self._secret, mechanisms[0], str(account), self._iterations())
        stored = {keys.mechanism: keys for keys in found.keys} if found else {}
        for mechanism in mechanisms:
            if mechanism in stored:
                return stored[mechanism], True
        return fake, False
