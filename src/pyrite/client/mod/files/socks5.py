"""Streams over connections of their own, direct or through a proxy (XEP-0065)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....net.dial import race
from ....wire import socks5
from ... import socks
from ...bytestream import MOST_STREAMS, StreamBroken
from ...doors import Door
from ...errors import ClientError
from ...feature import Feature, Request, serves
from ...heard import Heard
from ...services import services
from ...socks import Pipe, SocksStream

if TYPE_CHECKING:
    from ...entity import Entity

CHOOSING = 20.0  # seconds in which we find a host that we can reach
ARRIVING = 10.0  # seconds for a connection that was announced to be here
MOST_PROXIES = 3

Reached = tuple[socks5.StreamHost, Pipe]


class Socks5(Feature):
    """SOCKS5 bytestreams, both ways.

    `addresses` are those of this machine that others may be told; by default none is, and
    streams go through the server's proxy. Who connects to the host of somebody else is seen there.
    """

    spec = socks5.SPEC
    features = (socks5.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.addresses: tuple[str, ...] = ()
        self._proxies: list[socks5.StreamHost] | None = None
        self._expected: dict[tuple[JID, str], asyncio.Future[SocksStream]] = {}
        self._connecting: set[asyncio.Future[Reached]] = set()
        self._door: Door[SocksStream] = Door()

    async def begin(self) -> None:
        """What an older session knew of services may have changed."""
        self._proxies = None

    def stop(self) -> None:
        for expected in tuple(self._expected.values()):
            expected.cancel()
        for connecting in self._connecting:
            connecting.cancel()
        self._door.end()

    async def proxies(self) -> list[socks5.StreamHost]:
        """The server's proxies that let us use them (§4)."""
        if self._proxies is None:
            found: list[socks5.StreamHost] = []
            for jid, info in await services(self.client, socks5.NS):
                if info.is_a("proxy", "bytestreams") and len(found) < MOST_PROXIES:
                    found += await self._hosts(jid)
            self._proxies = found
        return self._proxies

    async def _hosts(self, proxy: JID) -> list[socks5.StreamHost]:
        try:
            told = await self.client.request(socks5.Query(), proxy, expect=socks5.Query)
        except (StanzaError, TimeoutError):  # it does not let us use it
            return []
        return [host for host in told.hosts[:1] if host.jid.bare == proxy]

    # --- opening ---------------------------------------------------------------------

    async def open(self, to: JID | str, sid: str | None = None) -> SocksStream:
        """A stream to the client `to` (full JID), over the first of our hosts that it reaches.

        Raises `StanzaError` if it is refused or no host can be reached, and `StreamBroken`.
        """
        to = JID.parse(to) if isinstance(to, str) else to
        sid = sid or self.client.ids()
        name = socks5.address(sid, self.client.jid, to)
        proxies = await self.proxies()
        async with socks.listening(self.addresses) as listener:
            arriving = listener.expect(name)
            own = [socks5.StreamHost(self.client.jid, *place) for place in listener.ports]
            offer = socks5.Query(sid, "tcp", hosts=(*own, *proxies))
            try:
                answer = await self.client.request(offer, to, type="set", expect=socks5.Query)
                used = answer.used.jid if answer.used is not None else None
                if used == self.client.jid:
                    async with asyncio.timeout(ARRIVING):
                        return SocksStream(to, await asyncio.shield(arriving))
            except BaseException as error:
                drop(arriving)
                if isinstance(error, TimeoutError):
                    raise StreamBroken("the other side has not connected") from None
                raise
            drop(arriving)
        for proxy in proxies:
            if proxy.jid == used:
                return SocksStream(to, await self.through(proxy, sid, name, to))
        raise StanzaError("item-not-found", "the other side uses a host that we do not know")

    async def through(self, proxy: socks5.StreamHost, sid: str, name: str, to: JID) -> Pipe:
        """Connect to our end of a proxy, and let it begin (§6.3.5). Raises `StreamBroken`."""
        try:
            pipe = await socks.connect(proxy.host, proxy.port, name)
        except OSError as error:
            raise StreamBroken(f"the proxy cannot be reached: {error}") from error
        try:
            await self.client.request(socks5.Query(sid, activate=to), proxy.jid, type="set")
        except BaseException as error:
            pipe[1].transport.abort()
            if isinstance(error, StanzaError | TimeoutError | ClientError):
                raise StreamBroken(f"the proxy does not begin: {error}") from error
            raise
        return pipe

    # --- being asked -----------------------------------------------------------------

    def streams(self) -> Heard[SocksStream]:
        """Streams that others open, from now on; without anybody here they are refused."""
        return self._door.listen()

    def expect(self, peer: JID, sid: str) -> asyncio.Future[SocksStream]:
        """The stream that `peer` is about to open, as was agreed in another way.

        Raises `StanzaError` if another stream of that name is expected.
        """
        key = peer, sid
        known = self._expected.get(key)
        if known is not None and not known.done():
            raise StanzaError("conflict", "there is such a stream already")
        expected: asyncio.Future[SocksStream] = asyncio.get_running_loop().create_future()
        self._expected[key] = expected
        expected.add_done_callback(lambda _: self._expect_no_more(key, expected))
        return expected

    def _expect_no_more(self, key: tuple[JID, str], one: asyncio.Future[SocksStream]) -> None:
        if self._expected.get(key) is one:
            del self._expected[key]

    @serves("set", socks5.Query, apart=True)
    async def opened(self, request: Request[socks5.Query]) -> socks5.Query:
        """Somebody opens a stream: connect to the first host that can be reached (§5)."""
        peer, offer = request.sender, request.payload
        if peer is None or offer.sid is None or not offer.hosts:
            raise StanzaError("bad-request", "no stream, or no host")
        self._check(peer, offer)
        name = offer.dstaddr or socks5.address(offer.sid, peer, self.client.jid)
        connecting = asyncio.ensure_future(reach(offer.hosts, name))
        self._connecting.add(connecting)
        try:
            used, pipe = await connecting
        finally:
            self._connecting.discard(connecting)
        self._give(SocksStream(peer, pipe), offer.sid)
        return socks5.Query(offer.sid, used=socks5.StreamHostUsed(used.jid))

    def _check(self, peer: JID, offer: socks5.Query) -> None:
        """Is it wanted, and is there room? Raises `StanzaError`."""
        expected = self._expected.get((peer, offer.sid or ""))
        is_expected = expected is not None and not expected.done()
        if offer.mode == "udp" or not (is_expected or self._door.is_open):
            raise StanzaError("not-acceptable", "no stream is expected")
        if len(self._connecting) >= MOST_STREAMS:
            raise StanzaError("resource-constraint", "too many streams are being opened")

    def _give(self, stream: SocksStream, sid: str) -> None:
        """To who expects it; while it was made, that may have changed."""
        expected = self._expected.get((stream.peer, sid))
        if expected is not None and not expected.done():
            expected.set_result(stream)
        elif self._door.is_open:
            self._door.give(stream)
        else:
            stream.abort()
            raise StanzaError("not-acceptable", "no stream is expected any more")


async def reach(hosts: tuple[socks5.StreamHost, ...], name: str) -> Reached:
    """The first of `hosts` that lets us in, and the connection. Raises `StanzaError`.

    They are tried in their order, each a little after the one before, and all go on: a host that
    says nothing keeps nobody from the next (XEP-0260 §4).
    """
    if len(name) > 255 or not name.isascii():
        raise StanzaError("bad-request", "no name of a stream")
    ways = [partial(_reached, host, name) for host in hosts[: socks5.MAX_HOSTS]]
    try:
        async with asyncio.timeout(CHOOSING):
            return await race(ways, lambda other: other[1][1].transport.abort())
    except TimeoutError:
        pass
    except ExceptionGroup as group:
        _, mistakes = group.split((OSError, UnicodeError))
        if mistakes is not None:
            raise mistakes from None
    raise StanzaError("item-not-found", "none of the hosts can be reached")


async def _reached(host: socks5.StreamHost, name: str) -> Reached:
    return host, await socks.connect(host.host, host.port, name)


def drop(arriving: asyncio.Future[Pipe]) -> None:
    """Nobody wants it any more, neither now nor when it comes."""
    if not arriving.cancel() and not arriving.cancelled():
        arriving.result()[1].transport.abort()
