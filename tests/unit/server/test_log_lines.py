"""Lines that programs read: fixed words, named fields; and whose handling a line is of."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyrite.core.jid import JID
from pyrite.core.stanza import Message, Stanza
from pyrite.kit import log as kit_log
from pyrite.kit.hooks import Stage
from pyrite.server.session import Session

from ...service import MANTUA, ROMEO, VERONA, Service, serving, until

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

BAN = re.compile(r"log-in (failed|locked) address=(?P<address>\S+) ")  # as in the documentation
log = logging.getLogger("pyrite.test.lines")


class Lines:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> list[str]:
        return [line.partition(" ")[2] for line in self.stream.getvalue().splitlines()]

    def events(self, event: str) -> list[dict[str, Any]]:
        """The fields of each, of a log in JSON."""
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        dropped = {"timestamp", "level", "logger", "event"}
        return [
            {name: value for name, value in one.items() if name not in dropped}
            for one in found
            if one["event"] == event
        ]


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    """What the server logs, as an operator has set it."""
    lines, root = Lines(), logging.getLogger()
    before, handlers = root.level, root.handlers[:]
    kit_log.setup("info", getattr(request, "param", "json"), stream=lines.stream)
    yield lines
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("lines", ["text"], indirect=True)
async def test_a_failed_log_in_as_a_program_reads_it(lines: Lines, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True, auth='mechanisms = ["PLAIN"]') as service:
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("romeo", "wrong")
        await client.plain("x address=6.6.6.6", "wrong")
        await client.auth("X log-in failed address=6.6.6.6")
    failed = [line for line in lines.text if BAN.search(line)]
    fields = "address=127.0.0.1 host=verona.lit account={} mechanism={} result={}"
    expected = [
        fields.format("romeo@verona.lit", "PLAIN", "not-authorized"),
        fields.format("-", "PLAIN", "not-authorized"),
        fields.format("-", "other", "invalid-mechanism"),
    ]
    assert [
        line.partition("failed ")[2][: len(e)] for line, e in zip(failed, expected, strict=True)
    ] == expected
    assert all(line.startswith("info ") for line in failed)
    assert {BAN.search(line)["address"] for line in failed} == {"127.0.0.1"}  # type: ignore[index]


async def test_what_happens_to_accounts(lines: Lines, tmp_path: Path) -> None:
    auth = 'mechanisms = ["PLAIN"]\nfree-attempts = 1\nattempts = 2\nbackoff = "1s"'
    async with serving(tmp_path, clear=True, auth=auth, host='registration = "open"') as service:
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("romeo", "wrong")
        service.clock.advance(5)
        await client.plain("romeo", "wrong")
        await client.plain("romeo")
        client = await service.connect()
        await client.open(VERONA)
        register = "<iq type='set' id='r'><query xmlns='jabber:iq:register'>{}</query></iq>"
        await client.ask(
            register.format("<username>nurse</username><password>angelica angelica</password>")
        )
        juliet = await service.online("juliet@verona.lit/b")
        await juliet.ask(register.format("<remove/>"))
    home = {"address": "127.0.0.1", "host": VERONA}
    romeo = {"account": str(ROMEO), "mechanism": "PLAIN"}
    failures = lines.events("log-in failed")
    assert [one["result"] for one in failures] == [
        "not-authorized",
        "not-authorized",
        "temporary-auth-failure",
    ]
    assert all(one.items() >= {**home, **romeo}.items() for one in failures)
    assert lines.events("log-in locked") == [{**home, "account": str(ROMEO), "failures": 2}]
    assert lines.events("account registered") == [{**home, "account": "nurse@verona.lit"}]
    assert lines.events("logged in") == [
        {**home, "account": "juliet@verona.lit", "mechanism": "PLAIN", "result": "ok"}
    ]
    (deleted,) = lines.events("account deleted")
    assert deleted["account"] == "juliet@verona.lit"


async def test_streams_that_end_by_a_peers_fault(lines: Lines, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        early = await service.connect()
        await early.open(VERONA)
        await early.send("<message/>")
        await early.ends_with("not-authorized")
        romeo = await service.online(f"{ROMEO}/a")
        await romeo.send("<message from='juliet@verona.lit'/>")
        await romeo.ends_with("invalid-from")
        gone = await service.online(f"{ROMEO}/b")
        await service.server.commands.run("sessions-end", {"jid": f"{ROMEO}/b"})
        await gone.ends_with("policy-violation")
    fields = [(one["session"], one["condition"]) for one in lines.events("stream ended")]
    assert fields == [
        ("-", "not-authorized"),
        (f"{ROMEO}/a", "invalid-from"),
        (f"{ROMEO}/b", "policy-violation"),
    ]
    assert {one["address"] for one in lines.events("stream ended")} == {"127.0.0.1"}


async def test_a_line_tells_whose_handling_it_is_of(lines: Lines, tmp_path: Path) -> None:
    """Address, host and session, also where another connection's work is the reason."""
    async with serving(tmp_path, clear=True, limits="send-queue = 20") as service:

        def tell(stanza: Stanza, session: Session) -> None:
            log.info("passes", extra={"really": session.jid})

        for host in service.server.hosts.values():
            host.sending.add(Stage.RECORD, tell, Message)
        people = [f"{ROMEO}/a", f"{ROMEO}/b", f"benvolio@{MANTUA}/c"]
        clients = [await service.online(jid) for jid in people]
        for client in (*clients, *clients[::-1]):
            await client.send(f"<message to='{ROMEO}/gone' type='chat'><body>x</body></message>")
            await client.barrier()
        await overflow(service, clients[0].writer, f"{ROMEO}/deaf")
        log.info("elsewhere")
    seen = [one for one in lines.events("passes") if one["really"] in people]
    assert len(seen) >= 6
    for one in seen:
        assert one["session"] == one["really"]
        assert one["host"] == JID.parse(one["really"]).domain
        assert one["address"] == "127.0.0.1"
    assert [one["session"] for one in lines.events("stream ended")] == [f"{ROMEO}/deaf"]
    assert lines.events("elsewhere") == [{}]


async def overflow(service: Service, writer: Any, deaf: str) -> None:
    """Have a client that does not read ended by what another one writes."""
    client = await service.online(deaf)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    session = service.server.sessions.find(JID.parse(deaf))
    assert session is not None
    message = f"<message to='{deaf}' type='chat'><body>{'x' * 8000}</body></message>".encode()
    while session.ended is None:
        writer.write(message)
        await writer.drain()
    await until(lambda: service.server.sessions.find(session.jid) is None)
