"""An operator's actions: declared once, reachable as CLI, HTTP, ad-hoc command and console.

    @command(role="host-admin")
    async def account_add(self, jid: JID, password: Secret) -> None:
        \"\"\"Make an account.\"\"\"

The name is the function's, with dashes. Arguments are typed and come as plain data; what is
returned is typed and goes as plain data; the docstring is the help, everywhere. To refuse,
raise `CommandError`. A parameter of type `Caller` is given who asks, one of type `Stream` what
the command reads or writes that is too large for an argument or a result.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from ..core.jid import JID
from ..kit.config import Decoder, KeyPath, dotted
from ..kit.config.mistakes import meant, nearest
from ..kit.config.table import bare
from ..kit.config.words import words
from .module import Mark

log = logging.getLogger(__name__)

Role = Literal["user", "host-admin", "admin"]
Remove = Callable[[], None]
F = TypeVar("F", bound=Callable[..., Any])

RANK: dict[Role, int] = {"user": 0, "host-admin": 1, "admin": 2}


class CommandError(Exception):
    """A command refuses, and says why."""

    exit_code = 1


class UsageError(CommandError):
    """There is no such command, or its arguments are wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs a command."""

    role: Role
    jid: JID | None = None  # bare; None is the operator at the machine
    host: str | None = None  # the one that a host-admin administers

    def __str__(self) -> str:
        return str(self.jid or "the operator")


OPERATOR = Caller("admin")

PIECE = 64 * 1024  # octets, the most that a `Stream` gives or is given at a time


class Stream(Protocol):
    """A file of the caller, wherever that is. Both wait until the other side is ready for more.

    Both raise `CommandError` if the other side is gone, or cannot.
    """

    async def read(self) -> bytes:
        """What comes next, at most `PIECE`; nothing at the end."""

    async def write(self, text: str) -> None:
        """Add `text`, at most `PIECE` characters."""


def command(*, role: Role = "admin", name: str | None = None) -> Callable[[F], F]:
    """Make a function or method a command for callers of at least this role.

    A ``host-admin`` command names the host that it concerns in an argument `host`, or by a
    `JID` among its arguments, and is run only for admins of that one.
    """

    def remember(handler: F) -> F:
        named = name or handler.__name__.replace("_", "-")
        handler.__dict__.setdefault("marks", []).append(Mark("command", (named, role)))
        return handler

    return remember


class Argument(NamedTuple):
    """What a command takes."""

    name: str  # with dashes
    type: Any
    required: bool
    default: Any
    doc: str

    @property
    def words(self) -> str:
        """What its value looks like."""
        return words(self.type)


class Command:
    """A command and where it runs."""

    def __init__(self, name: str, role: Role, handler: Callable[..., Any], host: str | None):
        self.name, self.role, self.host = name, role, host
        self.handler = handler
        self.help = inspect.cleandoc(handler.__doc__ or "")
        self.summary = self.help.partition("\n")[0]
        hints = get_type_hints(handler, include_extras=True)
        self._caller = next((key for key in hints if hints[key] is Caller), None)
        self._stream = next((key for key in hints if hints[key] is Stream), None)
        hidden = {"return", self._caller, self._stream}
        self._struct = _struct_of(handler, {k: v for k, v in hints.items() if k not in hidden})
        self.arguments = [_argument(field) for field in fields(self._struct)]
        if not self.help:
            raise TypeError(f"{name} has no help")
        if host is not None and any(one.name == "host" for one in self.arguments):
            raise TypeError(f"{name} belongs to a host and must not ask for one")
        if role == "host-admin" and host is None and not self._domain_arguments():
            raise TypeError(f"{name} does not say which host it concerns")

    def decode(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by parameter name. Raises UsageError with all that is wrong."""
        decoder = Decoder()
        plain = {key.replace("_", "-"): value for key, value in args.items()}
        decoded = decoder.table(self._struct, plain)
        if decoded is None or decoder.wrong:
            raise UsageError("\n".join(_wrong(self.name, *one) for one in decoder.wrong))
        return {name: getattr(decoded, name) for name in self._struct.__struct_fields__}

    def check(self, caller: Caller, values: Mapping[str, Any]) -> None:
        """Raises CommandError if `caller` may not do this."""
        if RANK[caller.role] < RANK[self.role]:
            raise CommandError(f"{caller} may not run {self.name}")
        if caller.role == "host-admin" and self.role == "host-admin":
            concerned = {self.host} if self.host else self._domains(values)
            if caller.host is None or concerned != {caller.host}:
                raise CommandError(f"{caller} may do this for {caller.host} only")

    @property
    def streams(self) -> bool:
        """Whether it needs a `Stream`."""
        return self._stream is not None

    async def run(
        self, caller: Caller, values: Mapping[str, Any], stream: Stream | None = None
    ) -> Any:
        """What the handler returns."""
        extra: dict[str, Any] = {self._caller: caller} if self._caller else {}
        if self._stream is not None:
            if stream is None:
                raise UsageError(f"{self.name} reads or writes a file, and none was given")
            extra[self._stream] = stream
        result = self.handler(**values, **extra)
        return await result if inspect.isawaitable(result) else result

    def _domain_arguments(self) -> list[str]:
        """The parameters that say which hosts are concerned."""
        found = fields(self._struct)
        return [one.name for one in found if one.name == "host" or _holds_jids(one.type)]

    def _domains(self, values: Mapping[str, Any]) -> set[str | None]:
        """The hosts that are concerned; None among them is all, where `host` is not given."""
        found: set[str | None] = {values["host"]} if "host" in values else set()
        for name in self._domain_arguments():
            value = values[name]
            several = value if isinstance(value, tuple | list | set | frozenset) else (value,)
            found |= {one.domain for one in several if isinstance(one, JID)}
        return found


class Commands:
    """All commands of a server and of its hosts' modules, by name."""

    def __init__(self) -> None:
        self._commands: dict[str, dict[str | None, Command]] = {}  # name -> host -> it
        self.add(self.commands)

    def __iter__(self) -> Iterator[Command]:
        """Each command once, by name, also where several hosts have it."""
        for name in sorted(self._commands):
            yield next(iter(self._commands[name].values()))

    def add(self, handler: Callable[..., Any], *, host: str | None = None) -> Remove:
        """Add a function or method that `command` has marked; calling the result undoes it.

        With a `host` it is that host's own; several hosts may have the same. Raises
        ValueError if the name is taken.
        """
        for mark in getattr(handler, "marks", ()):
            if mark.door == "command":
                name, role = mark.place
                return self._add(Command(name, role, handler, host))
        raise ValueError(f"{handler.__qualname__} is no command")

    def add_all(self, owner: object) -> list[Remove]:
        """Add all methods of `owner` that are commands."""
        methods = inspect.getmembers(owner, lambda member: hasattr(member, "marks"))
        return [self.add(method) for _, method in methods]

    async def run(
        self,
        name: str,
        args: Mapping[str, Any] | None = None,
        caller: Caller = OPERATOR,
        stream: Stream | None = None,
    ) -> Any:
        """The result of a command, typed; `encode` makes plain data of it.

        Raises `UsageError` if there is no such command or its arguments are wrong, and
        `CommandError` if it refuses.
        """
        args = dict(args or {})
        found = self._find(name, args)
        values = found.decode(args)
        found.check(caller, values)
        result = await found.run(caller, values, stream)
        log.info("command run: %s", name, extra={"caller": caller, "host": found.host or "-"})
        return result

    @command(role="user")
    async def commands(self, caller: Caller) -> list[dict[str, Any]]:
        """List the commands that the caller may run, with their arguments."""
        return [
            {
                "name": one.name,
                "role": one.role,
                "help": one.help,
                "arguments": [
                    {"name": a.name, "type": a.words, "required": a.required, "help": a.doc}
                    for a in one.arguments
                ],
                "streams": one.streams,
                "hosts": [host for host in self._commands[one.name] if host],
            }
            for one in self
            if RANK[caller.role] >= RANK[one.role]
        ]

    def _add(self, one: Command) -> Remove:
        places = self._commands.setdefault(one.name, {})
        if one.host in places or (places and (one.host is None) != (None in places)):
            raise ValueError(f"two commands are called {one.name}")
        places[one.host] = one
        return lambda: self._remove(one)

    def _remove(self, one: Command) -> None:
        places = self._commands[one.name]
        del places[one.host]
        if not places:
            del self._commands[one.name]

    def _find(self, name: str, args: dict[str, Any]) -> Command:
        """The command; of several hosts', the one of the argument ``host``, which goes."""
        places = self._commands.get(name)
        if not places:
            raise UsageError(f"there is no command {name}" + meant(nearest(name, self._commands)))
        if None in places:
            return places[None]
        host = args.pop("host", None)
        if host is None and len(places) == 1:
            return next(iter(places.values()))
        if host not in places:
            raise UsageError(f"{name}: host: expected one of {', '.join(map(str, places))}")
        return places[host]


def encode(result: Any) -> Any:
    """The result of a command as plain data that JSON can carry."""
    return msgspec.json.decode(msgspec.json.encode(result, enc_hook=str))


def _struct_of(handler: Callable[..., Any], hints: Mapping[str, Any]) -> type[Struct]:
    """A struct with a field for each parameter of `handler`."""
    parameters = inspect.signature(handler).parameters
    declared: list[Any] = []
    for name, parameter in parameters.items():
        if name not in hints:
            continue
        has_default = parameter.default is not parameter.empty
        declared.append(
            (name, hints[name], parameter.default) if has_default else (name, hints[name])
        )
    return msgspec.defstruct("Arguments", declared, kw_only=True, frozen=True, rename="kebab")


def _argument(field: msgspec.structs.FieldInfo) -> Argument:
    metas = [one for one in getattr(field.type, "__metadata__", ()) if isinstance(one, Meta)]
    doc = next((one.description for one in metas if one.description), "")
    default = None if field.required else field.default
    return Argument(field.encode_name, field.type, field.required, default, doc)


def _wrong(name: str, path: KeyPath, what: str, hint: str | None) -> str:
    return f"{name}: {dotted(path)}: {what}{meant(hint)}"


def _holds_jids(kind: Any) -> bool:
    inner = bare(kind)
    return inner is JID or any(map(_holds_jids, get_args(inner)))
