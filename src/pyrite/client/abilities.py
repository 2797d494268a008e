"""What the clients of those whom we talk to can do, as far as we have been told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.jid import JID
from ..kit.cache import Cache
from ..wire import caps
from .errors import SessionClosed, SessionReset
from .feature import Feature, PresenceReceived, on
from .mod.disco import Disco

if TYPE_CHECKING:
    from .entity import Entity

PEOPLE = 1000  # whose clients are remembered
CLIENTS = 10  # of one person


class Abilities(Feature):
    """Whether somebody's clients have a feature. Who has not been asked is not known."""

    spec = caps.SPEC
    needs = (Disco,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._here: Cache[JID, dict[JID, None]] = Cache(PEOPLE)  # bare -> its clients

    async def begin(self) -> None:
        """Presence is told anew in a new session."""
        self._here = Cache(PEOPLE)

    @on(PresenceReceived)
    def heard(self, event: PresenceReceived) -> None:
        """Remember which clients there are."""
        presence, sender = event.presence, event.presence.sender
        if sender is None or sender.resource is None:
            return
        here = self._here.get(sender.bare) or {}
        if presence.type is None and len(here) < CLIENTS:
            here[sender] = None
        elif presence.type == "unavailable":
            here.pop(sender, None)
        self._here.put(sender.bare, here)

    def clients(self, who: JID) -> tuple[JID, ...]:
        """The clients (full) of somebody that are online, or the one that `who` is."""
        return (who,) if who.resource is not None else tuple(self._here.get(who) or ())

    def can(self, who: JID, feature: str) -> bool | None:
        """Whether `who`, or a client of theirs, has `feature`; None where that is not known."""
        told = [self.client[Disco].recalled(one) for one in self.clients(who)]
        if any(info is not None and feature in info.vars for info in told):
            return True
        return None if None in told or not told else False

    async def learn(self, who: JID) -> None:
        """Ask the clients of `who` for what is not known of them."""
        for one in self.clients(who):
            if self.client[Disco].recalled(one) is None:
                try:
                    await self.client[Disco].known(one)
                except (StanzaError, TimeoutError):
                    continue  # which it will not say
                except (SessionReset, SessionClosed):
                    return
