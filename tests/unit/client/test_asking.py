"""Who asks, in whose name, and what becomes of what nobody wants to know any more."""

import asyncio
from dataclasses import replace

import pytest

from pyrite.client.api import (
    Account,
    AuthenticationFailed,
    Blocking,
    Client,
    Online,
    Suspended,
    Trust,
)
from pyrite.client.feature import Request
from pyrite.client.testing import MemoryServer
from pyrite.client.testing.server import MemoryConnector
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.wire.message import Body
from pyrite.wire.ping import Ping
from pyrite.wire.version import Version

PATIENCE = 10.0
GATE = "gate.example.org"


async def test_a_component_asks_from_any_of_its_addresses() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.client("a") as a,
        srv.component(GATE) as gate,
    ):
        asked: list[JID] = []

        @a.serve("get", Version)
        def version(request: Request[Version]) -> Version:
            asked.append(request.sender)
            return Version(name="a")

        ghost = JID.parse(f"ghost@{GATE}/door")
        for sender in (ghost, ghost.bare, None):
            answer = await gate.request(Version(), a.jid, expect=Version, sender=sender)
            assert answer.name == "a"
        assert asked == [ghost, ghost.bare, JID.parse(GATE)]
        with pytest.raises(ValueError, match="not at"):
            await gate.request(Version(), a.jid, sender=JID.parse("a@elsewhere.example"))


async def test_what_is_given_up_is_not_asked_later() -> None:
    """While the net is away a request waits; who stops waiting does not want it done any more."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.client("a", features=[Blocking]) as a,
    ):
        states = a.lifecycle()
        srv.cut("a")
        assert isinstance(await states.next(), Suspended)
        asking = asyncio.ensure_future(a[Blocking].block("evil@example.org"))
        kept = asyncio.ensure_future(a[Blocking].block("worse@example.org"))
        await srv.quiet()
        asking.cancel()
        await asyncio.wait([asking])
        srv.heal("a")
        await srv.advance(60)
        assert isinstance(await states.next(), Online)
        await kept
        assert set(a[Blocking]) == {JID.parse("worse@example.org")}


async def test_no_type_is_normal() -> None:
    """So is a type that nobody knows (RFC 6121 §5.2.2)."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a") as a,
        srv.client("b") as b,
    ):
        heard = b.messages("normal")
        for type in (None, "chat", "normal", "strange"):
            await a.send(Message(type, b.jid).add(Body(str(type))))
        await a.request(Ping(), JID(None, a.jid.domain))
        told = [(await heard.next()).message.body for _ in range(3)]
        assert told == ["None", "normal", "strange"]


def test_what_an_account_says_is_said_once() -> None:
    account = Account(JID.parse("romeo@verona.example"), "secret")
    with pytest.raises(ValueError, match="its own password and trust"):
        Client("romeo@verona.example", "other", account=account)
    with pytest.raises(ValueError, match="its own password and trust"):
        Client("romeo@verona.example", account=account, trust=Trust(pin="00" * 32))
    with pytest.raises(ValueError, match=r"that of romeo@verona\.example, not of juliet@"):
        Client("juliet@verona.example", account=account)


async def test_no_password_is_said_to_be_missing() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv:
        account = replace(srv.account("a"), password=None)
        with pytest.raises(AuthenticationFailed, match=r"offers .*SCRAM.*; we have no password"):
            async with Client(account.jid, account=account, connector=MemoryConnector(srv, "a")):
                pass
