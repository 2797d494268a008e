"""Answers what others ask: each request by the one handler of its payload (RFC 6120 §8.2.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from ..core.errors import StanzaError
from ..core.payload import decode, name_of
from ..core.stanza import Iq
from ..core.xml import Name
from .feature import Request

MOST_APART = 200  # requests that are answered beside all else


class Served(NamedTuple):
    """Who answers, and whether what the same peer asks next waits for that."""

    payload: type
    handler: Callable[..., Any]
    apart: bool


class Serving:
    """Handlers of requests: (type, payload's name) -> the one that answers."""

    def __init__(
        self, send: Callable[[Iq, Iq], None], start: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        """`send` the second, as the answer to the first; `start` work beside all else."""
        self._send, self._start = send, start
        self._served: dict[tuple[str, Name], Served] = {}
        self._apart = 0

    def add(self, type: str, payload: type, handler: Callable[..., Any], apart: bool) -> None:
        """Let `handler` answer. Raises ValueError if another does."""
        key = type, name_of(payload)
        if key in self._served:
            raise ValueError(f"{type} of {key[1].ns} {key[1].tag} is answered already")
        self._served[key] = Served(payload, handler, apart)

    async def serve(self, iq: Iq) -> None:
        """Answer a request, or refuse it (RFC 6120 §8.4)."""
        try:
            served = self._find(iq)
            answer = served.handler(Request(decode(served.payload, iq.payloads[0]), iq))
            if asyncio.iscoroutine(answer):
                if served.apart:
                    return self._set_apart(iq, answer)
                answer = await answer
        except Exception as error:
            self._fail(iq, error)
        else:
            self._send(iq, iq.answer(answer))

    def _find(self, iq: Iq) -> Served:
        if len(iq.payloads) != 1:
            raise StanzaError("bad-request", "a request has exactly one payload")
        served = self._served.get((iq.type or "", iq.payloads[0].name))
        if served is None:
            raise StanzaError("service-unavailable")
        return served

    def _set_apart(self, iq: Iq, answer: Coroutine[Any, Any, Any]) -> None:
        if self._apart >= MOST_APART:
            answer.close()
            raise StanzaError("resource-constraint", "too much is asked at once")
        self._apart += 1
        self._start(self._finish(iq, answer))

    async def _finish(self, iq: Iq, answer: Coroutine[Any, Any, Any]) -> None:
        try:
            self._send(iq, iq.answer(await answer))
        except Exception as error:
            self._fail(iq, error)
        finally:
            self._apart -= 1

    def _fail(self, iq: Iq, error: Exception) -> None:
        """Refuse; what is no refusal reaches our owner, and who asked need not wait for nothing."""
        if isinstance(error, StanzaError):
            return self._send(iq, iq.refuse(error))
        self._send(iq, iq.refuse(StanzaError("internal-server-error")))
        raise error
