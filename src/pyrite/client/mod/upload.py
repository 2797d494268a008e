"""Shares files by HTTP: puts them on the server, and says where they are (XEP-0363, XEP-0447)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...core.payload import decode
from ...core.stanza import Message
from ...net import http
from ...net.dns import Resolver, SystemResolver
from ...net.tls import ClientTls
from ...wire import hashes, mediasharing, oob, sharing, upload
from ...wire.hashes import strongest
from ..account import Account
from ..errors import ClientError
from ..feature import Feature, MessageReceived, on
from ..receipt import Receipt
from ..services import services
from ..shared import MOST_SOURCES, Pending, Shared, is_usable, shared_in, told
from ..transfer import (
    UNKNOWN,
    NotAsAnnounced,
    Progress,
    Sink,
    Source,
    TooLarge,
    TransferFailed,
    described,
)

if TYPE_CHECKING:
    import aiohttp

    from ..entity import Entity

CONNECTING = 30.0  # seconds until there is a connection
STALLED = 60.0  # seconds in which nothing goes on
MOST = 100 * 1024 * 1024  # octets that are fetched, unless the program says so


class NoUploadService(ClientError):
    """The server has nowhere to put files."""


@frozen
class FileShared:
    """Somebody has shared files, all those of one message."""

    files: tuple[Shared, ...]
    message: Message


class Upload(Feature):
    """Files by way of the server. `resolver` and `authorities` are those for HTTP."""

    spec = upload.SPEC
    features = (sharing.NS, sharing.NS_FILE, mediasharing.NS, oob.NS, *hashes.FEATURES)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        account = getattr(client, "account", None)
        trust = account.trust if isinstance(account, Account) else None
        self.authorities: Path | None = trust.authorities if trust is not None else None
        self.resolver: Resolver = SystemResolver()
        self._service: tuple[JID, int | None] | None = None
        self._pending = Pending()

    async def begin(self) -> None:
        """What an older session knew of services may have changed."""
        self._service = None

    # --- putting ---------------------------------------------------------------------

    async def service(self) -> tuple[JID, int | None]:
        """The service, and how many octets a file may have. Raises `NoUploadService`."""
        if self._service is None:
            found = await services(self.client, upload.NS)
            if not found:
                raise NoUploadService(f"{self.client.jid.domain} has no place for files")
            jid, info = found[0]
            self._service = jid, upload.limit(info)
        return self._service

    async def put(self, path: Path | str, *, progress: Progress | None = None) -> Shared:
        """Put the file at `path` on the server: what it is, and where it is now.

        Raises `NoUploadService`, `TooLarge`, `TransferFailed`, `StanzaError`, `OSError`.
        """
        path = Path(path)
        service, most = await self.service()
        size = (await asyncio.to_thread(path.stat)).st_size
        if most is not None and size > most:
            raise TooLarge(size, most)
        file = await described(path)
        slot = await self._slot(service, file)
        await self._upload(path, file, slot, progress)
        return Shared(file, (slot.get.url,), outgoing=True)

    async def send(
        self,
        path: Path | str,
        to: JID | str,
        *,
        type: str = "chat",
        progress: Progress | None = None,
    ) -> str:
        """Put the file at `path` on the server, and tell `to`; its URL. Raises as `put`."""
        shared = await self.put(path, progress=progress)
        await self.share(shared, to, type=type)
        return shared.urls[0]

    async def send_all(
        self,
        paths: Sequence[Path | str],
        to: JID | str,
        *,
        type: str = "chat",
        progress: Progress | None = None,
    ) -> list[str]:
        """As `send`, of several files in one message; their URLs, in order. Raises as `put`."""
        shared = [await self.put(path, progress=progress) for path in paths]
        if shared:
            await self.share(shared, to, type=type)
        return [one.urls[0] for one in shared]

    async def share(
        self, shared: Shared | Sequence[Shared], to: JID | str, *, type: str = "chat"
    ) -> Receipt:
        """Tell `to` of a file, or of several, so that older clients understand it, too."""
        files = [shared] if isinstance(shared, Shared) else shared
        return await self.client.send(to, *told(files), type=type)

    async def _slot(self, service: JID, file: sharing.File) -> upload.Slot:
        if not file.size:
            raise TransferFailed("an empty file has no place on a server (§4)")
        wanted = upload.Request(file.name or "file", file.size, file.media_type)
        try:
            slot = await self.client.request(wanted, service, expect=upload.Slot)
        except StanzaError as error:
            if error.app is not None and error.app.name == (upload.NS, "file-too-large"):
                most = decode(upload.FileTooLarge, error.app).max_file_size
                raise TooLarge(file.size, most or 0) from error
            raise
        _check(slot.put.url)
        _check(slot.get.url)
        return slot

    async def _upload(
        self, path: Path, file: sharing.File, slot: upload.Slot, progress: Progress | None
    ) -> None:
        size = file.size or 0
        fields = upload.headers(slot.put)
        fields |= {"Content-Length": str(size), "Content-Type": file.media_type or UNKNOWN}
        async with Source(path, size) as source, self._session(slot.put.url) as session:
            import aiohttp

            try:
                async with asyncio.timeout(CONNECTING) as limit:
                    body = _read(source, limit, progress)
                    async with session.put(slot.put.url, data=body, headers=fields) as answer:
                        if answer.status not in (200, 201, 204):
                            raise TransferFailed(f"the server says {answer.status} to the file")
            except (aiohttp.ClientError, OSError) as error:
                raise http.plainly(error) from error

    # --- getting ---------------------------------------------------------------------

    async def fetch(
        self,
        what: Shared | str,
        path: Path | str,
        *,
        most: int = MOST,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Get a file, or what is at a URL, to a new file at `path`.

        It is there when all was as announced, and else not at all; each place where it can be had
        is tried. With `resume`, what came before it was cut off is kept beside it, with ``.part``
        after the name, and gone on with the next time, if the file's hash is known. Raises
        `TooLarge`, `NotAsAnnounced`, `TransferFailed`, `FileExistsError`, `TlsError`, `OSError`.
        """
        shared = Shared(sharing.File(), (what,)) if isinstance(what, str) else what
        path, size = Path(path), shared.file.size
        if size is not None and size > most:
            raise TooLarge(size, most)
        failed: Exception = TransferFailed("nobody says where the file is")
        for url in shared.urls[:MOST_SOURCES]:
            try:
                _check(url)
                async with Sink(path, most, resume=resume) as sink:
                    await self._download(url, sink, shared.file, progress)
                return path
            except FileExistsError:
                raise
            except (TransferFailed, OSError) as error:
                failed = error
        raise failed

    async def _download(
        self, url: str, sink: Sink, file: sharing.File, progress: Progress | None
    ) -> None:
        aiohttp = await http.library()
        if strongest(file.hashes) is None or sink.done > (file.size or sink.done):
            await sink.begin_anew()
        sink.expect(file.size, file.hashes)
        headers = {"Accept-Encoding": "identity"}  # octets are counted as they were announced
        if sink.done:
            headers["Range"] = f"bytes={sink.done}-"
        try:
            async with asyncio.timeout(CONNECTING) as limit, self._session(url) as session:
                if sink.done != sink.size:
                    async with session.get(url, headers=headers) as answer:
                        await _begin(answer, sink, file)
                        await _keep(answer, sink, limit, progress)
        except (aiohttp.ClientError, OSError) as error:
            raise http.plainly(error) from error
        await sink.check()

    @asynccontextmanager
    async def _session(self, url: str) -> AsyncIterator[aiohttp.ClientSession]:
        host = urlsplit(url).hostname or ""
        settings = ClientTls(host, authorities=self.authorities)
        session = await http.session(settings, self.resolver, within=CONNECTING)
        try:
            yield session
        finally:
            await http.hang_up(session)

    # --- hearing ---------------------------------------------------------------------

    @on(MessageReceived)
    async def heard(self, event: MessageReceived) -> None:
        """Tell of the files in a message, also as older clients share them (XEP-0066)."""
        message = event.message
        if message.type == "error":
            return
        self._pending.remember(message)
        outgoing = event.outgoing
        files = self._pending.shared_in(message, outgoing) or shared_in(message, outgoing)
        if files:
            await self.client.tell(FileShared(files, message), event.peer)


async def _begin(answer: aiohttp.ClientResponse, sink: Sink, file: sharing.File) -> None:
    """What the server says of what comes: the rest of it, or all of it."""
    starts = f"bytes {sink.done}-"
    if answer.status == 200 and sink.done:
        await sink.begin_anew()
        sink.expect(file.size, file.hashes)
    elif answer.status == 206 and sink.done:
        if not answer.headers.get("Content-Range", "").startswith(starts):
            raise TransferFailed("the server sends other octets than were asked for")
    elif answer.status != 200:
        raise TransferFailed(f"the server says {answer.status}")
    size = answer.content_length
    if size is not None and file.size is not None and sink.done + size != file.size:
        raise NotAsAnnounced(f"{sink.done + size} octets, and {file.size} were announced")
    if sink.done + (size or 0) > sink.most:
        raise TooLarge(sink.done + (size or 0), sink.most)


async def _keep(
    answer: aiohttp.ClientResponse, sink: Sink, limit: asyncio.Timeout, progress: Progress | None
) -> None:
    size = sink.size or answer.content_length
    async for chunk in answer.content.iter_any():
        _go_on(limit)
        await sink.write(chunk)
        if progress is not None:
            progress(sink.done, size)


def _check(url: str) -> None:
    """Nothing but HTTPS is used (§5)."""
    if not is_usable(url):
        raise TransferFailed(f"not an address of HTTPS: {url[:200]!a}")


async def _read(
    source: Source, limit: asyncio.Timeout, progress: Progress | None
) -> AsyncIterator[bytes]:
    while chunk := await source.read():
        yield chunk
        _go_on(limit)
        if progress is not None:
            progress(source.done, source.size)


def _go_on(limit: asyncio.Timeout) -> None:
    """Something has gone through: the other side has time again."""
    limit.reschedule(asyncio.get_running_loop().time() + STALLED)
