"""Files from client to client: offered, accepted, and sent by the best way there is (XEP-0234)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import disco, hashes, jingle
from ... import socks
from ...bytestream import ByteStream, StreamBroken
from ...doors import Door
from ...feature import Feature, Request, serves
from ...heard import Heard
from ...transfer import (
    CHUNK,
    Progress,
    Sink,
    Source,
    TooLarge,
    TransferFailed,
    TransferRefused,
    described,
)
from .ibb import BLOCK, Ibb
from .session import ANSWERING, STEP, Session, State
from .socks5 import Socks5
from .way import Way

if TYPE_CHECKING:
    from ...entity import Entity

MOST = 100 * 1024 * 1024  # octets that are accepted, unless the program says so
MOST_OFFERS = 20  # sessions at once
STALLED = 60.0  # seconds in which nothing comes


class Offer:
    """A file that somebody wants to send. `name` is for people, and never a path."""

    def __init__(self, files: Files, session: Session, content: jingle.Content) -> None:
        described = content.description.file if content.description is not None else None
        self.file = described or jingle.File()
        self._files, self._session, self._transport = files, session, content.transport

    @property
    def peer(self) -> JID:
        """Who offers it (full)."""
        return self._session.peer

    @property
    def name(self) -> str | None:
        return self.file.name

    @property
    def size(self) -> int | None:
        """Octets, if the other side says so."""
        return self.file.size

    async def accept(
        self, path: Path | str, *, most: int = MOST, progress: Progress | None = None
    ) -> Path:
        """Have it, as a new file at `path`: there when all is as announced, else not at all.

        Raises `TooLarge`, `TransferFailed`, `TransferRefused`, `FileExistsError`, `OSError`.
        """
        path = Path(path)
        used = self.file.hash_used
        try:
            sink = Sink(path, self.size, most, self.file.hashes, used.algo if used else None)
            async with sink, self._files.ending(self._session):
                async with self._files.accepted(self._session, self._transport, self.file) as way:
                    await self._receive(way, sink, progress)
                await sink.check(await self._checksum(sink))
                await self._session.end(jingle.Reason(success=True))
        except TooLarge:
            await self._session.end(jingle.Reason(media_error=True, file_too_large=True))
            raise
        finally:
            self._files.forget(self._session)
        return path

    async def decline(self) -> None:
        """Say that it is not wanted."""
        await self._session.end(jingle.Reason(decline=True))
        self._files.forget(self._session)

    async def _receive(self, way: ByteStream, sink: Sink, progress: Progress | None) -> None:
        while self.size is None or sink.done < self.size:
            async with asyncio.timeout(STALLED):
                chunk = await way.read(CHUNK)
            if not chunk:
                break
            await sink.write(chunk)
            if progress is not None:
                progress(sink.done, self.size)

    async def _checksum(self, sink: Sink) -> tuple[hashes.Hash, ...]:
        """The hash that is told at the end, if one was promised (§8.1)."""
        if self.file.hash_used is None or self.file.hashes or sink.done != self.size:
            return ()
        if self._session.checksum is None:
            await self._session.next("session-info")
        told = self._session.checksum
        return told.file.hashes if told is not None else ()


class Files(Feature):
    """Jingle file transfer, over connections of their own where there is a way, else in stanzas."""

    spec = jingle.SPEC_FILES
    features = (jingle.NS, jingle.NS_FILES, jingle.NS_SOCKS5, jingle.NS_IBB, *hashes.FEATURES)
    needs = (Ibb, Socks5)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._sessions: dict[tuple[JID, str], Session] = {}
        self._door: Door[Offer] = Door()

    async def begin(self) -> None:
        """Sessions end with the one that carried them."""
        self._lose()

    def stop(self) -> None:
        self._lose()
        self._door.end()

    def _lose(self) -> None:
        for session in self._sessions.values():
            session.lose()
        self._sessions.clear()

    def offers(self) -> Heard[Offer]:
        """What others offer, from now on; without anybody here it is declined."""
        return self._door.listen()

    def forget(self, session: Session) -> None:
        """It is over."""
        self._sessions.pop((session.peer, session.sid), None)

    # --- sending ---------------------------------------------------------------------

    async def send(
        self, path: Path | str, to: JID | str, *, progress: Progress | None = None
    ) -> None:
        """Offer the file at `path` to the client `to` (full JID), and send it once it is accepted.

        It has arrived whole when this returns. Raises `TransferRefused`, `TransferFailed`,
        `StanzaError`, `OSError`; cancelling it calls it off.
        """
        path, to = Path(path), JID.parse(to) if isinstance(to, str) else to
        features = (await self.client.request(disco.Info(), to, expect=disco.Info)).vars
        if jingle.NS_FILES not in features:
            raise TransferRefused(f"{to} takes no files in this way")
        told = await described(path)
        file = jingle.File(
            told.date, None, told.media_type, told.name, jingle.Range(), told.size, told.hashes
        )
        session = self._new(to, self.client.ids(), "file", is_initiator=True)
        try:
            async with self.ending(session):
                await self._send(session, path, file, jingle.NS_SOCKS5 in features, progress)
        finally:
            self.forget(session)

    async def _send(
        self,
        session: Session,
        path: Path,
        file: jingle.File,
        with_socks: bool,
        progress: Progress | None,
    ) -> None:
        about = jingle.Description(file)
        async with socks.listening(self.client[Socks5].addresses) as listener:
            way = Way(session, self.client[Socks5], self.client.ids(), listener)
            first = await way.offer() if with_socks else jingle.Ibb(way.sid, BLOCK)
            await session.say("session-initiate", first, about)
            answer = await session.next("session-accept", within=ANSWERING)
            content = answer.contents[0] if answer.contents else None
            stream: ByteStream | None = None
            if content is not None and isinstance(content.transport, jingle.Socks5):
                stream = await way.connect(content.transport)
            if stream is None:
                stream = await self._in_stanzas(session, content, way.sid, replace=with_socks)
        async with stream, Source(path, file.size or 0) as source:
            while chunk := await source.read(CHUNK):
                await stream.write(chunk)
                if progress is not None:
                    progress(source.done, file.size)
        await self._arrived(session)

    async def _in_stanzas(
        self, session: Session, content: jingle.Content | None, sid: str, *, replace: bool
    ) -> ByteStream:
        """The way of last resort (XEP-0260 §3, XEP-0261)."""
        if replace:
            sid = self.client.ids()
            await session.say("transport-replace", jingle.Ibb(sid, BLOCK))
            answer = await session.next("transport-accept", "transport-reject")
            if answer.action == "transport-reject":
                raise TransferFailed("there is no way between us")
            content = answer.contents[0] if answer.contents else None
        block = BLOCK
        if content is not None and isinstance(content.transport, jingle.Ibb):
            block = min(BLOCK, content.transport.block_size or BLOCK)
        return await self.client[Ibb].open(session.peer, sid, block)

    async def _arrived(self, session: Session) -> None:
        """Wait until the other side has ended it, and hear how."""
        with suppress(TransferRefused):
            await session.next("session-terminate")
        if session.reason is None or not session.reason.success:
            session.check()
            raise TransferFailed("it did not arrive")

    # --- receiving -------------------------------------------------------------------

    @serves("set", jingle.Jingle)
    def step(self, request: Request[jingle.Jingle]) -> None:
        """A step of the other side's (XEP-0166 §7)."""
        peer, step = request.sender, request.payload
        if peer is None:
            raise StanzaError("bad-request", "a session with whom?")
        session = self._sessions.get((peer, step.sid))
        if step.action == "session-initiate":
            if session is not None:
                raise jingle.out_of_order()
            self._initiated(peer, step)
        elif session is None:
            raise jingle.unknown_session()
        else:
            session.hear(step)
            if session.state is State.ENDED:
                self.forget(session)  # who waits for it still has it

    def _initiated(self, peer: JID, step: jingle.Jingle) -> None:
        if len(step.contents) != 1:
            raise StanzaError("bad-request", "one file in one session")
        content = step.contents[0]
        session = self._new(peer, step.sid, content.name, is_initiator=False)
        refusal = None
        if content.description is None or content.description.file is None:
            refusal = jingle.Reason(unsupported_applications=True)
        elif content.transport is None:
            refusal = jingle.Reason(unsupported_transports=True)
        elif content.senders != "initiator" or not self._door.is_open:
            refusal = jingle.Reason(decline=True)
        if refusal is not None:
            self.forget(session)
            self.client.start(session.end(refusal))
        else:
            self._door.give(Offer(self, session, content))

    def _new(self, peer: JID, sid: str, content: str, *, is_initiator: bool) -> Session:
        if len(self._sessions) >= MOST_OFFERS:
            raise StanzaError("resource-constraint", f"{MOST_OFFERS} sessions are open")
        session = Session(self.client, peer, sid, content, is_initiator=is_initiator)
        self._sessions[peer, sid] = session
        return session

    @asynccontextmanager
    async def accepted(
        self, session: Session, transport: jingle.Socks5 | jingle.Ibb | None, file: jingle.File
    ) -> AsyncIterator[ByteStream]:
        """The stream in which an accepted file comes."""
        about = jingle.Description(file)
        stream: ByteStream | None = None
        if isinstance(transport, jingle.Socks5):
            async with socks.listening(self.client[Socks5].addresses) as listener:
                way = Way(session, self.client[Socks5], transport.sid, listener)
                await session.accept(await way.offer(), about)
                stream = await way.connect(transport)
            if stream is None:
                answer = await session.next("transport-replace")
                other = answer.contents[0].transport if answer.contents else None
                stream = await self._fall_back(session, other)
        elif transport is not None:
            stream = await self._expected(session, transport, about)
        if stream is None:
            raise TransferFailed("there is no way between us")
        async with stream:
            yield stream

    async def _fall_back(
        self, session: Session, other: jingle.Socks5 | jingle.Ibb | None
    ) -> ByteStream:
        if not isinstance(other, jingle.Ibb):
            await session.end(jingle.Reason(unsupported_transports=True))
            raise TransferFailed("there is no way between us")
        return await self._expected(session, other, None)

    async def _expected(
        self, session: Session, transport: jingle.Ibb, about: jingle.Description | None
    ) -> ByteStream:
        """Take a stream in stanzas, which the initiator opens (XEP-0261 §2)."""
        expected = self.client[Ibb].expect(session.peer, transport.sid)
        try:
            if about is not None:
                await session.accept(transport, about)
            else:
                await session.say("transport-accept", transport)
            async with asyncio.timeout(STEP):
                return await expected
        finally:
            expected.cancel()

    @asynccontextmanager
    async def ending(self, session: Session) -> AsyncIterator[None]:
        """Whatever goes wrong in the block, the other side is told that it is over."""
        try:
            yield
        except (StreamBroken, TransferFailed, TimeoutError) as error:
            session.check_reason()
            await session.end(jingle.Reason(failed_transport=True))
            if isinstance(error, TransferFailed):
                raise
            raise TransferFailed(str(error) or "nothing comes any more") from error
        except BaseException:
            self.client.start(session.end(jingle.Reason(cancel=True)))
            raise
