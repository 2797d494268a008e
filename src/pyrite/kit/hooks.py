"""How modules reach each other: filters on a value's way, offers, and events that are told.

All are typed objects, so a misspelt hook is an import error and a handler of the wrong
shape a type error. There are no priorities: a filter's handlers stand in named stages,
and nothing may depend on the order within one. A handler that need not wait is an
ordinary function; only what may wait is `async`, and what seldom does is an ordinary function
that gives the coroutine to await.
"""

from __future__ import annotations

import inspect
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from enum import IntEnum
from types import CoroutineType
from typing import Any, Generic, NamedTuple, TypeVar

from .outage import Outage

log = logging.getLogger(__name__)

T = TypeVar("T")
Remove = Callable[[], None]


class Stage(IntEnum):
    """What a handler may do to the value that passes."""

    GUARD = 1  # raise, to refuse it: privacy lists, rate limits
    REWRITE = 2  # return another in its place: stamp ids, strip markers
    RECORD = 3  # only look: archive, metrics
    COPY = 4  # only look, and send more: carbons, push


class _Handler(NamedTuple):
    stage: Stage
    call: Callable[..., Any]
    kinds: tuple[type, ...]


class Filter(Generic[T]):
    """A point where modules may refuse, replace or observe a value.

    An exception stops the value: a guard that crashes must not let through what it was
    there to keep out, nor an archive lose it in silence. Only copying may fail alone.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: list[_Handler] = []
        self._plans: dict[type, list[_Handler]] = {}  # class of the value -> who sees it

    def add(self, stage: Stage, call: Callable[..., Any], *kinds: type) -> Remove:
        """Let `call(value, *context)` see values that are instances of `kinds`, or all.

        In the last stage it sees also those that wait at an earlier handler just now: what is
        switched on at a moment misses nothing from then on.
        """
        handler = _Handler(stage, call, kinds)
        self.handlers.append(handler)
        for kind, plan in tuple(self._plans.items()):
            if plan and plan[-1].stage > stage:
                del self._plans[kind]
            elif not kinds or issubclass(kind, kinds):
                plan.append(handler)

        def remove() -> None:
            self.handlers = [h for h in self.handlers if h is not handler]
            self._plans.clear()

        return remove

    async def run(self, value: T, *context: Any) -> T:
        """The value after all stages; raises whatever a handler raised."""
        plan = self._plans.get(value.__class__)
        if plan is None:
            plan = self._plan(value.__class__)
        seen = (value, *context)  # by the next handler
        for stage, call, _ in plan:
            try:
                changed = call(*seen)
                if changed is None:
                    continue
                if changed.__class__ is CoroutineType:
                    changed = await changed
                    if changed is None:
                        continue
                if stage is not Stage.REWRITE:
                    raise TypeError(f"{_name(call)} returned a value in {stage.name}")
                value = changed
                seen = (value, *context)
            except Exception as error:
                if stage is not Stage.COPY:
                    raise
                _tell("copying failed", call, error)
        return value

    def _plan(self, kind: type) -> list[_Handler]:
        fits = [h for h in self.handlers if not h.kinds or issubclass(kind, h.kinds)]
        plan = self._plans[kind] = sorted(fits, key=lambda handler: handler.stage)
        return plan

    def reorder(self, order: Callable[[list[Any]], None]) -> None:
        """Let `order` rearrange the handlers in place: nothing may depend on it."""
        order(self.handlers)
        self._plans.clear()


class Offer(Generic[T]):
    """A value that somebody should take: handlers are asked until one answers True."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._handlers: list[Callable[..., Awaitable[bool]]] = []

    def add(self, handler: Callable[..., Awaitable[bool]]) -> Remove:
        self._handlers.append(handler)
        return lambda: self._handlers.remove(handler)

    async def run(self, value: T, *context: Any) -> bool:
        """Whether anybody took it; raises whatever a handler raised."""
        for handler in tuple(self._handlers):
            if await handler(value, *context):
                return True
        return False


class Events:
    """Tells interested modules what has happened. They cannot change it."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[[Any], Any]]] = defaultdict(list)

    def on(self, kind: type[T], handler: Callable[[T], Any]) -> Remove:
        handlers = self._handlers[kind]
        handlers.append(handler)
        return lambda: handlers.remove(handler)

    async def tell(self, event: object) -> None:
        """Run every handler of the event's class; one that fails does not stop the others."""
        for handler in tuple(self._handlers.get(event.__class__, ())):
            try:
                done = handler(event)
                if inspect.isawaitable(done):
                    await done
            except Exception as error:
                _tell("event handler failed", handler, error)


def _tell(what: str, call: Callable[..., Any], error: Exception) -> None:
    """Log what failed alone: a bug with where it is, an outage with what it says."""
    if isinstance(error, Outage):
        log.info("%s: %s: %s", what, _name(call), error)
    else:
        log.error("%s: %s", what, _name(call), exc_info=error)


def _name(call: Callable[..., Any]) -> str:
    return getattr(call, "__qualname__", repr(call))
