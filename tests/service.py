"""A whole server on loopback, as small or as strict as a test wants it, and clients to annoy it."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import ssl
import warnings
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from pyrite.core.errors import StreamError
from pyrite.core.jid import JID
from pyrite.core.sasl import Advertised, Credentials, choose
from pyrite.core.stream import ERROR, read_error
from pyrite.core.xml import Closed, Element, Name, Opened
from pyrite.kit.clock import ManualClock
from pyrite.net.tls import ClientTls, TlsContext, TlsError, TlsSession, client_context
from pyrite.server.app import Server
from pyrite.server.catalogue import Installed
from pyrite.server.listeners import SWEEP
from pyrite.server.settings import Settings, load
from pyrite.server.store.roster import Item

from .peer import PASSWORD, PATIENCE, HungUpError, Peer

VERONA, MANTUA = "verona.lit", "mantua.lit"
ROMEO, JULIET, MALLORY = (JID.parse(f"{name}@{VERONA}") for name in ("romeo", "juliet", "mallory"))
BENVOLIO = JID.parse(f"benvolio@{MANTUA}")
ACCOUNTS = (ROMEO, JULIET, MALLORY, BENVOLIO)

NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
NS_STREAMS = "http://etherx.jabber.org/streams"

BASE = f"""
data = "{{folder}}/data"
[listen]
c2s = "127.0.0.1:0"
c2s-tls = "127.0.0.1:0"
[tls]
certificate = "{{folder}}/cert.pem"
key = "{{folder}}/key.pem"
required = {{required}}
{{tls}}
[auth]
iterations = 4096
plain-without-tls = {{in_the_clear}}
{{auth}}
[limits]
{{limits}}
[host."{VERONA}"]
{{host}}
[host."{MANTUA}"]
{{more}}
"""


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what the server does with nobody to tell; fails after `PATIENCE`."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


_TEMPLATE: list[Path] = []


async def template() -> Path:
    """A folder with a certificate and a store with `ACCOUNTS`: making them takes a while."""
    if not _TEMPLATE:
        folder = TemporaryDirectory()
        atexit.register(folder.cleanup)
        path = Path(folder.name)
        _certify(path)
        server = Server(settings(path))
        async with server.opened():
            for account in ACCOUNTS:
                await server.accounts.create(account, PASSWORD)
        _TEMPLATE.append(path)
    return _TEMPLATE[0]


def _certify(folder: Path) -> None:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    issued = authority.issue_cert(VERONA, MANTUA, key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))


def settings(
    folder: Path,
    *,
    clear: bool = False,
    tls: str = "",
    auth: str = "",
    limits: str = "",
    host: str = "",
    more: str = "",
) -> Settings:
    text = BASE.format(
        folder=folder,
        required=str(not clear).lower(),
        in_the_clear=str(clear).lower(),
        tls=tls,
        auth=auth,
        limits=limits,
        host=host,
        more=more,
    )
    file = folder / "pyrite.toml"
    file.write_text(text)
    return load(file, Installed())


class Service:
    """A running server, and ways to reach it."""

    def __init__(self, server: Server, clock: ManualClock, folder: Path) -> None:
        self.server, self.clock, self.folder = server, clock, folder
        self.peers: list[Client] = []

    @property
    def port(self) -> int:
        return self.server.listeners.ports["c2s"]

    async def connect(self) -> Client:
        """A client in the clear, that has said nothing yet."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        client.context = self.tls()
        self.peers.append(client)
        return client

    async def connect_direct(self, *alpn: str) -> Client:
        """A client that begins with TLS (XEP-0368)."""
        port = self.server.listeners.ports["c2s-tls"]
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        client.context = self.tls(*alpn)
        self.peers.append(client)
        await client.shake_hands()
        return client

    def tls(self, *alpn: str) -> TlsContext:
        return client_context(ClientTls(VERONA, alpn=alpn, authorities=self.folder / "ca.pem"))

    async def secured(self, domain: str = VERONA) -> Client:
        """A client with TLS by STARTTLS and the features that follow."""
        client = await self.connect()
        await client.start_tls(domain)
        await client.open(domain)
        return client

    async def online(self, jid: JID | str, *, available: bool = False) -> Client:
        """A client in the clear that has bound `jid`; for services that allow that."""
        client = await self.connect()
        await client.log_in(jid if isinstance(jid, JID) else JID.parse(jid))
        if available:
            await client.send("<presence/>")
            await client.barrier()
        return client

    async def befriend(self, one: JID, other: JID) -> None:
        for owner, contact in ((one, other), (other, one)):
            await self.server.stores.roster.put(owner, Item(contact, subscription="both"))

    async def until_alone(self, left: int = 0) -> None:
        """Wait until no more than `left` connections are left."""
        await until(lambda: len(self.server.listeners.connections) <= left)

    async def sweep(self) -> None:
        """Let the server look at silent clients."""
        self.clock.advance(SWEEP)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(folder: Path, **options: str | bool) -> AsyncIterator[Service]:
    """A service that runs while the block does, with `ACCOUNTS` whose password is `PASSWORD`.

    With ``clear=True`` clients need no TLS. `tls`, `auth`, `limits` and `host` are TOML.
    """
    shutil.copytree(await template(), folder, dirs_exist_ok=True)
    clock = ManualClock()
    server = Server(settings(folder, **options), clock=clock)  # type: ignore[arg-type]
    async with server.running():
        service = Service(server, clock, folder)
        try:
            yield service
        finally:
            for peer in service.peers:
                peer.writer.transport.abort()
            if service.peers:  # else a test wants to see how the server itself ends them
                await service.until_alone()
    assert not server.listeners.connections
    assert len(server.sessions) == 0


class Client(Peer):
    """A peer that can also do TLS and SASL, and say what the server said last."""

    context: TlsContext
    tls: TlsSession | None = None
    features = Element(Name(NS_STREAMS, "features"))  # that it was offered last

    @property
    def mechanisms(self) -> tuple[str, ...]:
        offered = self.features.child(NS_SASL, "mechanisms")
        return tuple(e.text for e in offered.elements) if offered else ()

    @property
    def bindings(self) -> tuple[str, ...]:
        offered = self.features.child("urn:xmpp:sasl-cb:0", "sasl-channel-binding")
        return tuple(e.attrs["type"] for e in offered.elements) if offered else ()

    @property
    def own_bindings(self) -> dict[str, bytes]:
        return self.tls.channel_bindings() if self.tls else {}

    async def write(self, data: str | bytes) -> None:
        octets = data.encode() if isinstance(data, str) else data
        await super().write(octets if self.tls is None else self.tls.send(octets))

    async def read(self) -> bytes:
        while True:
            data = await super().read()
            if self.tls is None or not data:
                return data
            try:
                plain = self.tls.receive(data)
            except TlsError:
                return b""
            if plain or self.tls.is_over:
                return plain

    async def shake_hands(self) -> None:
        """TLS from here on. Raises `HungUpError` or `TlsError`."""
        tls = self.context.session()
        async with asyncio.timeout(PATIENCE):
            while True:
                self.writer.write(tls.take())
                if tls.handshake_done:
                    break
                data = await super().read()
                if not data:
                    raise HungUpError
                early = tls.receive(data)
                assert early == b""
        self.tls = tls

    async def start_tls(self, domain: str = VERONA) -> None:
        await self.open(domain)
        answer = await self.ask(f"<starttls xmlns='{NS_TLS}'/>")
        assert answer.name == (NS_TLS, "proceed")
        await self.shake_hands()

    # --- streams ---------------------------------------------------------------------

    async def open(self, domain: str, lang: str = "") -> Element:
        self.features = await super().open(domain, lang)
        return self.features

    async def opening(self, header: str | bytes) -> list[Opened | Element | StreamError]:
        """Begin a stream with `header`; all that comes until features or an error."""
        self.stream.restart()
        await self.write(header)
        events: list[Opened | Element | StreamError] = []
        while True:
            event = await self.event()
            assert not isinstance(event, Closed)
            events.append(event)
            if isinstance(event, Element):
                return events

    async def stream_error(self) -> StreamError:
        """The stream error that comes next, behind which there is the footer and nothing."""
        event = await self.event()
        while isinstance(event, Opened) or (isinstance(event, Element) and event.name != ERROR):
            event = await self.event()
        assert isinstance(event, Element), event
        rest = await self.rest()
        assert [type(e) for e in rest] == [Closed], rest
        self.writer.close()
        return read_error(event)

    async def ends_with(self, condition: str) -> None:
        error = await self.stream_error()
        assert error.condition == condition, error

    async def is_served(self) -> None:
        """Fails unless the server still answers us."""
        await self.barrier()

    # --- authentication --------------------------------------------------------------

    async def auth(self, mechanism: str, data: bytes | str | None = None) -> Element:
        """Begin an exchange: octets are encoded, text is sent as it is. Gives the answer."""
        encoded = b64encode(data).decode() if isinstance(data, bytes) else data or ""
        return await self.ask(f"<auth xmlns='{NS_SASL}' mechanism='{mechanism}'>{encoded}</auth>")

    async def respond(self, data: bytes | str) -> Element:
        encoded = b64encode(data).decode() if isinstance(data, bytes) else data
        return await self.ask(f"<response xmlns='{NS_SASL}'>{encoded}</response>")

    async def plain(self, name: str, password: str = PASSWORD, authzid: str = "") -> Element:
        return await self.auth("PLAIN", f"{authzid}\0{name}\0{password}".encode())

    async def scram(
        self,
        name: str,
        password: str = PASSWORD,
        mechanism: str = "SCRAM-SHA-256",
        nonce: str = "fresh-and-unguessable",
    ) -> Element:
        """A whole exchange; gives the success or failure."""
        told = Advertised(VERONA, self.mechanisms, self.bindings, self.own_bindings)
        client = choose(told, Credentials(name, password), nonce, [mechanism])
        answer = await self.auth(mechanism, client.start())
        while answer.name.tag == "challenge":
            answer = await self.respond(client.step(b64decode(answer.text)))
        if answer.name.tag == "success":
            client.finish(b64decode(answer.text))
        return answer

    async def bind(self, resource: str | None = None, *, id: str = "bind") -> Element:
        inside = f"<resource>{resource}</resource>" if resource is not None else ""
        return await self.ask(
            f"<iq type='set' id='{id}'><bind xmlns='{NS_BIND}'>{inside}</bind></iq>"
        )


def condition(element: Element) -> str:
    """The condition in a SASL failure, a stanza error or a stream error."""
    if element.attrs.get("type") == "error":
        element = next(e for e in element.elements if e.name.tag == "error")
    assert element.name.tag in ("failure", "error"), element
    return next(e.name.tag for e in element.elements if e.name.tag != "text")


def old_client(version: ssl.TLSVersion, ciphers: str = "ALL") -> ssl.SSLContext:
    """What an old client offers: nothing newer than `version`, and no more than `ciphers`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    return context
