"""One client's connection: what is read goes its way, what is queued is written."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...core.negotiate import Phase
from ...core.payload import encode
from ...core.stanza import KINDS, read
from ...core.stream import ERROR, Event, Stream
from ...core.xml import Closed, Element, Opened
from ...kit import log as kit_log
from ...kit.tasks import ScopeFullError
from ...net.connection import Connection
from ...net.tls import TlsContext
from ...wire.acks import Ack
from ..session import Session
from .entry import Entry

if TYPE_CHECKING:
    from ..app import Server
    from ..hosts import Host

log = logging.getLogger(__name__)

SILENT = "connection-timeout"
RELAX = 1.0  # seconds of silence after which a stream's parser is let go


class ClientConnection:
    """One client's stream, and its session once there is one.

    Until then an `Entry` talks to the client; with the session it is gone.
    """

    __slots__ = (
        *("connection", "context", "entry", "host", "is_leaving", "jid", "lang", "leaving"),
        *("pinged", "server", "session", "stream"),
    )

    def __init__(self, server: Server, context: TlsContext, *, direct: bool) -> None:
        self.server = server
        self.context = context
        self.stream = Stream(limits=server.settings.limits.before_authentication())
        self.stream.sender, self.stream.id = server.default_domain, server.ids()
        self.connection: Connection[Event] = Connection(
            feed=self.stream.feed,
            handle=self._handle,
            fill=self._fill,
            tls=context if direct else None,
            rate=server.settings.limits.reading(),
        )
        self.host: Host | None = None
        self.jid: JID | None = None  # the account, once authenticated
        self.entry: Entry | None = Entry(self, Phase.SECURE if direct else Phase.PLAIN)
        self.session: Session | None = None
        self.is_leaving = False  # the session ends with this connection
        self.leaving: asyncio.Task[None] | None = None  # tells others that the session is gone
        self.lang: str | None = None
        self.pinged = False

    async def run(self) -> None:
        """Serve the client until its connection is over."""
        limits = self.server.settings.limits
        self.connection.set_deadline(limits.negotiation, self._too_slow)
        self.server.listeners.connections.add(self)
        kit_log.bind(address=self.connection.peer_address)
        try:
            await self.connection.run()
        finally:
            self.server.listeners.connections.discard(self)
            if self.entry:
                self.entry.abort()
            if self.session:
                await self._part(self.session)
            if self.leaving:
                await asyncio.wait([self.leaving])
            self._let_go()

    def _let_go(self) -> None:
        """Forget who knows us: no garbage collector has to find out that all of it is over."""
        self.session = self.entry = self.leaving = None

    async def _part(self, session: Session) -> None:
        """The connection is over: so is the session, unless its client may come back."""
        if self.is_leaving or not self._keeps():
            await self.server.part(session)
        else:
            self.server.resumption.detach(session)

    # --- events ----------------------------------------------------------------------

    async def _handle(self, event: Event) -> None:
        try:
            if self.session is not None and event.__class__ is Element:
                return await self._stanza(event, self.session)
            await self._converse(event)
        except StreamError as error:
            if isinstance(event, Element) and event.name == ERROR:
                self.closed()  # the client's last word; an error is not answered with one
            else:
                self.end(error)
        except Exception:
            log.exception("client connection failed: %s", self.jid or self.connection.peer_address)
            self.end(StreamError("internal-server-error"))
        return self.connection.wake()

    async def _converse(self, event: Event) -> None:
        """Take what is no stanza of a session."""
        match event:
            case Opened(header) if self.entry is not None:
                self.entry.opened(header)
            case Element() if self.entry is not None:
                await self.entry.take(event)
            case Closed():
                self.closed()
            case StreamError():
                raise event

    async def _stanza(self, element: Element, session: Session) -> None:
        """Take a stanza of a bound session (§8.1.2.1: its sender is who it says it is)."""
        if session.ended is not None:
            return
        if element.name not in KINDS:
            await session.host.take_nonza(element, session)
            return
        try:
            stanza = read(element)
        except StanzaError as error:
            self.server.router.refuse_unread(element, error, session)
            return
        claimed = stanza.sender
        if claimed is not None and claimed != session.jid and claimed != session.jid.bare:
            raise StreamError("invalid-from", "a stanza in somebody else's name")
        stanza.sender = session.jid  # fresh: nobody else has seen it yet
        if stanza.lang is None:
            stanza.lang = session.lang
        await self.server.router.receive(stanza, session)
        if session.debts is not None and session.debts.is_full:
            await session.debts.room()

    async def _hear(self, heard: asyncio.Future[None]) -> None:
        """Wait, in a handler, for what the client acknowledges."""
        await self.connection.hear(self._overhear, heard)

    def _overhear(self, event: Event) -> bool:
        """Take acknowledgements out of their turn: a handler waits for them."""
        acks = self.session.acks if self.session is not None else None
        if acks is None or event.__class__ is not Element or self.connection.is_closing:
            return False
        try:
            return acks.overhear(event)
        except StreamError as error:
            self.end(error)
            return True

    # --- the end ---------------------------------------------------------------------

    def closed(self) -> None:
        """The client said goodbye: so do we, once what it is still to hear is written (§4.4)."""
        self._flush_last()
        self._tell_last()
        self.stream.close()
        self.connection.close()
        self._leave()

    def end(self, error: StreamError) -> None:
        """Say why, and hang up. What is queued is written first, if the client reads.

        A session that may be resumed outlives silence.
        """
        if not self.stream.is_closed:
            self.server.listeners.tell(error, self)
        if self.session is None or self.session.acks is None:
            self._flush_last()
        self._tell_last()
        self.stream.close(error)
        self.connection.close()
        if not (error.condition == SILENT and self._keeps()):
            self._leave()

    def _tell_last(self) -> None:
        """What the client has sent in vain, it may send again: it need not guess (XEP-0198 §4)."""
        acks = self.session.acks if self.session else None
        if acks is not None and not self.stream.is_closed:
            self.stream.send(encode(Ack(acks.handled)))

    def _keeps(self) -> bool:
        return self.session is not None and self.server.resumption.keeps(self.session)

    def _leave(self) -> None:
        """From now on the session is nobody's to send to, whenever the peer lets go of the socket.

        Else what comes for it would pile up until then.
        """
        self.is_leaving = True
        if self.session is not None and self.leaving is None:
            with suppress(ScopeFullError):  # then `run` does it, a little later
                self.leaving = self.server.scope.start(self.server.unbind(self.session))

    # --- its session -----------------------------------------------------------------

    def attach(self, session: Session) -> None:
        """From now on this connection is the session's: it reads for it and writes its queue."""
        session.address = self.connection.peer_address
        session.secure = self.connection.tls is not None
        session.wake, session.drain = self.connection.wake, self.connection.flush
        session.writable = self.connection.writable
        session.hear = self._hear
        session.on_end, session.hand_over = self._session_ended, self._hand_over
        session.lang = self.lang
        self.session, self.entry = session, None
        self.server.resumption.attached(session)
        kit_log.bind(session=session.jid)
        if session.ended is not None:  # somebody else took the resource meanwhile
            self._session_ended()
        if not self.stream.is_closed:
            self.connection.clear_deadline()
        elif not self._keeps():  # it took too long
            self._leave()

    def _session_ended(self) -> None:
        ended = self.session.ended if self.session else None
        self.end(ended or StreamError("reset"))

    async def _hand_over(self) -> None:
        """The session goes on with another connection, once this one has done what it does."""
        if self.session is not None:
            session, self.session = self.session, None
            self.server.resumption.detach(session)
            self.end(StreamError("conflict", "the session is resumed by another connection"))
        await self.connection.idle()

    # --- time ------------------------------------------------------------------------

    def _too_slow(self) -> None:
        self.end(StreamError("connection-timeout", "negotiation took too long"))

    def relax(self, now: float) -> bool:
        """Let go of what a silent client does not need; whether there was any such thing."""
        return now - self.connection.last_read >= RELAX and self.stream.relax()

    def sweep(self, now: float) -> None:
        """Ask a silent client whether it is there, and give up on one that stays silent.

        `now` is the loop's time, in seconds. Called every few seconds.
        """
        session = self.session
        if session is None or self.connection.is_closing:
            return
        if session.acks is not None:
            session.acks.sweep()
        limits = self.server.settings.limits
        silent = now - self.connection.last_read
        if silent < limits.ping_after:
            self.pinged = False
        elif not self.pinged:
            self.pinged = True
            self.server.ping(session)
        elif silent >= limits.ping_after + limits.ping_timeout:
            error = StreamError(SILENT, "no answer to a ping")
            self.end(error) if self._keeps() else session.end(error)

    # --- writing ---------------------------------------------------------------------

    def _flush_last(self) -> None:
        """Of a client that does not read, what is queued is better kept than written."""
        if not self.connection.is_full:
            self._flush()

    def _flush(self) -> None:
        session = self.session
        if session is not None and session.queue and not self.stream.is_closed:
            self.stream.send_text("".join([stanza.write() for stanza in session.take()]))

    def _fill(self) -> bytes:
        """What there is to write now."""
        self._flush()
        return self.stream.take()
