"""Our requests and their answers: only who was asked can answer (RFC 6120 §8.1.2.1)."""

from __future__ import annotations

import asyncio

from ..core.jid import JID
from ..core.stanza import Iq
from .errors import SessionReset


class Requests:
    """What we have asked and was not answered yet: (who, id) -> the answer to come."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[JID | None, str], asyncio.Future[Iq]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, to: JID | None, id: str, own: JID) -> asyncio.Future[Iq]:
        """The answer of `to`, where None, and our own bare address, are the account itself."""
        answer: asyncio.Future[Iq] = asyncio.get_running_loop().create_future()
        self._waiting[_who(to, own), id] = answer
        return answer

    def forget(self, to: JID | None, id: str, own: JID) -> None:
        """Nobody waits for it any more."""
        self._waiting.pop((_who(to, own), id), None)

    def settle(self, iq: Iq, own: JID) -> bool:
        """Give `iq` to who waits for it; False for what nobody has asked its sender."""
        answer = self._waiting.pop((_who(iq.sender, own), iq.id or ""), None)
        if answer is None:
            return False
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
