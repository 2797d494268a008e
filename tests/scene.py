"""Where stories are played: in memory or over sockets, with the real server, store and modules."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from pyrite.core.errors import StanzaError, StreamError
from pyrite.core.jid import JID
from pyrite.core.stanza import NS, Presence, Stanza, read
from pyrite.core.xml import Element, parse
from pyrite.kit.clock import ManualClock
from pyrite.server.app import Server
from pyrite.server.catalogue import Installed
from pyrite.server.session import Nonza, Session, SessionEnded
from pyrite.server.settings import Settings, load
from pyrite.server.store.roster import Item, Subscription
from pyrite.wire import acks

from .peer import PASSWORD, PATIENCE, HungUpError, Peer, conditions
from .stage import Contact, Script, shuffle

OVER_SOCKETS = """
[listen]
c2s = "127.0.0.1:0"
[tls]
required = false
[auth]
plain-without-tls = true
iterations = 4096
mechanisms = ["PLAIN"]
"""


def is_heard(element: Element) -> bool:
    """Whether it is a line of a story: a stanza, or an answer about acknowledgements.

    When the server asks for these is its own affair.
    """
    return element.name.ns == NS or (element.name.ns == acks.NS and element.name.tag != "r")


def settings_for(script: Script, folder: Path, extra: str = "") -> Settings:
    """The settings that `script` asks for, read as the server would read them."""
    lines = [f'data = "{folder}"', extra]
    for domain in script.hosts:
        lines.append(f'[host."{domain}"]')
        if script.modules is not None:
            names = ", ".join(f'"{name}"' for name in script.modules)
            lines.append(f"modules = [{names}]")
        lines += [f"{key} = {value}" for key, value in script.host_settings.items()]
    for module, values in script.settings.items():
        lines.append(f"[modules.{module}]")
        lines += [f"{key} = {value}" for key, value in values.items()]
    file = folder / "story.toml"
    file.write_text("\n".join(lines))
    return load(file, Installed())


TURNS = 10  # of the loop, at most, that anything goes on for before it waits for something


async def quiet(server: Server) -> None:
    """Let what the server has begun go on until it has ended, or waits for time or a client."""
    turns = 0
    while turns < TURNS:
        await asyncio.sleep(0)
        turns = 0 if server.stores.engine.waiting else turns + 1


async def prepare(server: Server, script: Script, *, password: str | None = None) -> None:
    """Make the accounts of `script`, and what their rosters have."""
    for account in script.accounts:
        if password is None:
            await server.stores.accounts.create(account, (), server.clock.now())
        else:
            await server.accounts.create(account, password)
    for contact in script.contacts:
        if contact.owner.domain in script.hosts:
            await server.stores.roster.put(contact.owner, item_of(contact))


def item_of(contact: Contact) -> Item:
    """`contact` as it is stored."""
    request = Presence("subscribe", contact.owner, contact.jid)
    return Item(
        contact.jid,
        subscription=cast(Subscription, contact.subscription),
        ask="ask" in contact.flags,
        approved="approved" in contact.flags,
        request=request.write() if "request" in contact.flags else None,
        listed="unlisted" not in contact.flags,
    )


class Memory:
    """No sockets and no time: what is sent is handled before the next line is read."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server, self.clock = server, clock
        self.sessions: dict[JID, Session] = {}
        self.received: dict[JID, deque[Stanza | Nonza]] = {}

    async def join(self, actor: JID, lang: str = "") -> None:
        self._collect(actor)
        old = self.sessions.get(actor)
        session = await self.server.bind(actor.bare, actor.resource, lang=lang or None)
        assert session.jid == actor
        assert old is None or (old.ended and old.ended.condition == "conflict")
        self.sessions[actor] = session
        self.received.setdefault(actor, deque())

    async def leave(self, actor: JID, *, cleanly: bool) -> None:
        await quiet(self.server)
        self._collect(actor)
        await self.server.unbind(self.sessions.pop(actor))

    async def send(self, actor: JID, xml: str) -> None:
        session = self.sessions[actor]
        element = parse(xml, NS)
        try:
            stanza = read(element)
        except StanzaError as error:
            self.server.router.refuse_unread(element, error, session)
            return
        except StreamError:
            await session.host.take_nonza(element, session)
            return
        stanza.sender = session.jid
        stanza.lang = stanza.lang or session.lang
        await self.server.router.receive(stanza, session)

    async def receive(self, actor: JID) -> Element | None:
        self._collect(actor)
        waiting = self.received[actor]
        if not waiting:
            await quiet(self.server)
            self._collect(actor)
        return waiting.popleft().to_element() if waiting else None

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def _collect(self, actor: JID) -> None:
        if actor in self.sessions:
            taken = self.sessions[actor].take()
            self.received[actor].extend(each for each in taken if is_heard(each.to_element()))


@asynccontextmanager
async def in_memory(script: Script, folder: Path, seed: int) -> AsyncIterator[Memory]:
    """A server for `script`, its handlers in an order of their own for each `seed`."""
    clock = ManualClock()
    server = Server(settings_for(script, folder), clock=clock)
    async with server.opened():
        await prepare(server, script)
        shuffle(server, random.Random(seed))
        yield Memory(server, clock)


class Sockets:
    """The same over TCP: each actor is a connection."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server, self.clock = server, clock
        self.peers: dict[JID, Peer] = {}
        self.received: dict[JID, deque[Element]] = {}

    async def join(self, actor: JID, lang: str = "") -> None:
        old = self.peers.get(actor)
        peer = self.peers[actor] = await Peer.connect(self.server.listeners.ports["c2s"])
        await peer.log_in(actor, lang=lang)
        received = self.received.setdefault(actor, deque())
        if old is not None:
            last = await old.rest()
            received.extend(e for e in last if isinstance(e, Element) and e.name.ns == NS)
            assert "conflict" in conditions(last)
            await old.abort()

    async def leave(self, actor: JID, *, cleanly: bool) -> None:
        peer = self.peers[actor]
        await quiet(self.server)
        self.received[actor].extend(await peer.barrier())
        del self.peers[actor]
        ended = asyncio.Event()
        host = self.server.hosts[actor.domain]
        stop = host.events.on(
            SessionEnded, lambda event: event.session.jid == actor and ended.set()
        )
        async with asyncio.timeout(PATIENCE):
            await (peer.close() if cleanly else peer.abort())
            await ended.wait()
        stop()

    async def send(self, actor: JID, xml: str) -> None:
        await self.peers[actor].send(xml)
        await self._settle(actor)

    async def receive(self, actor: JID) -> Element | None:
        if not self.received[actor] and actor in self.peers:
            await quiet(self.server)
            await self._settle(actor)
        waiting = self.received[actor]
        return waiting.popleft() if waiting else None

    async def _settle(self, actor: JID) -> None:
        """Take the stanzas that `actor` has got by now, until the server hangs up."""
        try:
            came = await self.peers[actor].barrier()
            self.received[actor].extend(element for element in came if is_heard(element))
        except (HungUpError, ConnectionError):
            await self.peers.pop(actor).abort()

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)


@asynccontextmanager
async def over_sockets(script: Script, folder: Path, seed: int) -> AsyncIterator[Sockets]:
    """A listening server for `script`."""
    clock = ManualClock()
    server = Server(settings_for(script, folder, OVER_SOCKETS), clock=clock)
    async with server.running():
        await prepare(server, script, password=PASSWORD)
        shuffle(server, random.Random(seed))
        scene = Sockets(server, clock)
        try:
            yield scene
        finally:
            for peer in scene.peers.values():
                await peer.abort()
