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
from ...wire import fallback, hashes, oob, sharing, upload
from ..account import Account
from ..errors import ClientError
from ..feature import Feature, MessageReceived, on
from ..receipt import Receipt
from ..services import services
from ..transfer import (
    UNKNOWN,
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
MOST_SHARED = 50  # files of one message


class NoUploadService(ClientError):
    """The server has nowhere to put files."""


@frozen
class Shared:
    """A file that was shared. Who fetches `urls` is seen by whoever serves them."""

    file: sharing.File
    urls: tuple[str, ...]
    sender: JID | None = None
    outgoing: bool = False


@frozen
class FileShared:
    """Somebody has shared files, all those of one message."""

    files: tuple[Shared, ...]
    message: Message


class Upload(Feature):
    """Files by way of the server. `resolver` and `authorities` are those for HTTP."""

    spec = upload.SPEC
    features = (sharing.NS, sharing.NS_FILE, oob.NS, *hashes.FEATURES)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        account = getattr(client, "account", None)
        trust = account.trust if isinstance(account, Account) else None
        self.authorities: Path | None = trust.authorities if trust is not None else None
        self.resolver: Resolver = SystemResolver()
        self._service: tuple[JID, int | None] | None = None

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

    async def share(self, shared: Shared, to: JID | str, *, type: str = "chat") -> Receipt:
        """Tell `to` of a file, so that older clients understand it, too (XEP-0447 §3.3)."""
        url = shared.urls[0]
        sources = sharing.Sources(urls=tuple(sharing.UrlData(one) for one in shared.urls))
        return await self.client.send(
            to,
            url,
            sharing.FileSharing(shared.file, "inline", sources=sources),
            fallback.Fallback(sharing.NS, (fallback.BodyPart(),)),
            oob.XOob(url),
            type=type,
        )

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
        progress: Progress | None = None,
    ) -> Path:
        """Get a file, or what is at a URL, to a new file at `path`.

        It is there when all was as announced, and else not at all. Raises `TooLarge`,
        `TransferFailed`, `FileExistsError`, `TlsError`, `OSError`.
        """
        shared = Shared(sharing.File(), (what,)) if isinstance(what, str) else what
        if not shared.urls:
            raise TransferFailed("nobody says where the file is")
        url, file = shared.urls[0], shared.file
        _check(url)
        path = Path(path)
        async with Sink(path, most) as sink, self._session(url) as session:
            import aiohttp

            sink.expect(file.size, file.hashes)

            try:
                async with asyncio.timeout(CONNECTING) as limit, session.get(url) as answer:
                    if answer.status != 200:
                        raise TransferFailed(f"the server says {answer.status}")
                    if (answer.content_length or 0) > most:
                        raise TooLarge(answer.content_length or 0, most)
                    async for chunk in answer.content.iter_any():
                        _go_on(limit)
                        await sink.write(chunk)
                        if progress is not None:
                            progress(sink.done, file.size or answer.content_length)
            except (aiohttp.ClientError, OSError) as error:
                raise http.plainly(error) from error
            await sink.check()
        return path

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
        files = tuple(_shared(message, event.outgoing))
        if files:
            await self.client.tell(FileShared(files, message), event.peer)


def _shared(message: Message, outgoing: bool) -> Sequence[Shared]:
    found = []
    name = (sharing.NS, "file-sharing")
    for element in [one for one in message.payloads if one.name == name][:MOST_SHARED]:
        try:
            told = decode(sharing.FileSharing, element)
        except StanzaError:  # one that cannot be read is not shared
            continue
        urls = tuple(one.target for one in told.sources.urls) if told.sources is not None else ()
        urls = tuple(url for url in urls if _is_usable(url))
        if urls:
            found.append(Shared(told.file, urls, message.sender, outgoing))
    if found:
        return found
    try:
        link = message.get(oob.XOob)
    except StanzaError:
        return ()
    if link is None or not _is_usable(link.url):
        return ()
    return [Shared(sharing.File(desc=link.desc), (link.url,), message.sender, outgoing)]


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False


def _check(url: str) -> None:
    """Nothing but HTTPS is used (§5)."""
    if not _is_usable(url):
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
