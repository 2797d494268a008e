"""One served domain: its modules, the doors they stand at, and what they declare."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import StanzaError, StreamError
from ..core.jid import JID
from ..core.negotiate import Phase
from ..core.payload import decode, name_of
from ..core.stanza import Iq, Stanza
from ..core.xml import Element, Name
from ..kit.hooks import Events, Filter, Offer, Remove
from ..wire import disco
from . import mod
from .asking import Asking
from .auth import Authenticator
from .binding import Bindings
from .module import At, Mark, Module, ModuleError, Request
from .session import Session

if TYPE_CHECKING:
    from .app import Server
    from .settings import HostSettings

log = logging.getLogger(__name__)

IDENTITY = disco.Identity("server", "im", "Pyrite")

PLUGINS = "pyrite.server"  # the entry-point group of modules from other distributions


class _Answer(NamedTuple):
    payload: type
    call: Callable[..., Any]
    waits: bool


class _Nonza(NamedTuple):
    payload: type
    call: Callable[..., Any]
    waits: bool


class _Loaded(NamedTuple):
    module: Module
    undo: list[Remove]


class Node(NamedTuple):
    """A service-discovery node and who answers for it."""

    call: Callable[[Request], Awaitable[tuple[disco.Info, disco.Items]]]
    at: At


class Host:
    """One domain and all that is done in its name. Hosts share nothing but the server."""

    def __init__(self, server: Server, domain: str, settings: HostSettings) -> None:
        self.server = server
        self.domain = domain
        self.jid = JID(None, domain)
        self.settings = settings
        self.is_leaving = False  # and takes nobody any more
        self.clock = server.clock
        self.ids = server.ids  # called, it gives one that nobody can guess
        self.sessions = server.sessions
        self.stores = server.stores
        self.accounts = server.accounts
        self.rosters = server.rosters
        self.asking = Asking(self)  # others, in its own name
        self.presences = server.presences
        self.authenticator = Authenticator(
            domain,
            server.accounts,
            server.settings.auth,
            server.clock,
            clients=server.clients,
            limits=server.auth_limits,
            meter=server.meter,
        )
        self.sending: Filter[Stanza] = Filter("sending")
        self.delivering: Filter[Stanza] = Filter("delivering")
        self.undelivered: Offer[Stanza] = Offer("undelivered")
        self.events = Events()
        self.modules: dict[str, Module] = {}
        self.nodes: dict[str, Node] = {}
        self.offers: dict[Phase, list[Callable[[bool], Element | None]]] = {p: [] for p in Phase}
        self._requests: dict[tuple[str, Name, At], _Answer] = {}
        self._nonzas: dict[Name, _Nonza] = {}
        self._early: dict[Name, _Nonza] = {}
        self._bindings = Bindings()
        self._loaded: dict[str, _Loaded] = {}

    async def load(self, name: str, settings: Any = None) -> None:
        """Load the module `name` and attach its handlers; all of them or none.

        Raises `ModuleError` if that cannot be: there is none, it is loaded, it answers what
        another one answers, or it fails. Then nothing of it is left. `settings` are in place
        of what the server's say.
        """
        if name in self._loaded:
            raise ModuleError(f"{name} is loaded on {self.domain}")
        module: Module | None = None
        try:
            module = self._made(name, settings)
            await module.start()
            self._loaded[name] = _Loaded(module, await self._attached(module))
        except BaseException as error:
            if module is not None:
                await module.release()
            if not isinstance(error, Exception):
                raise
            raise self._failure(name, error) from error
        self.modules[name] = module

    def _made(self, name: str, settings: Any) -> Module:
        """The module with its settings, not yet started."""
        try:
            cls = find_module(name)
        except LookupError as error:
            raise ModuleError(str(error)) from None
        if settings is None:
            settings = self.server.settings.of_module(name, self.domain, cls.Settings)
        return cls(self, settings, name)

    async def _attached(self, module: Module) -> list[Remove]:
        """Attach all handlers of a module that has started, or none, and then stop it."""
        undo: list[Remove] = []
        try:
            for mark, handler in _marks(module):
                undo.append(self._attach(mark, handler))
        except Exception:
            _undo(undo)
            await module.stop()
            raise
        return undo

    def _failure(self, name: str, error: Exception) -> ModuleError:
        """What an operator is told; a bug is logged with where it is."""
        if isinstance(error, ModuleError):
            return ModuleError(f"{name} is not loaded on {self.domain}: {error}")
        log.error("module failed: %s on %s", name, self.domain, exc_info=error)
        what = f"{type(error).__name__}: {error}"
        return ModuleError(f"{name} is not loaded on {self.domain}: {what}")

    async def unload(self, name: str) -> None:
        """Detach the module `name`, then let it clean up. Raises `LookupError` without one."""
        loaded = self._loaded.pop(name)
        del self.modules[name]
        _undo(loaded.undo)
        try:
            await loaded.module.stop()
        except Exception:  # it is gone all the same
            log.exception("module failed to stop: %s on %s", name, self.domain)
        finally:
            await loaded.module.release()

    def _attach(self, mark: Mark, handler: Any) -> Remove:
        match mark.door, mark.place:
            case "request", (type, payload, at):
                return self._answer_with(type, _Answer(payload, handler, _waits(handler)), at)
            case "sending", (stage, kinds):
                return self.sending.add(stage, handler, *kinds)
            case "delivering", (stage, kinds):
                return self.delivering.add(stage, handler, *kinds)
            case "undelivered", ():
                return self.undelivered.add(handler)
            case "offering", (phase,):
                self.offers[phase].append(handler)
                return lambda: self.offers[phase].remove(handler)
            case "node", (name, at):
                if name in self.nodes:
                    raise ModuleError(f"another module answers for the node {name}")
                self.nodes[name] = Node(handler, at)
                return lambda: self.nodes.pop(name) and None
            case "nonza", (element,):
                return _take_with(self._nonzas, _Nonza(element, handler, _waits(handler)))
            case "early", (element,):
                return _take_with(self._early, _Nonza(element, handler, _waits(handler)))
            case "binding", (element,):
                return self._bindings.add(element, handler, waits=_waits(handler))
            case "on", (event,):
                return self.events.on(event, handler)
            case "command", _:
                return self.server.commands.add(handler, host=self.domain)
        raise ValueError(f"no such door: {mark.door}")

    def _answer_with(self, type: str, answer: _Answer, at: At) -> Remove:
        """Let `answer` stand at each place in `at`, where nobody may stand yet."""
        keys = [(type, name_of(answer.payload), place) for place in At if place in at]
        for key in keys:
            if key in self._requests:
                raise ModuleError(f"another module answers {type} of {key[1].ns} {key[1].tag}")
        self._requests.update(dict.fromkeys(keys, answer))

        def remove() -> None:
            for key in keys:
                del self._requests[key]

        return remove

    async def take_nonza(self, element: Element, session: Session) -> None:
        """Hand over what a client sent beside its stanzas.

        Raises `StreamError`: ``unsupported-stanza-type`` where no module takes it (RFC 6120
        §4.9.3.24), ``bad-format`` where it is not as it should be.
        """
        found = self._nonzas.get(element.name)
        if found is None:
            raise StreamError("unsupported-stanza-type", element.name.tag[:64])
        try:
            payload: Any = decode(found.payload, element)
        except StanzaError as error:
            raise StreamError("bad-format", error.text) from None
        taken = found.call(payload, session)
        if found.waits:
            await taken

    async def take_early(
        self, element: Element, account: JID | None
    ) -> tuple[Element, Session | None]:
        """The answer to what a client asks for in place of binding, and the session it gets.

        It has no `account` before it has authenticated: then the answer is a refusal.
        Raises `StreamError` as `take_nonza` does.
        """
        found = self._early.get(element.name)
        if found is None:
            raise StreamError("unsupported-stanza-type", element.name.tag[:64])
        try:
            payload: Any = decode(found.payload, element)
        except StanzaError as error:
            raise StreamError("bad-format", error.text) from None
        taken = found.call(payload, account)
        if found.waits:
            taken = await taken
        answer: tuple[Element, Session | None] = taken
        return answer

    def takes_early(self, name: Name) -> bool:
        """Whether a client may ask for this in place of binding."""
        return name in self._early

    def offered_inline(self) -> list[Element]:
        """The features among those of an authenticated stream that have elements of this kind."""
        namespaces = {name.ns for name in self._early}
        offers = self.offered(Phase.AUTHENTICATED, secure=True)
        return [offer for offer in offers if offer.name.ns in namespaces]

    def inline(self) -> list[str]:
        """The namespaces of what a client may ask for along with its resource."""
        return self._bindings.namespaces()

    async def bound(self, session: Session, asked: Sequence[Element]) -> list[Element]:
        """Do what a client `asked` for along with its new session; what it is told of it."""
        return await self._bindings.bound(session, asked)

    async def route(self, stanza: Stanza) -> None:
        """Bring a stanza of a module's making to its `to`; what is refused is dropped."""
        await self.server.router.route(stanza)

    def features(self) -> set[str]:
        """What the server advertises for this host."""
        return {feature for module in self.modules.values() for feature in module.features}

    def info(self) -> disco.Info:
        """What the server says of itself for this host (XEP-0030 §3.1)."""
        forms = [form for module in self.modules.values() for form in module.forms()]
        return disco.info([IDENTITY], self.features(), forms)

    def account_features(self) -> set[str]:
        """What every account of this host advertises."""
        return {f for module in self.modules.values() for f in module.account_features}

    def offered(self, phase: Phase, *, secure: bool) -> list[Element]:
        """The stream features that modules offer in `phase`."""
        made: list[Element] = []
        for offer in self.offers[phase]:
            try:
                element = offer(secure)
            except Exception:  # one offer less is better than no stream
                log.exception("offering failed: %s", offer.__qualname__)
                continue
            if element is not None:
                made.append(element)
        return made

    async def answer(self, request: Request) -> Iq:
        """The result of an IQ request to this host or one of its accounts.

        Raises `StanzaError`: ``service-unavailable`` where nobody answers, for an account
        exactly as for one that does not exist, so that neither shows (RFC 6121 §8.5.1).
        """
        iq = request.iq
        element = iq.payloads[0]
        found = self._requests.get((iq.type or "", element.name, request.place))
        if found is None:
            raise StanzaError("service-unavailable")
        answer = found.call(decode(found.payload, element), request)
        if found.waits:
            answer = await answer
        return iq.answer(answer)


def _take_with(places: dict[Name, _Nonza], nonza: _Nonza) -> Remove:
    """Let `nonza` take its element, which nobody may take yet."""
    name = name_of(nonza.payload)
    if name in places:
        raise ModuleError(f"another module takes {name.ns} {name.tag}")
    places[name] = nonza
    return lambda: places.pop(name) and None


def _waits(handler: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(handler)


def _marks(module: Module) -> Iterator[tuple[Mark, Any]]:
    """Every mark in the module's class, with the bound handler it stands on."""
    for name in dir(type(module)):
        marks = getattr(inspect.getattr_static(type(module), name), "marks", None)
        for mark in marks or ():
            yield mark, getattr(module, name)


def _undo(steps: list[Remove]) -> None:
    for step in reversed(steps):
        step()


def built_in() -> list[str]:
    """The names of all modules that come with the server."""
    return sorted(module.name for module in pkgutil.iter_modules(mod.__path__))


def modules_of(settings: HostSettings) -> Sequence[str]:
    """The names of the modules that a host is to have."""
    return built_in() if settings.modules is None else settings.modules


def find_module(name: str) -> type[Module]:
    """The class of the module `name`, our own or a plugin's. Raises `LookupError`."""
    if name in built_in():
        return module_in(importlib.import_module(f"{mod.__name__}.{name}"))
    for entry in entry_points(group=PLUGINS, name=name):
        importlib.invalidate_caches()  # it may have been installed while we run
        try:
            loaded = entry.load()
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise LookupError(f"the plugin {name} cannot be imported: {why}") from error
        if isinstance(loaded, type) and issubclass(loaded, Module):
            return loaded
        raise LookupError(f"the plugin {name} is no Module")
    raise LookupError(f"there is no module {name}")


def module_in(source: Any) -> type[Module]:
    """The one `Module` class that a source file defines."""
    found: list[type[Module]] = [c for c in vars(source).values() if _is_module(c, source.__name__)]
    if len(found) != 1:
        raise LookupError(f"{source.__name__} defines {len(found)} modules, not one")
    return found[0]


def _is_module(candidate: object, source: str) -> bool:
    if not (isinstance(candidate, type) and issubclass(candidate, Module)):
        return False
    return candidate.__module__.startswith(source)
