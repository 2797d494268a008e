"""A domain of our own behind servers that others wrote (XEP-0114)."""

import asyncio

import pytest
from tests.interop.servers import Server

from pyrite.client.component import Component
from pyrite.client.errors import AuthenticationFailed
from pyrite.client.feature import MessageReceived, Request
from pyrite.client.keeper import Backoff
from pyrite.client.state import Online, Suspended
from pyrite.core.jid import JID
from pyrite.core.stanza import Message
from pyrite.net.dns import Target
from pyrite.wire.message import Body
from pyrite.wire.version import Version

from .conftest import PATIENCE, Login
from .servers import COMPONENTS, SECRET, Ejabberd, LiveProsody

ECHO, CAPULET = COMPONENTS
no_components = pytest.mark.lacks(pyrite="components are not served yet")


def component(server: Server, name: str = ECHO, secret: str = SECRET) -> Component:
    assert isinstance(server, LiveProsody | Ejabberd)
    at = Target("127.0.0.1", server.component)
    return Component(name, secret, at=at, backoff=Backoff(0.01, 0.05))


@no_components
async def test_an_echo(server: Server, login: Login) -> None:
    async with (
        component(server) as echo,
        login("romeo") as romeo,
        asyncio.timeout(PATIENCE),
    ):

        @echo.on(MessageReceived)
        async def answer(event: MessageReceived) -> None:
            message = event.message
            back = Message("chat", message.sender, message.to).add(Body(message.body or ""))
            await echo.send(back)

        @echo.serve("get", Version)
        def version(request: Request[Version]) -> Version:
            return Version(name=str(request.iq.to))

        heard = romeo.messages()
        await romeo.send(f"narcissus@{ECHO}", "who is there?")
        answered = (await heard.next()).message
        while answered.sender is None or answered.sender.domain != ECHO:
            answered = (await heard.next()).message  # what waited for him since other tests
        assert answered.body == "who is there?"
        assert answered.sender == JID.parse(f"narcissus@{ECHO}")
        told = await romeo.request(Version(), f"narcissus@{ECHO}", expect=Version)
        assert told.name == f"narcissus@{ECHO}"
        asked = await echo.request(Version(), "verona.example", expect=Version)
        assert asked.name
        with pytest.raises(ValueError, match="not at"):
            await echo.send(Message("chat", romeo.jid, JID.parse("romeo@verona.example")))


@no_components
async def test_a_wrong_secret(server: Server) -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(AuthenticationFailed):
            async with component(server, CAPULET, "wrong"):
                pass


@no_components
async def test_it_comes_back(server: Server) -> None:
    async with component(server, CAPULET) as capulet, asyncio.timeout(PATIENCE):
        states = capulet.lifecycle()
        capulet._keeper._link.abort()  # type: ignore[union-attr]
        assert isinstance(await states.next(), Suspended)
        assert isinstance(await states.next(), Online)
        await capulet.request(Version(), "verona.example")
