"""Who may see whom: the subscription stanzas of local users, out and in (RFC 6121 §3).

The rules are `wire.subscription`'s table; here they meet the store, the clients and the
contact. A change is committed before anybody hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID
from ..core.stanza import NS, Presence, read
from ..core.xml import parse
from ..store.errors import QuotaExceeded
from ..wire.subscription import Direction, Kind, Move, State, move, removal, state_of
from .rosters import Roster
from .session import Session
from .store.roster import Edit, Item, Subscription

if TYPE_CHECKING:
    from .app import Server
    from .presence import Presences


class Subscriptions:
    """The subscriptions of all local accounts."""

    def __init__(self, server: Server, presences: Presences) -> None:
        self._server = server
        self._presences = presences
        self._rosters = server.rosters

    async def sent(self, presence: Presence, session: Session) -> None:
        """A local user asks, answers or ends (§3.1.2, §3.1.5, §3.2.2, §3.3.2).

        It goes from bare address to bare address, whatever the client wrote.
        """
        owner, to = session.jid.bare, presence.to
        if to is None or to.bare == owner:
            raise StanzaError("bad-request", "a subscription is to somebody else")
        contact = to.bare
        stanza = presence.routed(sender=owner, to=contact)
        kind = cast(Kind, presence.type)
        done = await self._edit(owner, contact, "out", kind)
        if done.presence == "unavailable":
            await self._presences.hide(owner, contact)
        if done.route:
            await self._presences.reply(stanza)
        if done.presence == "available":
            await self._presences.show(await self._rosters.of(owner), contact)

    async def arrived(self, presence: Presence, owner: JID) -> None:
        """Somebody asks, answers or ends (§3.1.3, §3.1.6, §3.2.3, §3.3.3).

        For an account that does not exist it is ignored, as for one that does (§8.5.1).
        """
        if presence.sender is None or not await self._server.accounts.exists(owner):
            return
        contact = presence.sender.bare
        stanza = presence.routed(sender=contact, to=owner)
        try:
            await self._server.router.host_of(owner).delivering.run(stanza, owner, ())
            done = await self._edit(owner, contact, "in", cast(Kind, presence.type), stanza)
        except (StanzaError, QuotaExceeded):
            return
        for session in self._server.sessions.available(owner) if done.deliver else ():
            session.send(stanza)
        if done.presence == "unavailable":
            await self._presences.hide(owner, contact)
        if done.reply is not None:
            await self._presences.reply(Presence(done.reply, contact, owner))
        if done.presence == "available":
            await self._presences.show(await self._rosters.of(owner), contact)

    async def removed(self, owner: JID, item: Item) -> None:
        """The user took `item` off the roster: end what it stood for (§2.5.2)."""
        state = _state(item)
        if state.shares_presence:
            await self._presences.hide(owner, item.jid)
        for kind in removal(state):
            await self._presences.reply(Presence(kind, item.jid, owner))

    def deliver_pending(self, roster: Roster, session: Session) -> None:
        """Requests that came while nobody was there, whole, until they are answered (§3.1.3)."""
        for item in roster.items.values():
            if item.request is not None:
                try:
                    session.send(read(parse(item.request, NS)))
                except (StreamError, StanzaError):
                    continue  # kept by an older version that understood more

    async def _edit(
        self, owner: JID, contact: JID, way: Direction, kind: Kind, stanza: Presence | None = None
    ) -> Move:
        """Change `owner`'s item by the table, and say what the change leads to."""
        moved: list[Move] = []
        change = _change(contact, way, kind, stanza, moved)
        try:
            await self._rosters.edit(Edit(owner, contact, change))
        except QuotaExceeded as error:
            raise StanzaError("resource-constraint", str(error)) from None
        return moved[-1]


def _change(
    contact: JID, way: Direction, kind: Kind, stanza: Presence | None, moved: list[Move]
) -> Callable[[Item | None], Item | None]:
    """The function from the stored item to the new one; what it decided goes to `moved`."""

    def change(item: Item | None) -> Item | None:
        before = item or Item(contact, listed=False)
        done = move(_state(before), way, kind, before.approved)
        moved.append(done)
        if item is None and done.state is State.NONE and not done.approved:
            return None
        request = before.request if done.state.is_pending_in else None
        if stanza is not None and done.state.is_pending_in and kind == "subscribe":
            request = stanza.write()
        after = replace(
            before,
            subscription=cast(Subscription, done.state.subscription),
            ask=done.state.is_pending_out,
            approved=done.approved,
            request=request,
            listed=before.listed or _is_shown(done),
        )
        is_nothing = not after.listed and request is None
        return None if is_nothing else after

    return change


def _is_shown(done: Move) -> bool:
    """Whether the item must be on the list now: "None + Pending In" is not (§2.1.2.2)."""
    state = done.state
    return done.approved or state.is_pending_out or state.subscription != "none"


def _state(item: Item) -> State:
    return state_of(item.subscription, "subscribe" if item.ask else None, item.pending_in)
