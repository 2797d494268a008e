"""Modules come and go while the server works, and leave nothing; a crash costs one stanza."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE

from pyrite.core.jid import JID
from pyrite.core.negotiate import Phase
from pyrite.core.stanza import NS, read
from pyrite.core.xml import Element, Name, parse
from pyrite.kit.clock import ManualClock
from pyrite.kit.hooks import Stage
from pyrite.server import hosts
from pyrite.server.accounts import AccountCreated
from pyrite.server.app import Server
from pyrite.server.catalogue import Installed
from pyrite.server.commands import command
from pyrite.server.hosts import Host, built_in
from pyrite.server.module import (
    Module,
    ModuleError,
    Request,
    delivering,
    offering,
    on,
    request,
    sending,
    undelivered,
)
from pyrite.server.session import Session
from pyrite.server.settings import load
from pyrite.wire import ping, version

VERONA = "verona.lit"
ROMEO, JULIET, AWAY = (JID.parse(f"{name}@{VERONA}") for name in ("romeo", "juliet", "tybalt"))
TRAFFIC = (
    f"<message to='{JULIET}/b' type='chat'><body>one</body></message>",
    f"<message to='{JULIET}' type='chat'><body>all</body></message>",
    f"<message to='{AWAY}' type='chat'><body>later</body></message>",
    "<presence><show>away</show></presence>",
    f"<presence to='{JULIET}' type='probe'/>",
    "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
    f"<iq type='get' id='2' to='{VERONA}'><ping xmlns='urn:xmpp:ping'/></iq>",
    f"<iq type='get' id='3' to='{VERONA}'>"
    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    f"<iq type='get' id='4' to='{JULIET}'><vCard xmlns='vcard-temp'/></iq>",
    "<presence type='unavailable'/>",
    "<presence/>",
)

once = pytest.mark.asyncio(loop_factories=["uvloop"])


@asynccontextmanager
async def serving(folder: Path, modules: str = "") -> AsyncIterator[Server]:
    file = folder / "pyrite.toml"
    file.write_text(f'data = "data"\n[host."{VERONA}"]\n{modules}\n')
    server = Server(load(file, Installed()), clock=ManualClock())
    async with asyncio.timeout(PATIENCE), server.opened():
        for account in (ROMEO, JULIET, AWAY):
            await server.stores.accounts.create(account, (), server.clock.now())
        yield server


async def say(server: Server, session: Session, xml: str) -> None:
    stanza = read(parse(xml, NS))
    stanza.sender = session.jid
    await server.router.receive(stanza, session)


async def answers(server: Server, session: Session, xml: str) -> list[str]:
    """What comes back for a stanza: condition or tag of each."""
    session.take()
    await say(server, session, xml)
    return [one.error.condition if one.error else one.tag for one in session.take()]


@asynccontextmanager
async def traffic(server: Server) -> AsyncIterator[Callable[[], int]]:
    """Two who talk all the time; gives how much they have said so far."""
    said = 0

    async def talk(session: Session) -> None:
        nonlocal said
        while True:
            for xml in TRAFFIC:
                await say(server, session, xml)
                session.take()
                said += 1
                await asyncio.sleep(0)

    romeo, juliet = await server.bind(ROMEO, "a"), await server.bind(JULIET, "b")
    talking = [asyncio.create_task(talk(session)) for session in (romeo, juliet)]
    try:
        yield lambda: said
    finally:
        for task in talking:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def go_on(said: Callable[[], int], since: int) -> None:
    """Let both say each thing once more."""
    while said() < since + 2 * len(TRAFFIC):  # noqa: ASYNC110 - they never wait for anything
        await asyncio.sleep(0)


def footprint(host: Host) -> dict[str, Any]:
    """All that modules have added to a host and its server."""
    server = host.server
    return {
        "sending": sorted(h.call.__qualname__ for h in host.sending.handlers),
        "delivering": sorted(h.call.__qualname__ for h in host.delivering.handlers),
        "undelivered": sorted(h.__qualname__ for h in host.undelivered._handlers),
        "events": sorted(
            (kind.__name__, handler.__qualname__)
            for kind, handlers in host.events._handlers.items()
            for handler in handlers
        ),
        "offers": sorted(o.__qualname__ for offers in host.offers.values() for o in offers),
        "nodes": sorted(host.nodes),
        "requests": sorted(map(str, host._requests)),
        "features": sorted(host.features() | host.account_features()),
        "commands": sorted(one.name for one in server.commands),
        "numbers": sorted(one.name for one in server.meter),
        "modules": sorted(host.modules),
    }


#: Tasks that come and go with what is said.
PASSING = {"Intake._write_all", "Push._spread"}


def lasting_tasks() -> int:
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return sum(getattr(each, "__qualname__", "") not in PASSING for each in coroutines)


def tasks_of(module: Module) -> int:
    return 0 if module._scope is None else len(module._scope)


@once
@pytest.mark.parametrize("name", built_in())
async def test_each_comes_and_goes_under_traffic(name: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as server, traffic(server) as said:
        host = server.hosts[VERONA]
        everything, tasks = footprint(host), lasting_tasks()
        module = host.modules[name]
        for _ in range(3):
            await host.unload(name)
            assert tasks_of(module) == 0
            without, before = footprint(host), said()
            assert name not in without["modules"]
            others = [one for n, one in host.modules.items() if n != name]
            kept = {f for one in others for f in (*one.features, *one.account_features)}
            assert set(without["features"]) == kept
            await go_on(said, before)
            await host.load(name)
            module = host.modules[name]
            assert footprint(host) == everything
            await go_on(said, said())
        while lasting_tasks() != tasks:  # what deletes offline messages comes and goes
            await go_on(said, said())
        await host.unload(name)
        assert footprint(host) == without


# --- modules that fail to load -----------------------------------------------------------


class Base(Module):
    """Leaves its marks everywhere before it fails."""

    async def start(self) -> None:
        self.scope.start(asyncio.Event().wait())  # type: ignore[arg-type]
        self.meter.counter("seen", "Seen.").value += 1

    @sending(Stage.GUARD)
    def look(self, *_: object) -> None: ...

    @on(AccountCreated)
    def hear(self, _: AccountCreated) -> None: ...


class Refuses(Base):
    async def start(self) -> None:
        await super().start()
        raise ModuleError("there is no file of words")


class Crashes(Base):
    async def start(self) -> None:
        await super().start()
        raise RuntimeError("a bug")


class CrashesEarly(Base):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        raise RuntimeError("a bug")


class Doubles(Base):
    @request("get", ping.Ping)
    def zzz(self, *_: object) -> None: ...


class DoublesCommand(Base):
    @command(name="status")
    def zzz(self) -> None:
        """A name that is taken."""


@once
@pytest.mark.parametrize(
    ("kind", "said", "logged"),
    [
        (Refuses, "test is not loaded on verona.lit: there is no file of words", False),
        (Crashes, "test is not loaded on verona.lit: RuntimeError: a bug", True),
        (CrashesEarly, "test is not loaded on verona.lit: RuntimeError: a bug", True),
        (Doubles, "another module answers get of urn:xmpp:ping ping", False),
        (DoublesCommand, "two commands are called status", True),
    ],
)
async def test_who_fails_to_load_leaves_nothing_and_says_why(
    kind: type[Module],
    said: str,
    logged: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(tmp_path) as server:
        host = server.hosts[VERONA]
        before, tasks = footprint(host), asyncio.all_tasks()
        monkeypatch.setattr(hosts, "find_module", lambda _: kind)
        with pytest.raises(ModuleError, match=said):
            await host.load("test")
        assert footprint(host) == before
        assert asyncio.all_tasks() == tasks
    assert ("module failed: test on verona.lit" in caplog.text) == logged
    caplog.clear()


@once
async def test_who_fails_to_stop_is_gone_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(Base):
        async def stop(self) -> None:
            raise RuntimeError("a bug")

    async with serving(tmp_path) as server:
        host = server.hosts[VERONA]
        before = footprint(host)
        monkeypatch.setattr(hosts, "find_module", lambda _: Stuck)
        await host.load("test")
        await host.unload("test")
        assert footprint(host) == before
    assert "module failed to stop: test on verona.lit" in caplog.text
    caplog.clear()


# --- handlers that crash -----------------------------------------------------------------


class Broken(Module):
    """Crashes at whatever door is named by the test."""

    door = ""

    def crash(self, door: str) -> None:
        if door == self.door:
            raise RuntimeError(f"a bug in {door}")

    @sending(Stage.GUARD)
    def guard(self, *_: object) -> None:
        self.crash("sending")

    @delivering(Stage.RECORD)
    async def record(self, *_: object) -> None:
        self.crash("delivering")

    @delivering(Stage.COPY)
    def copy(self, *_: object) -> None:
        self.crash("copying")

    @undelivered
    async def store(self, *_: object) -> bool:
        self.crash("undelivered")
        return True

    @request("get", version.Version)
    def answer(self, _: version.Version, __: Request) -> None:
        self.crash("request")

    @on(AccountCreated)
    def created(self, _: AccountCreated) -> None:
        self.crash("on")

    @offering(Phase.PLAIN)
    def offer(self, _: bool) -> Element:
        self.crash("offering")
        return Element(Name("urn:test", "offer"))


@once
@pytest.mark.parametrize(
    ("door", "xml", "expected", "delivered"),
    [
        ("sending", TRAFFIC[0], ["internal-server-error"], 0),
        ("delivering", TRAFFIC[0], ["internal-server-error"], 0),
        ("copying", TRAFFIC[0], [], 1),
        ("undelivered", TRAFFIC[2], ["internal-server-error"], 0),
        (
            "request",
            f"<iq type='get' id='1' to='{VERONA}'><query xmlns='jabber:iq:version'/></iq>",
            ["internal-server-error"],
            0,
        ),
    ],
)
async def test_a_crash_costs_one_stanza(
    door: str,
    xml: str,
    expected: list[str],
    delivered: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(tmp_path, "modules = []") as server:
        monkeypatch.setattr(hosts, "find_module", lambda _: Broken)
        await server.hosts[VERONA].load("test")
        romeo, juliet = await server.bind(ROMEO, "a"), await server.bind(JULIET, "b")
        monkeypatch.setattr(Broken, "door", door)
        assert await answers(server, romeo, xml) == expected
        assert len(juliet.take()) == delivered
        monkeypatch.setattr(Broken, "door", "")
        assert await answers(server, romeo, TRAFFIC[0]) == []
        assert len(juliet.take()) == 1
        assert romeo.ended is None
    assert caplog.text.count(f"RuntimeError: a bug in {door}") == 1
    caplog.clear()


@once
async def test_crashes_where_nobody_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An event has happened all the same; an offer less is better than no stream."""
    async with serving(tmp_path, "modules = []") as server:
        host = server.hosts[VERONA]
        monkeypatch.setattr(hosts, "find_module", lambda _: Broken)
        await host.load("test")
        monkeypatch.setattr(Broken, "door", "on")
        await server.accounts.create(JID.parse(f"nurse@{VERONA}"), "a password")
        assert len(host.offered(Phase.PLAIN, secure=False)) == 1
        monkeypatch.setattr(Broken, "door", "offering")
        assert host.offered(Phase.PLAIN, secure=False) == []
    for door in ("on", "offering"):
        assert caplog.text.count(f"RuntimeError: a bug in {door}") == 1
    caplog.clear()


@once
async def test_what_a_client_leaves_behind_is_kept_though_a_handler_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One stanza that cannot be handed back does not cost those behind it."""
    async with serving(tmp_path, 'modules = ["offline"]') as server:
        host = server.hosts[VERONA]
        romeo, juliet = await server.bind(ROMEO, "a"), await server.bind(JULIET, "b")
        await say(server, juliet, "<presence/>")
        juliet.take()
        for number in range(3):
            await say(server, romeo, TRAFFIC[1].replace("all", f"number {number}"))

        async def crash_once(stanza: Any, _: JID) -> bool:
            if "number 0" in stanza.write():
                raise RuntimeError("a bug")
            return False

        host.undelivered._handlers.insert(0, crash_once)
        await server.unbind(juliet)
        assert await server.stores.offline.count(JULIET) == 2
    assert f"1 stanzas lost: {JULIET}/b" in caplog.text
    caplog.clear()
