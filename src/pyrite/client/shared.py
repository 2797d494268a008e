"""Files that a message speaks of, in whichever of the ways there are to do so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..core.errors import StanzaError
from ..core.frozen import frozen
from ..core.jid import JID
from ..core.payload import decode, name_of
from ..core.stanza import Message
from ..kit.cache import Cache
from ..wire import mediasharing, oob, sharing
from ..wire.fallback import BodyPart, Fallback
from ..wire.fastening import AttachTo
from ..wire.references import Reference

MOST_SHARED = 50  # files of one message
MOST_PENDING = 200  # files of which it is not known yet where they can be had
MOST_SOURCES = 10  # places where one of them can be had


@frozen
class Shared:
    """A file that was shared. Who fetches `urls` is seen by whoever serves them.

    `disposition` is "inline" or "attachment", where the sender says so: what is attached is not to
    be fetched before the user wants it (XEP-0447 §3.2).
    """

    file: sharing.File
    urls: tuple[str, ...]
    sender: JID | None = None
    outgoing: bool = False
    disposition: str | None = None


def told(shared: Sequence[Shared]) -> list[Any]:
    """What a message says of files, so that older clients understand it, too (XEP-0447 §3.3)."""
    urls = [one.urls[0] for one in shared]
    said: list[Any] = ["\n".join(urls)]
    for number, one in enumerate(shared, 1):
        sources = sharing.Sources(urls=tuple(sharing.UrlData(url) for url in one.urls))
        id = str(number) if len(shared) > 1 else None
        disposition = one.disposition or "inline"
        said.append(sharing.FileSharing(one.file, disposition, id=id, sources=sources))
    said.append(Fallback(sharing.NS, (BodyPart(),)))
    if len(urls) == 1:
        said.append(oob.XOob(urls[0]))
    return said


def shared_in(message: Message, outgoing: bool) -> tuple[Shared, ...]:
    """The files of `message`: as XEP-0447 has them, else as XEP-0385, else as XEP-0066."""
    for ways in (_new, _older, _oldest):
        found = []
        for file, urls, disposition in ways(message):
            usable = tuple(url for url in urls if is_usable(url))[:MOST_SOURCES]
            if usable:
                found.append(Shared(file, usable, message.sender, outgoing, disposition))
        if found:
            return tuple(found)
    return ()


class Pending:
    """Files that were shared before they could be had anywhere: that follows, from the same author
    (XEP-0447 §3.2, §3.3)."""

    def __init__(self) -> None:
        self._files: Cache[tuple[JID, str, str | None], sharing.FileSharing] = Cache(MOST_PENDING)

    def remember(self, message: Message) -> None:
        """The files of `message` for which no place is said yet."""
        author = _author(message)
        if author is None or message.id is None:
            return
        for one in _payloads(message, sharing.FileSharing):
            if one.sources is None:
                self._files.put((author, message.id, one.id), one)

    def shared_in(self, message: Message, outgoing: bool) -> tuple[Shared, ...]:
        """The files that can be had now, as `message` says, and what was said of them before."""
        author, found = _author(message), []
        attached = next(_payloads(message, AttachTo), None)
        if author is None or attached is None:
            return ()
        for sources in _payloads(message, sharing.Sources):
            file = self._files.get((author, attached.id, sources.id))
            usable = tuple(url.target for url in sources.urls if is_usable(url.target))
            if file is not None and usable:
                urls = usable[:MOST_SOURCES]
                found.append(Shared(file.file, urls, message.sender, outgoing, file.disposition))
        return tuple(found)


def _author(message: Message) -> JID | None:
    """Who says it: in a room the occupant, else the account, from whichever of its clients."""
    sender = message.sender
    return sender if sender is None or message.type == "groupchat" else sender.bare


Told = tuple[sharing.File, list[str], str | None]


def _new(message: Message) -> Iterator[Told]:
    for one in _payloads(message, sharing.FileSharing):
        urls = [url.target for url in one.sources.urls] if one.sources is not None else []
        yield one.file, urls, one.disposition


def _older(message: Message) -> Iterator[Told]:
    """COMPAT: clients that share pictures alone (XEP-0385 §4)."""
    for reference in _payloads(message, Reference):
        for element in reference.more:
            if element.name != name_of(mediasharing.MediaSharing):
                continue
            try:
                one = decode(mediasharing.MediaSharing, element)
            except StanzaError:
                continue
            urls = [source.uri for source in one.sources.references] if one.sources else []
            file = sharing.File(
                date=one.file.date,
                media_type=one.file.media_type,
                name=one.file.name,
                size=one.file.size,
                hashes=one.file.hashes,
                desc=one.file.desc,
            )
            yield file, urls, None


def _oldest(message: Message) -> Iterator[Told]:
    """COMPAT: most clients (XEP-0066 §3)."""
    for one in _payloads(message, oob.XOob):
        yield sharing.File(desc=one.desc), [one.url], None


def _payloads(message: Message, kind: type[Any]) -> Iterator[Any]:
    """Those of one kind; one that cannot be read is passed over."""
    name = name_of(kind)
    for element in [one for one in message.payloads if one.name == name][:MOST_SHARED]:
        try:
            yield decode(kind, element)
        except StanzaError:
            continue


def is_usable(url: str) -> bool:
    """Nothing but HTTPS is used (XEP-0363 §5)."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False
