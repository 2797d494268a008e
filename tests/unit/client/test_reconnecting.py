"""Connections break; what was promised holds."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import JULIET, ROMEO, Service, serving, until

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.bot import Bot
from pyrite.client.connector import Tcp
from pyrite.client.errors import AuthenticationFailed, SessionClosed, SessionReset
from pyrite.client.keeper import Backoff
from pyrite.client.state import Closed, Online, Reset, State, Suspended
from pyrite.core.errors import StreamError
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping


def client(service: Service, jid: JID) -> Client:
    return Client(
        jid,
        PASSWORD,
        trust=Trust(authorities=service.folder / "ca.pem"),
        connector=Tcp([Target("127.0.0.1", service.port)]),
        backoff=Backoff(first=0.01, most=0.02),
    )


def cut(service: Service) -> None:
    """The net goes away, for everybody."""
    for connection in service.server.listeners.connections:
        connection.connection.abort()


async def until_online(me: Client) -> list[State]:
    """All that is told until stanzas flow again, and what follows at once."""
    told: list[State] = []
    lifecycle = me.lifecycle()
    async with asyncio.timeout(PATIENCE):
        while not told or not isinstance(told[-1], Online | Closed):
            told.append(await lifecycle.next())
    return told


async def test_the_same_resource_elsewhere_is_no_reason_to_fight(tmp_path: Path) -> None:
    """RFC 6120 §4.9.3.3: who comes back after a conflict would throw the other one out."""
    async with serving(tmp_path) as service, client(service, ROMEO) as me:
        lifecycle = me.lifecycle()
        (session,) = service.server.sessions
        session.end(StreamError("conflict", "somebody else"))
        async with asyncio.timeout(PATIENCE):
            told = await lifecycle.next()
            assert isinstance(told, Closed)
            assert isinstance(told.cause, StreamError)
            with pytest.raises(StopAsyncIteration):
                await lifecycle.next()
        with pytest.raises(SessionClosed):
            await me.send(JULIET, "?")


async def give_up(service: Service) -> None:
    (session,) = service.server.sessions
    session.end(StreamError("conflict", "somebody else"))


async def test_a_loop_that_ends_for_a_reason_says_so(tmp_path: Path) -> None:
    async def listen() -> None:
        async with client(service, ROMEO) as me:
            await give_up(service)
            async for _ in me.messages():
                raise AssertionError("nobody has said anything")

    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        with pytest.raises(StreamError, match="somebody else"):
            await listen()


async def test_handlers_alone_learn_that_it_is_over(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        async with client(service, ROMEO) as me:
            ending = asyncio.ensure_future(me.ended())
            await asyncio.sleep(0)
            await give_up(service)
            with pytest.raises(StreamError, match="somebody else"):
                await ending
        with pytest.raises(StreamError, match="somebody else"):
            await me.ended()  # that stays so
        bot = Bot(client=client(service, ROMEO))
        serves = asyncio.ensure_future(bot.serve())
        await until(lambda: bot.client.is_online)
        await give_up(service)
        with pytest.raises(StreamError, match="somebody else"):
            await serves


async def test_who_closes_need_not_be_told_why(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        async with client(service, ROMEO) as me:
            waiting = asyncio.ensure_future(me.ended())
            await asyncio.sleep(0)
        await waiting
        await me.ended()


async def test_what_the_program_raises_is_what_it_gets(tmp_path: Path) -> None:
    async def fail() -> None:
        async with client(service, ROMEO) as me:
            await give_up(service)
            async for _ in me.messages():
                pass
            raise LookupError("what I looked for")

    async with serving(tmp_path) as service, asyncio.timeout(PATIENCE):
        with pytest.raises(LookupError):
            await fail()


async def test_a_password_that_has_changed_is_the_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO) as me:
        lifecycle = me.lifecycle()
        await service.server.accounts.set_password(ROMEO, "another one")
        cut(service)
        async with asyncio.timeout(PATIENCE):
            assert isinstance(await lifecycle.next(), Suspended)
            told = await lifecycle.next()
        assert isinstance(told, Closed)
        assert isinstance(told.cause, AuthenticationFailed)


async def test_goodbye_is_said_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with client(service, ROMEO) as me:
            states = me.lifecycle()
            await me.close()
            assert [type(state) async for state in states] == [Closed]
            await me.close()
        await until(lambda: len(service.server.sessions) == 0)
        assert me.lifecycle().line.is_over
        assert [type(state) async for state in me.lifecycle()] == []


async def test_a_request_without_an_answer_says_why(tmp_path: Path) -> None:
    """Juliet's client gets the request and is gone; then Romeo's session is."""
    async with serving(tmp_path) as service, client(service, ROMEO) as me:
        juliet = await service.secured()
        await juliet.scram("juliet")
        await juliet.open(JULIET.domain)
        bound = await juliet.ask(
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        )
        address = JID.parse(next(next(bound.elements).elements).text)
        asking = asyncio.ensure_future(me.request(Ping(), address))
        await juliet.element()
        keeper = me._keeper
        keeper.session = None  # the server has forgotten it, or never could resume
        for connection in tuple(service.server.listeners.connections):
            if connection.jid == ROMEO:
                connection.connection.abort()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(SessionReset):
                await asking


async def test_presence_is_said_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO) as me:
        await until(lambda: bool(service.server.sessions.available(ROMEO)))
        me._keeper.session = None
        cut(service)
        told = await until_online(me)
        assert isinstance(told[0], Suspended)
        await until(lambda: bool(service.server.sessions.available(ROMEO)))


async def test_what_was_never_written_is_handed_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO) as me:
        lifecycle = me.lifecycle()
        me._keeper.session = None
        cut(service)
        async with asyncio.timeout(PATIENCE):
            assert isinstance(await lifecycle.next(), Suspended)
            receipts = [await me.send(JULIET, text) for text in ("one", "two")]
            reset = [state async for state in _upto(lifecycle, Reset)][-1]
        assert isinstance(reset, Reset)
        assert [message.body for message in reset.lost] == ["one", "two"]
        for receipt in receipts:
            with pytest.raises(SessionReset):
                await receipt.acked


async def _upto(states: object, kind: type) -> object:
    async for state in states:  # type: ignore[attr-defined]
        yield state
        if isinstance(state, kind):
            return
