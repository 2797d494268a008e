"""What a client feature is: handlers, marked where they stand, and nothing to unregister.

    class Ping(Feature):
        spec = ping.SPEC
        features = (ping.NS,)

        @serves("get", ping.Ping)
        def answer(self, request: Request[ping.Ping]) -> None:
            ...

One file, one feature, one specification. A program has it by its class: ``me[Ping]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from ..core.jid import JID
from ..core.stanza import Iq, Message, Presence, Stanza
from ..kit.hooks import Stage
from ..wire import Spec
from ..wire.disco import Item
from .receipt import Receipt

if TYPE_CHECKING:
    from .entity import Entity

F = TypeVar("F", bound=Callable[..., Any])
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Request(Generic[P]):
    """What somebody asks of this client: a payload, and in which IQ it came."""

    payload: P
    iq: Iq

    @property
    def sender(self) -> JID | None:
        """Who asks; None is our own account, or its server."""
        return self.iq.sender


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message of one of the user's conversations, whichever way it came here.

    `outgoing`: another of the user's clients sent it.
    """

    message: Message
    outgoing: bool = False

    @property
    def peer(self) -> JID | None:
        """The other side of the conversation (bare)."""
        other = self.message.to if self.outgoing else self.message.sender
        return None if other is None else other.bare


@dataclass(frozen=True, slots=True)
class PresenceReceived:
    """Presence of somebody, also what asks for or grants a subscription."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class Sending:
    """A message is about to be sent; features take its receipt further."""

    receipt: Receipt


class Mark(NamedTuple):
    """One door that a handler stands at."""

    door: str
    place: tuple[Any, ...]


def _mark(door: str, *place: Any) -> Callable[[F], F]:
    def remember(handler: F) -> F:
        handler.__dict__.setdefault("marks", []).append(Mark(door, place))
        return handler

    return remember


def serves(
    type: Literal["get", "set"], payload: type, *, apart: bool = False
) -> Callable[[F], F]:
    """Answer IQs of `type` with `payload`: ``(request) -> answer's payload or None``.

    Exactly one handler answers each. Raise `StanzaError` to refuse. What else the same peer asks
    waits for the answer, unless it is given `apart`: then the handler keeps few waiting.
    """
    return _mark("serves", type, payload, apart)


def opens(payload: type, kind: type[Stanza] = Message) -> Callable[[F], F]:
    """See stanzas of `kind` that carry `payload`: ``(stanza) -> taken``.

    A stanza that is taken (True) goes nowhere else. It runs before the next stanza is read.
    """
    return _mark("opens", kind, payload)


def holds(event: type) -> Callable[[F], F]:
    """See `event` before anybody is told: ``(event) -> held``. What is held (True) is not told."""
    return _mark("holds", event)


def sending(stage: Stage, *kinds: type[Stanza]) -> Callable[[F], F]:
    """See what this client sends: ``(stanza)``; only stanzas of `kinds` if given."""
    return _mark("sending", stage, kinds)


def on(event: type) -> Callable[[F], F]:
    """Be told of `event`: ``(event)``."""
    return _mark("on", event)


class Feature:
    """Base of client features. It is made the first time that it is asked for."""

    spec: ClassVar[Spec]
    features: tuple[str, ...] = ()  # advertised by service discovery; one may change its own
    needs: ClassVar[tuple[type[Feature], ...]] = ()  # that are there before this one

    def __init__(self, client: Entity) -> None:
        self.client = client

    async def fetches_missed(self) -> bool:
        """Whether it asks the archive, in a new session, for all that came since the last one."""
        return False

    async def begin(self) -> None:
        """A session has begun, and nothing of an older one is left. Awaited before it is used.

        Also for a feature that is first asked for in the middle of a session.
        """

    def stop(self) -> None:
        """The client is closed."""

    def shown(self, node: str | None, sender: JID | None) -> Sequence[Item]:
        """What `sender` finds of this at a `node` of ours (XEP-0030 §4.2)."""
        return ()


def marks_of(feature: Feature) -> list[tuple[Mark, Callable[..., Any]]]:
    """Every mark in the feature's class, with the bound handler that it stands on."""
    found = []
    for name in dir(type(feature)):
        marks = getattr(getattr(type(feature), name, None), "marks", None)
        for mark in marks if isinstance(marks, list) else ():
            found.append((mark, getattr(feature, name)))
    return found
