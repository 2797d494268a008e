"""Keeps stanzas from those who do not want them, and from going to whom one blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Final

from ...core.errors import StanzaError
from ...core.jid import JID
from ...core.stanza import Iq, Message, Presence, Stanza
from ...kit.hooks import Remove, Stage
from ...wire import blocking
from ...wire import privacy as wire
from ..session import Session
from .rules import ACTIVE, Rules, kind_in, kind_out

if TYPE_CHECKING:
    from ..app import Server
    from ..hosts import Host

MAX_ACCOUNTS = 50_000  # default lists in memory, mostly none; the first read is dropped first

_UNKNOWN: Final = Rules("", ())  # stands for a default list that was not read yet


class Guards:
    """What holds for whom, and the handlers that heed it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions = server.sessions
        self._store = server.stores.privacy
        self._defaults: dict[str, Rules | None] = {}  # by the address
        self._changes = 0  # so that what was read before one is not remembered after it
        self._active = 0  # sessions that have chosen a list
        self._guards: dict[str, tuple[int, list[Remove]]] = {}  # domain -> how often, and undo

    def guard(self, host: Host) -> Remove:
        """Heed lists at `host` until the returned function is called; any module may ask."""
        count, undo = self._guards.get(host.domain, (0, []))
        if not count:
            undo = [
                host.sending.add(Stage.GUARD, self._leaving),
                host.delivering.add(Stage.GUARD, self._arriving, Message, Iq),
                host.delivering.add(Stage.GUARD, self._arriving_presence, Presence),
            ]
        self._guards[host.domain] = count + 1, undo
        return lambda: self._unguard(host.domain)

    def _unguard(self, domain: str) -> None:
        count, undo = self._guards.pop(domain)
        if count > 1:
            self._guards[domain] = count - 1, undo
            return
        for step in undo:
            step()

    # --- what holds ------------------------------------------------------------------

    async def default(self, owner: JID) -> Rules | None:
        """The default list of an account, if it has one."""
        rules = self._defaults.get(owner.text, _UNKNOWN)
        if rules is _UNKNOWN:
            changes = self._changes
            stored = await self._store.default(owner) if owner.local is not None else None
            rules = self._defaults.get(owner.text, _UNKNOWN)  # changed while it was read?
            if rules is _UNKNOWN:
                rules = Rules.read(stored) if stored else None
                if changes == self._changes:
                    self._keep(owner, rules)
        return rules

    async def holding(self, session: Session) -> Rules | None:
        """The list that holds for a session: its own, else the account's (XEP-0016 §2.2)."""
        return session[ACTIVE] or await self.default(session.jid.bare)

    async def allows(self, rules: Rules | None, kind: wire.Kind, other: JID, owner: JID) -> bool:
        """Whether `rules` of `owner` let pass what is from or to `other`."""
        if rules is None or other.bare == owner:
            return True
        if other.local is None and other.domain in self._server.hosts:
            return True  # whoever blocks the server could never unblock it
        if not rules.needs_roster:
            return rules.allow(kind, other, owner)
        item = (await self._server.rosters.of(owner)).items.get(other.bare)
        if item is None:
            return rules.allow(kind, other, owner)
        return rules.allow(kind, other, owner, item.subscription, item.groups)

    def _keep(self, owner: JID, default: Rules | None) -> None:
        self._defaults[owner.text] = default
        if len(self._defaults) > MAX_ACCOUNTS:
            del self._defaults[next(iter(self._defaults))]

    def _choose(self, session: Session, rules: Rules | None) -> None:
        self._active += (rules is not None) - (session[ACTIVE] is not None)
        session[ACTIVE] = rules

    def ended(self, session: Session) -> None:
        """The session is gone, and so is its choice."""
        self._choose(session, None)

    def forget(self, owner: JID) -> None:
        """What is remembered of an account: it is gone, or new."""
        self._changes += 1
        self._defaults.pop(owner.text, None)

    # --- the guards ------------------------------------------------------------------

    def _leaving(self, stanza: Stanza, session: Session) -> Awaitable[None] | None:
        """Nothing goes to whom the user blocks (XEP-0191 §3.3, XEP-0016 §2.13)."""
        to, owner = stanza.to, session.jid.bare
        if to is None or (self._defaults.get(owner.text, _UNKNOWN) is None and not self._active):
            return None  # as for nearly every stanza
        return self._check_leaving(stanza, to, owner, session)

    async def _check_leaving(self, stanza: Stanza, to: JID, owner: JID, session: Session) -> None:
        rules = await self.holding(session)
        if rules is None or await self.allows(rules, kind_out(stanza), to, owner):
            return
        if blocking.matches(rules.blocked, to):
            raise blocking.refusal()
        raise StanzaError("not-acceptable", "your privacy list denies this", type="cancel")

    def _arriving(
        self, stanza: Stanza, owner: JID, targets: Sequence[Session]
    ) -> Awaitable[None] | None:
        """Nothing comes from whom the user blocks; to them the user is not there (§3.3)."""
        if self._defaults.get(owner.text, _UNKNOWN) is None and not self._active:
            return None  # as for nearly every stanza
        return self._check(stanza, owner, targets, None)

    async def _arriving_presence(
        self, stanza: Presence, owner: JID, targets: Sequence[Session]
    ) -> None:
        """As `_arriving`; what the server sends for a local user is for that user's list too."""
        sender = stanza.sender
        theirs: Rules | None = None
        if sender is not None and sender.local is not None and sender.domain in self._guards:
            session = self._sessions.find(sender) if self._active else None
            theirs = await (self.holding(session) if session else self.default(sender.bare))
        is_free = self._defaults.get(owner.text, _UNKNOWN) is None and not self._active
        if theirs is not None or not is_free:
            await self._check(stanza, owner, targets, theirs)

    async def _check(
        self, stanza: Stanza, owner: JID, targets: Sequence[Session], theirs: Rules | None
    ) -> None:
        """Take sessions that do not want `stanza` off `targets`; raises if none is left."""
        sender = stanza.sender
        if sender is None:
            return
        default = await self.default(owner)
        kind, kind_of_theirs = kind_in(stanza), kind_out(stanza)
        refused: list[Session | None] = []
        for target in targets or (None,):
            to = target.jid if target else stanza.to or owner
            ours = (target[ACTIVE] if target else None) or default
            if not (
                await self.allows(ours, kind, sender, owner)
                and await self.allows(theirs, kind_of_theirs, to, sender.bare)
            ):
                refused.append(target)
        if len(refused) == max(1, len(targets)):
            raise StanzaError("service-unavailable")
        if refused and isinstance(targets, list):
            targets[:] = [target for target in targets if target not in refused]
