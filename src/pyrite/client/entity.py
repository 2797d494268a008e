"""What clients and components share: what is said, what is heard, and what is told of it."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import name_of
from ..core.stanza import Iq, Message, Presence, Stanza
from ..core.xml import Element, Name
from ..kit.clock import Clock, SystemClock
from ..kit.hooks import Filter
from ..kit.ids import Ids
from .beginning import Beginnings
from .errors import alone
from .feature import (
    Feature,
    Mark,
    MessageReceived,
    PresenceReceived,
    Request,
    Sending,
    bodies,
    marks_of,
    named,
)
from .hearing import Handler, Hearing
from .keeper import Backoff, Entered, Keeper
from .login import Resumable
from .receipt import Receipt
from .serving import Serving
from .state import Closed

if TYPE_CHECKING:
    from ..wire.disco import Info, Item

P = TypeVar("P")
F = TypeVar("F", bound=Feature)
R = TypeVar("R")

TIMEOUT = 30.0  # seconds; an answer that takes longer is a `TimeoutError`


class Entity(Hearing, ABC):
    """One address on the net and the stream behind it, which is kept alive."""

    def __init__(
        self,
        jid: JID,
        features: Sequence[type[Feature]],
        backoff: Backoff | None,
        timeout: float,
        clock: Clock | None,
        chance: random.Random | None,
        patience: float | None = None,
    ) -> None:
        super().__init__()
        self.jid = jid
        self.clock: Clock = clock or SystemClock()
        self.ids = Ids()
        self.timeout = timeout
        self.presence: Presence | None = None  # said whenever a session begins
        self.sending: Filter[Stanza] = Filter("sending")
        self.forged: Counter[str] = Counter()  # dropped: by what, since its sender cannot say it
        self._features: dict[type[Feature], Feature] = {}
        self._doors: dict[tuple[type[Stanza], Name], list[Callable[[Any], Any]]] = {}
        self._serving = Serving(self._answer, self.start)
        self._was_entered = self._has_failed = False
        self._beginnings = Beginnings(self._tasks)
        chance = chance or random.SystemRandom()
        self._keeper = Keeper(self, self._inbox, backoff or Backoff(), chance, patience)
        for feature in features:
            self[feature]

    @abstractmethod
    async def log_in(self, old: Resumable | None) -> Entered:
        """Reach the server, and be let in: with the session `old`, if it still has it."""

    # --- life ------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._was_entered:
            raise RuntimeError("a client is entered once; make another one")
        self._was_entered = True
        await self._tasks.__aenter__()
        try:
            await self._keeper.begin(self._tasks)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._has_failed = error is not None
        try:
            await self.close()
        finally:
            self.ends_well = error is None
            for line in self._lines if self.ends_well else ():
                line.done()
            for feature in self._features.values():
                feature.stop()
            try:
                await self._tasks.__aexit__(kind, error, trace)
            except BaseExceptionGroup as group:
                raise alone(group) from None
            finally:
                self._inbox.clear()
                for line in self._lines:
                    line.end()
        if error is None and not self.knows_end:
            self._raise_end()

    async def close(self) -> None:
        """End the session in good order. The end of the block does so, too.

        What was not handled yet when it is left by an error stays with the server.
        """
        self._inbox.end()
        await self._keeper.close(is_done=not self._has_failed)

    async def ended(self) -> None:
        """Wait until it is over for good. Raises the reason, unless it was closed by us.

        For a program of handlers alone, which has nothing else to wait for.
        """
        async with self.hear(Closed) as ends:
            async for _ in ends:
                break
        self._raise_end()

    def _raise_end(self) -> None:
        closed = self._keeper.closed
        if closed is not None and closed.cause is not None:
            raise closed.cause

    @property
    def is_online(self) -> bool:
        """Whether stanzas flow just now."""
        return self._keeper.is_online

    @property
    def is_acknowledged(self) -> bool:
        """Whether the server answers for what it was sent (XEP-0198)."""
        return self._keeper.outbox.acks is not None

    def has_feature(self, ns: str, tag: str) -> bool:
        """Whether the server offered this in the stream's features."""
        session = self._keeper.session
        return session is not None and session.features.child(ns, tag) is not None

    @property
    def begins_with_carbons(self) -> bool:
        """Whether copies were asked for together with the log-in."""
        session = self._keeper.session
        return session is not None and session.with_carbons

    # --- saying ----------------------------------------------------------------------

    async def send(self, to: JID | str | Message, *content: object, type: str = "chat") -> Receipt:
        """Send a message: to whom, and a text or payloads; or a whole `Message`.

        Waits for room alone, and then for nothing: what is awaited of the receipt says how far
        it has come. Raises `StanzaError` where a feature refuses it, `SessionClosed`, and
        `TimeoutError` where there is no room for so long as the client's `timeout`.
        """
        if isinstance(to, Message):
            message = to.add(*bodies(content)) if content else to
        else:
            message = Message(type, _jid(to)).add(*bodies(content))
        if message.id is None:
            message = named(message, self.ids())
        message = await self.sending.run(message)  # type: ignore[assignment]
        receipt = Receipt(message, self._end)
        await self.tell(Sending(receipt))
        await self._put(message, receipt)
        return receipt

    async def send_presence(self, presence: Presence) -> None:
        """Send presence. One to nobody in particular is said again whenever a session begins."""
        if presence.to is None and presence.type in (None, "unavailable"):
            self.presence = presence
        presence = await self.sending.run(presence)  # type: ignore[assignment]
        await self._put(presence, None)

    async def _put(self, stanza: Stanza, receipt: Receipt | None) -> None:
        self._keeper.check()
        if self._keeper.outbox.is_full:
            async with asyncio.timeout(self.timeout):
                await self._keeper.outbox.room()
            self._keeper.check()
        self._keeper.outbox.put(stanza, receipt)

    @overload
    async def request(
        self,
        payload: object,
        to: JID | str | None = None,
        *,
        type: Literal["get", "set"] = "get",
        expect: type[P],
        within: float | None = None,
        sender: JID | None = None,
    ) -> P: ...

    @overload
    async def request(
        self,
        payload: object,
        to: JID | str | None = None,
        *,
        type: Literal["get", "set"] = "get",
        expect: None = None,
        within: float | None = None,
        sender: JID | None = None,
    ) -> Iq: ...

    async def request(
        self,
        payload: object,
        to: JID | str | None = None,
        *,
        type: Literal["get", "set"] = "get",
        expect: type[P] | None = None,
        within: float | None = None,
        sender: JID | None = None,
    ) -> P | Iq:
        """Ask `to`, or the own account, and wait for the answer: the IQ, or the payload expected.

        Only an answer of who was asked counts. Raises `StanzaError` as the other side refuses,
        or when the answer is not what is expected; `SessionReset`, `SessionClosed`; and
        `TimeoutError` after `within` seconds, or the client's `timeout`. A request that is given
        up before it was sent is never sent. `sender`: who of a component asks.
        """
        receiver = None if to is None else _jid(to)
        iq = Iq(type, receiver, sender, self.ids()).add(payload)
        iq = await self.sending.run(iq)  # type: ignore[assignment]
        id, own = iq.id or "", sender or self.jid
        answer = self._keeper.requests.expect(receiver, id, own)
        try:
            async with asyncio.timeout(within or self.timeout):
                await self._put(iq, None)
                answered = await answer
        finally:
            self._keeper.requests.forget(receiver, id, own)
            if not answer.done() or answer.cancelled():
                self._keeper.outbox.withdraw(id)
        if expect is None:
            return answered
        found = answered.get(expect)
        if found is None:
            raise StanzaError("undefined-condition", f"no {expect.__name__} in the answer")
        return found

    # --- hearing ---------------------------------------------------------------------

    def __getitem__(self, feature: type[F]) -> F:
        """The client's `feature`, made and attached the first time it is asked for.

        In the middle of a session it begins at once, which may take a while: see `begun`.
        """
        found = self._features.get(feature)
        if found is None:
            for needed in feature.needs:
                self[needed]
            found = self._features[feature] = feature(self)
            for mark, handler in marks_of(found):
                self._attach(mark, handler)
            if self.is_online:
                self._beginnings.begin(found)
        return found  # type: ignore[return-value]

    async def begun(self, feature: type[F]) -> F:
        """The client's `feature`, when it knows what it begins with: the roster, say.

        Raises why it could not begin: `StanzaError`, `TimeoutError` or a `ClientError`. It is
        begun again with the next session.
        """
        found = self[feature]
        await self._beginnings.wait(feature)
        return found

    @property
    def features(self) -> set[str]:
        """What this client advertises."""
        return {name for feature in self._features.values() for name in feature.features}

    def shown(self, node: str | None, sender: JID | None) -> list[Item]:
        """What `sender` finds at a `node` of ours."""
        return [item for one in self._features.values() for item in one.shown(node, sender)]

    def described(self, node: str | None, sender: JID | None) -> Info | None:
        """What a `node` of ours is, if one of our features has it."""
        found = (one.described(node, sender) for one in self._features.values() if node)
        return next((info for info in found if info is not None), None)

    def _attach(self, mark: Mark, handler: Callable[..., Any]) -> None:
        match mark.door, mark.place:
            case "serves", (type, payload, apart):
                self._serving.add(type, payload, handler, apart)
            case "opens", (kind, payload):
                self._doors.setdefault((kind, name_of(payload)), []).append(handler)
            case "sending", (stage, kinds):
                self.sending.add(stage, handler, *kinds)
            case "holds", (event,):
                self._holds.setdefault(event, []).append(handler)
            case "on", (event,):
                self._hearers[event].append(handler)

    def serve(
        self, type: Literal["get", "set"], payload: type[P], *, apart: bool = False
    ) -> Callable[[Handler[Request[P], R]], Handler[Request[P], R]]:
        """Let the decorated function answer requests of `type` with `payload`.

        It is given a `Request`, and gives the answer's payload or None; `StanzaError` refuses.
        `apart`: what else the same peer asks does not wait until it is answered.
        """

        def remember(handler: Handler[Request[P], R]) -> Handler[Request[P], R]:
            self._serving.add(type, payload, handler, apart)
            return handler

        return remember

    # --- for the keeper and for features ---------------------------------------------

    @property
    def offered(self) -> Element | None:
        """The features of the stream, as the server last told them."""
        session = self._keeper.session
        return session.features if session is not None else None

    def put_nonza(self, nonza: object) -> None:
        """Send what is no stanza. While there is no connection it is not sent at all."""
        if self.is_online:
            self._keeper.outbox.say(nonza)

    def break_off(self) -> None:
        """End a connection that is dead without having said so: another one is made."""
        self._keeper.break_off()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Go on with `work` beside all else. What it raises reaches who opened the client."""
        return self._tasks.create_task(work)

    async def settle(self) -> None:
        """A new session has begun: let every feature begin."""
        await self._beginnings.anew(self._features)

    async def receive(self, stanza: Stanza) -> None:
        """Take a stanza from the server."""
        if isinstance(stanza, Iq):
            if stanza.is_request:
                await self._inbox.tell(stanza.sender, (self._serving.serve,), stanza)
            elif not self._keeper.requests.settle(stanza, stanza.to or self.jid):
                self.forged["answer"] += 1
            return
        for element in stanza.payloads:
            for door in self._doors.get((stanza.__class__, element.name), ()):
                try:
                    taken = door(stanza)
                    if asyncio.iscoroutine(taken):
                        taken = await self._keeper.requests.reading(taken)
                except Exception as error:
                    self._inbox.fail(door, error)
                    continue
                if taken:
                    return
        sender = stanza.sender.bare if stanza.sender is not None else self.jid.bare
        if isinstance(stanza, Message):
            await self.tell(MessageReceived(stanza), sender)
        elif isinstance(stanza, Presence):
            await self.tell(PresenceReceived(stanza), sender)

    def _answer(self, iq: Iq, answer: Iq) -> None:
        self._keeper.outbox.put(answer.routed(sender=iq.to or self.jid))


def _jid(address: JID | str) -> JID:
    return JID.parse(address) if isinstance(address, str) else address
