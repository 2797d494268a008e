"""Who may see whom: the subscription stanzas of local users, out and in (RFC 6121 §3).

The rules are `wire.subscription`'s table; here they meet the store, the clients and the
contact. What a stanza does to two rosters of this server is one change: both have it or
neither, and no client hears of anything before that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID
from ..core.stanza import NS, Presence, read
from ..core.xml import KEPT, parse
from ..kit.outage import Outage
from ..store.errors import QuotaExceeded
from ..wire.subscription import Direction, Kind, Move, State, move, removal, state_of
from .rosters import INTERESTED, Roster
from .session import Session
from .store.roster import Edit, Edited, Item, Subscription

if TYPE_CHECKING:
    from .app import Server
    from .presence import Presences

MAX_REQUEST = 16_384  # characters of a request, which its receiver's server keeps (§3.1.3)

ENDS: Final[tuple[Kind, ...]] = ("unsubscribe", "unsubscribed")

#: What a server may answer in its user's name.
REPLIES: Final[dict[str, Kind]] = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}


class Subscriptions:
    """The subscriptions of all local accounts."""

    def __init__(self, server: Server, presences: Presences) -> None:
        self._server = server
        self._presences = presences
        self._rosters = server.rosters

    # --- from and to users -----------------------------------------------------------

    async def sent(self, presence: Presence, session: Session) -> None:
        """A local user asks, answers or ends (§3.1.2, §3.1.5, §3.2.2, §3.3.2).

        It goes from bare address to bare address, whatever the client wrote.
        """
        owner, to = session.jid.bare, presence.to
        if to is None or to.bare == owner:
            raise StanzaError("bad-request", "a subscription is to somebody else")
        stanza = presence.routed(sender=owner, to=to.bare)
        if stanza.type == "subscribe":
            self._check_request(stanza, to)
        step = _Step(owner, to.bare, "out", stanza)
        steps = [step]
        if (local := await self._admitted(stanza)) is not None:
            steps += await self._with_answer(_Step(to.bare, owner, "in", local, step.goes_on))
        is_hidden = await self._hide_first(owner, to.bare, cast(Kind, stanza.type))
        try:
            await self._do(steps)
        except QuotaExceeded as error:
            raise StanzaError("resource-constraint", str(error)) from None
        done = step.done
        if done.route and to.domain not in self._server.hosts:
            await self._presences.reply(stanza)
        if done.presence == "unavailable" and not is_hidden:
            await self._presences.hide(owner, to.bare)
        elif done.presence == "available":
            await self._presences.show(await self._rosters.of(owner), to.bare)

    async def arrived(self, presence: Presence, owner: JID) -> None:
        """Somebody asks, answers or ends (§3.1.3, §3.1.6, §3.2.3, §3.3.3).

        For an account that does not exist it is ignored, as for one that does (§8.5.1).
        """
        if presence.sender is None:
            return
        contact = presence.sender.bare
        stanza = await self._admitted(presence.routed(sender=contact, to=owner))
        if stanza is None or len(stanza.write()) > MAX_REQUEST:
            return
        try:
            await self._do(await self._with_answer(_Step(owner, contact, "in", stanza)))
        except QuotaExceeded:
            return

    async def remove(self, owner: JID, contact: JID) -> bool:
        """Take `contact` off the roster, and end what it stood for (§2.5.2).

        False if it was not on the list. Raises `StoreError`.
        """
        removal = _Removal(owner, contact)
        steps = [
            _Step(contact, owner, "in", local, removal.ends)
            for kind in ENDS
            if (local := await self._admitted(Presence(kind, contact, owner))) is not None
        ]
        if (await self._rosters.of(owner)).is_watched_by(contact):
            await self._presences.hide(owner, contact)
        done = await self._rosters.commit(removal.edit(), *(step.edit() for step in steps))
        self._rosters.push(done[0])
        self._tell(steps, done[1:])
        await self._follow(steps)
        if contact.domain not in self._server.hosts:
            for kind in removal.kinds:
                await self._presences.reply(Presence(kind, contact, owner))
        return removal.was_listed

    async def end(self, owner: JID) -> None:
        """Empty the roster of an account that is about to end, and tell its contacts.

        The roster goes first, so that their answers change nothing. Raises `StoreError`.
        """
        items = tuple((await self._rosters.of(owner)).items.values())
        if items:
            await self._rosters.commit(*(Edit(owner, item.jid, lambda _: None) for item in items))
        for item in items:
            state = _state(item)
            if state.shares_presence:
                await self._presences.hide(owner, item.jid)
            for kind in removal(state):
                await self._presences.reply(Presence(kind, item.jid, owner))

    async def deliver_pending(self, roster: Roster, session: Session) -> None:
        """Requests that came while nobody was there, whole, until they are answered (§3.1.3)."""
        for item in tuple(roster.items.values()):
            if session.ended is not None:
                return
            if item.request is None:
                continue
            try:
                stanza = read(parse(item.request, NS, limits=KEPT))
                await session.host.delivering.run(stanza, roster.owner, [session])
            except (StreamError, StanzaError, Outage):
                continue  # unwelcome by now, or kept by an older version that understood more
            session.send(stanza)
            await session.room()

    def _check_request(self, stanza: Presence, to: JID) -> None:
        """Raises `StanzaError` for a request that would get no answer (§3.1.2)."""
        self._server.router.host_of(to)
        if to.local is None and to.domain in self._server.hosts:
            raise StanzaError("service-unavailable", "a server has no presence")
        if len(stanza.write()) > MAX_REQUEST:
            raise StanzaError("policy-violation", f"a request over {MAX_REQUEST} characters")

    # --- both sides ------------------------------------------------------------------

    async def _admitted(self, stanza: Presence) -> Presence | None:
        """`stanza` as its receiver lets it in; ``None`` for nobody here or an unwelcome one."""
        account = stanza.to
        host = self._server.hosts.get(account.domain) if account is not None else None
        if account is None or host is None or not await self._server.accounts.exists(account):
            return None
        try:
            return cast(Presence, await host.delivering.run(stanza, account, ()))
        except StanzaError:
            return None

    async def _with_answer(self, step: _Step) -> list[_Step]:
        """`step`, and what the owner's server may answer to it does to the contact's roster."""
        reply = REPLIES.get(step.stanza.type or "")
        if reply is None:
            return [step]
        answer = await self._admitted(Presence(reply, step.contact, step.owner))
        if answer is None:
            return [step]
        return [step, _Step(step.contact, step.owner, "in", answer, step.is_answered)]

    async def _hide_first(self, owner: JID, contact: JID, kind: Kind) -> bool:
        """Tell `contact` that `owner` is gone, if `kind` ends what it sees, while it does."""
        item = (await self._rosters.of(owner)).items.get(contact)
        if item is None:
            return False
        if move(_state(item), "out", kind, item.approved).presence != "unavailable":
            return False
        await self._presences.hide(owner, contact)
        return True

    async def _do(self, steps: list[_Step]) -> None:
        """Change both rosters, then tell everybody. Raises `QuotaExceeded` for the first's owner.

        If the other's roster is full, its server does not know of the stanza: it can be repeated.
        """
        try:
            edited = await self._rosters.commit(*(step.edit() for step in steps))
        except QuotaExceeded:
            if len(steps) == 1:
                raise
            steps = steps[:1]
            edited = await self._rosters.commit(steps[0].edit())
        self._tell(steps, edited)
        await self._follow(steps)

    def _tell(self, steps: Sequence[_Step], edited: Sequence[Edited]) -> None:
        """The stanza first, that clients may know what the push is about (§3.1.6)."""
        for step, change in zip(steps, edited, strict=True):
            if step.move is not None and step.way == "in" and step.move.deliver:
                self._deliver(step.stanza, step.owner)
            self._rosters.push(change)

    def _deliver(self, stanza: Presence, owner: JID) -> None:
        """A request to available resources, its answer to interested ones as well (§2.2)."""
        is_request = stanza.type == "subscribe"
        for session in tuple(self._server.sessions.of(owner).values()):
            if session.presence is not None or (session[INTERESTED] and not is_request):
                session.send(stanza)

    async def _follow(self, steps: Sequence[_Step]) -> None:
        """Answer contacts elsewhere, and let contacts see the owner's presence, or no more."""
        for step in steps:
            done = step.move
            if done is None or step.way == "out":
                continue
            if done.reply is not None and step.contact.domain not in self._server.hosts:
                await self._presences.reply(Presence(done.reply, step.contact, step.owner))
            if done.presence == "unavailable":
                await self._presences.hide(step.owner, step.contact)
            elif done.presence == "available":
                await self._presences.show(await self._rosters.of(step.owner), step.contact)


@dataclass(slots=True, eq=False)
class _Step:
    """What `stanza` does to one account's item for the other, as part of one change."""

    owner: JID
    contact: JID
    way: Direction
    stanza: Presence
    happens: Callable[[Presence], bool] = lambda _: True  # asked while the change is made
    move: Move | None = None  # what it came to, if it happened

    @property
    def done(self) -> Move:
        if self.move is None:
            raise RuntimeError("the step was not taken")
        return self.move

    def edit(self) -> Edit:
        return Edit(self.owner, self.contact, self._change)

    def goes_on(self, _: Presence) -> bool:
        """Whether the stanza reaches the contact."""
        return self.move is not None and self.move.route

    def is_answered(self, answer: Presence) -> bool:
        """Whether the owner's server answers at once, and so."""
        return self.move is not None and self.move.reply == answer.type

    def _change(self, item: Item | None) -> Item | None:
        """The item as it becomes. Called once more if the change is tried once more."""
        self.move = None
        if not self.happens(self.stanza):
            return item
        before = item or Item(self.contact, listed=False)
        kind = cast(Kind, self.stanza.type)
        done = self.move = move(_state(before), self.way, kind, before.approved)
        if item is None and done.state is State.NONE and not done.approved:
            return None
        request = before.request if done.state.is_pending_in else None
        if self.way == "in" and kind == "subscribe" and done.state.is_pending_in:
            request = self.stanza.write()
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


@dataclass(slots=True, eq=False)
class _Removal:
    """That a contact goes from a roster, unless it is there for a request alone."""

    owner: JID
    contact: JID
    was_listed: bool = False
    kinds: tuple[Kind, ...] = ()  # what the contact is told

    def edit(self) -> Edit:
        return Edit(self.owner, self.contact, self._change)

    def ends(self, stanza: Presence) -> bool:
        return stanza.type in self.kinds

    def _change(self, item: Item | None) -> Item | None:
        self.was_listed = item is not None and item.listed
        self.kinds = removal(_state(item)) if item is not None and item.listed else ()
        return None if self.was_listed else item


def _is_shown(done: Move) -> bool:
    """Whether the item must be on the list now: "None + Pending In" is not (§2.1.2.2)."""
    state = done.state
    return done.approved or state.is_pending_out or state.subscription != "none"


def _state(item: Item) -> State:
    return state_of(item.subscription, "subscribe" if item.ask else None, item.pending_in)
