"""Streams in stanzas, which every server lets through (XEP-0047)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Self

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Message
from ....kit.cache import Cache
from ....wire import ibb
from ...bytestream import MOST_STREAMS, READ, Buffer, StreamBroken
from ...doors import Door
from ...errors import ClientError
from ...feature import Feature, Request, opens, serves
from ...heard import Heard

if TYPE_CHECKING:
    from ...entity import Entity

BLOCK = 4096  # octets of a block, as we propose it
LEAST = 256  # and the least that we agree to
MOST_BLOCK = 2**16 - 1  # the most that anybody may propose (§2.1)
BUFFERED = 256 * 1024  # octets of one stream that wait to be read
CLOSING = 5.0  # seconds for the other side to take the end well
ROOM = 20.0  # seconds in which the program has to read, then the stream ends
MOST_BLOCKS = 16  # of one stream that wait for room; who sends may not have more on its way


class IbbStream:
    """One stream: ``async with`` closes it."""

    def __init__(self, owner: Ibb, peer: JID, sid: str, block: int) -> None:
        self.peer, self.sid, self.block = peer, sid, block
        self._owner = owner
        self._buffer = Buffer(BUFFERED)
        self._sent = self._heard = 0  # numbers of the next blocks
        self._writing, self._taking = asyncio.Lock(), asyncio.Lock()
        self._waiting = 0  # blocks that came and wait for room

    async def read(self, most: int = READ) -> bytes:
        """What has come, ``b""`` at the end. Raises `StreamBroken`."""
        return await self._buffer.take(most)

    async def write(self, data: bytes) -> None:
        """Send, block by block: each is answered before the next (§2.2)."""
        async with self._writing:
            for start in range(0, len(data), self.block):
                if self._buffer.is_ended:
                    raise StreamBroken("the stream is closed")
                block = ibb.Data(self.sid, self._sent, data[start : start + self.block])
                self._sent = (self._sent + 1) % ibb.NUMBERS
                try:
                    await self._owner.client.request(block, self.peer, type="set")
                except (StanzaError, TimeoutError, ClientError) as error:
                    await self._fail(f"a block was not taken: {error}")
                    raise StreamBroken(f"a block was not taken: {error}") from error

    async def close(self) -> None:
        """Say that it is over, if it is not (§2.3)."""
        if not self._owner.forget(self):
            return
        self._buffer.end()
        try:
            close = ibb.Close(self.sid)
            await self._owner.client.request(close, self.peer, type="set", within=CLOSING)
        except (StanzaError, TimeoutError, ClientError):
            return  # the other side knows no such stream any more, which is what was wanted

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- for `Ibb` -------------------------------------------------------------------

    def check(self, data: ibb.Data) -> None:
        """Is it the next block, and of a size that was agreed? Raises `StanzaError`."""
        if data.seq != self._heard:
            raise StanzaError("unexpected-request", f"{self._heard} is next", type="cancel")
        if len(data.data) > self.block:
            raise StanzaError("bad-request", f"a block has {self.block} octets", type="cancel")
        if self._waiting >= MOST_BLOCKS:
            raise StanzaError("resource-constraint", "too much is on its way", type="cancel")
        self._heard = (self._heard + 1) % ibb.NUMBERS

    def take_now(self, data: bytes) -> bool:
        """Keep it to be read; False if there is no room just now."""
        return self._waiting == 0 and self._buffer.put_now(data)

    def queue(self) -> None:
        """A block is about to be taken: nothing that comes later may overtake it."""
        self._waiting += 1

    async def take(self, data: bytes) -> bool:
        """As `take_now`, of a block in the queue, when its turn has come; False if nobody reads."""
        try:
            async with self._taking:
                return await self._buffer.put(data, ROOM)
        finally:
            self._waiting -= 1

    async def taken(self) -> None:
        """Wait until nothing waits that came before."""
        if self._waiting:
            async with self._taking:
                return

    def end(self, error: Exception | None = None) -> None:
        """The other side has closed it, or it is broken."""
        self._owner.forget(self)
        self._buffer.end(error)

    async def _fail(self, why: str) -> None:
        self._buffer.end(StreamBroken(why))
        await self.close()


class Ibb(Feature):
    """In-band bytestreams, both ways."""

    spec = ibb.SPEC
    features = (ibb.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._streams: dict[tuple[JID, str], IbbStream] = {}
        self._expected: dict[tuple[JID, str], tuple[asyncio.Future[IbbStream], int]] = {}
        self._closed: Cache[tuple[JID, str], bool] = Cache(MOST_STREAMS)
        self._door: Door[IbbStream] = Door()

    async def begin(self) -> None:
        """Streams end with the session that carried them."""
        self._break("the session was lost")

    def stop(self) -> None:
        self._break("the client was closed")
        self._door.end()

    async def open(self, to: JID | str, sid: str | None = None, block: int = BLOCK) -> IbbStream:
        """A stream to the client `to` (full JID). Raises `StanzaError` if it is refused, or there.

        Where the other side wants smaller blocks, they are halved (§2.1).
        """
        to = JID.parse(to) if isinstance(to, str) else to
        self._check_room()
        stream = IbbStream(self, to, sid or self.client.ids(), block)
        key = to, stream.sid
        if key in self._streams:
            raise StanzaError("conflict", "there is such a stream already")
        self._streams[key] = stream  # the other side may write before we see its answer
        try:
            while True:
                try:
                    request = ibb.Open(stream.sid, stream.block, "iq")
                    await self.client.request(request, to, type="set")
                    return stream
                except StanzaError as error:
                    if error.condition != "resource-constraint" or stream.block // 2 < LEAST:
                        raise
                    stream.block //= 2
        except BaseException:
            self._streams.pop(key, None)
            raise

    def streams(self) -> Heard[IbbStream]:
        """Streams that others open, from now on; without anybody here they are refused."""
        return self._door.listen()

    def expect(self, peer: JID, sid: str, block: int = MOST_BLOCK) -> asyncio.Future[IbbStream]:
        """The stream that `peer` is about to open, as was agreed in another way.

        `block` is the most that a block of it may have. Raises `StanzaError` if another stream
        of that name is expected, or there.
        """
        key = peer, sid
        known = self._expected.get(key)
        if key in self._streams or (known is not None and not known[0].done()):
            raise StanzaError("conflict", "there is such a stream already")
        expected: asyncio.Future[IbbStream] = asyncio.get_running_loop().create_future()
        self._expected[key] = expected, block
        expected.add_done_callback(lambda _: self._expect_no_more(key, expected))
        return expected

    def _expect_no_more(self, key: tuple[JID, str], one: asyncio.Future[IbbStream]) -> None:
        if self._expected.get(key, (None, 0))[0] is one:
            del self._expected[key]

    def forget(self, stream: IbbStream) -> bool:
        """It is over; False if it was before."""
        key = stream.peer, stream.sid
        if self._streams.pop(key, None) is None:
            return False
        self._closed.put(key, True)
        return True

    @serves("set", ibb.Open)
    def opened(self, request: Request[ibb.Open]) -> None:
        """Somebody opens a stream: taken if it is expected, or anybody listens (§2.1)."""
        peer, wanted = _peer(request.sender, self.client.jid), request.payload
        key = peer, wanted.sid
        expected, most = self._expected.get(key, (None, MOST_BLOCK))
        if expected is not None and expected.done():
            expected, most = None, MOST_BLOCK
        if expected is None and not self._door.is_open:
            raise StanzaError("not-acceptable", "no stream is expected", type="cancel")
        if key in self._streams:
            raise StanzaError("not-acceptable", "there is such a stream already", type="cancel")
        if wanted.block_size > most:  # more than was agreed (XEP-0261 §2.2)
            raise StanzaError("resource-constraint", f"a block has {most} octets", type="modify")
        self._check_room()
        stream = self._streams[key] = IbbStream(self, peer, wanted.sid, wanted.block_size)
        if expected is not None:
            expected.set_result(stream)
        else:
            self._door.give(stream)

    @serves("set", ibb.Data, apart=True)
    def arrived(self, request: Request[ibb.Data]) -> Coroutine[Any, Any, None] | None:
        """A block; its answer waits for room, and so does the sender (§2.2)."""
        stream, data = self._stream(request.sender, request.payload.sid), request.payload
        try:
            stream.check(data)
        except StanzaError as error:
            stream.end(StreamBroken(str(error)))
            raise
        if stream.take_now(data.data):
            return None
        stream.queue()
        return self._wait(stream, data.data)

    async def _wait(self, stream: IbbStream, data: bytes) -> None:
        if not await stream.take(data):
            stream.end(StreamBroken("what came was not read in time"))
            raise StanzaError("resource-constraint", "nobody reads here")

    @opens(ibb.Data)
    def came_in_message(self, message: Message) -> bool:
        """As `arrived`, from who sends messages: those cannot wait, so they may break it."""
        data = message.get(ibb.Data)
        if data is None or message.type == "error":
            return True
        try:
            stream = self._stream(message.sender, data.sid)
        except StanzaError:
            return True
        try:
            stream.check(data)
        except StanzaError as error:
            stream.end(StreamBroken(str(error)))
            return True
        if not stream.take_now(data.data):
            stream.end(StreamBroken("more came than was read"))
        return True

    @serves("set", ibb.Close, apart=True)
    async def closed(self, request: Request[ibb.Close]) -> None:
        """The other side has said all (§2.3); maybe just when we have closed it ourselves."""
        key = _peer(request.sender, self.client.jid), request.payload.sid
        if key not in self._streams and self._closed.get(key):
            return
        stream = self._stream(*key)
        await stream.taken()
        stream.end()

    def _stream(self, sender: JID | None, sid: str) -> IbbStream:
        stream = self._streams.get((_peer(sender, self.client.jid), sid))
        if stream is None:
            raise StanzaError("item-not-found", "no such stream")
        return stream

    def _check_room(self) -> None:
        if len(self._streams) >= MOST_STREAMS:
            raise StanzaError("not-acceptable", f"{MOST_STREAMS} streams are open", type="cancel")

    def _break(self, why: str) -> None:
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.end(StreamBroken(why))
        for expected, _ in tuple(self._expected.values()):
            expected.cancel()


def _peer(sender: JID | None, own: JID) -> JID:
    return own.bare if sender is None else sender
