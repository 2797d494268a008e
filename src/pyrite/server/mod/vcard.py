"""Keeps a card for each account and shows it to anybody (XEP-0054, XEP-0153)."""

from __future__ import annotations

from ...core.errors import StanzaError
from ...core.payload import decode, encode
from ...core.xml import KEPT, parse, write
from ...kit.config import Size, Table
from ...wire import vcard
from ..module import At, Module, Request, request
from ..store.vcards import VCard


class VCardSettings(Table):
    """How large a card may be."""

    size: Size = Size(256 << 10)
    """Octets of the whole card, the picture in base64 included."""


class Vcards(Module):
    """vcard-temp. What a picture's hash is in presence, clients say themselves (XEP-0153 §3.1)."""

    spec = vcard.SPEC
    features = (vcard.NS,)
    account_features = (vcard.NS,)
    Settings = VCardSettings

    @request("get", vcard.VCard, at=At.OWN | At.OTHERS)
    async def show(self, _: vcard.VCard, request: Request) -> vcard.VCard:
        """The card. Without one, an account is to others as one that is not there (§3.3)."""
        found = await self.host.stores.vcards.find(request.to)
        if found is None:
            raise StanzaError("item-not-found" if request.is_own else "service-unavailable")
        return decode(vcard.VCard, parse(found.element, limits=KEPT))

    @request("set", vcard.VCard, at=At.HOST | At.OWN | At.OTHERS)
    async def keep(self, card: vcard.VCard, request: Request) -> None:
        """Keep a card in place of the old one; nobody else's (§3.2)."""
        if request.to != request.sender.bare:
            raise StanzaError("forbidden", "a card is its owner's to change")
        text = write(encode(card))
        if len(text.encode()) > self.settings.size:
            raise StanzaError("policy-violation", f"a card has at most {self.settings.size}")
        photo = vcard.avatar_hash(card) or None
        await self.host.stores.vcards.put(request.to, VCard(text, photo))
