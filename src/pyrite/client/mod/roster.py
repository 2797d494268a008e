"""The user's contacts: who they are, who sees whom, and who is there (RFC 6121 §2 to §4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...core.stanza import Presence
from ...wire import roster
from ...wire.presence import priority
from ..feature import Feature, PresenceReceived, Request, on, serves

if TYPE_CHECKING:
    from ..entity import Entity

MOST_RESOURCES = 100  # of one contact that are remembered

_NOBODY: Mapping[str, Presence] = MappingProxyType({})


@frozen
class RosterLoaded:
    """The roster is here, or was read again since a new session began."""


@frozen
class ContactChanged:
    """A contact is as it now is; `item` is None if it was removed."""

    jid: JID
    item: roster.Item | None


@frozen
class ContactPresent:
    """What one client of a contact says: that it is there and how, or that it is gone."""

    jid: JID  # full
    presence: Presence

    @property
    def is_available(self) -> bool:
        return self.presence.type is None


@frozen
class SubscriptionAsked:
    """Somebody (bare) wants to see our presence: `Roster.approve` or `Roster.deny`."""

    jid: JID
    presence: Presence


class Roster(Feature):
    """Contact's bare JID -> item, as the server has it; read whenever a session begins."""

    spec = roster.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._items: dict[JID, roster.Item] = {}
        self._present: dict[JID, dict[str, Presence]] = {}
        self._version: str | None = None

    async def begin(self) -> None:
        """Read it; only what has changed, where the server keeps versions (§2.6)."""
        self._present = {}
        query = roster.Query(
            ver=self._version or "" if self.client.has_feature(*_VERSIONS) else None
        )
        answer = await self.client.request(query)
        if (found := answer.get(roster.Query)) is not None:  # else what we have still holds
            self._items = {item.jid: item for item in found.items}
            self._version = found.ver
        await self.client.tell(RosterLoaded())

    # --- what is in it ---------------------------------------------------------------

    def __getitem__(self, jid: JID | str) -> roster.Item:
        """The contact's item; raises `KeyError`."""
        return self._items[_bare(jid)]

    def __contains__(self, jid: object) -> bool:
        return isinstance(jid, JID | str) and _bare(jid) in self._items

    def __iter__(self) -> Iterator[roster.Item]:
        return iter(tuple(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    @property
    def groups(self) -> dict[str, list[roster.Item]]:
        """Group -> its contacts; those in none are under ``""``."""
        groups: dict[str, list[roster.Item]] = {}
        for item in self:
            for group in item.groups or ("",):
                groups.setdefault(group, []).append(item)
        return groups

    def resources(self, jid: JID | str) -> Mapping[str, Presence]:
        """Resource -> presence, of those clients of a contact that are there."""
        return MappingProxyType(self._present[_bare(jid)]) if self.is_there(jid) else _NOBODY

    def is_there(self, jid: JID | str) -> bool:
        """Whether any client of the contact is."""
        return bool(self._present.get(_bare(jid)))

    def best(self, jid: JID | str) -> Presence | None:
        """The presence of the contact's client with the highest priority."""
        present = self._present.get(_bare(jid), {}).values()
        return max(present, key=priority, default=None)

    # --- changing it -----------------------------------------------------------------

    async def put(self, jid: JID | str, name: str | None = None, *groups: str) -> None:
        """Add a contact, or change its name and groups. Raises `StanzaError`."""
        item = roster.Item(_bare(jid), name=name, groups=groups)
        await self.client.request(roster.Query(items=(item,)), type="set")

    async def remove(self, jid: JID | str) -> None:
        """Remove a contact, with the subscriptions both ways. Raises `StanzaError`."""
        item = roster.Item(_bare(jid), subscription="remove")
        await self.client.request(roster.Query(items=(item,)), type="set")

    async def subscribe(self, jid: JID | str) -> None:
        """Ask to see a contact's presence (§3.1)."""
        await self._say("subscribe", jid)

    async def unsubscribe(self, jid: JID | str) -> None:
        """See it no more (§3.3)."""
        await self._say("unsubscribe", jid)

    async def approve(self, jid: JID | str) -> None:
        """Let somebody see ours, who has asked, or who will (§3.1.4, §3.4)."""
        await self._say("subscribed", jid)

    async def deny(self, jid: JID | str) -> None:
        """Do not let somebody see ours, or no more (§3.2)."""
        await self._say("unsubscribed", jid)

    async def _say(self, type: str, jid: JID | str) -> None:
        await self.client.send_presence(Presence(type, _bare(jid)))

    # --- what the server tells -------------------------------------------------------

    @serves("set", roster.Query)
    async def pushed(self, request: Request[roster.Query]) -> None:
        """A change; only the own server's word counts (§2.1.6)."""
        try:
            item = roster.pushed(request.iq, self.client.jid)
        except StanzaError:
            self.client.forged["roster"] += 1
            raise
        if item is None:
            self.client.forged["roster"] += 1
            raise StanzaError("service-unavailable")  # as if there were nobody to know rosters
        is_removed = item.subscription == "remove"
        if is_removed:
            self._items.pop(item.jid, None)
        else:
            self._items[item.jid] = item
        self._version = request.payload.ver or self._version
        await self.client.tell(ContactChanged(item.jid, None if is_removed else item), item.jid)

    @on(PresenceReceived)
    async def heard(self, event: PresenceReceived) -> None:
        """Who is there, and who asks to see us."""
        presence = event.presence
        sender = presence.sender or self.client.jid.bare
        if presence.type == "subscribe":
            await self.client.tell(SubscriptionAsked(sender.bare, presence), sender.bare)
            return
        if presence.type not in (None, "unavailable") or sender.bare not in self._items:
            return
        present = self._present.setdefault(sender.bare, {})
        if presence.type == "unavailable":
            present.pop(sender.resource or "", None)
            if sender.resource is None:
                present.clear()
        elif len(present) < MOST_RESOURCES:
            present[sender.resource or ""] = presence
        await self.client.tell(ContactPresent(sender, presence), sender.bare)


_VERSIONS = (roster.NS_VERSIONING, "ver")


def _bare(jid: JID | str) -> JID:
    return (JID.parse(jid) if isinstance(jid, str) else jid).bare
