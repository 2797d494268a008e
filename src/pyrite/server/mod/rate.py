"""Lets no client keep the server busy alone: too many stanzas have to wait (XEP-0205 §4)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from msgspec import Meta

from ...core.stanza import Stanza
from ...kit.config import Table
from ...kit.hooks import Stage
from ...kit.rate import Bucket, Limit
from ...wire import Spec
from ..module import Module, sending
from ..session import Key, Session

SHORT = 0.05  # seconds of waiting that are not worth a timer; they add up until they are

#: What a session may still send at once.
BUCKET: Key[Bucket | None] = Key("rate", default=None)


class RateSettings(Table):
    """How many stanzas one client may send. `limits.read-rate` is the same for octets."""

    stanzas: Annotated[float, Meta(gt=0)] = 2000.0
    """Stanzas a second, on average."""
    burst: Annotated[int, Meta(ge=1)] = 10_000
    """Stanzas at once."""


class Rate(Module):
    """Nothing is refused and nothing lost: a client that sends more is read more slowly."""

    spec = Spec("XEP-0205", "1.0.2", "Best Practices to Discourage Denial of Service Attacks")
    Settings = RateSettings

    async def start(self) -> None:
        self._limit = Limit(self.settings.stanzas, self.settings.burst)

    @sending(Stage.GUARD)
    def wait(self, _: Stanza, session: Session) -> Awaitable[None] | None:
        """While this waits, nothing more is read from the client."""
        bucket = session[BUCKET]
        if bucket is None:
            bucket = session[BUCKET] = Bucket(self._limit)
        delay = bucket.spend(self.clock.monotonic(), 1)
        return self.clock.sleep(delay) if delay > SHORT else None
