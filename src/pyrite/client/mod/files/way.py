"""How two clients find the best connection between them (XEP-0260)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import jingle
from ....wire import socks5 as wire
from ...bytestream import StreamBroken
from ...socks import Listener, Pipe, SocksStream
from .part import Part
from .socks5 import ARRIVING, Socks5, drop, reach

Kind = Literal["direct", "proxy"]


class Way:
    """One attempt: our candidates, those of the other side, and which of them it shall be."""

    def __init__(self, part: Part, socks: Socks5, sid: str, listener: Listener) -> None:
        self._part, self._socks, self.sid = part, socks, sid
        own, peer = part.client.jid, part.peer
        self._name = wire.address(sid, own, peer)  # of our candidates (§2.2)
        self._theirs = wire.address(sid, peer, own)
        self._listener = listener
        self._arriving = listener.expect(self._name)
        self._is_taken = False
        self._own: dict[str, jingle.Candidate] = {}

    async def offer(self, theirs: jingle.Socks5 | None = None) -> jingle.Socks5:
        """Our candidates: addresses of ours that may be told, and the server's proxies.

        None of `theirs` is offered back to them, since a proxy takes two ends of a stream alone.
        """
        client = self._part.client
        known = {(one.host, one.port) for one in theirs.candidates} if theirs is not None else ()
        for index, (host, port) in enumerate(self._listener.ports):
            self._add(host, port, client.jid, "direct", 100 - index)
        for index, proxy in enumerate(await self._socks.proxies()):
            if (proxy.host, proxy.port) not in known:
                self._add(proxy.host, proxy.port, proxy.jid, "proxy", 100 - index)
        own = tuple(self._own.values())
        return jingle.Socks5(self.sid, self._name, "tcp" if theirs is None else None, own)

    def _add(self, host: str, port: int, jid: JID, kind: Kind, local: int) -> None:
        cid = self._part.client.ids()
        rank = jingle.preference(kind, local)
        self._own[cid] = jingle.Candidate(cid, host, jid, rank, port, kind)

    async def connect(self, theirs: jingle.Socks5) -> SocksStream | None:
        """The connection that both sides settle on (§2.4); None if there is none."""
        tried, pipe = await self._try(theirs)
        try:
            stream = await self._settle(tried, pipe)
        except BaseException:
            _drop(pipe)
            raise
        finally:
            if not self._is_taken:
                drop(self._arriving)
        return stream

    async def _try(self, theirs: jingle.Socks5) -> tuple[jingle.Candidate | None, Pipe | None]:
        """The best of their candidates that we reach, and say so."""
        ranked = sorted(theirs.candidates, key=lambda one: -one.priority)[: wire.MAX_HOSTS]
        hosts = tuple(wire.StreamHost(one.jid, one.host, one.port) for one in ranked)
        try:
            used, pipe = await reach(hosts, theirs.dstaddr or self._theirs)
        except StanzaError:
            await self._say(jingle.Socks5(self.sid, is_error=True))
            return None, None
        candidate = ranked[hosts.index(used)]
        await self._say(jingle.Socks5(self.sid, used=jingle.CandidateUsed(candidate.cid)))
        return candidate, pipe

    async def _settle(self, ours: jingle.Candidate | None, pipe: Pipe | None) -> SocksStream | None:
        """Hear what they reach of ours, and take the better one; the initiator's of equals."""
        told = await self._hear(lambda info: info.used is not None or info.is_error)
        theirs = self._own.get(told.used.cid) if told.used is not None else None
        if ours is None and theirs is None:
            return None
        rank = (ours.priority if ours else -1) - (theirs.priority if theirs else -1)
        if ours is not None and pipe is not None:
            if rank > 0 or (rank == 0 and self._part.is_initiator):
                return await self._use(ours, pipe)
            _drop(pipe)
        assert theirs is not None  # noqa: S101 (else ours is taken)
        return await self._provide(theirs)

    async def _use(self, ours: jingle.Candidate, pipe: Pipe) -> SocksStream | None:
        """One of their hosts: a proxy is ready when they say so (§2.4)."""
        if ours.type == "proxy":
            told = await self._hear(lambda info: info.activated is not None or info.is_proxy_error)
            if told.is_proxy_error:
                _drop(pipe)
                return None
        return SocksStream(self._part.peer, pipe)

    async def _provide(self, theirs: jingle.Candidate) -> SocksStream | None:
        """One of our hosts: who has connected to us, or a proxy that we let begin."""
        peer = self._part.peer
        if theirs.type != "proxy":
            try:
                async with asyncio.timeout(ARRIVING):
                    pipe = await asyncio.shield(self._arriving)
                self._is_taken = True
                return SocksStream(peer, pipe)
            except TimeoutError:
                raise StreamBroken("the connection that they use is not here") from None
        proxy = wire.StreamHost(theirs.jid, theirs.host, theirs.port)
        try:
            pipe = await self._socks.through(proxy, self.sid, self._name, peer)
        except StreamBroken:
            await self._say(jingle.Socks5(self.sid, is_proxy_error=True))
            return None
        await self._say(jingle.Socks5(self.sid, activated=jingle.Activated(theirs.cid)))
        return SocksStream(peer, pipe)

    async def _say(self, info: jingle.Socks5) -> None:
        await self._part.say("transport-info", info)

    async def _hear(self, wanted: Callable[[jingle.Socks5], bool]) -> jingle.Socks5:
        while True:
            info = (await self._part.next("transport-info")).content.transport
            if isinstance(info, jingle.Socks5) and info.sid == self.sid and wanted(info):
                return info


def _drop(pipe: Pipe | None) -> None:
    if pipe is not None:
        pipe[1].transport.abort()
