"""What accounts want published and where: kept in the store, and remembered for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.payload import decode, encode
from ....core.xml import KEPT, parse, write
from ....kit.cache import Cache
from ....kit.config import DAY
from ....store.shapes import KeyValues, Quota
from ....wire import push

REMEMBERED = 50_000  # accounts whose registrations need not be read again
SIZE = 4096  # octets of one registration, and of its name: far more than any service asks for
FRESH = DAY  # seconds in which a registration that comes again is not written again


class Registration(NamedTuple):
    """A node of a service, and when a client last asked for it."""

    name: str
    since: datetime
    enable: push.Enable

    @classmethod
    def read(cls, name: str, value: str) -> Registration:
        since, _, text = value.partition(" ")
        enable = decode(push.Enable, parse(text, limits=KEPT))
        return cls(name, datetime.fromisoformat(since), enable)

    def write(self) -> str:
        return f"{self.since.isoformat()} {write(encode(self.enable))}"


def name_of(jid: JID, node: str | None) -> str:
    """What a registration is called: no address has a line's end in it."""
    return f"{jid}\n{node}"


class Registrations:
    """Those of all accounts of one host."""

    def __init__(self, values: KeyValues, limit: int) -> None:
        self._values, self._limit = values, limit
        self._known: Cache[str, tuple[Registration, ...]] = Cache(REMEMBERED)
        self._changes = 0  # so that what was read before one is not remembered after it

    def may_be(self, owner: JID) -> bool:
        """Whether an account has any, as far as that is known without looking."""
        known = self._known.peek(owner.text)
        return known is None or bool(known)

    async def of(self, owner: JID) -> tuple[Registration, ...]:
        """All of an account, the longest unused first. Raises `StoreError`."""
        known = self._known.get(owner.text)
        if known is None:
            changes = self._changes
            kept = await self._values.load(owner)
            found = [Registration.read(name, value) for name, value in kept.items()]
            known = tuple(sorted(found, key=lambda each: each.since))
            if changes == self._changes:
                self._known.put(owner.text, known)
        return known

    async def add(self, owner: JID, enable: push.Enable, now: datetime) -> list[str]:
        """Keep one, in place of the longest unused ones if there are too many; their names.

        Raises `StanzaError` ``policy-violation`` for one that is too large, and `StoreError`.
        """
        new = Registration(name_of(enable.jid, enable.node), now, enable)
        value = new.write()
        if max(len(value.encode()), len(new.name.encode())) > SIZE:
            raise StanzaError("policy-violation", f"a registration has at most {SIZE} octets")
        old = await self.of(owner)
        for each in old:
            age = (now - each.since).total_seconds()
            if (each.name, each.enable) == (new.name, enable) and 0 <= age < FRESH:
                return []
        others = [each.name for each in old if each.name != new.name]
        surplus = others[: max(0, len(others) + 1 - self._limit)]
        for name in surplus:
            await self._remove(owner, name)
        # if clients register at once there may be a few more, until the next one comes
        is_kept = await self._values.put(owner, new.name, value, Quota(2 * self._limit, 1 << 20))
        self.forget(owner)
        if not is_kept:
            raise StanzaError("resource-constraint", "too many registrations at once")
        return surplus

    async def remove(self, owner: JID, is_meant: Callable[[Registration], bool]) -> list[str]:
        """Remove those that are meant; their names. Raises `StoreError`."""
        names = [each.name for each in await self.of(owner) if is_meant(each)]
        for name in names:
            await self._remove(owner, name)
        return names

    async def _remove(self, owner: JID, name: str) -> None:
        try:
            await self._values.remove(owner, name)
        finally:
            self.forget(owner)

    def forget(self, owner: JID) -> None:
        """They have changed, or are gone with the account."""
        self._changes += 1
        self._known.pop(owner.text)
