"""What carries one file: a connection of its own, or else stanzas (XEP-0260 §3, XEP-0261)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from ....wire import jingle
from ... import socks
from ...bytestream import ByteStream
from ...transfer import NoWay
from .ibb import BLOCK, Ibb, IbbStream
from .part import STEP, Part, Transport
from .socks5 import Socks5
from .way import Way


class Carriage:
    """One file's stream, from the first proposal on. ``async with`` ends what it began.

    Whichever way the file goes, the session's initiator opens streams in stanzas, and replaces
    connections that cannot be made.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self._socks, self._ibb = part.client[Socks5], part.client[Ibb]
        self._way: Way | None = None
        self._expected: asyncio.Future[IbbStream] | None = None
        self._sid = ""  # of the stream in stanzas
        self._listening = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._expected is not None:
            self._expected.cancel()
        await self._listening.aclose()

    async def propose(self, *, with_socks: bool) -> Transport:
        """What we should like."""
        sid = self._part.client.ids()
        if with_socks:
            return await (await self._socks_way(sid)).offer()
        return self._stanzas(sid, BLOCK)

    async def answer(self, theirs: Transport) -> Transport:
        """What we say to what they should like."""
        if isinstance(theirs, jingle.Socks5):
            return await (await self._socks_way(theirs.sid)).offer(theirs)
        return self._stanzas(theirs.sid, theirs.block_size or BLOCK)

    async def settle(self, theirs: Transport | None) -> ByteStream:
        """The stream, as both sides want it. Raises `NoWay`, `TransferFailed`, `StreamBroken`."""
        stream: ByteStream | None = None
        if isinstance(theirs, jingle.Socks5) and self._way is not None:
            stream = await self._way.connect(theirs)
            await self._listening.aclose()
            if stream is None:
                stream = await self._fall_back()
        elif isinstance(theirs, jingle.Ibb) and self._way is None:
            stream = await self._in_stanzas(theirs)
        if stream is None:
            raise NoWay("there is no way between us")
        return stream

    async def _socks_way(self, sid: str) -> Way:
        listener = await self._listening.enter_async_context(socks.listening(self._socks.addresses))
        self._way = Way(self._part, self._socks, sid, listener)
        return self._way

    def _stanzas(self, sid: str, block: int) -> jingle.Ibb:
        self._sid = sid
        if not self._part.is_initiator:
            self._expected = self._ibb.expect(self._part.peer, sid, block)
        return jingle.Ibb(sid, block)

    async def _in_stanzas(self, theirs: jingle.Ibb) -> ByteStream:
        if self._expected is None:
            block = min(BLOCK, theirs.block_size or BLOCK)
            return await self._ibb.open(self._part.peer, self._sid, block)
        async with asyncio.timeout(STEP):
            return await self._expected

    async def _fall_back(self) -> ByteStream | None:
        """The way of last resort (XEP-0260 §3)."""
        if self._part.is_initiator:
            ours = self._stanzas(self._part.client.ids(), BLOCK)
            await self._part.say("transport-replace", ours)
            step = await self._part.next("transport-accept", "transport-reject")
            theirs = step.content.transport
            if step.action == "transport-reject" or not isinstance(theirs, jingle.Ibb):
                return None
            return await self._in_stanzas(theirs)
        theirs = (await self._part.next("transport-replace")).content.transport
        if not isinstance(theirs, jingle.Ibb):
            if theirs is not None:
                await self._part.say("transport-reject", theirs)
            return None
        ours = self._stanzas(theirs.sid, theirs.block_size or BLOCK)
        await self._part.say("transport-accept", ours)
        return await self._in_stanzas(ours)
