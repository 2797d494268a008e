"""What a server module is: handlers, marked where they stand, and nothing to unregister.

Decorators only mark. `Host.load` reads the marks, `Host.unload` undoes them. The doors:

    request      an IQ to the server, to the sender's own account or to another's
    sending      a stanza's way out, before it is routed
    delivering   a stanza's way in, before it reaches sessions
    undelivered  a message for an account that nobody is there to take
    offering     an element among the stream's features
    node         a service-discovery node that the module answers for
    nonza        an element of a bound client's stream that is no stanza
    early        an element of a client that has authenticated and has no session yet
    binding      what a client asks for along with its resource
    on           something that has happened
    command      an operator's action (`server/commands.py`)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import IntFlag
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar

from ..core.jid import JID
from ..core.negotiate import Phase
from ..core.stanza import Iq
from ..kit.hooks import Stage
from ..kit.log import Bound
from ..kit.meter import Part
from ..kit.tasks import Scope
from ..store.shapes import KeyValues, Log
from ..wire import Spec
from ..wire.dataforms import Form
from ..wire.disco import Item
from .session import Session

if TYPE_CHECKING:
    from .hosts import Host

F = TypeVar("F", bound=Callable[..., Any])

MAX_TASKS = 1000  # that one module may have under way on one host


class ModuleError(Exception):
    """A module cannot be loaded; the text tells an operator why. Also for `Module.start`."""


class At(IntFlag):
    """Whom a request may be addressed to, to reach a handler."""

    HOST = 1  # the server itself
    OWN = 2  # the sender's own bare address
    OTHERS = 4  # another account's bare address: the handler decides who may ask


class Request:
    """Who asks what of whom: what a `request` handler gets beside the payload."""

    __slots__ = ("address", "iq", "notes", "sender", "session", "to")

    def __init__(
        self,
        iq: Iq,
        sender: JID,
        to: JID,
        session: Session | None,
        address: str = "",
        notes: dict[str, str] | None = None,
    ) -> None:
        self.iq = iq
        self.sender = sender  # the full address that asks
        self.to = to  # the host, or the bare address of the account that is asked about
        self.session = session  # of the sender, where it is a local one
        self.address = address  # of a peer that has no account yet, else empty
        self.notes = {} if notes is None else notes  # kept with that peer's connection

    @property
    def place(self) -> At:
        """Where it is addressed to, seen from who asks."""
        if self.to.local is None:
            return At.HOST
        return At.OWN if self.to == self.sender.bare else At.OTHERS

    @property
    def is_own(self) -> bool:
        """Whether the sender asks about its own account, or the server on its behalf."""
        return self.place is not At.OTHERS


class Mark(NamedTuple):
    """One door that a handler stands at."""

    door: str
    place: tuple[Any, ...]


def _mark(door: str, *place: Any) -> Callable[[F], F]:
    def remember(handler: F) -> F:
        handler.__dict__.setdefault("marks", []).append(Mark(door, place))
        return handler

    return remember


def request(
    type: Literal["get", "set"], payload: type, *, at: At = At.HOST | At.OWN
) -> Callable[[F], F]:
    """Answer IQs of `type` with `payload`: ``(payload, request) -> answer's payload or None``.

    Exactly one module answers each. Raise `StanzaError` to refuse.
    """
    return _mark("request", type, payload, at)


def sending(stage: Stage, *kinds: type) -> Callable[[F], F]:
    """See what local sessions send: ``(stanza, session)``; only stanzas of `kinds` if given."""
    return _mark("sending", stage, kinds)


def delivering(stage: Stage, *kinds: type) -> Callable[[F], F]:
    """See what is for a local account: ``(stanza, owner's bare JID, chosen sessions)``."""
    return _mark("delivering", stage, kinds)


def undelivered(handler: F) -> F:
    """Take a message that no session can: ``async (message, owner's bare JID) -> taken``."""
    return _mark("undelivered")(handler)


def offering(phase: Phase) -> Callable[[F], F]:
    """Offer a stream feature in `phase`: ``(channel is encrypted) -> Element or None``."""
    return _mark("offering", phase)


def node(name: str, *, at: At = At.HOST) -> Callable[[F], F]:
    """Answer service discovery for `name`: ``async (request) -> (info, items)`` payloads."""
    return _mark("node", name, at)


def nonza(payload: type) -> Callable[[F], F]:
    """Take `payload` beside the stanzas of a bound client: ``(payload, session)``.

    Exactly one module takes each; what none takes ends the stream. Raise `StreamError` to end it.
    """
    return _mark("nonza", payload)


def early(payload: type) -> Callable[[F], F]:
    """Take `payload` in place of binding: ``async (payload, account) -> (answer, session)``.

    The answer is an element; the session, if any, goes on with this client's connection.
    """
    return _mark("early", payload)


def binding(payload: type | None = None) -> Callable[[F], F]:
    """Do what a client asks for along with its resource (XEP-0386 §5): ``(payload, session)``.

    The answer, an element or None, stands in what the client is told. Without a `payload` each
    new session is told, and the handler is given None. What switches something on must not wait:
    no message comes between that and what a handler that waits sees when it begins.
    """
    return _mark("binding", payload)


def on(event: type) -> Callable[[F], F]:
    """Be told of `event`: ``(event)``."""
    return _mark("on", event)


class Module:
    """Base of server modules. One file, one module, one specification.

    There is one for each host that it is loaded on. What it needs is given to it, and whatever
    of that it uses ends with it.
    """

    spec: ClassVar[Spec]
    features: ClassVar[tuple[str, ...]] = ()  # advertised by the server
    account_features: ClassVar[tuple[str, ...]] = ()  # advertised by each account
    Settings: ClassVar[type | None] = None  # a frozen struct; its defaults are the defaults

    def __init__(self, host: Host, settings: Any, name: str = "") -> None:
        self.host = host
        self.settings = settings
        self.name = name  # as in the settings
        self.clock = host.clock
        #: What is logged carries the host. ``log.levels."pyrite.module.NAME"`` sets its level.
        self.log = Bound(logging.getLogger(f"pyrite.module.{name}"), {"host": host.domain})
        #: What it counts: the names begin with its own, and have the host as a label.
        self.meter = Part(host.server.meter, name.replace("-", "_"), "host", host.domain)
        self._scope: Scope | None = None

    @property
    def values(self) -> KeyValues:
        """Texts by name, for each owner: an account, or the host itself for all of it."""
        return self.host.stores.values(self.name)

    @property
    def entries(self) -> Log:
        """Texts in the order in which they came, for each owner."""
        return self.host.stores.log(self.name)

    @property
    def folder(self) -> Path:
        """A directory of its own for files, private, made when it is first asked for."""
        folder = self.host.server.settings.data / "modules" / self.name / self.host.domain
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def scope(self) -> Scope:
        """Where it starts tasks. They are cancelled, and waited for, when it is unloaded."""
        if self._scope is None:
            self._scope = Scope(f"{self.name} at {self.host.domain}", MAX_TASKS)
        return self._scope

    def forms(self) -> Sequence[Form]:
        """What the server tells about this host beside identity and features (XEP-0128)."""
        return ()

    def services(self) -> Sequence[Item]:
        """What belongs to this host and has an address of its own (XEP-0030 §4)."""
        return ()

    async def start(self) -> None:
        """Called when the module's handlers are about to be attached.

        To refuse, raise `ModuleError`; `stop` is not called then.
        """

    async def stop(self) -> None:
        """Called when they are detached: undo what `start` did.

        Tasks of `scope` and what is counted by `meter` need no undoing.
        """

    async def release(self) -> None:
        """End its tasks and take its numbers away; for `Host`, when all else is over."""
        if self._scope is not None:
            await self._scope.close()
        self.meter.close()
