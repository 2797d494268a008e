"""One line for each event, to standard error: as text, or as JSON for programs.

    log = logging.getLogger(__name__)             # everywhere; nothing else is needed
    log.info("session bound: %s", jid)

    log = Bound(logging.getLogger(__name__), {"host": host, "session": id})   # with fields
    with context(host=host): ...                  # fields for all that is logged inside
    bind(host=host, session=jid)                  # the same, to the end of a task's context

    debugging = flag(__name__)                    # on a hot path
    if debugging.on: log.debug(...)

Whatever the text, an event is one record: control characters are written as escapes, so a
peer cannot forge a line, colour a terminal or turn text around. Values that are `Secret`
print as ``***``, and so does every field whose name says that it is one.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from structlog.typing import Processor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["text", "json"]
Fields = MutableMapping[str, Any]

MAX_VALUE = 2_000  # characters of one field; a peer must not fill the disk with one event
MAX_TRACE = 20_000  # characters of a traceback
REDACTED = "***"

_SECRET_NAMES = re.compile(r"pass(word|phrase)|secret|token|credential|authorization|cookie|salt")
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # what moves a terminal
    "\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line separators, and what turns text around
    "\ud800-\udfff]"  # halves of characters, which no stream can write
)
_OF_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_PLAIN = re.compile(r"[^\s\"=\\]+")
_NOTHING: Mapping[str, object] = MappingProxyType({})


class Flag:
    """Whether a logger logs at a level, as a plain attribute: the guard of a hot path."""

    __slots__ = ("_level", "_logger", "on")

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger, self._level = logger, level
        self.refresh()

    def refresh(self) -> None:
        self.on = self._logger.isEnabledFor(self._level)


_flags: dict[tuple[str, int], Flag] = {}  # one for each logger and level that was asked for


def flag(logger: str, level: int = logging.DEBUG) -> Flag:
    """The flag of a logger; `setup` and `set_level` keep it right."""
    known = _flags.get((logger, level))
    if known is None:
        known = _flags[logger, level] = Flag(logging.getLogger(logger), level)
    return known


class Bound(logging.LoggerAdapter[logging.Logger]):
    """A logger whose events all carry `extra`. Costs nothing while the level is off."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, Any]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


_bound: ContextVar[Mapping[str, object]] = ContextVar("fields of the log", default=_NOTHING)


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Add fields to all that is logged inside, also in tasks that are started there.

    Not for each stanza: `bind` once, or bind a logger.
    """
    token = bind(**fields)
    try:
        yield
    finally:
        _bound.reset(token)


def bind(**fields: object) -> Token[Mapping[str, object]]:
    """Add fields to all that is logged from here on in this context: a task's, a connection's.

    It is looked at only when a line is written, so a stanza pays nothing for it.
    """
    return _bound.set({**_bound.get(), **fields})


def setup(
    level: Level = "info",
    format: Format = "text",
    levels: Mapping[str, Level] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send all logging of the process to `stream` (standard error), in place of before.

    `levels` has other levels by logger name, for it and what is below it.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(format))
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "is_ours", False)]:
        root.removeHandler(old)
    handler.is_ours = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(level.upper())
    _set_levels(levels or {})


def is_set_up() -> bool:
    """Whether `setup` is in force."""
    return any(getattr(handler, "is_ours", False) for handler in logging.getLogger().handlers)


_raised: set[str] = set()  # loggers whose level was set, to be undone by the next `setup`


def _set_levels(levels: Mapping[str, Level]) -> None:
    for name in _raised - levels.keys():
        logging.getLogger(name).setLevel(logging.NOTSET)
    _raised.clear()
    _raised.update(levels)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level.upper())
    _refresh()


def set_level(logger: str, level: Level | None) -> None:
    """Change the level of one logger at run time; None gives it its parent's again."""
    logging.getLogger(logger).setLevel(level.upper() if level else logging.NOTSET)
    _raised.add(logger)
    _refresh()


def _refresh() -> None:
    for one in _flags.values():
        one.refresh()


def formatter(format: Format) -> logging.Formatter:
    """The formatter of a handler: structlog's, over what stdlib loggers record."""
    import structlog

    fields: list[Processor] = [
        _extras,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redact,
        escape if format == "text" else shorten,
        as_text if format == "text" else as_json,
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=fields, processors=last)


def _extras(logger: Any, method: str, fields: Fields) -> Fields:
    """Add the fields that an event was logged with, then those of the context."""
    given = vars(fields["_record"])
    fields.update((name, given[name]) for name in given if name not in _OF_RECORD)
    for name, value in _bound.get().items():
        fields.setdefault(name, value)
    return fields


def redact(logger: Any, method: str, fields: Fields) -> Fields:
    """Hide the fields that are secret by their name."""
    for name in fields:
        if name != "event" and _SECRET_NAMES.search(name.lower()):
            fields[name] = REDACTED
    return fields


def shorten(logger: Any, method: str, fields: Fields) -> Fields:
    """Make text of what is no number, and cut what is too long."""
    for name, value in fields.items():
        if not isinstance(value, int | float | None):
            text, most = str(value), MAX_TRACE if name == "exception" else MAX_VALUE
            fields[name] = text if len(text) <= most else text[:most] + "…"
    return fields


def escape(logger: Any, method: str, fields: Fields) -> Fields:
    """Make every field safe in one line; a traceback keeps its lines, each one safe."""
    trace = fields.pop("exception", None)
    for name, value in shorten(logger, method, fields).items():
        fields[name] = safe(str(value))
    if trace:
        fields["exception"] = [safe(line) for line in str(trace)[:MAX_TRACE].splitlines()]
    return fields


def safe(text: str) -> str:
    """`text` without a character that could end the line or steer a terminal."""
    return _UNSAFE.sub(_escaped, text)


def as_text(logger: Any, method: str, fields: Fields) -> str:
    """Time, level, logger, event; then ``key=value``, and a traceback behind ``|``."""
    trace: list[str] = fields.pop("exception", [])
    head = "{timestamp} {level:<7} {logger}: {event}".format_map(_popped(fields))
    pairs = (f" {name}={_quoted(value)}" for name, value in fields.items())
    return head + "".join(pairs) + "".join(f"\n  | {line}" for line in trace)


def as_json(logger: Any, method: str, fields: Fields) -> str:
    """The fields as one JSON object; JSON escapes what could end the line."""
    import msgspec

    written = msgspec.json.encode({name: _whole(value) for name, value in fields.items()})
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", written.decode())


def _popped(fields: Fields) -> dict[str, Any]:
    return {name: fields.pop(name, "-") for name in ("timestamp", "level", "logger", "event")}


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _whole(value: Any) -> Any:
    """Text without halves of characters, which JSON cannot carry."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(found[0])
    return known or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
