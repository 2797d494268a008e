"""Clients that talk through a server that is killed under them, and write down what comes of it.

Each is one task: it logs in, says something as long as the server acknowledges what it said
before, is cut off at random moments, comes back, resumes or begins anew, sends again what was not
acknowledged, and so on until the world is over. What a client does is drawn from the seed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import NamedTuple

from pyrite.core.ack import Acks
from pyrite.core.jid import JID
from pyrite.core.stream import Event
from pyrite.core.xml import Element

from ..peer import PASSWORD, HungUpError, Peer
from ..process import Process
from .history import History, Said, Session

DOMAIN, HOME = "verona.lit", "home"
NS_SM, NS_MAM, NS_RSM = "urn:xmpp:sm:3", "urn:xmpp:mam:2", "http://jabber.org/protocol/rsm"
ASK = f"<r xmlns='{NS_SM}'/>"
PLAIN = 'modules = ["acks", "carbons", "delay", "offline", "ping", "roster", "stanzaid"]'
SETTINGS = """
[host."verona.lit"]
{modules}
[modules.offline]
count = 100000
size = "256MiB"
[limits]
send-queue = 200000
send-queue-size = "512MiB"
connection-rate = 10000.0
connection-burst = 10000
"""

BURST, WINDOW = 6, 24  # messages said at once, and unacknowledged at most
PAGE = 200  # messages of an archive that are asked for at once
CUT = 15, 80  # things that a client hears before its connection is cut: least and most
AWAY = 50, 500  # messages of others that are acknowledged while one is away
FORGETTING = 0.15  # of the cuts, after which a client has forgotten how to resume
HALVES = 0.3  # of the cuts, which are amid a stanza


class World:
    """Where everybody finds the server that runs now, if one does."""

    def __init__(self, seed: int, people: int, restless: int) -> None:
        """So many clients, of which the `restless` go away from time to time."""
        self.history = History()
        self.counts: Counter[str] = Counter()
        self.port = 0
        self.up, self.over = asyncio.Event(), asyncio.Event()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []  # until when, who
        self.chance = chance = Random(seed)
        names = [f"c{number:02}" for number in range(people)]
        self.clients = []
        for number, name in enumerate(names):
            friends = [names[number ^ 1], *chance.sample(names, 4)]  # a pair, and across
            friends = [friend for friend in friends if friend != name]
            own = Random(chance.random())
            self.clients.append(Client(self, name, friends, own, is_restless=number < restless))

    async def populate(self, server: Process) -> None:
        for client in self.clients:
            await server.ask("account-add", jid=f"{client.name}@{DOMAIN}", password=PASSWORD)

    def begin(self, server: Process) -> None:
        self.port = server.port
        self.up.set()

    async def kill(self, server: Process) -> None:
        self.up.clear()
        self.counts["kills"] += 1
        self.history.life += 1
        await server.kill()

    def acknowledged(self, said: Said) -> None:
        self.history.acknowledged.add(said)
        self.counts["acknowledged"] += 1
        while self._waiting and self._waiting[0][0] <= self.counts["acknowledged"]:
            _, future = self._waiting.pop(0)
            if not future.done():
                future.set_result(None)

    async def later(self, messages: int) -> None:
        """Wait until so many more are acknowledged, or no more will be."""
        if self.over.is_set():
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((self.counts["acknowledged"] + messages, future))
        self._waiting.sort(key=lambda each: each[0])
        await future

    async def settle(self, talking: Sequence[asyncio.Task[None]]) -> None:
        """Nothing new is said; wait until all that was said is acknowledged."""
        self.over.set()
        while self._waiting:
            self._waiting.pop()[1].set_result(None)
        await asyncio.gather(*talking)

    async def read_all(self, *, has_archive: bool = True) -> None:
        """What still waits for anybody, and what the archives say."""
        for client in self.clients:
            peer = await Peer.connect(self.port)
            try:
                await peer.log_in(JID(client.name, DOMAIN, HOME))
                await peer.send("<presence/>")
                waiting = [said_in(e) for e in await peer.barrier() if e.name.tag == "message"]
                self.history.sessions.append(Session(client.name, waiting, self.history.life))
                if has_archive:
                    self.history.archives[client.name] = [*map(Said.read, await archive(peer))]
            finally:
                await peer.abort()


class Sent(NamedTuple):
    """A stanza of a client's: a message that is written down, or something else."""

    xml: str
    said: Said | None = None


class Client:
    """One account's only client."""

    def __init__(
        self, world: World, name: str, friends: Sequence[str], chance: Random, *, is_restless: bool
    ) -> None:
        self.world, self.name, self.friends, self.chance = world, name, friends, chance
        self.is_restless = is_restless
        self._numbers = {friend: count() for friend in friends}
        self._acks: Acks[Sent] = Acks()
        self._again: list[Sent] = []  # what was not acknowledged in a session that is gone
        self._previd: str | None = None  # to resume the session by
        self._session = Session(name)
        self._until_cut = chance.randint(*CUT)
        self._peer: Peer

    @property
    def is_done(self) -> bool:
        return self.world.over.is_set() and not self._acks.unacknowledged and not self._again

    async def live(self) -> None:
        """Come back whenever the connection is gone, until everything is acknowledged."""
        while not self.is_done:
            await self.world.up.wait()
            try:
                self._peer = await Peer.connect(self.world.port)
            except ConnectionError:
                continue  # killed, and nobody has been told yet
            try:
                await self._enter()
                await self._talk()
            except (HungUpError, ConnectionError):
                pass
            finally:
                if not self._peer.writer.is_closing():
                    self._peer.writer.transport.abort()

    # --- coming ----------------------------------------------------------------------

    async def _enter(self) -> None:
        await self._peer.authenticate(JID(self.name, DOMAIN))
        if self._previd is None or not await self._resume():
            await self._begin()

    async def _resume(self) -> bool:
        """Whether the session goes on; else it is told what had arrived of it, if that is known."""
        resume = f"<resume xmlns='{NS_SM}' previd='{self._previd}' h='{self._acks.handled}'/>"
        answer = await self._peer.ask(resume)
        assert answer.name.tag in ("resumed", "failed"), answer
        if (h := answer.attrs.get("h")) is not None:
            self._acknowledge(int(h))
        self.world.counts[answer.name.tag] += 1
        if answer.name.tag != "resumed":
            return False
        again = "".join(sent.xml for sent in self._acks.unacknowledged)
        await self._peer.write(again + ASK)
        return True

    async def _begin(self) -> None:
        """A new session, in which all that was not acknowledged is sent again."""
        self._previd = None
        self._again.extend(sent for sent in self._acks.unacknowledged if sent.said is not None)
        self._acks = Acks()
        await self._peer.take_resource(HOME)
        enabled = await self._peer.ask(f"<enable xmlns='{NS_SM}' resume='true'/>")
        assert enabled.name.tag == "enabled", enabled
        self._previd = enabled.attrs.get("id")
        self._session = Session(self.name, life=self.world.history.life)
        self.world.history.sessions.append(self._session)
        again, self._again = self._again, []
        await self._send([Sent("<presence/>"), *again])

    # --- talking ---------------------------------------------------------------------

    async def _talk(self) -> None:
        while not self.is_done:
            await self._say()
            await self._hear(await self._peer.event())
            self._until_cut -= 1
            if self._until_cut <= 0 and not self.world.over.is_set():
                self._until_cut = self.chance.randint(*CUT)
                await self._leave()
        await self._say_goodbye()

    async def _say(self) -> None:
        if not self.world.over.is_set() and len(self._acks.unacknowledged) <= WINDOW - BURST:
            await self._send([self._message() for _ in range(BURST)])

    def _message(self) -> Sent:
        friend = self.chance.choice(self.friends)
        said = Said(self.name, friend, next(self._numbers[friend]))
        id = said.id.replace(">", "&gt;")
        return Sent(
            f"<message to='{friend}@{DOMAIN}' type='chat' id='{id}'><body>{id}</body>"
            f"<origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>",
            said,
        )

    async def _send(self, stanzas: Sequence[Sent]) -> None:
        """Send, and ask for an acknowledgement."""
        self._count(stanzas)
        await self._peer.write("".join(sent.xml for sent in stanzas) + ASK)

    def _count(self, stanzas: Sequence[Sent]) -> None:
        self._acks.send(stanzas)
        for sent in stanzas:
            if sent.said is not None:
                self.world.history.say(sent.said)

    async def _hear(self, event: Event) -> None:
        if not isinstance(event, Element):
            raise HungUpError(event)
        match event.name.tag:
            case "message":
                self._acks.handle()
                self._note(event)
            case "presence":
                self._acks.handle()
            case "iq":
                self._acks.handle()
                if event.attrs.get("type") in ("get", "set"):
                    await self._send([Sent(f"<iq type='result' id='{event.attrs['id']}'/>")])
            case "r":
                await self._peer.write(f"<a xmlns='{NS_SM}' h='{self._acks.handled}'/>")
            case "a":
                self._acknowledge(int(event.attrs["h"]))
            case tag:  # a stream error: nobody here earns one
                raise AssertionError(f"{self.name}: {tag}: {event}")

    def _note(self, message: Element) -> None:
        said = said_in(message)
        if message.attrs.get("type") == "error":
            self.world.history.refused.add(said)
        else:
            self._session.heard.append(said)
            self.world.counts["heard"] += 1

    def _acknowledge(self, h: int) -> None:
        for sent in self._acks.acknowledge(h):
            if sent.said is not None:
                self.world.acknowledged(sent.said)

    # --- leaving ---------------------------------------------------------------------

    async def _leave(self) -> None:
        """Be gone for a while if that is one's way, or lose the connection."""
        if self.is_restless:
            self.world.counts["away"] += 1
            await self._say_goodbye()
            await self.world.later(self.chance.randint(*AWAY))
        else:
            self.world.counts["cut"] += 1
            if self.chance.random() < FORGETTING:
                self._previd = None
            if self.chance.random() < HALVES:
                self._say_half()
            else:
                self._peer.writer.transport.abort()  # what the system still has is gone, too
        raise HungUpError

    async def _say_goodbye(self) -> None:
        """End the stream, which ends the session, and hear what was under way."""
        self._previd = None
        await self._peer.write("</stream:stream>")
        for event in await self._peer.rest():
            if isinstance(event, Element) and event.name.tag == "message":
                self._note(event)

    def _say_half(self) -> None:
        """The connection breaks when a part of a stanza is there."""
        sent = self._message()
        self._count([sent])
        self._peer.writer.write(sent.xml[: self.chance.randrange(len(sent.xml))].encode())
        self._peer.writer.close()


def said_in(message: Element) -> Said:
    return Said.read(message.attrs["id"])


async def archive(peer: Peer, page: int = PAGE) -> list[str]:
    """All of an archive, in its order, as its owner reads it (XEP-0313 §4): messages' ids."""
    found: list[str] = []
    after, is_complete = "", False
    while not is_complete:
        wish = f"<set xmlns='{NS_RSM}'><max>{page}</max>{after}</set>"
        await peer.send(f"<iq type='set' id='q'><query xmlns='{NS_MAM}'>{wish}</query></iq>")
        while (element := await peer.element()).name.tag == "message":
            found.append(_forwarded(element).attrs["id"])
        fin = element.child(NS_MAM, "fin")
        assert fin is not None, element
        is_complete = fin.attrs.get("complete") == "true"
        last = [e.text for rsm in fin.elements for e in rsm.elements if e.name.tag == "last"]
        after = f"<after>{''.join(last)}</after>"
    return found


def _forwarded(message: Element) -> Element:
    """What stands in a result of an archive."""
    (result,) = message.elements
    (forwarded,) = result.elements
    return next(e for e in forwarded.elements if e.name.tag == "message")
