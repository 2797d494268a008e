"""How features begin: with the session, or in the midst of it, which goes on without them, too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ..core.errors import StanzaError
from .errors import ClientError, SessionClosed, SessionReset
from .feature import Feature

log = logging.getLogger(__name__)


class Beginnings:
    """What of the features that a client was asked for later."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._under_way: dict[type[Feature], asyncio.Task[None]] = {}
        self._awaited: set[type[Feature]] = set()
        self._failed: dict[type[Feature], Exception] = {}

    def begin(self, feature: Feature) -> None:
        """Begin in the midst of a session."""
        self._under_way[type(feature)] = self._tasks.create_task(self._begin(feature))

    async def wait(self, kind: type[Feature]) -> None:
        """Until it has begun. Raises why it could not."""
        if (beginning := self._under_way.get(kind)) is not None:
            self._awaited.add(kind)
            await asyncio.shield(beginning)
        if (error := self._failed.get(kind)) is not None:
            raise error

    async def anew(self, features: Mapping[type[Feature], Feature]) -> None:
        """A session begins: with all features, but for those that could not before."""
        for kind, feature in tuple(features.items()):
            await (self._begin(feature) if kind in self._failed else feature.begin())

    async def _begin(self, feature: Feature) -> None:
        kind = type(feature)
        try:
            await feature.begin()
        except (StanzaError, TimeoutError, ClientError) as error:
            is_over = isinstance(error, SessionReset | SessionClosed)  # the next one begins anew
            if kind not in self._awaited and not is_over:
                log.warning("%s could not begin: %s", kind.__name__, error)
            self._failed[kind] = error
        else:
            self._failed.pop(kind, None)
