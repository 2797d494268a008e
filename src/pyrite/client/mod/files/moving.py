"""The octets of one file on their way, by what was said of it (XEP-0234)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ....core.errors import StanzaError
from ....wire import hashes, jingle, sharing, si
from ....wire.hashes import Hash
from ...bytestream import ByteStream, StreamBroken
from ...transfer import (
    CHUNK,
    CutOff,
    NotAsAnnounced,
    NoWay,
    Progress,
    Sink,
    Source,
    TooLarge,
    TransferFailed,
)
from .part import Part, State

STALLED = 60.0  # seconds in which nothing comes
ENDING = 1.0  # seconds for the stream to end, when all is here

#: What went wrong -> what the other side is told of it, the first that fits (XEP-0166 §7.4).
REASONS: tuple[tuple[type[BaseException], jingle.Reason], ...] = (
    (TooLarge, jingle.Reason(media_error=True, file_too_large=True)),
    (NotAsAnnounced, jingle.Reason(media_error=True)),
    (NoWay, jingle.Reason(connectivity_error=True)),
    (StreamBroken, jingle.Reason(failed_transport=True)),
    (CutOff, jingle.Reason(failed_transport=True)),
    (TimeoutError, jingle.Reason(timeout=True)),
    (TransferFailed, jingle.Reason(failed_application=True)),
    (StanzaError, jingle.Reason(general_error=True)),
    (OSError, jingle.Reason(failed_application=True)),
)


@asynccontextmanager
async def ending(part: Part) -> AsyncIterator[None]:
    """Whatever goes wrong in the block, the other side is told that it is over, and why."""
    try:
        yield
    except Exception as error:
        if isinstance(error, StreamBroken | CutOff):
            await part.last_words()  # who ends it may close the stream before saying so
        part.check_reason()
        for kind, reason in REASONS:
            if isinstance(error, kind):
                await part.end(reason)
                break
        else:
            await part.end(jingle.Reason(general_error=True))
        if isinstance(error, StreamBroken | TimeoutError):
            raise TransferFailed(str(error) or "nothing comes any more") from error
        raise
    except BaseException:
        if part.state is not State.ENDED:
            part.client.start(part.end(jingle.Reason(cancel=True)))
        raise


# --- what is said of a file ---------------------------------------------------------------------


def about(told: sharing.File, range: jingle.Range | None, algo: str | None = None) -> jingle.File:
    """What we say of a file of ours. `algo` is of a hash that comes later."""
    used = hashes.HashUsed(algo) if algo is not None else None
    return jingle.File(
        date=told.date,
        media_type=told.media_type,
        name=told.name,
        range=range,
        size=told.size,
        hashes=told.hashes,
        hash_used=used,
    )


def given(found: tuple[Hash, ...]) -> tuple[Hash, ...]:
    """The hashes that have a value (§4: it may come later)."""
    return tuple(one for one in found if one.value)


def promised(file: jingle.File) -> str | None:
    """The hash function whose value comes later, if there is no value yet (§4)."""
    if given(file.hashes):
        return None
    names = [one.algo for one in file.hashes]
    if file.hash_used is not None:
        names.append(file.hash_used.algo)
    return next((name for name in names if hashes.hasher(name) is not None), None)


def span(wanted: jingle.Range | si.Range | None, size: int) -> tuple[int, int]:
    """From which octet up to which (§6.3, XEP-0096 §3). Raises
    `TransferFailed` for what is not in the file."""
    start = wanted.offset or 0 if wanted is not None else 0
    end = size if wanted is None or wanted.length is None else start + wanted.length
    if start > size or end > size:
        raise TransferFailed(f"octets {start} to {end} of a file of {size}")
    return start, end


# --- giving and taking --------------------------------------------------------------------------


async def give(
    part: Part,
    stream: ByteStream,
    path: Path,
    size: int,
    wanted: jingle.Range | None,
    progress: Progress | None,
    algo: str | None,
) -> None:
    """Send the file, or what is wanted of it; then its hash if it was promised, by `algo`."""
    start, end = span(wanted, size)
    first = 0 if algo is not None and end == size else start
    async with stream, Source(path, end, first, algo) as source:
        while source.done < start:  # hashed, but not wanted
            await source.read(min(CHUNK, start - source.done))
        while chunk := await source.read(CHUNK):
            await stream.write(chunk)
            if progress is not None:
                progress(source.done, size)
    if source.hash is not None:
        await _tell(part, source.hash, None if end == size else (start, end))
    await part.arrived()


async def _tell(part: Part, hash: Hash, piece: tuple[int, int] | None) -> None:
    """The hash of the file, or of a piece (§8.2)."""
    if piece is None:
        file = jingle.File(hashes=(hash,))
    else:
        start, end = piece
        file = jingle.File(range=jingle.Range(start, (end - start) or None, (hash,)))
    told = jingle.Checksum(part.name, file, part.creator)
    await part.session.try_to_say("session-info", info=told)


async def take(stream: ByteStream, sink: Sink, before: int, progress: Progress | None) -> None:
    """Keep what comes, until it is all there or the other side ends. `before` it in the file."""
    total = None if sink.size is None else before + sink.size
    async with stream:
        while sink.size is None or sink.done < sink.size:
            async with asyncio.timeout(STALLED):
                chunk = await stream.read(CHUNK)
            if not chunk:
                break
            await sink.write(chunk)
            if progress is not None:
                progress(before + sink.done, total)
        else:
            await _ended(stream, sink)


async def _ended(stream: ByteStream, sink: Sink) -> None:
    """Who sends closes the stream. Raises `TooLarge` if more comes; not to close it is allowed."""
    with suppress(StreamBroken, TimeoutError):
        async with asyncio.timeout(ENDING):
            while chunk := await stream.read(CHUNK):
                await sink.write(chunk)


async def later(part: Part, file: jingle.File, sink: Sink, *, is_piece: bool) -> tuple[Hash, ...]:
    """The hashes that are told at the end, if any was promised (§8.2)."""
    if promised(file) is None or (sink.size is not None and sink.done != sink.size):
        return ()
    told = (await part.next_checksum()).file
    if is_piece:
        return given(told.range.hashes) if told.range is not None else ()
    return given(told.hashes)
