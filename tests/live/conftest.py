"""The client library against servers that others wrote, and ours.

A test that asks for `server` is played on each. What one lacks is named with
``@pytest.mark.lacks(pyrite="no rooms yet", prosody_0_12="no push before 13")``, by make or by make
and version, and listed at the end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from tests.interop.servers import VERONA, Pyrite, Server

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.feature import Feature
from pyrite.client.keeper import Backoff
from pyrite.core.jid import JID
from pyrite.net.dns import Target

from .acceptors import EJABBERD, OLD, PROSODY, TICKETS, Acceptor, AskingEjabberd, Dovecot
from .realm import Realm
from .servers import LIVE, PASSWORD, PEOPLE

PATIENCE = 60.0  # seconds for all of a test, which takes one or two where nothing else runs
LACKS: dict[tuple[str, str], str] = {}  # (server, test) -> what it lacks


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The servers are processes of their own: one loop is enough."""
    return {"asyncio": asyncio.new_event_loop}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" not in metafunc.fixturenames:
        return
    lacking: dict[str, str] = {}
    for mark in metafunc.definition.iter_markers("lacks"):
        for word, why in mark.kwargs.items():
            lacking |= dict.fromkeys(meant(word), why)
    LACKS.update({(name, metafunc.definition.name): why for name, why in lacking.items()})
    names = [name for name in LIVE if name not in lacking]
    metafunc.parametrize("server", names, indirect=True, scope="session")


def meant(word: str) -> list[str]:
    """The servers of that make, or the one of that make and version: prosody, prosody_0_12."""
    names = [name for name in LIVE if word in (LIVE[name].name, re.sub(r"\W", "_", name))]
    assert names, f"{word} is no server: {list(LIVE)}"
    return names


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LACKS:
        terminalreporter.section("what servers lack of the live suite")
        for (server, test), why in sorted(LACKS.items()):
            terminalreporter.line(f"{server}: {test}: {why}")


@pytest.fixture(autouse=True)
def no_unexpected_log() -> None:
    """Foreign servers may give cause to warn; the log of ours is looked at."""


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A running server with the accounts of `PEOPLE`. Ours must end well and not complain."""
    running = LIVE[request.param](tmp_path_factory.mktemp(request.param))
    running.start()
    try:
        for name in PEOPLE:
            running.add(f"{name}@{VERONA}", PASSWORD)
        yield running
    finally:
        status = running.stop()
    if isinstance(running, Pyrite):
        assert status == 0
        assert running.complaints() == []


Login = Callable[..., Client]


class Guest(Client):
    """One of the people that all tests share: what waits for them is of other tests."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.messages().close()  # the first who listens begins with what waited
        return self


@pytest.fixture
def login(server: Server) -> Login:
    """``login("romeo", features=[Roster])``: a client of that person, to be entered."""

    def made(
        name: str,
        *,
        features: Sequence[type[Feature]] = (),
        direct: bool = False,
        password: str = PASSWORD,
        **options: Any,
    ) -> Client:
        port = server.c2s_tls if direct else server.c2s
        options.setdefault("connector", Tcp([Target("127.0.0.1", port, direct)]))
        return Guest(
            JID.parse(f"{name}@{VERONA}"),
            password,
            features=features,
            trust=Trust(authorities=Path(server.ca)),
            backoff=Backoff(first=0.01, most=0.05),
            **options,
        )

    return made


# --- servers that ask others who somebody is ---------------------------------------------------

Played = Callable[..., Any]


def on(*names: str, **lacking: str) -> Callable[[Played], Played]:
    """Play it on these servers. What others lack is listed at the end of the run."""

    def marked(test: Played) -> Played:
        LACKS.update({(make, test.__name__): why for make, why in lacking.items()})
        mark = pytest.mark.parametrize("acceptor", names, indirect=True, scope="session")
        return mark(test)

    return marked


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    running = Realm(tmp_path_factory.mktemp("kerberos") / "realm")
    running.start()
    try:
        for name in PEOPLE:
            running.add(name, PASSWORD)
        running.add_service(f"xmpp/{TICKETS}")
        yield running
    finally:
        status = running.stop()
    assert status == 0


@pytest.fixture(scope="session")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    running = Dovecot(tmp_path_factory.mktemp("dovecot") / "home")
    running.start()
    try:
        yield running
    finally:
        status = running.stop()
    assert status == 0


@pytest.fixture(scope="session")
def acceptor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Acceptor]:
    """A server that knows Romeo, each in its own ways."""
    home = tmp_path_factory.mktemp(request.param)
    running: Acceptor
    if request.param in PROSODY:
        others = (request.getfixturevalue(name) for name in ("realm", "dovecot"))
        running = PROSODY[request.param](home, *others)
    else:
        running = EJABBERD[request.param](home)
    running.start()
    try:
        running.add(f"romeo@{VERONA}", PASSWORD)
        if isinstance(running, AskingEjabberd):
            running.add(f"romeo@{OLD}", PASSWORD)
        yield running
    finally:
        running.stop()
