"""Files from client to client: offered or asked for, and sent by the best way (XEP-0234)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import disco, hashes, jingle
from ....wire.hashes import USED, strongest
from ...doors import Door
from ...feature import Feature, PresenceReceived, Request, on, serves
from ...heard import Heard
from ...transfer import Progress, Sink, TransferRefused, described
from .carriage import Carriage
from .ibb import Ibb
from .moving import about, ending, give, given, later, promised, take
from .offers import MOST, NOT_HERE, FileRequest, Offer
from .part import Part, State, Step, Transport
from .session import Session
from .socks5 import Socks5

if TYPE_CHECKING:
    from ...entity import Entity

ANSWERING = 600.0  # seconds for a person to decide
MOST_SESSIONS = 20  # at once


class Outgoing(NamedTuple):
    """A file that is about to be offered."""

    part: Part
    carriage: Carriage
    path: Path
    file: jingle.File


class Files(Feature):
    """Jingle file transfer, over connections of their own where there is a way, else in stanzas."""

    spec = jingle.SPEC_FILES
    features = (jingle.NS, jingle.NS_FILES, jingle.NS_SOCKS5, jingle.NS_IBB, *hashes.FEATURES)
    needs = (Ibb, Socks5)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._sessions: dict[tuple[JID, str], Session] = {}
        self._offers: Door[Offer] = Door()
        self._requests: Door[FileRequest] = Door()

    async def begin(self) -> None:
        """Sessions end with the one that carried them."""
        self._lose()

    def stop(self) -> None:
        self._lose()
        self._offers.end()
        self._requests.end()

    def _lose(self) -> None:
        for session in tuple(self._sessions.values()):
            session.terminated(jingle.Reason(gone=True))

    def offers(self) -> Heard[Offer]:
        """What others offer, from now on; without anybody here it is declined."""
        return self._offers.listen()

    def requests(self) -> Heard[FileRequest]:
        """What others ask for, from now on; without anybody here there is no such file."""
        return self._requests.listen()

    # --- sending ---------------------------------------------------------------------

    async def send(
        self,
        path: Path | str,
        to: JID | str,
        *,
        hash_later: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Offer the file at `path` to the client `to` (full JID), and send it once it is accepted.

        It has arrived whole when this returns. The file is read twice, to say its hash first;
        with `hash_later` it is read once, and its hash said last. Raises `TransferRefused`,
        `NoWay`, `TransferFailed`, `StanzaError`, `OSError`; cancelling it calls it off.
        """
        failed = await self._send([path], to, hash_later, progress)
        for error in failed.values():
            if error is not None:
                raise error

    async def send_all(
        self,
        paths: Sequence[Path | str],
        to: JID | str,
        *,
        hash_later: bool = False,
        progress: Progress | None = None,
    ) -> Mapping[Path, Exception | None]:
        """As `send`, of several files in one session: path -> why it did not arrive, if so.

        The other side decides about each. Raises what stands in the way of all of them.
        """
        return await self._send(paths, to, hash_later, progress)

    async def _send(
        self,
        paths: Sequence[Path | str],
        to: JID | str,
        hash_later: bool,
        progress: Progress | None,
    ) -> dict[Path, Exception | None]:
        to = JID.parse(to) if isinstance(to, str) else to
        with_socks = await self._can_socks(to)
        async with AsyncExitStack() as stack:
            told = {one: await described(one, None if hash_later else USED) for one in _each(paths)}
            session = self._begin(to, self.client.ids(), is_initiator=True)
            stack.callback(self._abandon, session)
            files: list[Outgoing] = []
            contents: list[jingle.Content] = []
            for path, described_as in told.items():
                part = session.add(f"file-{len(files)}", "initiator", "initiator")
                carriage = await stack.enter_async_context(Carriage(part))
                file = about(described_as, jingle.Range(), USED if hash_later else None)
                files.append(Outgoing(part, carriage, path, file))
                transport = await carriage.propose(with_socks=with_socks)
                contents.append(part.content(transport, file))
            await session.initiate(*contents)
            ends = await asyncio.gather(*(self._carry(one, progress) for one in files))
        return {one.path: end for one, end in zip(files, ends, strict=True)}

    async def _can_socks(self, to: JID) -> bool:
        """Whether `to` makes connections. Raises `TransferRefused` if it takes no files at all."""
        features = (await self.client.request(disco.Info(), to, expect=disco.Info)).vars
        if jingle.NS_FILES not in features:
            raise TransferRefused(f"{to} takes no files in this way", "unsupported-applications")
        return jingle.NS_SOCKS5 in features

    async def _carry(self, one: Outgoing, progress: Progress | None) -> Exception | None:
        """One file, from its offer to its end; what it failed of is an answer, too."""
        part, size = one.part, one.file.size or 0
        try:
            async with ending(part):
                content = (await self._accepted(part)).content
                file = content.description.file if content.description is not None else None
                async with part.going_on():
                    stream = await one.carriage.settle(content.transport)
                    wanted = file.range if file is not None else None
                    algo = promised(one.file)
                    await give(part, stream, one.path, size, wanted, progress, algo)
        except Exception as error:
            return error
        return None

    async def _accepted(self, part: Part) -> Step:
        return await part.next("session-accept", "content-accept", within=ANSWERING)

    # --- asking ----------------------------------------------------------------------

    async def fetch(
        self,
        file: jingle.File,
        of: JID | str,
        path: Path | str,
        *,
        most: int = MOST,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Ask the client `of` (full JID) for a file, and have it as a new file at `path`.

        `file` says which one it is: its hash, or its name. With a `range` it is that piece of it
        alone. `resume` is as in `Offer.accept`, for a whole file whose hash is told here. Raises
        as `Offer.accept` does; `TransferRefused` also if there is no such file.
        """
        of, path = JID.parse(of) if isinstance(of, str) else of, Path(path)
        with_socks = await self._can_socks(of)
        async with Sink(path, most, resume=resume) as sink, AsyncExitStack() as stack:
            session = self._begin(of, self.client.ids(), is_initiator=True)
            stack.callback(self._abandon, session)
            part = session.add("file", "initiator", "responder")
            if file.range is not None or strongest(given(file.hashes)) is None:
                await sink.begin_anew()
            async with ending(part), Carriage(part) as carriage:
                await self._ask(part, carriage, file, sink.done, with_socks=with_socks)
                await self._have(part, carriage, file, sink, progress)
        return path

    async def _ask(
        self, part: Part, carriage: Carriage, file: jingle.File, start: int, *, with_socks: bool
    ) -> None:
        range = jingle.Range(start) if start else file.range
        selector = jingle.File(
            name=file.name, size=file.size, media_type=file.media_type,
            hashes=given(file.hashes), range=range,
        )  # fmt: skip
        transport = await carriage.propose(with_socks=with_socks)
        await part.session.initiate(part.content(transport, selector))

    async def _have(
        self,
        part: Part,
        carriage: Carriage,
        file: jingle.File,
        sink: Sink,
        progress: Progress | None,
    ) -> None:
        """Take what the other side says it is, if it is what was asked for."""
        content = (await self._accepted(part)).content
        found = content.description.file if content.description is not None else None
        found = found or jingle.File()
        piece = file.range
        before = 0
        if piece is not None:
            before = piece.offset or 0
            ranged = given(found.range.hashes) if found.range is not None else ()
            sink.expect(_length(piece, found.size), ranged, promised(found))
        else:
            sink.expect(found.size, given(file.hashes) or given(found.hashes), promised(found))
        async with part.going_on():
            stream = await carriage.settle(content.transport)
            await take(stream, sink, before, progress)
        await sink.check(await later(part, found, sink, is_piece=piece is not None))
        await part.end(jingle.Reason(success=True))

    # --- being offered, and asked ----------------------------------------------------

    @serves("set", jingle.Jingle)
    def step(self, request: Request[jingle.Jingle]) -> None:
        """A step of the other side's (XEP-0166 §7)."""
        peer, step = request.sender, request.payload
        if peer is None:
            raise StanzaError("bad-request", "a session with whom?")
        session = self._sessions.get((peer, step.sid))
        if step.action == "session-initiate":
            if session is not None:
                raise jingle.out_of_order()
            self._initiated(peer, step)
        elif session is None:
            raise jingle.unknown_session()
        else:
            session.hear(step)
            if step.action == "content-add":
                self._added(session, step)

    @on(PresenceReceived)
    def left(self, event: PresenceReceived) -> None:
        """Who has gone before answering will not answer."""
        presence = event.presence
        if presence.type == "unavailable":
            for (peer, _), session in tuple(self._sessions.items()):
                if peer == presence.sender and session.state is State.PENDING:
                    session.terminated(jingle.Reason(gone=True))

    def _initiated(self, peer: JID, step: jingle.Jingle) -> None:
        session = self._begin(peer, step.sid, is_initiator=False)
        try:
            self._added(session, step)
        except StanzaError:
            self._forget(session)
            raise

    def _added(self, session: Session, step: jingle.Jingle) -> None:
        """Contents that the other side has added, each of them an offer or a request."""
        theirs: jingle.Role = "responder" if session.is_initiator else "initiator"
        if not step.contents or any(one.creator != theirs for one in step.contents):
            raise StanzaError("bad-request", "no content, or somebody else's")
        added = []
        for content in step.contents:
            senders: jingle.Role = "initiator" if content.senders == "initiator" else "responder"
            added.append(session.add(content.name, theirs, senders))
        for part, content in zip(added, step.contents, strict=True):
            refusal = self._open(part, content)
            if refusal is not None:
                self.client.start(part.end(refusal))

    def _open(self, part: Part, content: jingle.Content) -> jingle.Reason | None:
        """Let the program decide; or the reason why it need not."""
        file = content.description.file if content.description is not None else None
        if file is None or content.senders not in ("initiator", "responder"):
            return jingle.Reason(unsupported_applications=True)
        if content.transport is None or _is_datagrams(content.transport):
            return jingle.Reason(unsupported_transports=True)
        if part.is_sent:
            if not self._requests.is_open:
                return NOT_HERE
            self._requests.give(FileRequest(part, file, content.transport))
        else:
            if not self._offers.is_open:
                return jingle.Reason(decline=True)
            self._offers.give(Offer(part, file, content.transport))
        part.deadline = self.client.clock.call_later(ANSWERING, partial(self._decide, part))
        return None

    def _decide(self, part: Part) -> None:
        """The program has had its time."""
        if part.state is State.PENDING:
            self.client.start(part.end(jingle.Reason(timeout=True)))

    def _begin(self, peer: JID, sid: str, *, is_initiator: bool) -> Session:
        if len(self._sessions) >= MOST_SESSIONS:
            raise StanzaError("resource-constraint", f"{MOST_SESSIONS} sessions are open")
        session = Session(self.client, peer, sid, self._forget, is_initiator=is_initiator)
        self._sessions[peer, sid] = session
        return session

    def _forget(self, session: Session) -> None:
        self._sessions.pop((session.peer, session.sid), None)

    def _abandon(self, session: Session) -> None:
        """Nobody goes on with it here: whatever is left of it is called off."""
        if session.state is not State.ENDED:
            self.client.start(session.end(jingle.Reason(cancel=True)))


def _each(paths: Sequence[Path | str]) -> dict[Path, None]:
    return dict.fromkeys(Path(path) for path in paths)


def _length(piece: jingle.Range, size: int | None) -> int | None:
    """How many octets the piece has, as far as that is known."""
    if piece.length is not None or size is None:
        return piece.length
    return max(0, size - (piece.offset or 0))


def _is_datagrams(transport: Transport) -> bool:
    return isinstance(transport, jingle.Socks5) and transport.mode == "udp"
