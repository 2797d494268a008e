"""How far the user has read, for the user's other clients (XEP-0490)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID, JIDError
from ...kit.cache import Cache
from ...wire import displayed
from ...wire.stanzaid import StanzaId
from ..feature import Feature, on
from ..node import Published, read
from ..nodes import Nodes

if TYPE_CHECKING:
    from ..entity import Entity

MOST = 10_000  # conversations that are remembered


@frozen
class DisplayedElsewhere:
    """Another client of the user has shown the message that `by` calls `id`, and all before."""

    peer: JID  # bare: whom the conversation is with; in a room's private messages the occupant
    id: str
    by: JID


class Displayed(Feature):
    """Conversation -> the last message that was seen, read whenever a session begins."""

    spec = displayed.SPEC
    needs = (Nodes,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._seen: Cache[JID, StanzaId] = Cache(MOST)
        self._is_wanted = False

    async def begin(self) -> None:
        """Read what is known; an account that nothing was read with has no such node."""
        if not self._is_wanted:
            self._is_wanted = True
            await self.client[Nodes].want(displayed.NS)
        node = self.client[Nodes].at(displayed.NS)
        try:
            async for one in node.items(displayed.Displayed):
                await self._saw(one.id, one.payload.stanza)
        except StanzaError:
            return

    def last(self, peer: JID | str) -> StanzaId | None:
        """The last message of a conversation that was seen, as far as is known."""
        return self._seen.get(JID.parse(peer) if isinstance(peer, str) else peer)

    async def tell(self, peer: JID, id: str, by: JID | None = None) -> None:
        """We have shown the message that `by` calls `id`: a room, or else our own account.

        Not for what was shown before; the markers for the other side are `Receipts`' affair.
        """
        seen = StanzaId(id, by or self.client.jid.bare)
        self._seen.put(peer, seen)
        node = self.client[Nodes].at(displayed.NS)
        await node.publish(displayed.Displayed(seen), peer.text, options=displayed.OPTIONS)

    @on(Published)
    async def published(self, event: Published[object]) -> None:
        """Another client has read on: only our own account can tell that (§4)."""
        if event.node != displayed.NS:
            return
        if event.service != self.client.jid.bare:
            self.client.forged["displayed"] += 1
            return
        told = read(event.payload, displayed.Displayed)  # type: ignore[arg-type]
        if told is not None:
            await self._saw(event.id, told.stanza)

    async def _saw(self, id: str, stanza: StanzaId) -> None:
        try:
            peer = JID.parse(id)
        except JIDError:
            return
        if stanza.by not in (self.client.jid.bare, peer.bare) or self._seen.get(peer) == stanza:
            return
        self._seen.put(peer, stanza)
        await self.client.tell(DisplayedElsewhere(peer, stanza.id, stanza.by), peer)
