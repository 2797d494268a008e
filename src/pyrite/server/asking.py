"""What a host asks of others in its own name, and who is told the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import encode
from ..core.stanza import Iq
from ..kit.clock import Timer
from ..kit.hooks import Remove
from ..kit.outage import Outage
from .router import refusal

if TYPE_CHECKING:
    from .hosts import Host

MOST = 10_000  # requests of one host that may be unanswered
PATIENCE = 60.0  # seconds for the answer; another server may have to be reached first

Answered = Callable[[Iq], None]


class _Open(NamedTuple):
    request: Iq
    answered: Answered
    limit: Timer


class Asking:
    """The requests of one host that are not answered yet."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._open: dict[tuple[JID, str], _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def ask(
        self, type: Literal["get", "set"], to: JID, payload: Any, answered: Answered
    ) -> Remove:
        """Send a request; `answered` gets its result or error, once, and maybe before this ends.

        Where no answer comes it gets the error ``remote-server-timeout``, and where too many
        requests wait for theirs, ``resource-constraint`` at once. What is returned forgets it.
        """
        host = self._host
        iq = Iq(type, to, host.jid, host.ids(), (encode(payload),))
        key = to, iq.id or ""
        if len(self._open) >= MOST:
            answered(iq.refuse(StanzaError("resource-constraint", "too much is asked for")))
            return lambda: None
        limit = host.clock.call_later(PATIENCE, lambda: self._refuse(key, "remote-server-timeout"))
        self._open[key] = _Open(iq, answered, limit)
        try:
            await host.server.router.bring(iq)
        except StanzaError as error:
            self.settle(iq.refuse(error))
        except Outage as error:
            self.settle(iq.refuse(refusal(error)))
        except BaseException:
            self._forget(key)
            raise
        return lambda: self._forget(key) and None

    def settle(self, iq: Iq) -> bool:
        """Whether `iq` answers a request of ours, and comes from whom it was sent to."""
        found = self._forget((iq.sender, iq.id or "")) if iq.sender is not None else None
        if found is None:
            return False
        found.answered(iq)
        return True

    def _refuse(self, key: tuple[JID, str], condition: str) -> None:
        found = self._open.get(key)
        if found is not None:
            self.settle(found.request.refuse(StanzaError(condition)))

    def _forget(self, key: tuple[JID, str]) -> _Open | None:
        found = self._open.pop(key, None)
        if found is not None:
            found.limit.cancel()
        return found
