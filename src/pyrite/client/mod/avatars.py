"""Pictures of people: one's own, and those of others (XEP-0084, XEP-0153)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...kit.cache import Cache
from ...wire import avatars, vcard
from ..feature import Feature, PresenceReceived, on
from ..node import Published, read
from ..nodes import Nodes

if TYPE_CHECKING:
    from ..entity import Entity

KNOWN = 5000  # people whose picture's hash is remembered
PICTURES = 64  # pictures that are kept


@frozen
class Avatar:
    """A picture, verified against its hash. `type` is what its first octets say, if they do."""

    id: str
    data: bytes
    type: str | None = None


@frozen
class AvatarChanged:
    """Somebody (bare; in a room the occupant) has another picture, or none (`id` is None).

    `Avatars.fetch` gives it.
    """

    jid: JID
    id: str | None


class Avatars(Feature):
    """Tells whose picture has changed, and fetches it: from the node, else from the card."""

    spec = avatars.SPEC
    needs = (Nodes,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._ids: Cache[JID, str] = Cache(KNOWN)  # "" for no picture
        self._pictures: Cache[str, Avatar] = Cache(PICTURES)
        self._is_wanted = False

    async def begin(self) -> None:
        """Say that we want to hear of pictures."""
        if not self._is_wanted:
            self._is_wanted = True
            await self.client[Nodes].want(avatars.NS_METADATA)

    def id_of(self, jid: JID) -> str | None:
        """The hash of somebody's picture, as far as we have been told; empty: there is none."""
        return self._ids.get(jid)

    # --- our own ---------------------------------------------------------------------

    async def publish(self, data: bytes, *, width: int = 0, height: int = 0) -> str:
        """Show `data` (a PNG, for all to understand) as our picture; what it is called (§3).

        Servers that can do so put it into the card as well (XEP-0398). Raises `ValueError` for
        what is no picture, `StanzaError`.
        """
        kind = vcard.image_type(data)
        if kind is None or len(data) > avatars.LARGEST:
            raise ValueError("no picture, or too large a one")
        id, nodes = avatars.id_of(data), self.client[Nodes]
        await nodes.at(avatars.NS_DATA).publish(avatars.Data(data), id)
        info = avatars.Info(id, len(data), kind, height or None, width or None)
        await nodes.at(avatars.NS_METADATA).publish(avatars.Metadata((info,)), id)
        return id

    async def remove(self) -> None:
        """Show none any more (§4.2.1)."""
        node = self.client[Nodes].at(avatars.NS_METADATA)
        await node.publish(avatars.Metadata(), "current")

    # --- others' ---------------------------------------------------------------------

    async def fetch(self, jid: JID | str | None = None) -> Avatar | None:
        """Somebody's picture, or our own; None if there is none that can be believed.

        Raises `StanzaError` where it may not be seen.
        """
        who = JID.parse(jid) if isinstance(jid, str) else jid or self.client.jid.bare
        id = self._ids.get(who)
        if id and (known := self._pictures.get(id)) is not None:
            return known
        found = await self._from_node(who) if who.resource is None else None
        found = found or await self._from_card(who)
        if found is not None:
            self._pictures.put(found.id, found)
        return found

    async def _from_node(self, who: JID) -> Avatar | None:
        """By the metadata, then the data; its hash has to be what it is called (§3.1)."""
        nodes = self.client[Nodes]
        try:
            told = await nodes.at(avatars.NS_METADATA, who).item(avatars.Metadata)
            info = next((i for i in told.payload.infos if i.url is None), None) if told else None
            if info is None:
                return None
            node = nodes.at(avatars.NS_DATA, who)
            item = await node.item(avatars.Data, info.id)
        except StanzaError:  # no node, or none that we may see: the card may be there
            return None
        return self._judge(item.payload.data, info.id) if item is not None else None

    async def _from_card(self, who: JID) -> Avatar | None:
        """From vcard-temp, where older clients have it (XEP-0153 §3.2)."""
        to = None if who == self.client.jid.bare else who
        card = await self.client.request(vcard.VCard(), to, expect=vcard.VCard)
        hash = vcard.avatar_hash(card)
        photo = card.photo
        if not hash or photo is None:
            return None
        return self._judge(photo.data, hash)

    def _judge(self, data: bytes, id: str) -> Avatar | None:
        if avatars.id_of(data) != id.lower() or len(data) > avatars.LARGEST:
            self.client.forged["avatar"] += 1
            return None
        return Avatar(id.lower(), data, vcard.image_type(data))

    # --- what comes ------------------------------------------------------------------

    @on(Published)
    async def published(self, event: Published[object]) -> None:
        """Somebody tells of a new picture at their own node (§3.4)."""
        if event.node != avatars.NS_METADATA:
            return
        told = read(event.payload, avatars.Metadata)  # type: ignore[arg-type]
        if told is not None:
            id = next((info.id for info in told.infos if info.url is None), "")
            await self._changed(event.service, id.lower())

    @on(PresenceReceived)
    async def hashed(self, event: PresenceReceived) -> None:
        """The hash in a presence; of an occupant of a room it is the only one (XEP-0153 §3.1)."""
        presence = event.presence
        if presence.type is not None or presence.sender is None:
            return
        element = presence.child(vcard.NS_UPDATE, "x")
        told = read(element, vcard.Update)
        if told is None or told.photo is None:
            return
        in_room = presence.child("http://jabber.org/protocol/muc#user", "x") is not None
        await self._changed(presence.sender if in_room else presence.sender.bare, told.photo)

    async def _changed(self, jid: JID, id: str) -> None:
        before = self._ids.get(jid)
        if before == id:
            return
        self._ids.put(jid, id)
        if before is not None or id:
            await self.client.tell(AvatarChanged(jid, id or None), jid)
