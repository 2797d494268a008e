"""Clients that acknowledge what they get, break off, and come back (XEP-0198)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pyrite.core.jid import JID
from pyrite.core.stanza import NS as NS_CLIENT
from pyrite.core.xml import Element
from pyrite.server.acks import PATIENCE

from .service import Client, Service, serving, until

NS = "urn:xmpp:sm:3"
ASK = f"<r xmlns='{NS}'/>"


MODULES = '["acks", "carbons", "csi", "delay", "offline", "ping", "roster"]'


def resumable(
    folder: Path, settings: str = "", *, limits: str = ""
) -> AbstractAsyncContextManager[Service]:
    """A service with little else; `settings` are the module's."""
    host = f"modules = {MODULES}\n[modules.acks]\n{settings}"
    return serving(folder, clear=True, host=host, limits=limits, more="modules = []")


def ack(h: int) -> str:
    return f"<a xmlns='{NS}' h='{h}'/>"


def chat(to: JID | str, id: str) -> str:
    return f"<message to='{to}' type='chat' id='{id}'><body>{id}</body></message>"


async def enable(client: Client, wish: str = "resume='true'") -> Element:
    """The answer; what came before it was read by the test."""
    await client.send(f"<enable xmlns='{NS}' {wish}/>")
    return await answer(client)


async def answer(client: Client) -> Element:
    """The next that is no stanza and no question."""
    while (element := await client.element()).name.ns != NS or element.name.tag == "r":
        pass
    return element


async def enabled(service: Service, jid: JID, wish: str = "resume='true'") -> tuple[Client, str]:
    """A client that is available and acknowledges, and the id of its session."""
    client = await service.online(jid, available=True)
    return client, (await enable(client, wish)).attrs.get("id", "")


async def handled_late(service: Service, client: Client) -> int:
    """As `handled`, where the disk takes longer than the answer waits for it."""
    waiting = service.clock.pending
    await client.send(ASK)
    await until(lambda: service.clock.pending > waiting)
    service.clock.advance(PATIENCE)
    return int((await answer(client)).attrs["h"])


async def handled(client: Client) -> int:
    """How many of its stanzas the server has handled, as it says; passes over all before."""
    await client.send(ASK)
    return int((await answer(client)).attrs["h"])


async def until_handled(client: Client) -> list[Element]:
    """The stanzas that came until the server has handled what `client` has sent."""
    await client.send(ASK)
    return await stanzas(client, "a")


async def stanzas(client: Client, end: str) -> list[Element]:
    """The stanzas before the next `end`, which is no stanza."""
    received = []
    while (element := await client.element()).name != (NS, end):
        if element.name.ns == NS_CLIENT:
            received.append(element)
    return received


async def strand(service: Service, client: Client) -> None:
    """Break its connection, and wait until the server has seen that."""
    before = len(service.server.resumption)
    await client.abort()
    await until(lambda: len(service.server.resumption) > before)


async def authenticated(service: Service, jid: JID) -> Client:
    """A client without a session."""
    client = await service.connect()
    await client.open(jid.domain)
    assert (await client.plain(jid.local or "")).name.tag == "success"
    await client.open(jid.domain)
    return client


async def resume(service: Service, jid: JID, id: str, h: int) -> tuple[Client, Element]:
    """A new connection, and what it is told."""
    client = await authenticated(service, jid)
    return client, await client.ask(f"<resume xmlns='{NS}' previd='{id}' h='{h}'/>")


def ids(received: list[Element]) -> list[str]:
    return [e.attrs["id"] for e in received if e.name.tag == "message"]
