"""What carries one stream: elements go out and come in, whatever is below."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from ..core.errors import StreamError
from ..core.negotiate import FEATURES
from ..core.payload import encode
from ..core.stream import ERROR, Event, Stream, read_error
from ..core.xml import Closed, Element, Limits, Opened
from ..net.connection import Connection, ConnectionEndedError
from ..net.tls import ClientTls, TlsContext, client_context
from .errors import ConnectionFailed

PATIENCE = 30.0  # seconds that a server may take for one step of the log-in
#: Of one element: we have chosen the server, and a roster of many thousands is one element.
LIMITS = Limits(octets=16 << 20, elements=1 << 18)
QUEUED = 100  # elements that may come unasked for before there is a session

Receive = Callable[[Element], Coroutine[Any, Any, None]]
Fill = Callable[[], list[str]]  # stanzas, written for a stream of TCP


class LinkEnded(ConnectionFailed):
    """The connection is over. `cause` is the error of the stream, if the peer told one."""

    def __init__(self, text: str, cause: StreamError | None = None) -> None:
        super().__init__(text)
        self.cause = cause


class Link(Protocol):
    """One connection with one stream on it, after another at log-in.

    First its elements are asked for with `next`; once `deliver` was called they are handed over,
    and `fill` is asked for what to write after each `wake`.
    """

    @property
    def is_secure(self) -> bool:
        """Whether nobody else can read along."""

    @property
    def came(self) -> int:
        """Grows whenever something comes."""

    @property
    def bindings(self) -> Mapping[str, bytes]:
        """What binds a proof to this channel: type -> data (RFC 5056)."""

    async def open(self, domain: str, lang: str, sender: str = "") -> Element:
        """Begin a stream, and again after authentication; the features that the server offers.

        `sender` is who will log in, where that may be said: some are offered for him alone.
        """

    async def next(self) -> Element:
        """The next element. Raises `LinkEnded`, `StreamError`, and `TimeoutError`."""

    def send(self, *payloads: Any) -> None:
        """Send elements, or payloads, before there is a session."""

    async def start_tls(self) -> None:
        """Encrypt. Raises `TlsError`, and `StreamError` where this link cannot."""

    async def deliver(self, receive: Receive, fill: Fill) -> None:
        """Hand over what comes from now on, in order; `receive` may wait, and nothing comes then.

        What has come already is handed over when this returns.
        """

    def wake(self) -> None:
        """There is something for `fill` to give."""

    async def writable(self) -> None:
        """Wait until the peer has not too much to read any more, or is gone."""

    def close(self, error: StreamError | None = None) -> None:
        """End the stream in good order."""

    def abort(self, why: str = "given up") -> None:
        """End it at once, as if the net had gone."""

    async def ended(self) -> LinkEnded:
        """Wait until all is over; why."""


class BaseLink(ABC):
    """What all links do alike with what has come."""

    def __init__(self) -> None:
        self._waiting: deque[Element] = deque()
        self._news = asyncio.Event()
        self._receive: Receive | None = None
        self._fill: Fill | None = None
        self._end: LinkEnded | None = None
        self._running: asyncio.Task[None] | None = None
        self.came = 0  # octets, or elements: grows whenever something comes
        self.stream_id = ""  # as the server says
        self.peer = ""

    def start(self) -> None:
        """Begin to read. The connection must have been made."""
        self._running = asyncio.ensure_future(self._run())

    @abstractmethod
    async def _run(self) -> None:
        """Carry elements until all is over."""

    @abstractmethod
    def wake(self) -> None: ...

    @abstractmethod
    def close(self, error: StreamError | None = None) -> None: ...

    def _over(self, text: str, cause: StreamError | None = None) -> None:
        self._end = self._end or LinkEnded(text, cause)
        self._news.set()

    async def next(self) -> Element:
        await self._until(lambda: bool(self._waiting))
        return self._waiting.popleft()

    async def _until(self, is_there: Callable[[], bool]) -> None:
        """Wait for what the server owes us. Raises as `next` does."""
        async with asyncio.timeout(PATIENCE):
            while not is_there():
                if self._end is not None:
                    raise self._end.cause or self._end
                self._news.clear()
                await self._news.wait()

    async def _features(self) -> Element:
        features = await self.next()
        if features.name != FEATURES:
            raise StreamError("bad-format", "a stream begins with its features")
        return features

    async def deliver(self, receive: Receive, fill: Fill) -> None:
        self._fill = fill
        self.wake()
        while self._waiting:
            await receive(self._waiting.popleft())
        self._receive = receive

    async def ended(self) -> LinkEnded:
        if self._running is not None:
            await asyncio.wait([self._running])
        return self._end or LinkEnded("never begun")

    async def _take_element(self, element: Element) -> None:
        if element.name == ERROR:
            self._over(str(read_error(element)), read_error(element))
            self.close()
        elif self._receive is not None:
            await self._receive(element)
        elif len(self._waiting) >= QUEUED:
            raise StreamError("policy-violation", "the server says too much at once")
        else:
            self._waiting.append(element)
            self._news.set()


class TcpLink(BaseLink):
    """A stream on a TCP connection, with TLS from its beginning or from inside (RFC 6120)."""

    def __init__(
        self, tls: TlsContext | None, *, direct: bool = False, content: str = "jabber:client"
    ) -> None:
        super().__init__()
        self._tls = tls
        self.stream = Stream(content, limits=LIMITS)
        self.connection: Connection[Event] = Connection(
            self._feed, self._handle, self._take, tls=tls if direct else None
        )

    def start(self) -> None:
        self.peer = self.connection.peer_address
        super().start()

    @property
    def is_secure(self) -> bool:
        return self.connection.tls is not None

    @property
    def bindings(self) -> Mapping[str, bytes]:
        return self.connection.tls.channel_bindings() if self.connection.tls else {}

    async def _run(self) -> None:
        try:
            await self.connection.run()
        except StreamError as error:
            self._over(str(error), error)
        except Exception as error:
            self._over(str(error) or type(error).__name__)
            raise
        finally:
            self._over(str(self.connection.error or "the connection was closed"))

    # --- before there is a session ---------------------------------------------------

    async def open(self, domain: str, lang: str, sender: str = "") -> Element:
        if self.stream.ours.name != "IDLE":
            self.stream.restart()
        self.stream.open(to=domain, sender=sender, lang=lang)
        self.connection.wake()
        return await self._features()

    def send(self, *payloads: Any) -> None:
        for one in payloads:
            self.stream.send(one if isinstance(one, Element) else encode(one))
        self.connection.wake()

    async def open_as_component(self, domain: str) -> str:
        """Begin a stream that has no features; its id."""
        self.stream.open(to=domain)
        self.connection.wake()
        await self._until(lambda: bool(self.stream_id))
        return self.stream_id

    async def start_tls(self) -> None:
        if self._tls is None:
            raise StreamError("policy-violation", "this link has no encryption")
        self._waiting.clear()  # whatever was slipped in before the encryption (§5.4.3.3)
        self.connection.start_tls(self._tls)
        self.stream.restart()
        async with asyncio.timeout(PATIENCE):
            try:
                await self.connection.secured()
            except (ConnectionEndedError, OSError) as error:
                raise LinkEnded(str(error)) from None

    # --- with a session --------------------------------------------------------------

    def wake(self) -> None:
        self.connection.wake()

    async def writable(self) -> None:
        await self.connection.writable()

    def close(self, error: StreamError | None = None) -> None:
        if error is None and not self.stream.is_closed:
            self.stream.send_text("".join(self._fill()) if self._fill is not None else "")
        self.stream.close(error)
        self.connection.close()

    def abort(self, why: str = "given up") -> None:
        self.connection.abort(why)

    def _feed(self, data: bytes) -> Sequence[Event]:
        self.came += len(data)
        return self.stream.feed(data)

    def _take(self) -> bytes:
        if self._fill is not None and not self.stream.is_closed and (texts := self._fill()):
            self.stream.send_text("".join(texts))
        return self.stream.take()

    async def _handle(self, event: Event) -> None:
        try:
            if isinstance(event, Element):
                await self._take_element(event)
            elif isinstance(event, StreamError):
                raise event
            elif isinstance(event, Opened):
                self.stream_id = event.root.attrs.get("id", "")
                self._news.set()
            elif isinstance(event, Closed):
                self.close()
        except StreamError as error:
            self._over(str(error), error)
            self.close(error)


async def tls_context(settings: ClientTls) -> TlsContext:
    """A context, made away from the loop: reading the system's authorities takes long."""
    return await asyncio.to_thread(client_context, settings)
