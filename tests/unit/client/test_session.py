"""A session from one call: what it can do, and how it fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import JULIET, ROMEO, VERONA, Service, serving, until

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.errors import AuthenticationFailed, ConnectionFailed, TlsError
from pyrite.client.feature import Feature, MessageReceived, Request
from pyrite.client.keeper import Backoff
from pyrite.client.mod.archive import Archive
from pyrite.client.mod.carbons import Carbons
from pyrite.client.mod.receipts import Receipts
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping
from pyrite.wire.version import Version


def client(service: Service, jid: JID, password: str = PASSWORD, *, direct: bool = False) -> Client:
    port = service.server.listeners.ports["c2s-tls" if direct else "c2s"]
    return Client(
        jid,
        password,
        trust=Trust(authorities=service.folder / "ca.pem"),
        connector=Tcp([Target("127.0.0.1", port, direct)]),
        features=(Carbons, Receipts),
        backoff=Backoff(first=0.01, most=0.02),
    )


@asynccontextmanager
async def couple(service: Service) -> AsyncIterator[tuple[Client, Client]]:
    async with client(service, ROMEO) as romeo, client(service, JULIET, direct=True) as juliet:
        yield romeo, juliet


async def test_a_message_and_its_answer(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, couple(service) as (romeo, juliet):
        heard = juliet.messages()
        receipt = await romeo.send(JULIET, "But soft!")
        async with asyncio.timeout(PATIENCE):
            received = await heard.next()
            assert received.message.body == "But soft!"
            assert received.message.sender == romeo.jid
            assert received.message.id == receipt.message.id
            await receipt.delivered
            await romeo[Receipts].displayed(received.message)  # ours: nobody asked us
            assert not receipt.displayed.is_reached
            await juliet[Receipts].displayed(received.message)
            await receipt.displayed


async def test_requests_both_ways(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, couple(service) as (romeo, juliet):

        @juliet.serve("get", Version)
        async def answer(request: Request[Version]) -> Version:
            assert request.sender == romeo.jid
            return Version(name="balcony")

        version = await romeo.request(Version(), juliet.jid, expect=Version)
        assert version.name == "balcony"
        served = await romeo.request(Version(), JID(None, VERONA), expect=Version)
        assert served.name == "Pyrite"
        with pytest.raises(StanzaError, match="service-unavailable"):
            await romeo.request(Ping(), juliet.jid)
        with pytest.raises(StanzaError, match="no Ping"):
            await romeo.request(Version(), juliet.jid, expect=Ping)


async def test_a_wrong_password_is_told_in_the_servers_words(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(AuthenticationFailed) as failed:
                async with client(service, ROMEO, "wrong"):
                    pass
        assert failed.value.condition == "not-authorized"
        assert failed.value.is_final


async def test_a_certificate_of_nobody_we_trust(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        port = service.server.listeners.ports["c2s"]
        for direct in (False, True):
            port = service.server.listeners.ports["c2s-tls" if direct else "c2s"]
            connector = Tcp([Target("127.0.0.1", port, direct)])
            with pytest.raises(TlsError):
                async with Client(ROMEO, PASSWORD, connector=connector):
                    pass


async def test_nobody_there() -> None:
    with pytest.raises(ConnectionFailed, match="verona"):
        async with Client(ROMEO, PASSWORD, connector=Tcp([Target("127.0.0.1", 1)])):
            pass


async def test_a_handler_that_crashes_reaches_its_owner(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO) as romeo:

        async def divide(_: MessageReceived) -> None:
            raise ZeroDivisionError

        async def run() -> None:
            async with client(service, JULIET) as juliet:
                juliet.on(MessageReceived)(divide)
                await romeo.send(juliet.jid, "boo")
                await asyncio.Event().wait()

        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ZeroDivisionError):
                await run()


async def test_order_within_a_conversation_and_none_across(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, couple(service) as (romeo, juliet):
        said: list[str | None] = []
        held = asyncio.Event()

        @juliet.on(MessageReceived)
        async def note(event: MessageReceived) -> None:
            if event.message.body == "0":
                await held.wait()
            said.append(event.message.body)

        heard = juliet.messages()
        for number in range(20):
            await romeo.send(juliet.jid, str(number))
        async with client(service, ROMEO) as other, asyncio.timeout(PATIENCE):
            assert other.jid != romeo.jid
            for _ in range(20):
                await heard.next()
            assert said == []
            held.set()
            await until(lambda: len(said) == 20)
        assert said == [str(number) for number in range(20)]


@pytest.mark.parametrize("features", [(), (Archive,)])
async def test_what_waited_is_told(tmp_path: Path, features: tuple[type[Feature], ...]) -> None:
    """XEP-0386 §3.2: who binds along with the log-in is handed over nothing of it."""
    async with serving(tmp_path) as service, client(service, ROMEO) as romeo:
        await romeo.send(JULIET, "while you were away")
        await romeo.request(Ping(), JID(None, VERONA))
        juliet = client(service, JULIET)
        for feature in features:
            juliet[feature]
        heard = juliet.messages()
        async with asyncio.timeout(PATIENCE), juliet:
            assert (await heard.next()).message.body == "while you were away"
