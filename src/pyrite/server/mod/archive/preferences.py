"""Whose messages accounts want to keep (XEP-0441), known without waiting for those in use."""

from __future__ import annotations

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.payload import decode, encode
from ....core.xml import KEPT, parse, write
from ....kit.cache import Cache
from ....store.shapes import KeyValues
from ....wire.archive import KEEPS, Always, Default, Never, Preferences
from ...rosters import Rosters

MAX_KNOWN = 50_000  # accounts
MAX_LISTED = 1000  # addresses in both lists together
NAME = "preferences"  # of the value that is kept


class Wishes:
    """The preferences of all accounts of a host."""

    def __init__(self, values: KeyValues, rosters: Rosters, default: Default) -> None:
        self._values, self._rosters = values, rosters
        self._unsaid = Preferences(default, Always(), Never())
        self._keeps = KEEPS.get(default)  # of those who say nothing: nearly all
        self._known: Cache[str, Preferences] = Cache(MAX_KNOWN)
        self._changes = 0  # so that what was read before one is not remembered after it

    def known(self, owner: JID, peer: JID) -> bool | None:
        """Whether messages to or from `peer` are kept; ``None``: `ask`, for that takes a while."""
        wishes = self._known.peek(owner.text)
        if wishes is self._unsaid:
            return self._keeps
        return None if wishes is None else wishes.keeps(peer)

    async def ask(self, owner: JID, peer: JID) -> bool:
        """Whether messages to or from `peer` are kept. Raises `StoreError`."""
        is_kept = (await self.of(owner)).keeps(peer)
        if is_kept is None:
            contact = (await self._rosters.of(owner)).items.get(peer.bare)
            return contact is not None and contact.listed
        return is_kept

    async def of(self, owner: JID) -> Preferences:
        """What an account has said, or what holds for all that say nothing."""
        known = self._known.get(owner.text)
        if known is not None:
            return known
        changes = self._changes
        stored = await self._values.find(owner, NAME)
        said = self._unsaid if stored is None else decode(Preferences, parse(stored, limits=KEPT))
        if changes == self._changes:
            self._known.put(owner.text, said)
        return self._known.get(owner.text) or said

    async def put(self, owner: JID, wishes: Preferences) -> Preferences:
        """Keep what an account says, in place of all that it said before; what that is.

        Raises `StanzaError`: ``bad-request`` without a default, ``policy-violation`` for more
        addresses than anybody has a use for.
        """
        if wishes.default is None:
            raise StanzaError("bad-request", "prefs need a default")
        always = _each_once(wishes.always)
        never = _each_once(wishes.never)
        if len(always) + len(never) > MAX_LISTED:
            raise StanzaError("policy-violation", f"at most {MAX_LISTED} addresses")
        kept = Preferences(wishes.default, Always(always), Never(never))
        if not await self._values.put(owner, NAME, write(encode(kept))):
            raise StanzaError("resource-constraint", "too much to keep")
        self._changes += 1
        self._known.put(owner.text, kept)
        return kept

    def forget(self, owner: JID) -> None:
        """They are gone with the account, or another's."""
        self._changes += 1
        self._known.pop(owner.text)


def _each_once(listed: Always | Never | None) -> tuple[JID, ...]:
    return tuple(dict.fromkeys(listed.jids)) if listed is not None else ()
