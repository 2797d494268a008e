"""Invitations to a host: who holds one may make an account (XEP-0445, XEP-0401 §4).

The text of an invitation is known to who was given it alone: a digest of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from ....core.jid import JID
from ....kit.clock import Clock
from ....kit.ids import Ids
from ....store.shapes import KeyValues, Quota

QUOTA = Quota(10_000, 4 << 20)  # the invitations of one host


class Invitation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who may come, how often, and until when (seconds of Unix time)."""

    expires: float
    name: str = ""  # that the account must have; empty: any
    contact: str = ""  # of ours, who is to be in its roster
    uses: int = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """An invitation, by what it is called among those who know no token."""

    id: str
    invitation: Invitation


class Invitations:
    """The invitations of one host. All methods raise `StoreError`."""

    def __init__(self, host: JID, values: KeyValues, clock: Clock, ids: Ids) -> None:
        self._host, self._values, self._clock, self._ids = host, values, clock, ids

    async def add(self, name: str, contact: str, uses: int, valid: float) -> tuple[str, datetime]:
        """The text of a new one, and when it expires; `valid` are seconds from now.

        Raises `OverflowError` when there are too many.
        """
        await self._drop_expired()
        expires = self._clock.now() + timedelta(seconds=valid)
        token = self._ids() + self._ids()
        invitation = Invitation(expires.timestamp(), name, contact, uses)
        if not await self._put(_digest(token), invitation):
            raise OverflowError("there are too many invitations")
        return token, expires

    async def shown(self, token: str) -> str | None:
        """What the invitation `token` is called here, if it is still good."""
        id = _digest(token)
        found = await self.find(id)
        return id if found is not None and not self._is_expired(found) else None

    async def find(self, id: str) -> Invitation | None:
        """One that may have expired since it was shown: that does not matter then (§4)."""
        text = await self._values.find(self._host, id)
        return None if text is None else msgspec.json.decode(text, type=Invitation)

    async def list(self) -> list[Kept]:
        """Those that are still good."""
        return [kept for kept in await self._all() if not self._is_expired(kept.invitation)]

    async def reserves(self, name: str, holder: str | None) -> bool:
        """Whether `name` is meant for somebody who holds another invitation than `holder`."""
        return any(kept.invitation.name == name and kept.id != holder for kept in await self.list())

    async def use(self, id: str, invitation: Invitation) -> None:
        """It was used, once more or for the last time."""
        if invitation.uses > 1:
            await self._put(id, msgspec.structs.replace(invitation, uses=invitation.uses - 1))
        else:
            await self.remove(id)

    async def remove(self, id: str) -> bool:
        """Take it back; whether there was one."""
        return await self._values.remove(self._host, id)

    async def _put(self, id: str, invitation: Invitation) -> bool:
        text = msgspec.json.encode(invitation).decode()
        return await self._values.put(self._host, id, text, QUOTA)

    async def _all(self) -> Iterator[Kept]:
        values = await self._values.load(self._host)
        return (Kept(id, msgspec.json.decode(text, type=Invitation)) for id, text in values.items())

    async def _drop_expired(self) -> None:
        for kept in await self._all():
            if self._is_expired(kept.invitation):
                await self.remove(kept.id)

    def _is_expired(self, invitation: Invitation) -> bool:
        return self._clock.now().timestamp() >= invitation.expires


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
