"""Sees to archives that grow fast: what is too much in them goes before the next hour is over."""

from __future__ import annotations

from contextlib import suppress

from ....kit.log import Bound
from ....kit.tasks import Scope, ScopeFullError
from ....store.errors import StoreError
from ...store.archive import Archive, Keep

PART = 10  # of the limit of one archive: so much more than allowed they have for a while
LEAST_COUNT, LEAST_OCTETS = 1000, 4 << 20  # or so much, where limits are low
ENDLESS = 1 << 62


class Growth:
    """What the archives of a `domain` may grow together until somebody looks at them.

    So no single one grows more, and a message costs no more than counting it.
    """

    def __init__(self, store: Archive, domain: str, keep: Keep, scope: Scope, log: Bound) -> None:
        self._store, self._domain, self._scope, self._log = store, domain, scope, log
        self._keep = Keep(None, keep.count, keep.octets)  # what is too old can wait
        self._count, self._octets = self._most = (
            _part(keep.count, LEAST_COUNT),
            _part(keep.octets, LEAST_OCTETS),
        )
        self._is_purging = False

    def added(self, octets: int) -> None:
        """A message more, of about so many octets."""
        self._count -= 1
        self._octets -= octets
        if self._count < 0 or self._octets < 0:
            self._look()

    def _look(self) -> None:
        self._count, self._octets = self._most
        if not self._is_purging:
            with suppress(ScopeFullError):  # then when they have grown as much once more
                self._scope.start(self._purge())
                self._is_purging = True

    async def _purge(self) -> None:
        try:
            await self._store.purge(self._keep, self._domain)
        except StoreError as error:
            self._log.info("archives have more than they may for now: %s", error)
        finally:
            self._is_purging = False


def _part(limit: int | None, least: int) -> int:
    return ENDLESS if limit is None else max(limit // PART, least)
