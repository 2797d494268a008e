"""By BOSH: pairs of HTTP requests and answers, where not even WebSocket is let through."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..core.errors import StanzaError, StreamError
from ..core.framing import unframe
from ..core.payload import decode
from ..core.xml import Limits
from ..net import http
from ..net.dns import Resolver, SystemResolver
from ..net.tls import TlsError
from ..wire import bosh as wire
from .account import Account
from .connector import unreachable
from .framed import LIMITS, FramedLink
from .hostmeta import BOSH, discover
from .link import PATIENCE, Link

if TYPE_CHECKING:
    import aiohttp

WAIT = 60  # seconds that the server may hold a request when there is nothing to say
HOLD = 1  # requests that it holds
TRIES = 3  # times that one request is made, when the net breaks meanwhile (XEP-0124 §14.3)
BODY = Limits(octets=2 * LIMITS.octets, elements=4 * LIMITS.elements)  # several elements in it

CONDITIONS = {  # of a body that ends the session (XEP-0124 §17.2) -> of a stream
    "host-gone": "host-gone",
    "host-unknown": "host-unknown",
    "improper-addressing": "improper-addressing",
    "internal-server-error": "internal-server-error",
    "policy-violation": "policy-violation",
    "system-shutdown": "system-shutdown",
}


class BoshLink(FramedLink):
    """One session. Requests are numbered, and their answers are heard in this order (§13)."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *, is_secure: bool) -> None:
        super().__init__(is_secure=is_secure)
        self._session, self._url = session, url
        self._rid = self._heard = secrets.randbelow(1 << 40) + 1  # of what is asked, heard next
        self._answers: dict[int, wire.Body] = {}  # that are not heard yet
        self._asked: set[asyncio.Task[None]] = set()
        self._failed: BaseException | None = None  # why a request had no answer
        self._came = asyncio.Event()
        self._sid = ""
        self._most = 1  # requests that may be under way
        self._opening: tuple[str, str] | None = None  # domain and language of a stream to begin
        self._is_last = False  # nothing may be asked any more

    def _begin(self, domain: str, lang: str) -> None:
        self._opening = (domain, lang)

    async def _carry(self) -> None:
        listening = asyncio.ensure_future(self._listen())
        asking = asyncio.ensure_future(self._ask())
        works = {listening, asking}
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await http.hang_up(self._session)  # which ends requests better than cancelling does
            works |= self._asked
            for task in works:
                task.cancel()
            await asyncio.wait(works)
        failed = [task.exception() for task in (listening, asking) if not task.cancelled()]
        for error in failed:
            if error is not None:
                raise error

    # --- asking ----------------------------------------------------------------------

    async def _ask(self) -> None:
        """Make requests, until one of them fails."""
        while self._failed is None:
            await self._work.wait()
            self._work.clear()
            while self._failed is None and (text := self._request()) is not None:
                task = asyncio.ensure_future(self._post(self._rid, text))
                self._rid += 1
                self._asked.add(task)
                task.add_done_callback(self._asked_one)
        raise self._failed

    def _asked_one(self, task: asyncio.Task[None]) -> None:
        self._asked.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = self._failed or error
            self._work.set()

    def _request(self) -> str | None:
        """The next one, if there is reason for it, and room."""
        under_way = self._rid - self._heard
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
        if not taken and under_way:
            return None
        return wire.request(wire.Body(rid=self._rid, sid=self._sid), *taken)

    def _created(self, domain: str, lang: str) -> str:
        """A session is asked for (§7.1, XEP-0206 §3)."""
        body = wire.Body(
            rid=self._rid,
            to=domain,
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
        body = wire.Body(rid=self._rid, sid=self._sid, to=domain, lang=lang, restart=True)
        return wire.request(body)

    async def _post(self, rid: int, text: str) -> None:
        """One request, made again where the net breaks: it has its number (§14.3)."""
        import aiohttp

        tries = 0
        while True:
            tries += 1
            try:
                data = await self._posted(text)
                break
            except (OSError, aiohttp.ClientError) as error:
                if tries == TRIES or isinstance(error, http.HttpError):
                    raise http.plainly(error) from None
        try:
            self._answers[rid] = decode(wire.Body, unframe(data.decode(), BODY))
        except (UnicodeDecodeError, StanzaError) as error:
            raise StreamError("bad-format", str(error)) from None
        self._came.set()

    async def _posted(self, text: str) -> bytes:
        headers = {"Content-Type": wire.CONTENT_TYPE}
        async with (
            asyncio.timeout(WAIT + PATIENCE),
            self._session.post(self._url, data=text.encode(), headers=headers) as answer,
        ):
            return await http.read(answer, BODY.octets)

    # --- hearing ---------------------------------------------------------------------

    async def _listen(self) -> None:
        """Hear answers in the order of their requests, until one is the last."""
        while True:
            await self._came.wait()
            self._came.clear()
            while (body := self._answers.pop(self._heard, None)) is not None:
                if not self._sid:
                    self._accept(body)
                for element in body.elements:
                    await self._take_checked(element)
                if body.type == "terminate":
                    return self._ended_by(body)
                self._heard += 1
                if self._is_last and self._heard == self._rid:
                    return None
                self._work.set()

    def _accept(self, body: wire.Body) -> None:
        """The server's answer to who wants a session (§7.2). Raises `StreamError`."""
        if body.type == "terminate":
            return
        if not body.sid:
            raise StreamError("bad-format", "the server gave no session")
        if body.hold == 0:
            raise StreamError("undefined-condition", "the server wants to be asked all the time")
        self._sid = body.sid
        self._most = min(body.requests or HOLD + 1, HOLD + 1)

    def _ended_by(self, body: wire.Body) -> None:
        if body.condition is None:
            return self._over("the server has ended the session")
        error = StreamError(CONDITIONS.get(body.condition, "undefined-condition"), body.condition)
        return self._over(str(error), error)


@dataclass(frozen=True, slots=True)
class Bosh:
    """By BOSH: at `url`, or where the domain's host-meta says (XEP-0156).

    The certificate has to be for the host of the URL. `proxy` is the URL of an HTTP proxy.
    """

    url: str = ""
    within: float = 30.0  # seconds to connect
    proxy: str | None = None
    resolver: Resolver = field(default_factory=SystemResolver)

    async def connect(self, account: Account) -> Link:
        settings = account.trust.settings(account.jid.domain, direct=False)
        async with asyncio.timeout(self.within):
            session = await http.session(
                settings, self.resolver, proxy=self.proxy, within=self.within
            )
            try:
                url = await self._find(account, session)
            except BaseException:
                await http.hang_up(session)
                raise
        link = BoshLink(session, url, is_secure=urlsplit(url).scheme == "https")
        link.start()
        return link

    async def _find(self, account: Account, session: aiohttp.ClientSession) -> str:
        """The first address at which somebody answers."""
        encrypted = account.trust.encrypted
        domain = account.jid.domain
        urls = [self.url]
        if not self.url:
            urls = await discover(session, domain, BOSH, encrypted=encrypted)
        reasons: list[Exception] = []
        for url in urls:
            try:
                await _look(session, url)
            except (OSError, TlsError) as error:
                reasons.append(error)
            else:
                return url
        raise unreachable(domain, reasons)


async def _look(session: aiohttp.ClientSession, url: str) -> None:
    """Whether there is something at `url`. Its connection is used again.

    Raises `OSError` and `TlsError`.
    """
    import aiohttp

    try:
        async with session.get(url) as answer:
            if answer.status in (404, 410) or answer.status >= 500:
                raise http.HttpError(f"{url}: {answer.status} {answer.reason}")
            await answer.content.read(http.MAX_DOCUMENT)  # else it could not be used again
    except (OSError, aiohttp.ClientError, ValueError) as error:
        raise http.plainly(error) from None
