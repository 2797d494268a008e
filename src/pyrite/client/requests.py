"""Our requests and their answers: only who was asked can answer (RFC 6120 §8.1.2.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..core.jid import JID
from ..core.stanza import Iq
from ..kit.cache import Cache
from .errors import SessionReset

GIVEN_UP = 200  # requests that nobody waits for any more, and whose answers are known as such


class Requests:
    """What we have asked and was not answered yet: (who, id) -> the answer to come."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[JID | None, str], asyncio.Future[Iq]] = {}
        self._reading: asyncio.Task[Any] | None = None
        self._given_up: Cache[tuple[JID | None, str], bool] = Cache(GIVEN_UP)

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, to: JID | None, id: str, own: JID) -> asyncio.Future[Iq]:
        """The answer of `to`, where None, and our own bare address, are the account itself.

        Raises `RuntimeError` for who is waited for before anything is read, also the answer.
        """
        if self._reading is not None and self._reading is asyncio.current_task():
            raise RuntimeError("nothing is read before this is done: let `start` ask for it")
        answer: asyncio.Future[Iq] = asyncio.get_running_loop().create_future()
        self._waiting[_who(to, own), id] = answer
        return answer

    async def reading(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What comes of `work`, before which nothing more is read."""
        self._reading, before = asyncio.current_task(), self._reading
        try:
            return await work
        finally:
            self._reading = before

    def forget(self, to: JID | None, id: str, own: JID) -> None:
        """Nobody waits for it any more; it may come all the same."""
        key = _who(to, own), id
        if self._waiting.pop(key, None) is not None:
            self._given_up.put(key, True)

    def settle(self, iq: Iq, own: JID) -> bool:
        """Give `iq` to who waits for it; False for what nobody has asked its sender."""
        key = _who(iq.sender, own), iq.id or ""
        answer = self._waiting.pop(key, None)
        if answer is None:
            was_asked = self._given_up.get(key, False)
            self._given_up.pop(key)  # it is answered once
            return was_asked
        if answer.done():
            return True
        if (error := iq.error) is not None:
            answer.set_exception(error)
        else:
            answer.set_result(iq)
        return True

    def reset(self) -> None:
        """The session is gone: nobody will answer."""
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(SessionReset("the session was lost before the answer came"))


def _who(jid: JID | None, own: JID) -> JID | None:
    """The one that is meant: servers answer for an account with its address, or with none."""
    return None if jid is None or jid == own.bare else jid
