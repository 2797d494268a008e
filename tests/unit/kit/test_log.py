"""One event, one line, whatever a peer put into it."""

import io
import json
import logging
from collections.abc import Iterator
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.kit import log as kit_log
from pyrite.kit.config import Secret

log = logging.getLogger("pyrite.test.log")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    root.setLevel(level)
    for name in ("pyrite.test.log", "pyrite.test"):
        kit_log.set_level(name, None)


def formatted(kind: kit_log.Format, text: str, *args: object, **fields: object) -> str:
    record = logging.LogRecord("pyrite.test.log", logging.INFO, "", 0, text, args, None)
    record.__dict__.update(fields)
    return kit_log.formatter(kind).format(record)


def test_a_line_has_time_level_logger_event_and_fields() -> None:
    stream = io.StringIO()
    kit_log.setup("info", stream=stream)
    log.info("session bound: %s", "romeo@verona.lit", extra={"host": "verona.lit", "n": 3})
    log.debug("not seen")
    time, rest = stream.getvalue().split(" ", 1)
    assert time.endswith("Z")
    assert rest == (
        "info    pyrite.test.log: session bound: romeo@verona.lit host=verona.lit n=3\n"
    )


def test_json_lines_are_objects(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    kit_log.setup("info", "json", stream=stream)
    log.warning("odd: %s", 'a "quoted" thing', extra={"count": 3, "jid": Secret("x")})
    written = json.loads(stream.getvalue())
    assert written.pop("timestamp").endswith("Z")
    assert written == {
        "event": 'odd: a "quoted" thing',
        "level": "warning",
        "logger": "pyrite.test.log",
        "count": 3,
        "jid": "***",
    }
    caplog.clear()


def test_fields_come_from_the_context_and_from_bound_loggers() -> None:
    stream = io.StringIO()
    kit_log.setup("info", stream=stream)
    bound = kit_log.Bound(log, {"session": "s1"})
    with kit_log.context(host="verona.lit"):
        bound.info("inside", extra={"n": 1})
    bound.info("outside")
    inside, outside = stream.getvalue().splitlines()
    assert inside.endswith("inside session=s1 n=1 host=verona.lit")
    assert outside.endswith("outside session=s1")


def test_fields_of_a_context_end_with_it() -> None:
    stream = io.StringIO()
    kit_log.setup("info", stream=stream)

    def work() -> None:
        kit_log.bind(host="verona.lit", address="::1")
        with kit_log.context(host="mantua.lit"):
            log.info("there")
        log.info("here", extra={"address": "::2"})

    copy_context().run(work)
    log.info("outside")
    there, here, outside = stream.getvalue().splitlines()
    assert there.endswith("there host=mantua.lit address=::1")
    assert here.endswith("here address=::2 host=verona.lit")
    assert outside.endswith("outside")


@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_traceback_is_part_of_its_event(
    kind: kit_log.Format, caplog: pytest.LogCaptureFixture
) -> None:
    stream = io.StringIO()
    kit_log.setup("info", kind, stream=stream)
    try:
        raise ValueError("first\n2026-01-01T00:00:00Z info forged: line\x1b[2J")
    except ValueError:
        log.exception("it broke")
    first, *others = stream.getvalue().splitlines()
    assert "it broke" in first
    assert all(line.startswith("  | ") for line in others)
    assert ("ValueError: first" in first) if kind == "json" else "forged" in others[-1]
    assert "\x1b" not in stream.getvalue()
    caplog.clear()


@pytest.mark.parametrize(
    ("name", "value"),
    [("password", "hunter2"), ("api_token", "hunter2"), ("Authorization", "hunter2")],
)
@pytest.mark.parametrize("kind", ["text", "json"])
def test_secrets_are_hidden_by_name(kind: kit_log.Format, name: str, value: str) -> None:
    line = formatted(kind, "login", **{name: value})
    assert value not in line
    assert "***" in line


@pytest.mark.parametrize("kind", ["text", "json"])
def test_secrets_are_hidden_by_type(kind: kit_log.Format) -> None:
    line = formatted(kind, "login %s %r", Secret("hunter2"), Secret("hunter2"), x=Secret("hunter2"))
    assert "hunter2" not in line


@given(st.text(), st.text(), st.sampled_from(["text", "json"]))
def test_nothing_a_peer_sends_breaks_the_line(event: str, field: str, kind: kit_log.Format) -> None:
    line = formatted(kind, "from a peer: %s", event, field=field)
    assert not kit_log._UNSAFE.search(line)
    assert len(line.splitlines()) == 1
    line.encode("utf-8")
    if kind == "json":
        assert set(json.loads(line)) == {"event", "field", "level", "logger", "timestamp"}


def test_a_long_value_is_cut() -> None:
    assert len(formatted("text", "%s", "x" * 100_000, y="z" * 100_000)) < 3 * kit_log.MAX_VALUE


def test_loggers_have_levels_of_their_own() -> None:
    stream = io.StringIO()
    flag = kit_log.flag("pyrite.test.log")
    kit_log.setup("warning", levels={"pyrite.test": "debug"}, stream=stream)
    assert flag.on
    assert kit_log.flag("pyrite.test.log") is flag
    log.debug("seen")
    kit_log.setup("warning", stream=stream)
    assert not flag.on
    log.debug("not seen")
    kit_log.set_level("pyrite.test.log", "debug")
    assert flag.on
    kit_log.set_level("pyrite.test.log", None)
    assert not flag.on
    assert stream.getvalue().count("\n") == 1
