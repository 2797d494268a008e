"""Files from client to client as old clients send them (XEP-0095, XEP-0096)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import ibb, si, socks5
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
from .ibb import Ibb
from .moving import span, take
from .socks5 import Socks5

if TYPE_CHECKING:
    from ...entity import Entity

METHODS = (socks5.NS, ibb.NS)  # the better first
WAITING = 600.0  # seconds for the other side to decide
DECIDING = 600.0  # seconds for the person at this side
OPENING = 60.0  # seconds until the stream is there
MOST = 100 * 1024 * 1024  # octets that are accepted, unless the program says so
MOST_OFFERS = 20


class OldOffer:
    """A file that somebody wants to send. `name` is for people, and never a path."""

    def __init__(self, owner: Si, peer: JID, offer: si.Si, method: str) -> None:
        self.peer, self.file = peer, offer.file or si.File()
        self.decision: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._owner, self._id, self._method = owner, offer.id or "", method

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
        """Have it, as a new file at `path`: there when it is whole, else not at all.

        Raises `TooLarge`, `TransferFailed`, `FileExistsError`, `OSError`.
        """
        path = Path(path)
        if self.decision.done():
            raise TransferFailed("it was answered already")
        if self.size is not None and self.size > most:
            raise TooLarge(self.size, most)
        async with Sink(path, most) as sink:
            stream = await self._opened()
            sink.expect(self.size)
            try:
                await take(stream, sink, 0, progress)
            except (StreamBroken, TimeoutError) as error:
                raise TransferFailed(str(error) or "nothing comes any more") from error
            await sink.check()
        return path

    def decline(self) -> None:
        """Say that it is not wanted."""
        if not self.decision.done():
            self.decision.set_exception(StanzaError("forbidden", "Offer Declined", type="cancel"))

    async def _opened(self) -> ByteStream:
        client = self._owner.client
        kind = client[Socks5] if self._method == socks5.NS else client[Ibb]
        expected = kind.expect(self.peer, self._id)
        self.decision.set_result(self._method)
        try:
            async with asyncio.timeout(OPENING):
                return await expected
        except TimeoutError:
            raise TransferFailed("the stream was not opened") from None
        finally:
            expected.cancel()


class Si(Feature):
    """Stream initiation of files, both ways; `Files` is what today's clients have."""

    spec = si.SPEC_FILE
    features = (si.NS, si.NS_FILE)
    needs = (Ibb, Socks5)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._door: Door[OldOffer] = Door()
        self._offers: set[OldOffer] = set()

    def stop(self) -> None:
        self._door.end()
        for offer in self._offers:
            offer.decline()

    def offers(self) -> Heard[OldOffer]:
        """What others offer, from now on; without anybody here it is declined."""
        return self._door.listen()

    async def send(
        self, path: Path | str, to: JID | str, *, progress: Progress | None = None
    ) -> None:
        """Offer the file at `path` to the client `to` (full JID), and send it once accepted; or
        the piece of it that the other side asks for, which has the rest already (XEP-0096 §3).

        All was sent when this returns; whether it has arrived is not told in this way. Raises
        `TransferRefused`, `TransferFailed`, `StanzaError`, `OSError`.
        """
        path, to = Path(path), JID.parse(to) if isinstance(to, str) else to
        told, id = await described(path), self.client.ids()
        file = si.File(told.name, told.size, date=told.date, range=si.Range())
        offer = si.Si(id, told.media_type, si.NS_FILE, file, si.offered(METHODS))
        try:
            answer = await self.client.request(offer, to, type="set", expect=si.Si, within=WAITING)
        except StanzaError as error:
            if error.condition == "forbidden":
                raise TransferRefused("the other side does not want it") from error
            raise
        method = answer.feature.form.value(si.METHOD) if answer.feature is not None else ""
        start, end = span(answer.file.range if answer.file is not None else None, told.size or 0)
        try:
            stream = await self._open(method, to, id)
            async with stream, Source(path, end, start) as source:
                while chunk := await source.read(CHUNK):
                    await stream.write(chunk)
                    if progress is not None:
                        progress(source.done, told.size)
        except StreamBroken as error:
            raise TransferFailed(str(error)) from error

    async def _open(self, method: str, to: JID, id: str) -> ByteStream:
        if method == socks5.NS:
            return await self.client[Socks5].open(to, id)
        if method == ibb.NS:
            return await self.client[Ibb].open(to, id)
        raise TransferFailed("the other side has chosen what was not offered")

    @serves("set", si.Si, apart=True)
    async def offered(self, request: Request[si.Si]) -> si.Si:
        """Somebody offers a file: the answer says whether it is wanted (XEP-0095 §3)."""
        method = si.choose(request.payload, METHODS)
        if request.sender is None or not self._door.is_open or len(self._offers) >= MOST_OFFERS:
            raise StanzaError("forbidden", "Offer Declined", type="cancel")
        offer = OldOffer(self, request.sender, request.payload, method)
        self._offers.add(offer)
        self._door.give(offer)
        try:
            async with asyncio.timeout(DECIDING):
                method = await offer.decision
        except TimeoutError:
            raise StanzaError("forbidden", "Offer Declined", type="cancel") from None
        finally:
            self._offers.discard(offer)
        return si.Si(feature=si.chosen(method))
