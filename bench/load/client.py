"""Logging in: connect, authenticate, bind."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from . import acks
from .scram import Exchange
from .stream import LoadError, Stream, TLSStream

PLAIN, TLS = "plain", "tls"
TRANSPORTS = {PLAIN: Stream, TLS: TLSStream}
AT_ONCE = 32  # logins, and other preparations, under way

FEATURES = re.compile(rb"</stream:features>|<stream:error")
CHALLENGE = re.compile(rb"<challenge[^>]*>([^<]*)</challenge>|<failure.*?</failure>")
SUCCESS = re.compile(rb"<success[^>]*?(?:/>|>([^<]*)</success>)|<failure.*?</failure>")
BOUND = re.compile(rb"<jid>([^<]*)</jid>.*?</iq>")
ID = r"<iq\b(?=[^>]*\bid=['\"]{}['\"])([^>]*)>"


@dataclass(frozen=True)
class Target:
    """A server that runs, as its clients see it."""

    name: str
    version: str
    pid: int
    ports: dict[str, int]  # by transport
    domain: str
    users: tuple[str, ...]
    password: str
    mechanism: str
    host: str = "127.0.0.1"


@dataclass(frozen=True)
class Client:
    """A session that is bound."""

    stream: Stream
    jid: str
    domain: str

    @property
    def bare(self) -> str:
        """The address of the account."""
        return self.jid.partition("/")[0]

    async def iq(self, kind: str, payload: str, id: str) -> None:
        """Ask the account or server, and wait. Raises LoadError for an error."""
        self.stream.write(f"<iq type='{kind}' id='{id}'>{payload}</iq>".encode())
        answer = await self.stream.until(re.compile(ID.format(id).encode()))
        if b"result" not in answer[1]:
            raise LoadError(f"{payload}: {answer[0]!r}")

    async def sync(self) -> None:
        """Wait until the server has handled all that was written."""
        await self.iq("get", "<ping xmlns='urn:xmpp:ping'/>", "sync")

    async def settle(self, features: Iterable[str] = ()) -> None:
        """What a client does first: its roster, what it enables, its presence."""
        await self.iq("get", "<query xmlns='jabber:iq:roster'/>", "roster")
        if "carbons" in features:
            await self.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>", "carbons")
        self.stream.write(b"<presence/>")
        await self.sync()
        if "sm" in features:
            await acks.enable(self.stream)

    async def leave(self) -> None:
        """End the stream, and wait until the server has let go of it."""
        self.stream.buffered()
        self.stream.write(b"</stream:stream>")
        await self.stream.until(re.compile(rb"</stream:stream>"))
        self.stream.close()
        await self.stream.closed


async def login(target: Target, user: str, transport: str, resource: str = "bench") -> Client:
    """A bound session. Raises LoadError for whatever else the server answers."""
    async with authenticated(target, user, transport) as stream:
        return Client(stream, await _bind(stream, resource), target.domain)


@asynccontextmanager
async def authenticated(target: Target, user: str, transport: str) -> AsyncIterator[Stream]:
    """A stream whose user is known and which has no session yet; it ends with an error."""
    async with opened(target, transport) as stream:
        await _authenticate(stream, target, user)
        await _open(stream, target.domain)
        yield stream


@asynccontextmanager
async def opened(target: Target, transport: str) -> AsyncIterator[Stream]:
    """A stream whose features have come; it ends with an error."""
    _, stream = await asyncio.get_running_loop().create_connection(
        TRANSPORTS[transport], target.host, target.ports[transport]
    )
    try:
        await stream.ready()
        await _open(stream, target.domain)
        yield stream
    except BaseException:
        stream.abort()
        raise


async def login_all(
    target: Target, users: Iterable[str], transport: str, features: Iterable[str] = ()
) -> list[Client]:
    """Many settled sessions, in the order of their users."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(user: str) -> Client:
        async with gate:
            client = await login(target, user, transport)
            await client.settle(features)
            return client

    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(one(user)) for user in users]
    return [task.result() for task in made]


async def _open(stream: Stream, domain: str) -> None:
    stream.write(
        f"<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client'"
        " xmlns:stream='http://etherx.jabber.org/streams'>".encode()
    )
    features = await stream.until(FEATURES)
    if features[0] == b"<stream:error":
        raise LoadError(f"stream error: {features.string[:500]!r}")


async def _authenticate(stream: Stream, target: Target, user: str) -> None:
    if target.mechanism == "PLAIN":
        _auth(stream, "PLAIN", f"\0{user}\0{target.password}".encode())
        _accepted(await stream.until(SUCCESS))
        return
    exchange = Exchange(target.mechanism, user, target.password)
    _auth(stream, target.mechanism, exchange.first())
    challenge = _accepted(await stream.until(CHALLENGE))
    final = base64.b64encode(exchange.final(challenge)).decode()
    stream.write(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{final}</response>".encode())
    exchange.verify(_accepted(await stream.until(SUCCESS)))


def _auth(stream: Stream, mechanism: str, initial: bytes) -> None:
    stream.write(
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>"
        f"{base64.b64encode(initial).decode()}</auth>".encode()
    )


def _accepted(match: re.Match[bytes]) -> bytes:
    if match[0].startswith(b"<failure"):
        raise LoadError(f"login refused: {match[0]!r}")
    return base64.b64decode(match[1] or b"")


async def _bind(stream: Stream, resource: str) -> str:
    stream.write(
        b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        b"<resource>" + resource.encode() + b"</resource></bind></iq>"
    )
    return (await stream.until(BOUND))[1].decode()
