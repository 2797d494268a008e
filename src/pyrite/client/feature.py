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

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from ..core.frozen import frozen
from ..core.jid import JID
from ..core.stanza import NS, Iq, Message, Presence, Stanza
from ..kit.hooks import Stage
from ..wire import Spec
from ..wire.message import Body
from .receipt import Receipt

if TYPE_CHECKING:
    from ..wire.disco import Info, Item
    from .entity import Entity

H = TypeVar("H")  # a handler: what a mark stands on stays what it is
P = TypeVar("P")


@frozen
class Request(Generic[P]):
    """What somebody asks of this client: a payload, and in which IQ it came."""

    payload: P
    iq: Iq

    @property
    def sender(self) -> JID | None:
        """Who asks; None is our own account, or its server."""
        return self.iq.sender


@frozen
class MessageReceived:
    """A message of one of the user's conversations, whichever way it came here.

    `outgoing`: the user sent it, and not this client in this run: another one did; or, where the
    archive tells what was missed since the last run, this program in that.
    """

    message: Message
    outgoing: bool = False

    @property
    def sender(self) -> JID | None:
        """Who has said it: a client of theirs (full), or a service."""
        return self.message.sender

    @property
    def body(self) -> str | None:
        """Its text, if it has one."""
        return self.message.body

    @property
    def peer(self) -> JID | None:
        """The other side of the conversation (bare)."""
        other = self.message.to if self.outgoing else self.message.sender
        return None if other is None else other.bare

    def reply(self, *content: object) -> Message:
        """An answer, to be sent: from where it went to, to whom it came from, in its thread.

        To the whole room if it was said in one. Raises `ValueError` for an error, which is not
        answered, and for what nobody has sent.
        """
        came = self.message
        if came.sender is None or came.type == "error":
            raise ValueError("nobody waits for an answer")
        is_public = came.type == "groupchat"
        to = came.sender.bare if is_public else came.sender
        kept = [one for one in (came.child(NS, "thread"),) if one is not None]
        sender = None if is_public else came.to
        return Message(came.type, to, sender).add(*kept, *bodies(content))


def bodies(content: Iterable[object]) -> list[object]:
    """What a message is made of: a text is its body."""
    return [Body(one) if isinstance(one, str) else one for one in content]


def named(message: Message, id: str) -> Message:
    """The same, with this id."""
    return Message(message.type, message.to, message.sender, id, message.payloads, message.lang)


@frozen
class PresenceReceived:
    """Presence of somebody, also what asks for or grants a subscription."""

    presence: Presence


@frozen
class Sending:
    """A message is about to be sent; features take its receipt further."""

    receipt: Receipt


class Mark(NamedTuple):
    """One door that a handler stands at."""

    door: str
    place: tuple[Any, ...]


def _mark(door: str, *place: Any) -> Callable[[H], H]:
    def remember(handler: H) -> H:
        handler.__dict__.setdefault("marks", []).append(Mark(door, place))
        return handler

    return remember


def serves(type: Literal["get", "set"], payload: type, *, apart: bool = False) -> Callable[[H], H]:
    """Answer IQs of `type` with `payload`: ``(request) -> answer's payload or None``.

    Exactly one handler answers each. Raise `StanzaError` to refuse. What else the same peer asks
    waits for the answer, unless it is given `apart`: then the handler keeps few waiting.
    """
    return _mark("serves", type, payload, apart)


def opens(payload: type, kind: type[Stanza] = Message) -> Callable[[H], H]:
    """See stanzas of `kind` that carry `payload`: ``(stanza) -> taken``.

    A stanza that is taken (True) goes nowhere else. It runs before the next stanza is read.
    """
    return _mark("opens", kind, payload)


def holds(event: type) -> Callable[[H], H]:
    """See `event` before anybody is told: ``(event) -> held``. What is held (True) is not told."""
    return _mark("holds", event)


def sending(stage: Stage, *kinds: type[Stanza]) -> Callable[[H], H]:
    """See what this client sends: ``(stanza)``; only stanzas of `kinds` if given."""
    return _mark("sending", stage, kinds)


def on(event: type) -> Callable[[H], H]:
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

    def described(self, node: str, sender: JID | None) -> Info | None:
        """What a `node` of ours is, if it is this feature's (XEP-0030 §3.2)."""
        return None


def marks_of(feature: Feature) -> list[tuple[Mark, Callable[..., Any]]]:
    """Every mark in the feature's class, with the bound handler that it stands on."""
    found = []
    for name in dir(type(feature)):
        marks = getattr(getattr(type(feature), name, None), "marks", None)
        for mark in marks if isinstance(marks, list) else ():
            found.append((mark, getattr(feature, name)))
    return found
