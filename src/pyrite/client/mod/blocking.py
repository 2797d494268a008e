"""People whom the user does not want to hear from (XEP-0191)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...wire import blocking
from ..feature import Feature, Request, serves

if TYPE_CHECKING:
    from ..entity import Entity


@frozen
class BlocklistChanged:
    """These were blocked, these are not blocked any more; by whichever of the user's clients."""

    blocked: frozenset[JID]
    unblocked: frozenset[JID]


class Blocking(Feature):
    """All that is blocked, as the server has it; read whenever a session begins."""

    spec = blocking.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.is_supported = False
        self._blocked: set[JID] = set()
        self._told = 0  # changes that the server has told of

    async def begin(self) -> None:
        """Read it; from then on the server tells of changes (§3.2). Some have none."""
        try:
            found = await self.client.request(blocking.Blocklist(), expect=blocking.Blocklist)
        except StanzaError:
            self.is_supported = False
            return
        self.is_supported = True
        self._blocked = {item.jid for item in found.items}

    def __iter__(self) -> Iterator[JID]:
        return iter(tuple(self._blocked))

    def __len__(self) -> int:
        return len(self._blocked)

    def __contains__(self, jid: object) -> bool:
        """Whether just this address is in the list."""
        return isinstance(jid, JID | str) and _jid(jid) in self._blocked

    def is_blocked(self, jid: JID | str) -> bool:
        """Whether nothing comes from `jid`: itself, its account or its domain is blocked (§4)."""
        return blocking.matches(self._blocked, _jid(jid))

    async def block(self, *jids: JID | str) -> None:
        """Block people, single clients of theirs, or domains. Raises `StanzaError`."""
        told, wanted = self._told, {_jid(jid) for jid in jids}
        items = tuple(map(blocking.Item, wanted))
        await self.client.request(blocking.Block(items), type="set")
        if told == self._told:  # else the server has said already how it is now
            self._blocked |= wanted

    async def unblock(self, *jids: JID | str) -> None:
        """Let them through again; nobody named is nobody changed. Raises `StanzaError`."""
        if jids:
            await self._free({_jid(jid) for jid in jids})

    async def unblock_all(self) -> None:
        """Let everybody through. Raises `StanzaError`."""
        await self._free(set())

    async def _free(self, wanted: set[JID]) -> None:
        told, items = self._told, tuple(map(blocking.Item, wanted))
        await self.client.request(blocking.Unblock(items), type="set")
        if told == self._told:
            self._blocked -= wanted or set(self._blocked)

    # --- what the server tells -------------------------------------------------------

    @serves("set", blocking.Block)
    async def was_blocked(self, request: Request[blocking.Block]) -> None:
        """A change; only our own account's word counts."""
        self._check(request.sender)
        jids = frozenset(item.jid for item in request.payload.items)
        self._told += 1
        self._blocked |= jids
        await self.client.tell(BlocklistChanged(jids, frozenset()))

    @serves("set", blocking.Unblock)
    async def was_unblocked(self, request: Request[blocking.Unblock]) -> None:
        """The same; without addresses: all are free (§3.5)."""
        self._check(request.sender)
        jids = frozenset(item.jid for item in request.payload.items) or frozenset(self._blocked)
        self._told += 1
        self._blocked -= jids
        await self.client.tell(BlocklistChanged(frozenset(), jids))

    def _check(self, sender: JID | None) -> None:
        if sender not in (None, self.client.jid.bare):
            self.client.forged["blocking"] += 1
            raise StanzaError("service-unavailable")  # as if there were no lists here


def _jid(jid: JID | str) -> JID:
    return JID.parse(jid) if isinstance(jid, str) else jid
