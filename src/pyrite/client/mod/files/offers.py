"""Files that others offer, or ask for: what a program decides about (XEP-0234 §6)."""

from __future__ import annotations

from pathlib import Path

from ....core.jid import JID
from ....wire import jingle
from ....wire.hashes import USED, strongest
from ...transfer import Progress, Sink, TransferFailed, described, hashed
from .carriage import Carriage
from .moving import about, ending, give, given, later, promised, span, take
from .part import Part, Transport

MOST = 100 * 1024 * 1024  # octets that are accepted, unless the program says so
NOT_HERE = jingle.Reason(failed_application=True, file_not_available=True)


class Offer:
    """A file that somebody wants to send. `name` is for people, and never a path."""

    def __init__(self, part: Part, file: jingle.File, transport: Transport) -> None:
        self.file = file
        self._part, self._transport = part, transport

    @property
    def peer(self) -> JID:
        """Who offers it (full)."""
        return self._part.peer

    @property
    def name(self) -> str | None:
        return self.file.name

    @property
    def size(self) -> int | None:
        """Octets, if the other side says so."""
        return self.file.size

    async def accept(
        self,
        path: Path | str,
        *,
        most: int = MOST,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Have it, as a new file at `path`: there when all is as announced, else not at all.

        With `resume`, what came before it was cut off is kept beside it, with ``.part`` after the
        name, and the next time goes on from there, as far as the other side can do that. Raises
        `TooLarge`, `NotAsAnnounced`, `NoWay`, `TransferRefused`, `TransferFailed`, `StanzaError`,
        `FileExistsError`, `OSError`.
        """
        self._part.check_pending()
        path = Path(path)
        async with Sink(path, most, resume=resume) as sink, ending(self._part):
            can_go_on = self.file.range is not None and (
                strongest(given(self.file.hashes)) is not None or promised(self.file) is not None
            )
            if not can_go_on or sink.done > (self.size or 0):
                await sink.begin_anew()
            sink.expect(self.size, given(self.file.hashes), promised(self.file))
            async with Carriage(self._part) as carriage:
                ours = await carriage.answer(self._transport)
                await self._part.accept(ours, self._wanted(sink.done))
                async with self._part.going_on():
                    stream = await carriage.settle(self._transport)
                    await take(stream, sink, 0, progress)
            await sink.check(await later(self._part, self.file, sink, is_piece=False))
            await self._part.end(jingle.Reason(success=True))
        return path

    def _wanted(self, start: int) -> jingle.File:
        """What we say of it: from where on we want it, where that can be said (§6.3)."""
        file = self.file
        if file.range is None:
            return file
        range = jingle.Range(start) if start or file.range.offset else jingle.Range()
        return jingle.File(
            date=file.date,
            media_type=file.media_type,
            name=file.name,
            range=range,
            size=file.size,
            hashes=file.hashes,
            hash_used=file.hash_used,
        )

    async def decline(self) -> None:
        """Say that it is not wanted."""
        await self._part.end(jingle.Reason(decline=True))


class FileRequest:
    """A file that somebody wants to have. Which one it is, `file` says: its hash, or its name.

    `name` may be anything, such as the path of something that nobody is to have.
    """

    def __init__(self, part: Part, file: jingle.File, transport: Transport) -> None:
        self.file = file
        self._part, self._transport = part, transport

    @property
    def peer(self) -> JID:
        """Who asks for it (full)."""
        return self._part.peer

    @property
    def name(self) -> str | None:
        return self.file.name

    async def send(self, path: Path | str, *, progress: Progress | None = None) -> None:
        """Send the file at `path`, or the piece that is asked for; it has arrived on return.

        Raises `NoWay`, `TransferRefused`, `TransferFailed`, `StanzaError`, `OSError`.
        """
        self._part.check_pending()
        path, wanted = Path(path), self.file.range
        async with ending(self._part):
            asked = strongest(given(self.file.hashes))
            told = await described(path, asked.algo if asked is not None else USED)
            if asked is not None and asked not in told.hashes:
                await self._part.end(NOT_HERE)
                raise TransferFailed(f"{path} is not the file that is asked for")
            size = told.size or 0
            start, end = span(wanted, size)
            if (start, end) != (0, size):
                piece = await hashed(path, USED, start, end)
                wanted = jingle.Range(start, (end - start) or None, (piece,))
            async with Carriage(self._part) as carriage:
                ours = await carriage.answer(self._transport)
                await self._part.accept(ours, about(told, wanted))
                async with self._part.going_on():
                    stream = await carriage.settle(self._transport)
                    await give(self._part, stream, path, size, wanted, progress, None)

    async def refuse(self) -> None:
        """Say that there is no such file, or none for who asks."""
        await self._part.end(NOT_HERE)
