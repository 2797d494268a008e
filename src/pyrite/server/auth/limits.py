"""How often a password may be guessed.

Failures are counted by account, whether it exists or not, and by address. A few are free, then
each has to wait twice as long as the one before, then the account is locked for a while. Where
its owner has logged in before (same account, same address) it is counted apart, so that a
stranger's guesses do not lock the owner out. Everything is kept in memory, and bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...core.errors import SaslError
from ...core.jid import JID
from ...kit.cache import Cache
from ...kit.clock import Clock
from ...kit.config import DAY
from ...net.listener import network
from .settings import AuthSettings

log = logging.getLogger(__name__)

TRACKED = 50_000  # accounts, addresses, and pairs of both that are remembered
FAMILIAR = 30 * DAY  # how long an address is known to be one of the account's owner


@dataclass(frozen=True, slots=True)
class Rule:
    """Failure number `free` has to wait for `backoff` seconds, number `attempts` for `lockout`."""

    free: int
    attempts: int
    backoff: float
    backoff_limit: float
    lockout: float
    memory: float

    @classmethod
    def of(cls, settings: AuthSettings, factor: int = 1) -> Rule:
        return cls(
            settings.free_attempts * factor,
            settings.attempts * factor,
            settings.backoff,
            settings.backoff_limit,
            settings.lockout,
            max(settings.memory, settings.lockout),
        )

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        if failures >= self.attempts:
            return self.lockout
        if failures < self.free:
            return 0.0
        doublings = min(failures - self.free, 64)
        return min(self.backoff * 2.0**doublings, self.backoff_limit)


class Failures:
    """Counts failures by key, for `size` keys; the one that failed longest ago is forgotten."""

    def __init__(self, rule: Rule, size: int = TRACKED) -> None:
        self.rule, self.size = rule, size
        self._records: dict[str, tuple[int, float]] = {}  # key -> failures, time of the last

    def __len__(self) -> int:
        return len(self._records)

    def count(self, key: str, now: float) -> int:
        """Failures of `key` that are still remembered."""
        failures, last = self._records.get(key, (0, now))
        return failures if now - last < self.rule.memory else 0

    def wait(self, key: str, now: float) -> float:
        """Seconds until `key` may try again."""
        failures = self.count(key, now)
        if not failures:
            return 0.0
        return max(0.0, self._records[key][1] + self.rule.delay(failures) - now)

    def add(self, key: str, now: float) -> int:
        """One more failure; how many there are now."""
        failures = self.count(key, now) + 1
        self._records.pop(key, None)
        if len(self._records) >= self.size:
            del self._records[next(iter(self._records))]
        self._records[key] = failures, now
        return failures

    def forget(self, key: str) -> None:
        """Begin anew with `key`."""
        self._records.pop(key, None)


class Limits:
    """Who may try now. One for a whole server: an attacker does not stay with one host."""

    def __init__(self, settings: AuthSettings, clock: Clock, size: int = TRACKED) -> None:
        self._clock = clock
        self._accounts = Failures(Rule.of(settings), size)
        self._addresses = Failures(Rule.of(settings, settings.address_factor), size)
        self._familiar: Cache[tuple[str, str], bool] = Cache(size, FAMILIAR, clock.monotonic)
        self._guessing: dict[str, int] = {}  # key -> guesses that are just being checked

    def configure(self, settings: AuthSettings) -> None:
        """Go on with other settings; what was counted stays."""
        self._accounts.rule = Rule.of(settings)
        self._addresses.rule = Rule.of(settings, settings.address_factor)

    def check(self, account: JID, address: str) -> None:
        """Raises `SaslError` ``temporary-auth-failure`` if it is too early to try."""
        now, key = self._clock.monotonic(), self._key(account, address)
        guesses = self._guessing.get(key, 0)
        crowded = (
            guesses and self._accounts.count(key, now) + guesses >= self._accounts.rule.attempts
        )
        if crowded or self._accounts.wait(key, now) or self._addresses.wait(network(address), now):
            raise SaslError("temporary-auth-failure", "too many attempts; try again later")

    @contextmanager
    def guessing(self, account: JID, address: str) -> Iterator[None]:
        """While a password is being checked: many at once get no more guesses than one by one."""
        self.check(account, address)
        key = self._key(account, address)
        self._guessing[key] = self._guessing.get(key, 0) + 1
        try:
            yield
        finally:
            self._guessing[key] -= 1
            if not self._guessing[key]:
                del self._guessing[key]

    def failed(self, account: JID, address: str) -> None:
        """A wrong password, or a proof that was none."""
        now = self._clock.monotonic()
        self._addresses.add(network(address), now)
        failures = self._accounts.add(self._key(account, address), now)
        if failures >= self._accounts.rule.attempts:
            fields = {"address": address, "account": account, "failures": failures}
            log.info("log-in locked", extra=fields)

    def passed(self, account: JID, address: str) -> None:
        """The account's owner was here: from now on this address counts for itself."""
        self._familiar.put((str(account), network(address)), True)
        self._accounts.forget(self._key(account, address))

    def _key(self, account: JID, address: str) -> str:
        place = network(address)
        if self._familiar.get((str(account), place)):
            return f"{account} {place}"
        return str(account)
