"""What a client asks for along with its resource, done as one (XEP-0386)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..core.errors import StanzaError
from ..core.payload import decode, name_of
from ..core.xml import Element, Name
from ..kit.hooks import Remove
from ..kit.outage import Outage
from .session import Session

log = logging.getLogger(__name__)


class _Binding(NamedTuple):
    payload: type | None
    call: Callable[..., Any]
    waits: bool


class Bindings:
    """Who does it, at one host."""

    def __init__(self) -> None:
        self._handlers: dict[Name | None, list[_Binding]] = {}

    def add(self, payload: type | None, call: Callable[..., Any], *, waits: bool) -> Remove:
        """Let `call(payload, session)` do what is asked by `payload`, or what nobody asks for."""
        binding = _Binding(payload, call, waits)
        others = self._handlers.setdefault(name_of(payload) if payload else None, [])
        others.append(binding)
        return lambda: others.remove(binding)

    def namespaces(self) -> list[str]:
        """Of what a client may ask for."""
        return sorted({name.ns for name, handlers in self._handlers.items() if name and handlers})

    async def bound(self, session: Session, asked: Sequence[Element]) -> list[Element]:
        """Do what a client `asked` for along with its new session; what it is told of it.

        It is as if all happened at one moment (§1). What need not wait, as to switch copies on,
        is done first, and in the same turn of the loop begins what waits: to read where the
        archive ends, say, as it is at that moment. Whatever comes later, the session has.
        What nobody knows is ignored, and what fails is left out (§5).
        """
        wishes = [
            (binding, element)
            for element in (None, *asked)
            for binding in self._handlers.get(element.name if element else None, ())
        ]
        told: dict[int, Element | None] = {}
        for place, (binding, element) in sorted(enumerate(wishes), key=lambda one: one[1][0].waits):
            told[place] = await _done(binding, element, session)
        return [answer for _, answer in sorted(told.items()) if answer is not None]


async def _done(binding: _Binding, element: Element | None, session: Session) -> Element | None:
    """Do one of them; its answer, if it has one."""
    try:
        payload: Any = decode(binding.payload, element) if binding.payload and element else None
        answer: Any = binding.call(payload, session)
        done: Element | None = await answer if binding.waits else answer
    except (StanzaError, Outage) as error:
        log.info("not done in binding: %s: %s", session.jid, error)
    except Exception:
        log.exception("binding failed: %s", binding.call.__qualname__)
    else:
        return done
    return None
