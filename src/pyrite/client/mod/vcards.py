"""People's cards: the newer ones on personal eventing, and those of before (XEP-0292, XEP-0054)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...core.stanza import Presence
from ...kit.hooks import Stage
from ...wire import vcard, vcard4
from ...wire.vcard import VCard
from ...wire.vcard4 import VCard4
from ..errors import SessionReset
from ..feature import Feature, PresenceReceived, on, sending
from ..node import read
from ..nodes import Nodes

if TYPE_CHECKING:
    from ..entity import Entity

#: What of a card both forms have: in `Card` -> (newer, older).
_BOTH = {
    "name": ("fn", ("FN",)),
    "nick": ("nickname", ("NICKNAME",)),
    "born": ("bday", ("BDAY",)),
    "url": ("url", ("URL",)),
    "email": ("email", ("EMAIL", "USERID")),
    "phone": ("tel", ("TEL", "NUMBER")),
    "org": ("org", ("ORG", "ORGNAME")),
    "title": ("title", ("TITLE",)),
    "note": ("note", ("DESC",)),
}


@frozen
class Card:
    """What people look for in a card, in whichever form it is kept."""

    name: str | None = None
    nick: str | None = None
    born: str | None = None
    url: str | None = None
    email: str | None = None
    phone: str | None = None
    org: str | None = None
    title: str | None = None
    note: str | None = None


class VCards(Feature):
    """Both kinds of cards. They are read as they are, changed, and written back, so that nothing
    is lost that another client has put there.

    Presence tells the hash of the picture in the older card, once we know it (XEP-0153).
    """

    spec = vcard4.SPEC
    needs = (Nodes,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._hash: str | None = None  # of our picture; empty: none; None: not known

    async def begin(self) -> None:
        """Another client may have changed the card since the older session."""
        self._hash = None

    async def card(self, jid: JID | str | None = None) -> Card:
        """What is known of somebody, or of us: the newer card first. Raises `StanzaError`."""
        try:
            newer = await self.vcard4(jid)
        except StanzaError:
            newer = None
        found = Card(**{k: newer.text(n) for k, (n, _) in _BOTH.items()}) if newer else None
        if found is not None and found != Card():
            return found
        older = await self.vcard(jid)
        return Card(**{key: older.text(*path) or None for key, (_, path) in _BOTH.items()})

    # --- the newer (XEP-0292) --------------------------------------------------------

    async def vcard4(self, jid: JID | str | None = None) -> VCard4 | None:
        """The newer card; None if there is none. Raises `StanzaError`."""
        found = await self.client[Nodes].at(vcard4.NODE, jid).item(VCard4)
        return found.payload if found is not None else None

    async def set_vcard4(self, card: VCard4, *, access: str = "presence") -> None:
        """Replace our own; `access` is who may see it: ``open``, ``presence`` or ``whitelist``."""
        node = self.client[Nodes].at(vcard4.NODE)
        await node.publish(card, "current", options={"access_model": access})

    # --- the older (XEP-0054) --------------------------------------------------------

    async def vcard(self, jid: JID | str | None = None) -> VCard:
        """The older card, empty if there is none. Raises `StanzaError`."""
        try:
            card = await self.client.request(VCard(), jid, expect=VCard)
        except StanzaError as error:
            if error.condition != "item-not-found":  # some say so of an account without one
                raise
            card = VCard()
        if jid is None:
            self._hash = vcard.avatar_hash(card)
        return card

    async def set_vcard(self, card: VCard) -> None:
        """Replace our own, and tell of another picture (XEP-0153 §3.1)."""
        await self.client.request(card, type="set")
        before, self._hash = self._hash, vcard.avatar_hash(card)
        if before != self._hash:
            await self._show()

    # --- the picture's hash (XEP-0153) -----------------------------------------------

    async def _show(self) -> None:
        presence = self.client.presence
        if self.client.is_online and presence is not None and presence.type is None:
            await self.client.send_presence(presence)

    @sending(Stage.REWRITE, Presence)
    def tell(self, presence: Presence) -> Presence | None:
        """The hash, on what tells that we are here (§3.1)."""
        if presence.type is not None or self._hash is None or presence.has(vcard.Update):
            return None
        return presence.add(vcard.Update(self._hash))

    @on(PresenceReceived)
    def other(self, event: PresenceReceived) -> Coroutine[None, None, None] | None:
        """Another client of ours may know better, or may change the card in silence (§4.3)."""
        presence, own = event.presence, self.client.jid
        sender = presence.sender
        if sender is None or sender.bare != own.bare or sender == own:
            return None
        if presence.type is not None or self._hash is None:
            return None
        told = read(presence.child(vcard.NS_UPDATE, "x"), vcard.Update)
        what = vcard.after(self._hash, told)
        if what == "keep":
            return None
        self._hash = None
        return self._look_again() if what == "reset" else None

    async def _look_again(self) -> None:
        try:
            await self.vcard()
        except (StanzaError, TimeoutError, SessionReset):  # then we know nothing, and say so
            return
        await self._show()
