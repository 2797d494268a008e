"""From no account to none: made, used with a new password, and ended."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.service import ROMEO, VERONA, Service, serving, until

from pyrite.client.account import Trust
from pyrite.client.connector import Tcp
from pyrite.client.errors import AuthenticationFailed, ConnectionFailed, SessionReset, TlsError
from pyrite.client.mod.registration import Host, Registration, registering
from pyrite.client.state import Closed, Online
from pyrite.core.errors import StanzaError, StreamError
from pyrite.core.jid import JID, JIDError
from pyrite.net.dns import Target
from pyrite.server.mod.registration import Registration as ServerRegistration
from pyrite.wire import registration as wire
from pyrite.wire.dataforms import Value, field
from pyrite.wire.ping import Ping

from .pair import client

OPEN = 'registration = "open"'
NEWCOMER = JID.parse(f"nurse@{VERONA}")


def host(service: Service, **options: Any) -> AbstractAsyncContextManager[Host]:
    options.setdefault("trust", Trust(authorities=service.folder / "ca.pem"))
    options.setdefault("connector", Tcp([Target("127.0.0.1", service.port)]))
    return registering(VERONA, **options)


async def test_a_life(tmp_path: Path) -> None:
    async with serving(tmp_path, host=OPEN) as service, asyncio.timeout(PATIENCE):
        async with host(service) as there:
            assert there.question.instructions
            made = await there.register("Nurse", "secret one")
        assert made == NEWCOMER
        async with client(service, made, Registration, password="secret one") as nurse:
            assert (await nurse[Registration].known()).username == "nurse"
            await nurse[Registration].change_password("secret two")
            states = nurse.lifecycle()
            nurse._keeper.session = None
            for connection in tuple(service.server.listeners.connections):
                connection.connection.abort()
            while not isinstance(await states.next(), Online):
                pass
            with pytest.raises(AuthenticationFailed):
                async with client(service, made, password="secret one"):
                    pass
            await nurse[Registration].cancel()
            while not isinstance(state := await states.next(), Closed):
                pass
            assert isinstance(state.cause, StreamError)
        with pytest.raises(AuthenticationFailed):
            async with client(service, made, password="secret two"):
                pass


async def test_what_cannot_be_registered(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, host=OPEN) as service,
        asyncio.timeout(PATIENCE),
        host(service) as there,
    ):
        with pytest.raises(StanzaError, match="conflict"):
            await there.register("romeo", "another secret")
        with pytest.raises(StanzaError, match="the server asks for password"):
            await there.register("nurse", "")
        with pytest.raises(JIDError):
            await there.register("nurse@", "long secret")


async def test_closed_doors(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        with pytest.raises(StanzaError):
            async with host(service):
                pytest.fail("nobody may register here")
        await until(lambda: not service.server.listeners.connections)


async def test_a_server_that_is_not_the_one(tmp_path: Path) -> None:
    async with serving(tmp_path, host=OPEN) as service, asyncio.timeout(PATIENCE):
        with pytest.raises(TlsError):
            async with host(service, trust=Trust()):
                pytest.fail("whose certificate is that?")
        with pytest.raises(ConnectionFailed):
            async with host(service, connector=Tcp([Target("127.0.0.1", 1)])):
                pytest.fail("there is nobody")


async def test_an_invitation(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, host='registration = "invite"') as service,
        asyncio.timeout(PATIENCE),
    ):
        module = service.server.hosts[VERONA].modules["registration"]
        assert isinstance(module, ServerRegistration)
        made = await module.invitation_create()
        with pytest.raises(StanzaError, match="item-not-found"):
            async with host(service, invitation="guessed"):
                pytest.fail("not invited")
        async with host(service, invitation=made.token) as there:
            await there.register("nurse", "long secret")
        async with client(service, NEWCOMER, password="long secret") as nurse:
            await nurse.request(Ping())


async def test_a_session_that_breaks_is_no_end_of_an_account(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO, Registration) as romeo:
        romeo[Registration].over(Closed(OSError("the net is gone")))

        async def break_off() -> None:
            await until(lambda: len(romeo._keeper.requests) > 0)
            romeo._keeper.requests.reset()

        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            for connection in service.server.listeners.connections:
                connection.connection._transport.pause_reading()  # type: ignore[union-attr]
            tasks.create_task(break_off())
            with pytest.raises(SessionReset):
                await romeo[Registration].cancel()
        for connection in service.server.listeners.connections:
            connection.connection._transport.resume_reading()  # type: ignore[union-attr]


# --- what a newcomer says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "answers", "expected"),
    [
        (
            wire.Registration(username="", password="", email="", key="k"),
            {"username": "a", "password": "b", "email": "c", "nick": "d"},
            wire.Registration(username="a", password="b", email="c", nick="d", key="k"),
        ),
        (wire.Registration(username="", email=""), {"username": "a"}, None),
        (wire.Registration(username="", email=""), {"username": "a", "email": ""}, None),
        (wire.question("?"), {"username": "a"}, None),
    ],
)
def test_what_is_said(
    asked: wire.Registration, answers: dict[str, Value], expected: wire.Registration | None
) -> None:
    if expected is None:
        with pytest.raises(StanzaError, match="the server asks for"):
            wire.answered(asked, answers)
    else:
        assert wire.answered(asked, answers) == expected


def test_what_is_said_in_a_form() -> None:
    asked = wire.question("?", field("email", "text-single", "Mail"))
    made = wire.answered(asked, {"username": "a", "password": "b"})
    assert made.username is None
    assert wire.credentials(made, asked.form) == ("a", "b")
