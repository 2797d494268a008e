"""By BOSH: pairs of HTTP requests and answers, where not even WebSocket is let through."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ..core.errors import StanzaError, StreamError
from ..core.framing import unframe
from ..core.frozen import frozen
from ..core.payload import decode
from ..core.xml import Element, Limits
from ..net import http
from ..wire import bosh as wire
from ..wire.hostmeta import BOSH
from .framed import LIMITS, FramedLink, raise_first
from .link import PATIENCE
from .web import Web

if TYPE_CHECKING:
    import aiohttp

WAIT = 60  # seconds that the server may hold a request when there is nothing to say
HOLD = 1  # requests that it holds
#: Times that one request is made, when the net breaks meanwhile (XEP-0124 §14.3). Servers remember
#: an answer that they gave to a connection which is dead, but not what became of the copy of it.
TRIES = 2
BODY = Limits(octets=2 * LIMITS.octets, elements=4 * LIMITS.elements)  # several elements in it
CHUNK = 64 * 1024  # octets of a request that are written at a time

#: Seconds from when a request is written until it has surely come before the next one. COMPAT:
#: ejabberd, which lets the two wait for each other where they come in another order (it looks at
#: the second one when it has answered the first, which it holds); and Prosody, which knows a
#: broken request no more once it has seen the next one.
SETTLING = 0.05
OVERDUE = 15.0  # seconds in which one of more requests than the server holds has to be answered
TURN = 0.005  # seconds that a program has to say something, before a request says nothing
POLLING = 1.0  # seconds to wait where the server does not hold what says nothing

CONDITIONS = {  # of a body that ends the session (XEP-0124 §17.2) -> of a stream
    "host-gone": "host-gone",
    "host-unknown": "host-unknown",
    "improper-addressing": "improper-addressing",
    "internal-server-error": "internal-server-error",
    "policy-violation": "policy-violation",
    "system-shutdown": "system-shutdown",
}


@dataclass(slots=True)
class Request:
    """One that has no answer yet."""

    text: str
    began: float  # by the loop's clock
    tries: int = 0
    is_broken: bool = False  # it has to be made again


class BoshLink(FramedLink):
    """One session. Requests are numbered: made in this order, and answers are heard in it (§13)."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *, is_secure: bool) -> None:
        super().__init__(is_secure=is_secure)
        self._session, self._url = session, url
        self._rid = self._heard = secrets.randbelow(1 << 40) + 1  # of what is asked, heard next
        self._requests: dict[int, Request] = {}  # from `_heard` on
        self._answers: dict[int, wire.Body] = {}  # that are not heard yet
        self._posting: set[asyncio.Task[None]] = set()
        self._settling: set[int] = set()  # may not have come yet: nothing is made beside them
        self._idle: int | None = None  # of what said nothing
        self._failed: Exception | None = None  # why a request had no answer
        self._came = asyncio.Event()
        self._sid = ""
        self._most = 1  # requests that may be under way
        self._wait = WAIT
        self._opening: tuple[str, str] | None = None  # domain and language of a stream to begin
        self._is_awaited = False  # somebody waits for the server's next element
        self._is_last = False  # nothing may be asked any more
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def _begin(self, domain: str, lang: str) -> None:
        self._opening = (domain, lang)

    async def next(self) -> Element:
        self._is_awaited = True
        self.wake()
        try:
            return await super().next()
        finally:
            self._is_awaited = False

    async def _carry(self) -> None:
        listening = asyncio.ensure_future(self._listen())
        asking = asyncio.ensure_future(self._ask())
        works = {listening, asking}
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for timer in self._timers.values():
                timer.cancel()
            await http.hang_up(self._session)  # which ends requests better than cancelling does
            works |= self._posting
            await self._between()
            for task in works:
                task.cancel()
            await asyncio.wait(works)
        raise_first(listening, asking)

    def _later(self, name: str, seconds: float, call: Callable[..., None], *args: Any) -> None:
        """Call it then, and not what was to be called under that name."""
        self._not_later(name)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, call, *args)

    def _not_later(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

    # --- asking ----------------------------------------------------------------------

    async def _ask(self) -> None:
        """Make requests, until one of them fails."""
        while self._failed is None:
            await self._work.wait()
            self._work.clear()
            while self._failed is None and self._make_one():
                pass
        raise self._failed

    def _make_one(self) -> bool:
        """Make a request, if there is reason for it, and room."""
        if self._settling:
            return False
        now = asyncio.get_running_loop().time()
        rid = next((rid for rid, one in self._requests.items() if one.is_broken), None)
        if rid is None:
            if (text := self._text()) is None:
                return False
            rid, self._rid = self._rid, self._rid + 1
            self._requests[rid] = Request(text, now)
        self._settling.add(rid)
        request = self._requests[rid]
        request.is_broken = False
        request.tries += 1
        task = asyncio.ensure_future(self._post(rid, request))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        return True

    def _text(self) -> str | None:
        """The next request that is not a copy."""
        under_way = len(self._requests)
        if self._is_last or under_way >= self._most:
            return None
        if self._opening is not None:
            (domain, lang), self._opening = self._opening, None
            return self._restarted(domain, lang) if self._sid else self._created(domain, lang)
        if not self._sid:
            return None
        taken = self._taken()
        if self._is_closing:
            self._is_last = True
            return wire.request(wire.Body(rid=self._rid, sid=self._sid, type="terminate"), *taken)
        if not taken and (under_way or not self._is_listening):
            return None
        if not taken:
            self._idle = self._rid
        return wire.request(wire.Body(rid=self._rid, sid=self._sid), *taken)

    @property
    def _is_listening(self) -> bool:
        """Whether to ask though there is nothing to say."""
        has_to = self._fill is not None or (self._is_awaited and not self._waiting)
        return has_to and "pause" not in self._timers

    def _created(self, domain: str, lang: str) -> str:
        """A session is asked for (§7.1, XEP-0206 §3)."""
        body = wire.Body(
            rid=self._rid,
            to=domain,
            sender=self._sender or None,
            version=wire.VERSION,
            wait=WAIT,
            hold=HOLD,
            content=wire.CONTENT_TYPE,
            xmpp="1.0",
            lang=lang,
        )
        return wire.request(body)

    def _restarted(self, domain: str, lang: str) -> str:
        """The stream begins anew, the session goes on (XEP-0206 §5)."""
        body = wire.Body(
            rid=self._rid,
            sid=self._sid,
            to=domain,
            sender=self._sender or None,
            lang=lang,
            restart=True,
        )
        return wire.request(body)

    async def _post(self, rid: int, request: Request) -> None:
        """One request, and its answer; or it is broken, and made again: it has its number."""
        import aiohttp

        try:
            data = await self._posted(rid, request.text)
            body = decode(wire.Body, unframe(data.decode(), BODY))
        except (OSError, aiohttp.ClientError) as error:
            self._broke(rid, request, error)
        except (UnicodeDecodeError, StanzaError, StreamError) as error:
            self._fail(StreamError("bad-format", f"no answer of BOSH: {error}"))
        except Exception as error:
            self._fail(error)
        else:
            if body.type == "error":  # §17.3
                self._broke(rid, request, OSError(f"{self._url}: asks to be asked again"))
                return
            self._answers[rid] = body
            self._came.set()
            self._arrived(rid)

    async def _posted(self, rid: int, text: str) -> bytes:
        data = text.encode()
        headers = {"Content-Type": wire.CONTENT_TYPE, "Content-Length": str(len(data))}
        async with (
            asyncio.timeout(self._wait + PATIENCE),
            self._session.post(self._url, data=self._body(rid, data), headers=headers) as answer,
        ):
            return await http.read(answer, BODY.octets)

    async def _body(self, rid: int, data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]
        self._settle(rid)
        if len(self._requests) > HOLD:
            self._later("overdue", OVERDUE, self._fail, OSError(f"{self._url}: no answer"))

    def _settle(self, rid: int) -> None:
        if rid in self._settling:
            self._later(f"settling {rid}", SETTLING, self._arrived, rid)

    def _arrived(self, rid: int) -> None:
        """The server has it, as far as one can know: the next one may go."""
        self._not_later(f"settling {rid}")
        self._settling.discard(rid)
        self.wake()

    def _broke(self, rid: int, request: Request, error: Exception) -> None:
        """Make it again, in a moment: until then it is known whether those before it broke too."""
        if request.tries >= TRIES or isinstance(error, http.HttpError) or self._session.closed:
            self._fail(http.plainly(error))
            return
        request.is_broken = True
        self._settling.add(rid)
        self._settle(rid)

    def _fail(self, error: Exception) -> None:
        self._failed = self._failed or error
        self.wake()

    # --- hearing ---------------------------------------------------------------------

    async def _listen(self) -> None:
        """Hear answers in the order of their requests, until one is the last."""
        while True:
            await self._came.wait()
            self._came.clear()
            while (body := self._answers.pop(self._heard, None)) is not None:
                request = self._requests.pop(self._heard)
                self._not_later("overdue")
                if not self._sid:
                    self._accept(body)
                elif body.sid not in (None, self._sid):
                    raise StreamError("bad-format", "an answer of another session")
                for element in body.elements:
                    if self._end is None:
                        await self._take_checked(element)
                if body.type == "terminate":
                    return self._ended_by(body)
                self._heard += 1
                if self._is_last and self._heard == self._rid:
                    return None
                self._pause(self._heard - 1, request, is_empty=not body.elements)
                self.wake()

    def _pause(self, rid: int, request: Request, *, is_empty: bool) -> None:
        """Before nothing is said, there is a moment to say something; a longer one where the
        server, against what it has said, does not hold requests."""
        lasted = asyncio.get_running_loop().time() - request.began
        is_idle = is_empty and rid == self._idle and not self._requests and lasted < POLLING
        self._later("pause", POLLING if is_idle else TURN, self._go_on)

    def _go_on(self) -> None:
        self._not_later("pause")
        self.wake()

    def _accept(self, body: wire.Body) -> None:
        """The server's answer to who wants a session (§7.2). Raises `StreamError`."""
        if body.type == "terminate":
            return
        if not body.sid:
            raise StreamError("bad-format", "the server gave no session")
        self._sid = body.sid
        self._wait = WAIT if body.wait is None else min(body.wait, WAIT)
        self._most = HOLD + 1 if body.requests is None else min(body.requests, HOLD + 1)
        if body.hold == 0 or self._wait == 0 or self._most <= HOLD:
            raise StreamError("undefined-condition", "the server wants to be asked all the time")

    def _ended_by(self, body: wire.Body) -> None:
        if body.condition is None:
            return self._over("the server has ended the session")
        error = StreamError(CONDITIONS.get(body.condition, "undefined-condition"), body.condition)
        return self._over(str(error), error)


@frozen
class Bosh(Web):
    """By BOSH: at `url`, or where the domain's host-meta says (XEP-0156).

    The certificate has to be for the host of the URL. `proxy` is the URL of an HTTP proxy.
    """

    relation: ClassVar[str] = BOSH

    async def _dial(self, session: aiohttp.ClientSession, url: str) -> FramedLink:
        """Look whether there is something. Its connection is used again."""
        import aiohttp

        try:
            async with session.get(url) as answer:
                if answer.status in (404, 410) or answer.status >= 500:
                    raise http.HttpError(f"{url}: {answer.status} {answer.reason}")
                await answer.content.read(http.MAX_DOCUMENT)  # else it could not be used again
        except (OSError, aiohttp.ClientError, ValueError) as error:
            raise http.plainly(error) from None
        return BoshLink(session, url, is_secure=urlsplit(url).scheme == "https")
