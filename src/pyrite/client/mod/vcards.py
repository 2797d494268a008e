"""People's cards: the newer ones on personal eventing, and those of before (XEP-0292, XEP-0054)."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.errors import StanzaError
from ...core.jid import JID
from ...wire import vcard4
from ...wire.vcard import VCard
from ...wire.vcard4 import VCard4
from ..feature import Feature
from ..nodes import Nodes

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


@dataclass(frozen=True, slots=True)
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
    is lost that another client has put there."""

    spec = vcard4.SPEC
    needs = (Nodes,)

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
            return await self.client.request(VCard(), jid, expect=VCard)
        except StanzaError as error:
            if error.condition == "item-not-found":  # some say so of an account without one
                return VCard()
            raise

    async def set_vcard(self, card: VCard) -> None:
        """Replace our own."""
        await self.client.request(card, type="set")
