"""A client made of nothing but a socket and a stream: what a test lets speak to the server."""

from __future__ import annotations

import asyncio
import itertools
from base64 import b64encode
from collections import deque

from pyrite.core.jid import JID
from pyrite.core.stanza import NS
from pyrite.core.stream import Event, Stream
from pyrite.core.xml import Closed, Element, Limits, Opened, parse

PATIENCE = 60.0  # seconds that a test waits for what must come, however busy the machine is
PASSWORD = "a rose by any other name"


class HungUpError(Exception):
    """The server ended the connection."""


class Peer:
    """One connection. Everything that waits has a limit."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.stream = Stream(limits=Limits())
        self.events: deque[Event] = deque()
        self._barriers = itertools.count(1)

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1") -> Peer:
        return cls(*await asyncio.open_connection(host, port))

    # --- raw -------------------------------------------------------------------------

    async def write(self, data: str | bytes) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()

    async def event(self) -> Event:
        """The next thing that the server says; raises `HungUpError` when it has hung up."""
        async with asyncio.timeout(PATIENCE):
            while not self.events:
                data = await self.read()
                if not data:
                    raise HungUpError
                self.events.extend(self.stream.feed(data))
        return self.events.popleft()

    async def read(self) -> bytes:
        """What has come; nothing when the server has hung up."""
        try:
            return await self.reader.read(1 << 16)
        except ConnectionError:
            return b""

    async def element(self) -> Element:
        """The next element; headers are passed over."""
        while True:
            event = await self.event()
            if isinstance(event, Element):
                return event
            if not isinstance(event, Opened):
                raise HungUpError(event)

    async def rest(self) -> list[Event]:
        """All that the server still says until it hangs up."""
        events: list[Event] = []
        try:
            while True:
                events.append(await self.event())
        except HungUpError:
            return events

    # --- a stream --------------------------------------------------------------------

    async def open(self, domain: str, lang: str = "") -> Element:
        """Begin a stream (anew); gives its features."""
        self.stream.restart()
        self.stream.open(to=domain, lang=lang)
        await self.flush()
        return await self.element()

    async def flush(self) -> None:
        await self.write(self.stream.take())

    async def send(self, xml: str) -> None:
        """Send one element as it is written, within the stream."""
        await self.write(xml)

    async def ask(self, xml: str) -> Element:
        await self.send(xml)
        return await self.element()

    async def log_in(self, jid: JID, password: str = PASSWORD, lang: str = "") -> None:
        """From nothing to a bound session, by PLAIN in the clear."""
        await self.authenticate(jid, password, lang)
        await self.take_resource(jid.resource)

    async def authenticate(self, jid: JID, password: str = PASSWORD, lang: str = "") -> Element:
        """From nothing to where a resource can be bound; gives the features there."""
        await self.open(jid.domain, lang)
        data = b64encode(f"\0{jid.local}\0{password}".encode()).decode()
        ns = "urn:ietf:params:xml:ns:xmpp-sasl"
        answer = await self.ask(f"<auth xmlns='{ns}' mechanism='PLAIN'>{data}</auth>")
        if answer.name.tag != "success":
            raise AssertionError(f"no success: {answer}")
        return await self.open(jid.domain, lang)

    async def take_resource(self, resource: str | None) -> None:
        """Bind a resource; an own one, if it is given."""
        inside = f"<resource>{resource}</resource>" if resource else ""
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{inside}</bind>"
        bound = await self.ask(f"<iq type='set' id='bind'>{bind}</iq>")
        if bound.attrs.get("type") != "result":
            raise AssertionError(f"not bound: {bound}")

    async def barrier(self) -> list[Element]:
        """All that came until the server has handled what this client has sent.

        Or until it hung up; raises `HungUpError` if nothing came before that.
        """
        id = f"barrier-{next(self._barriers)}"
        await self.send(f"<iq type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
        received: list[Element] = []
        try:
            while (element := await self.element()).attrs.get("id") != id:
                received.append(element)
        except HungUpError:
            if not received:
                raise
        return received

    async def close(self) -> None:
        """Say goodbye and wait for the server's."""
        await self.write("</stream:stream>")
        await self.rest()
        self.writer.close()

    async def abort(self) -> None:
        self.writer.transport.abort()


def stanza(xml: str) -> Element:
    """`xml` as a stanza in a client's stream."""
    return parse(xml, NS)


def conditions(events: list[Event]) -> list[str]:
    """The names of all error conditions in `events`, stream errors and stanza errors alike."""
    found: list[str] = []
    for event in events:
        if isinstance(event, Element) and event.name.tag == "error":
            found += [e.name.tag for e in event.elements if e.name.tag != "text"]
        elif isinstance(event, Closed):
            found.append("closed")
    return found
