"""A stream whose elements come and go one by one: what WebSocket and BOSH share."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from ..core.errors import StreamError
from ..core.framing import alone, frame
from ..core.payload import encode
from ..core.stream import ERROR, NS_STREAM_ERRORS
from ..core.xml import LANG, Element, Name
from ..net.tls import TlsError
from .link import LIMITS as LARGEST
from .link import BaseLink

GRACE = 5.0  # seconds that the server has to say goodbye
LIMITS: Final = LARGEST  # of one element


class FramedLink(BaseLink):
    """Below it is HTTP, with TLS that is not ours to bind a proof to: there may be a proxy."""

    def __init__(self, *, is_secure: bool) -> None:
        super().__init__()
        self._is_secure = is_secure
        self._sender = ""  # who will log in
        self._out: deque[str] = deque()
        self._work = asyncio.Event()  # there is something to write, or to end
        self._room = asyncio.Event()
        self._room.set()
        self._is_closing = self._is_aborted = False
        self._is_taking = False  # an element is being handed over
        self._is_between = asyncio.Event()
        self._grace: asyncio.TimerHandle | None = None  # ends what does not end by itself

    @property
    def is_secure(self) -> bool:
        return self._is_secure

    @property
    def bindings(self) -> Mapping[str, bytes]:
        return {}

    async def open(self, domain: str, lang: str, sender: str = "") -> Element:
        self._sender = sender
        self._waiting.clear()
        self._begin(domain, lang)
        self.wake()
        return await self._features()

    @abstractmethod
    def _begin(self, domain: str, lang: str) -> None:
        """Put what opens a stream, or restarts it."""

    def send(self, *payloads: Any) -> None:
        self._out.extend(frame(p if isinstance(p, Element) else encode(p)) for p in payloads)
        self.wake()

    async def start_tls(self) -> None:
        raise StreamError("policy-violation", "what HTTP carries is encrypted below it, or not")

    def wake(self) -> None:
        self._work.set()

    async def writable(self) -> None:
        await self._room.wait()

    def _taken(self) -> list[str]:
        """All that is to be written now."""
        taken = list(self._out)
        self._out.clear()
        if self._fill is not None and not self._is_closing:
            taken += map(alone, self._fill())
        return taken

    def close(self, error: StreamError | None = None) -> None:
        if self._is_closing:
            return
        self._out.extend(self._taken())
        self._is_closing = True
        if error is not None:
            self._out.append(frame(_error(error)))
        self._grace = asyncio.get_running_loop().call_later(GRACE, self.abort)
        self.wake()

    def abort(self, why: str = "given up") -> None:
        self._over(why)
        was_aborted, self._is_aborted = self._is_aborted, True
        if self._running is not None and not was_aborted:
            # it has begun in the next turn; before, it cannot hang up
            asyncio.get_running_loop().call_soon(self._running.cancel)

    async def _run(self) -> None:
        try:
            await self._carry()
        except StreamError as error:
            self._over(str(error), error)
        except asyncio.CancelledError:
            self._over("given up")
        except Exception as error:
            self._over(str(error) or type(error).__name__)
            if not isinstance(error, OSError | TlsError):
                raise
        finally:
            self._over("the connection was closed")
            self._room.set()
            if self._grace is not None:
                self._grace.cancel()

    @abstractmethod
    async def _carry(self) -> None:
        """Carry elements until all is over. Raises `OSError`, `StreamError`, and crashes."""

    async def _take_checked(self, element: Element) -> None:
        """As `_take_element`; what the server does wrong ends the stream."""
        self.came += 1
        self._is_taking = True
        try:
            await self._take_element(element)
        except StreamError as error:
            self._over(str(error), error)
            self.close(error)
        finally:
            self._is_taking = False
            self._is_between.set()

    async def _between(self) -> None:
        """Wait until what has come is taken: half of that would be neither here nor there."""
        while self._is_taking:
            self._is_between.clear()
            await self._is_between.wait()


def raise_first(*works: asyncio.Task[None]) -> None:
    """What one of them has failed with, if any. All are looked at: none is lost unseen."""
    for error in [work.exception() for work in works if not work.cancelled()]:
        if error is not None:
            raise error


def _error(error: StreamError) -> Element:
    children = [Element(Name(NS_STREAM_ERRORS, error.condition))]
    if error.text:
        text = Name(NS_STREAM_ERRORS, "text")
        children.append(Element(text, {LANG: "en"}, (error.text,)))
    return Element(ERROR, children=children)
