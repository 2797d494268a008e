"""Clients' streams over sockets: how they open, and what ends them (RFC 6120 §4)."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from tests.peer import HungUpError
from tests.service import (
    JULIET,
    MANTUA,
    NS_SASL,
    NS_STREAMS,
    ROMEO,
    VERONA,
    Client,
    condition,
    serving,
    until,
)

from pyrite.core.errors import StreamError
from pyrite.core.jid import JID
from pyrite.core.stream import ERROR, read_error
from pyrite.core.xml import Closed, Element, Name, Opened
from pyrite.kit.hooks import Stage
from pyrite.server.app import SessionBound

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ROMEO_A, JULIET_B = JID.parse("romeo@verona.lit/a"), JID.parse("juliet@verona.lit/b")


def header(
    to: str | None = VERONA,
    version: str | None = "1.0",
    more: str = "",
    content: str = "jabber:client",
    stream: str = NS_STREAMS,
    prefix: str = "stream",
) -> str:
    attrs = "".join(
        f" {name}='{value}'" for name, value in (("to", to), ("version", version)) if value
    )
    return f"<{prefix}:stream xmlns='{content}' xmlns:{prefix}='{stream}'{attrs} {more}>"


async def opened(client: Client, text: str | bytes) -> tuple[Opened, Element]:
    """The server's header for ours, and the element after it."""
    events = await client.opening(text)
    first, second = events
    assert isinstance(first, Opened)
    assert isinstance(second, Element)
    return first, second


# --- 1: the header ---------------------------------------------------------------------


async def test_every_header_is_answered(tmp_path: Path) -> None:
    """Rule 1 (§4.7)."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        answer, features = await opened(
            client, header(more="from='romeo@verona.lit' xml:lang='it'")
        )
        assert features.name == (NS_STREAMS, "features")
        first = dict(answer.root.attrs)
        assert first == {
            "version": "1.0",
            "from": VERONA,
            "to": "romeo@verona.lit",
            "id": first["id"],
            "xml:lang": "it",
        }
        assert len(first["id"]) >= 16
        assert (await client.plain("romeo")).name.tag == "success"
        answer, _ = await opened(client, header())
        assert answer.root.attrs["id"] != first["id"]
        assert "to" not in answer.root.attrs
        assert answer.root.attrs["xml:lang"] == "it"


@pytest.mark.parametrize("sender", ["", "@", "romeo@", "a@b@c", "&lt;x/&gt;", "x" * 4000])
async def test_a_sender_that_is_none_is_not_greeted(sender: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        answer, features = await opened(await service.connect(), header(more=f"from='{sender}'"))
        assert "to" not in answer.root.attrs
        assert features.name.tag == "features"


async def test_a_language_is_bounded(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        answer, _ = await opened(await service.connect(), header(more=f"xml:lang='{'x' * 99}'"))
        assert answer.root.attrs["xml:lang"] == "en"


WRONG_HEADERS = {
    "host unknown": (header("no.such.host"), "host-unknown"),
    "an account": (header("romeo@verona.lit"), "host-unknown"),
    "a resource": (header("verona.lit/x"), "host-unknown"),
    "no address": (header("@@"), "host-unknown"),
    "no host": (header(None), "host-unknown"),
    "no version": (header(version=None), "unsupported-version"),
    "version 0.9": (header(version="0.9"), "unsupported-version"),
    "version x": (header(version="x"), "unsupported-version"),
    "empty version": (header(more="").replace("'1.0'", "''"), "unsupported-version"),
    "stream namespace": (header(stream="urn:x"), "invalid-namespace"),
    "content namespace": (header(content="jabber:server"), "invalid-namespace"),
    "BOSH": (header(content="http://jabber.org/protocol/httpbind"), "invalid-namespace"),
    "not a stream": (header().replace(":stream ", ":flow ", 1), "bad-format"),
    "not XML": ("GET / HTTP/1.1\r\nHost: verona.lit\r\n\r\n", "not-well-formed"),
    "UTF-16": (header().encode("utf-16"), "unsupported-encoding"),
    "DOCTYPE": ("<!DOCTYPE x []>" + header(), "restricted-xml"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG_HEADERS.values(), ids=WRONG_HEADERS)
async def test_a_wrong_header_gets_a_header_then_the_error(
    text: str | bytes, expected: str, tmp_path: Path
) -> None:
    """Rules 1 to 4 and 7: our header comes before any error (§4.9.1.2)."""
    async with serving(tmp_path) as service:
        client = await service.connect()
        answer, error = await opened(client, text)
        assert answer.root.attrs["id"]
        assert answer.root.attrs["from"] in (VERONA, MANTUA)
        assert answer.root.attrs["version"] == "1.0"
        assert error.name == ERROR
        assert read_error(error).condition == expected
        assert [type(event) for event in await client.rest()] == [Closed]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.10", "01.0", "2.0", "10.0"])
async def test_newer_versions_are_answered_with_ours(version: str, tmp_path: Path) -> None:
    """Rule 4 (§4.7.5): the lower of both, major and minor as numbers."""
    async with serving(tmp_path) as service:
        answer, features = await opened(await service.connect(), header(version=version))
        assert answer.root.attrs["version"] == "1.0"
        assert features.name.tag == "features"


@pytest.mark.parametrize("prefix", ["s", "stream", "f\u00fcr"])
async def test_prefixes_are_free(prefix: str, tmp_path: Path) -> None:
    """Rule 3 (§4.8.5)."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        _, features = await opened(client, header(prefix=prefix))
        assert features.name.tag == "features"
        assert (await client.plain("romeo")).name.tag == "success"
        await opened(client, header(prefix=prefix))
        await client.bind("a")
        await client.send(
            "<c:message xmlns:c='jabber:client' to='romeo@verona.lit/a'>"
            "<c:body>x</c:body></c:message>"
        )
        (message,) = await client.barrier()
        assert (await client.barrier(), message.name) == ([], ("jabber:client", "message"))
        await client.write(f"</{prefix}:stream>")
        assert [type(event) for event in await client.rest()] == [Closed]


# --- 5: one connection, one host -------------------------------------------------------


async def test_a_connection_stays_with_its_host(tmp_path: Path) -> None:
    """Rule 5: logged in at one host, bound at another."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.open(VERONA)
        assert (await client.plain("romeo")).name.tag == "success"
        _, error = await opened(client, header(MANTUA))
        assert read_error(error).condition == "not-authorized"
        assert len(service.server.sessions) == 0


async def test_tls_for_one_host_is_not_for_another(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.connect()
        await client.start_tls(VERONA)
        _, error = await opened(client, header(MANTUA))
        assert read_error(error).condition == "not-authorized"


async def test_the_senders_claim_in_a_header_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await opened(client, header(more="from='juliet@verona.lit'"))
        assert (await client.plain("romeo")).name.tag == "success"
        await opened(client, header(more="from='juliet@verona.lit/b'"))
        bound = await client.bind("b")
        assert "".join(e.text for e in next(bound.elements).elements) == "romeo@verona.lit/b"


# --- 6 to 10: what ends a stream -------------------------------------------------------

ENDINGS = {
    "comment": ("<!-- x -->", "restricted-xml"),
    "comment in a stanza": ("<message><!-- x --></message>", "restricted-xml"),
    "processing instruction": ("<?x y?>", "restricted-xml"),
    "entity": ("<message><body>&e;</body></message>", "restricted-xml"),
    "not well-formed": ("<message></iq>", "not-well-formed"),
    "unbound prefix": ("<x:message/>", "not-well-formed"),
    "text": ("hello", "bad-format"),
    "NUL": ("<message>\x00</message>", "not-well-formed"),
    "no stanza": ("<query xmlns='urn:x'/>", "unsupported-stanza-type"),
    "stanza of a server": ("<message xmlns='jabber:server'/>", "unsupported-stanza-type"),
    "features": ("<stream:features/>", "unsupported-stanza-type"),
    "authentication": (f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'/>", "unsupported-stanza-type"),
    "STARTTLS": (
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "unsupported-stanza-type",
    ),
    "somebody else's name": ("<message from='juliet@verona.lit'/>", "invalid-from"),
    "another resource's name": ("<message from='romeo@verona.lit/b'/>", "invalid-from"),
    "the server's name": ("<iq from='verona.lit' type='get' id='1'/>", "invalid-from"),
}


@pytest.mark.parametrize(("text", "expected"), ENDINGS.values(), ids=ENDINGS)
async def test_what_ends_a_bound_stream(text: str, expected: str, tmp_path: Path) -> None:
    """Rules 6 to 8: one named error, the footer, and the others hear of it."""
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online(JULIET_B, available=True)
        romeo = await service.online(ROMEO_A, available=True)
        await juliet.barrier()
        await romeo.send(f"{text}<presence type='probe'/>")
        await romeo.ends_with(expected)
        gone = await juliet.element()
        assert gone.attrs.get("type") == "unavailable"
        assert gone.attrs.get("from") == str(ROMEO_A)
        await until(lambda: len(service.server.sessions) == 1)


BEFORE_TLS = {
    "message": ("<message/>", "not-authorized"),
    "presence": ("<presence/>", "not-authorized"),
    "iq": ("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "not-authorized"),
    "bind": (
        "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "not-authorized",
    ),
    "response": (f"<response xmlns='{NS_SASL}'/>", "not-authorized"),
    "abort": (f"<abort xmlns='{NS_SASL}'/>", "not-authorized"),
    "no stanza": ("<x xmlns='urn:x'/>", "unsupported-stanza-type"),
    "auth without a mechanism's element": (f"<mechanisms xmlns='{NS_SASL}'/>", "not-authorized"),
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(("text", "expected"), BEFORE_TLS.values(), ids=BEFORE_TLS)
async def test_what_may_not_come_before_authentication(
    text: str, expected: str, secure: bool, tmp_path: Path
) -> None:
    """Rules 8 and 9."""
    async with serving(tmp_path) as service:
        client = await (service.secured() if secure else service.connect())
        if not secure:
            await client.open(VERONA)
        await client.send(text)
        await client.ends_with(expected)


@pytest.mark.parametrize(
    "text",
    [
        "<message to='juliet@verona.lit'><body>hi</body></message>",
        "<presence/>",
        "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='get' id='1' to='juliet@verona.lit'><query xmlns='jabber:iq:roster'/></iq>",
        f"<response xmlns='{NS_SASL}'/>",
    ],
)
async def test_what_may_not_come_before_binding(text: str, tmp_path: Path) -> None:
    """Rule 9 (§7.1)."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online(JULIET_B, available=True)
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("romeo")
        await client.open(VERONA)
        await client.send(text)
        await client.ends_with("not-authorized")
        assert await juliet.barrier() == []


async def test_a_peer_that_reports_an_error_is_not_answered_with_one(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        for is_bound in (False, True):
            client = await (service.online(ROMEO_A) if is_bound else service.connect())
            if not is_bound:
                await client.open(VERONA)
            await client.send(
                "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            )
            assert [type(event) for event in await client.rest()] == [Closed]


async def test_a_stanza_that_is_too_big(tmp_path: Path) -> None:
    """Rule 10 (XEP-0478): little before authentication, more after, and said beforehand."""
    big = "<message to='romeo@verona.lit/a'><body>{}</body></message>"
    limits = "stanza = '20kB'\nstanza-before-auth = '10kB'"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        client = await service.connect()
        features = await client.open(VERONA)
        told = features.child("urn:xmpp:stream-limits:0", "limits")
        assert told is not None
        assert [e.text for e in told.elements] == ["10000"]
        await client.send(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{'A' * 10_000}</auth>")
        error = await client.stream_error()
        assert error.condition == "policy-violation"
        assert error.app == Element(Name("urn:xmpp:errors", "stanza-too-big"))

        client = await service.online(ROMEO_A)
        await client.send(big.format("x" * 19_000))
        (received,) = await client.barrier()
        assert len(next(received.elements).text) == 19_000
        await client.send(big.format("x" * 20_000))
        error = await client.stream_error()
        assert error.condition == "policy-violation"
        assert error.app == Element(Name("urn:xmpp:errors", "stanza-too-big"))


async def test_limits_are_announced_for_each_phase(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True, limits="ping-after = '90s'") as service:
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("romeo")
        features = await client.open(VERONA)
        told = features.child("urn:xmpp:stream-limits:0", "limits")
        assert told is not None
        assert {e.name.tag: e.text for e in told.elements} == {
            "max-bytes": str(512 * 1024),
            "idle-seconds": "90",
        }


# --- 11: silence -----------------------------------------------------------------------


async def test_a_silent_client_is_asked_and_then_given_up(tmp_path: Path) -> None:
    """Rule 11."""
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online(JULIET_B, available=True)
        client = await service.online(ROMEO_A, available=True)
        await juliet.barrier()
        limits = service.server.settings.limits
        (mine,) = (c for c in service.server.listeners.connections if c.jid == ROMEO)
        began = mine.connection.last_read
        mine.sweep(began + limits.ping_after - 1)
        assert await client.barrier() == []
        began = mine.connection.last_read
        for _ in range(3):  # one question is enough
            mine.sweep(began + limits.ping_after)
        ping = await client.element()
        assert ping.attrs["type"] == "get"
        assert ping.child("urn:xmpp:ping", "ping") is not None
        mine.sweep(began + limits.ping_after + limits.ping_timeout - 1)
        assert not mine.connection.is_closing
        mine.sweep(began + limits.ping_after + limits.ping_timeout)
        await client.ends_with("connection-timeout")
        assert (await juliet.element()).attrs["type"] == "unavailable"


async def test_a_client_that_says_anything_is_alive(tmp_path: Path) -> None:
    limits = "ping-after = '1ms'\nping-timeout = '1h'"
    async with serving(tmp_path, clear=True, limits=limits) as service:
        client = await service.online(ROMEO_A)
        (mine,) = service.server.listeners.connections
        (session,) = service.server.sessions
        for answer in (" ", "<iq type='result' id='{}'/>", "<message/>"):
            mine.sweep(mine.connection.last_read + 1)
            ping = await client.element()
            assert ping.child("urn:xmpp:ping", "ping") is not None
            before = mine.connection.last_read
            await asyncio.sleep(0.002)
            await client.send(answer.format(ping.attrs["id"]))
            await until(lambda before=before: mine.connection.last_read > before)  # type: ignore[misc]
            mine.sweep(mine.connection.last_read)
            assert not mine.pinged
        assert session.ended is None


async def test_whoever_does_not_come_to_the_point_is_let_go(tmp_path: Path) -> None:
    """However much it says: the time from connecting to being bound is limited as a whole."""
    async with serving(tmp_path, limits="negotiation = '500ms'") as service:
        clients = [await service.connect() for _ in range(3)]
        for client in clients[1:]:
            await client.write(header())

        async def drip(client: Client) -> None:
            while not client.writer.transport.is_closing():
                client.writer.write(b" ")
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(drip(clients[2]))
            for client in clients:
                await client.ends_with("connection-timeout")


# --- 12, 13: the end -------------------------------------------------------------------


async def test_goodbye_is_answered_and_others_are_told(tmp_path: Path) -> None:
    """Rule 12 (§4.4): what was under way is still written first."""
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online(JULIET_B, available=True)
        romeo = await service.online(ROMEO_A, available=True)
        await juliet.barrier()
        await romeo.send(
            "<message to='romeo@verona.lit/a' id='last'/></stream:stream>"
            "<message to='juliet@verona.lit'/>"
        )
        events = await romeo.rest()
        assert [e.attrs.get("id") if isinstance(e, Element) else type(e) for e in events] == [
            "last",
            Closed,
        ]
        assert (await juliet.element()).attrs["type"] == "unavailable"
        assert await juliet.barrier() == []


async def test_others_are_told_though_the_client_does_not_hang_up(tmp_path: Path) -> None:
    """A client that has said goodbye is gone, whenever it closes its side of the socket."""
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online(JULIET_B, available=True)
        romeo = await service.online(ROMEO_A, available=True)
        await juliet.barrier()
        await romeo.send("</stream:stream>")
        assert isinstance(await romeo.event(), Closed)
        assert (await juliet.element()).attrs["type"] == "unavailable"
        await until(lambda: len(service.server.sessions) == 1)
        assert len(service.server.listeners.connections) == 2


async def test_others_are_told_of_a_connection_that_breaks(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online(JULIET_B, available=True)
        romeo = await service.online(ROMEO_A, available=True)
        await juliet.barrier()
        await romeo.abort()
        assert (await juliet.element()).attrs["type"] == "unavailable"


async def test_tls_ends_in_good_order(tmp_path: Path) -> None:
    """Rule 12 (§4.4): footer, close_notify, FIN."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.write("</stream:stream>")
        assert isinstance(await client.event(), Closed)
        with pytest.raises(HungUpError):
            await client.event()
        assert client.tls is not None
        assert client.tls.is_over


async def test_everybody_is_told_when_the_server_stops(tmp_path: Path) -> None:
    """Rule 13, in every phase."""
    async with serving(tmp_path) as service:
        before = await service.connect()
        await before.open(VERONA)
        await service.connect()
        bound = await service.secured()
        await bound.scram("romeo")
        asked = await service.secured()
        answer = await asked.auth("SCRAM-SHA-256", b"n,,n=romeo,r=abcdefgh")
        assert answer.name.tag == "challenge"
        await bound.open(VERONA)
        await bound.bind("a")
        await (await service.connect_direct("xmpp-client")).open(VERONA)
        await until(lambda: len(service.server.listeners.connections) == 5)

        async def hear(client: Client) -> None:
            try:
                await client.ends_with("system-shutdown")
            finally:
                client.writer.close()

        farewells = [asyncio.create_task(hear(client)) for client in service.peers]
        service.peers.clear()
    await asyncio.gather(*farewells)


async def test_a_host_that_is_gone_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.online("benvolio@mantua.lit/a")
        other = await service.online(ROMEO_A)
        await service.server._remove_host(MANTUA)
        await client.ends_with("host-gone")
        await other.is_served()


# --- what breaks inside ----------------------------------------------------------------


async def test_a_bug_ends_one_stanza(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.online(ROMEO_A)

        def crash(stanza: object, session: object) -> None:
            raise ZeroDivisionError("the secret")

        service.server.hosts[VERONA].sending.add(Stage.GUARD, crash)
        answer = await client.ask("<message to='juliet@verona.lit' id='1'><body>x</body></message>")
        assert condition(answer) == "internal-server-error"
        assert "secret" not in str(answer)
        assert "Traceback" not in str(answer)
        assert [r.levelno for r in caplog.records if r.levelno >= logging.WARNING] == [
            logging.ERROR
        ]
        caplog.clear()


async def test_a_bug_before_there_is_a_session_ends_one_stream(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, clear=True) as service:
        other = await service.online(ROMEO_A)
        host = service.server.hosts[VERONA]

        def crash(*_: object, **__: object) -> list[Element]:
            raise ZeroDivisionError("the secret")

        offered, host.offered = host.offered, crash  # type: ignore[method-assign]
        client = await service.connect()
        await client.write(header())
        error = await client.stream_error()
        assert (error.condition, "secret" in error.text) == ("internal-server-error", False)
        host.offered = offered  # type: ignore[method-assign]
        await other.is_served()
        assert [r.levelno for r in caplog.records if r.levelno >= logging.WARNING] == [
            logging.ERROR
        ]
        caplog.clear()


@pytest.mark.parametrize("last", ["deadline", "shutdown"])
async def test_a_stream_that_ends_while_the_server_thinks(last: str, tmp_path: Path) -> None:
    """Slow storage: the answer comes when nobody waits for it any more, and harms nobody."""
    limits = "negotiation = '500ms'" if last == "deadline" else ""
    async with serving(tmp_path, clear=True, limits=limits) as service:
        backend = service.server.hosts[VERONA].authenticator.backend
        may_answer, asked = asyncio.Event(), asyncio.Event()
        check = backend.check

        async def slow(account: JID, password: str) -> bool:
            asked.set()
            await may_answer.wait()
            return await check(account, password)

        backend.check = slow  # type: ignore[method-assign]
        client = await service.connect()
        await client.open(VERONA)
        data = "AHJvbWVvAGEgcm9zZSBieSBhbnkgb3RoZXIgbmFtZQ=="
        await client.send(f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'>{data}</auth>")
        await asked.wait()
        if last == "shutdown":
            (mine,) = service.server.listeners.connections
            mine.end(StreamError("system-shutdown"))
        await client.ends_with("connection-timeout" if last == "deadline" else "system-shutdown")
        may_answer.set()
        client.writer.close()
        await service.until_alone()


async def test_a_session_that_begins_when_its_stream_is_over(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        host = service.server.hosts[VERONA]
        may_go_on, bound = asyncio.Event(), asyncio.Event()

        async def slow(event: SessionBound) -> None:
            bound.set()
            await may_go_on.wait()

        stop = host.events.on(SessionBound, slow)
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("romeo")
        await client.open(VERONA)
        await client.send(
            "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        )
        await bound.wait()
        (mine,) = service.server.listeners.connections
        mine.end(StreamError("reset"))
        await client.ends_with("reset")
        may_go_on.set()
        client.writer.close()
        await service.until_alone()
        await until(lambda: len(service.server.sessions) == 0)
        stop()
