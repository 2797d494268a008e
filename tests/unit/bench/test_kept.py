"""The load that waits for acknowledgements, that resumes, that pages, and that has tokens."""

import asyncio
import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from bench.load import mam
from bench.load.acks import enable
from bench.load.chat import message
from bench.load.client import Client, Target
from bench.load.fast import Device
from bench.load.kept import KeptChat
from bench.load.resume import Resumable, resume_all, write_to
from bench.load.scram import keys
from bench.load.stream import LoadError, Stream
from bench.scenario.paging import LAST_PAGE, Reader
from tests.peer import PATIENCE

DOMAIN = "bench.example"
Answer = Callable[["Peer", bytes], bytes]
ID = re.compile(rb" id='([^']+)'")


class Peer(asyncio.Protocol):
    """Answers what comes by a script."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.messages = 0  # that have come since acknowledgements were enabled
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(self._answer(self, data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


class World:
    """A server by a script, and clients that are connected to it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._clients: list[Client] = []
        self._peers: list[Peer] = []

    def _accept(self) -> Peer:
        self._peers.append(Peer(self._answer))
        return self._peers[-1]

    async def __aenter__(self) -> "World":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.target = Target(
            "x", "1", 1, {"plain": port}, DOMAIN, ("user0000",), "secret", "SCRAM-SHA-1"
        )
        return self

    async def client(self, user: str) -> Client:
        loop, port = asyncio.get_running_loop(), self.target.ports["plain"]
        _, stream = await loop.create_connection(Stream, "127.0.0.1", port)
        self.keep(client := Client(stream, f"{user}@{DOMAIN}/bench", DOMAIN))
        return client

    def keep(self, client: Client) -> None:
        """It is closed at the end."""
        self._clients.append(client)

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            client.stream.abort()
            await client.stream.closed
        for peer in self._peers:
            await peer.lost.wait()
        self._server.close()


# --- messages that are acknowledged -------------------------------------------------------


def acknowledging(at_most: int | None = None) -> Answer:
    """Gives each message back, and acknowledges as many as it may, once that is asked for."""

    def answer(peer: Peer, data: bytes) -> bytes:
        if b"<enable " in data:
            return b"<enabled xmlns='urn:xmpp:sm:3' id='1'/>"
        peer.messages += data.count(b"</message>")
        h = peer.messages if at_most is None else min(peer.messages, at_most)
        told = b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % h
        return data.replace(b"<r xmlns='urn:xmpp:sm:3'/>", told)

    return answer


async def test_more_is_sent_only_for_what_was_acknowledged() -> None:
    async with World(acknowledging()) as world:
        clients = [await world.client(f"user{n}") for n in range(2)]
        for client in clients:
            await enable(client.stream)
        chat = KeptChat(clients, 3)
        chat.start()
        async with asyncio.timeout(PATIENCE):
            while chat.acknowledged < 300:
                assert chat.lost <= 2 * 3
                await asyncio.sleep(0)
        await chat.stop()
        assert chat.lost == 0
        assert len(chat.took) >= 100
        assert all(took > 0 for took in chat.took)


async def test_what_is_never_acknowledged_is_lost() -> None:
    async with World(acknowledging(at_most=5)) as world:
        clients = [await world.client(f"user{n}") for n in range(2)]
        for client in clients:
            await enable(client.stream)
        chat = KeptChat(clients, 3)
        chat.start()
        async with asyncio.timeout(PATIENCE):
            while chat.acknowledged < 2 * 5:
                assert chat.lost <= 2 * 3
                await asyncio.sleep(0)
        await chat.stop()
        assert chat.lost == 2 * 3


async def test_without_acknowledgements_there_is_no_such_chat() -> None:
    async with World(acknowledging()) as world:
        with pytest.raises(LoadError, match="acknowledge"):
            KeptChat([await world.client("user0")] * 2, 3)


async def test_a_server_without_acknowledgements_is_found_out() -> None:
    refusal = b"<failed xmlns='urn:xmpp:sm:3'/>"
    async with World(lambda _, __: refusal) as world:
        with pytest.raises(LoadError, match="no acknowledgements"):
            await enable((await world.client("user0")).stream)


# --- sessions that are resumed ------------------------------------------------------------


def resuming(refuses: bool = False) -> Answer:
    """Takes PLAIN, pings, and sessions back, each with what it has missed."""

    def answer(_: Peer, data: bytes) -> bytes:
        if b"<resume " in data:
            if refuses:
                return b"<failed xmlns='urn:xmpp:sm:3'><item-not-found/></failed>"
            assert b"previd='old'" in data
            return b"<resumed xmlns='urn:xmpp:sm:3' h='0' previd='old'/>" + message("a@b", "missed")
        if b"<stream:stream" in data:
            return b"<stream:stream><stream:features></stream:features>"
        if b"<auth" in data:
            return b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        if b"<enable " in data:
            return b"<enabled xmlns='urn:xmpp:sm:3' id='old'/>"
        return b"<iq type='result' id='sync'/>"

    return answer


async def resumable(world: World) -> Resumable:
    target = replace(world.target, mechanism="PLAIN")
    made = Resumable(target, "user0", "plain", await world.client("user0"))
    await made.enable()
    return made


async def test_a_session_that_goes_on_has_what_it_missed() -> None:
    async with World(resuming()) as world:
        session, author = await resumable(world), await world.client("author")
        old = session.client.stream
        await session.cut()
        await write_to(author, [session])
        await resume_all([session], 2)
        world.keep(session.client)
        assert session.client.stream is not old
        assert session.client.stream.acks is old.acks
        assert old.acks is not None
        assert old.acks.handled == 1


async def test_a_session_that_is_gone_is_no_success() -> None:
    async with World(resuming(refuses=True)) as world:
        session = await resumable(world)
        await session.cut()
        with pytest.raises(ExceptionGroup) as caught:
            await resume_all([session], 1)
        assert caught.group_contains(LoadError, match="not resumed")


# --- pages of an archive ------------------------------------------------------------------


def paging(total: int) -> Answer:
    """Has the ids 0, 1, 2 ..."""

    def answer(_: Peer, data: bytes) -> bytes:
        if b"urn:xmpp:ping" in data:
            return b"<iq type='result' id='sync'/>"
        size = int(re.findall(rb"<max>(\d+)", data)[0])
        after, before = (re.findall(b"<%s>(\\d*)" % w, data) for w in (b"after", b"before"))
        if before or b"<before/>" in data:
            end = int(before[0]) if before else total
            ids, done = range(max(0, end - size), end), end <= size
        else:
            begin = int(after[0]) + 1 if after else 0
            ids, done = range(begin, min(total, begin + size)), begin + size >= total
        results = b"".join(
            b"<message to='x'><result xmlns='urn:xmpp:mam:2' id='%d'><forwarded><message id='m'>"
            b"</message></forwarded></result></message>" % id
            for id in ids
        )
        end_tag = b"<fin complete='true'/>" if done else b"<fin xmlns='x'><set></set></fin>"
        return results + b"<iq type='result' id='mam' to='x'>" + end_tag + b"</iq>"

    return answer


async def test_pages() -> None:
    async with World(paging(5)) as world:
        client = await world.client("user0")
        assert await mam.page(client, 2) == mam.Page(["0", "1"], False)
        assert await mam.page(client, 2, "<after>3</after>") == mam.Page(["4"], True)
        assert await mam.page(client, 2, LAST_PAGE) == mam.Page(["3", "4"], False)


async def test_a_refusal_is_no_page() -> None:
    refusal = b"<iq type='error' id='mam'><error type='cancel'><forbidden/></error></iq>"
    async with World(lambda _, __: refusal) as world:
        with pytest.raises(LoadError, match="no page"):
            await mam.page(await world.client("user0"), 2)


async def test_a_reader_goes_through_all_of_it() -> None:
    asked: list[bytes] = []
    script = paging(5)

    def noting(peer: Peer, data: bytes) -> bytes:
        asked.append(data)
        return script(peer, data)

    async with World(noting) as world:
        reader = Reader(await world.client("user0"), 2, ["user1@bench.example"])
        await reader.run(0.2)
        assert len(reader.took) == len(asked) >= 12
        places = [re.sub(rb".*<max>2</max>(.*)</set>.*", rb"\1", each) for each in asked]
        assert places[0:12:3] == [b"", b"<after>1</after>", b"<after>3</after>", b""]
        assert places[1:12:3] == [
            b"<before/>",
            b"<before>3</before>",
            b"<before>1</before>",
            b"<before/>",
        ]
        assert all(b"user1@bench.example" in each for each in asked[2::3])


async def test_an_archive_is_filled_by_talking() -> None:
    got: list[bytes] = []

    def counting(_: Peer, data: bytes) -> bytes:
        got.append(data)
        return b"<iq type='result' id='sync'/>" if b"sync" in data else b""

    async with World(counting) as world:
        owner, *contacts = [await world.client(f"user{n}") for n in range(3)]
        await mam.fill(owner, contacts, 120)
    sent = b"".join(got)
    assert sent.count(b"</message>") == 120
    assert sent.count(b"to='user1@bench.example/bench'") == 60
    assert sent.count(b"urn:xmpp:ping") == 3


# --- tokens -------------------------------------------------------------------------------


class Tokens:
    """Knows one account by SCRAM, and gives it one token."""

    def __init__(self, token: bytes = b"token-1", answers: bytes = b"token-1") -> None:
        self.token, self.answers = token, answers
        self.mechanisms: list[bytes] = []
        self._first = b""

    def __call__(self, _: Peer, data: bytes) -> bytes:
        if b"<stream:stream" in data:
            return b"<stream:stream><stream:features></stream:features>"
        if b"<response" in data:
            return self._success(data)
        self.mechanisms += re.findall(rb"mechanism='([^']+)'><initial", data)
        initial = base64.b64decode(re.findall(rb"<initial-response>([^<]+)", data)[0])
        if self.mechanisms[-1].startswith(b"HT-"):
            assert initial == b"user0000\0" + hmac.digest(self.token, b"Initiator", "sha256")
            proof = hmac.digest(self.answers, b"Responder", "sha256")
            return self._told(proof, b"")
        self._first = initial
        nonce = initial.partition(b"r=")[2]
        return self._wrapped(b"challenge", base64.b64encode(self._challenge(nonce)))

    def _challenge(self, nonce: bytes) -> bytes:
        return b"r=%sserver,s=%s,i=4096" % (nonce, base64.b64encode(b"salt"))

    def _success(self, data: bytes) -> bytes:
        final = base64.b64decode(re.findall(rb"<response[^>]*>([^<]+)", data)[0])
        bare = self._first.removeprefix(b"n,,")
        challenge = self._challenge(bare.partition(b"r=")[2])
        signed = b",".join((bare, challenge, final.rpartition(b",p=")[0]))
        server = keys("sha1", "secret", b"salt", 4096).server
        verifier = b"v=" + base64.b64encode(hmac.digest(server, signed, "sha1"))
        return self._told(verifier, b"<token xmlns='urn:xmpp:fast:0' token='%s'/>" % self.token)

    def _told(self, additional: bytes, more: bytes) -> bytes:
        data = base64.b64encode(additional)
        identity = b"user0000@bench.example/bench/1"
        return self._wrapped(
            b"success",
            b"<additional-data>%s</additional-data><authorization-identifier>%s"
            b"</authorization-identifier>%s" % (data, identity, more),
        )

    def _wrapped(self, name: bytes, inner: bytes) -> bytes:
        return b"<%s xmlns='urn:xmpp:sasl:2'>%s</%s>" % (name, inner, name)


async def test_a_device_comes_with_its_password_and_then_with_its_token() -> None:
    server = Tokens()
    async with World(server) as world:
        device = Device(world.target, "user0000", "plain")
        for _ in range(3):
            client = await device.login()
            world.keep(client)
            assert client.jid == "user0000@bench.example/bench/1"
    assert server.mechanisms == [b"SCRAM-SHA-1", b"HT-SHA-256-NONE", b"HT-SHA-256-NONE"]


async def test_a_server_has_to_know_the_token() -> None:
    async with World(Tokens(answers=b"another")) as world:
        device = Device(world.target, "user0000", "plain")
        world.keep(await device.login())
        with pytest.raises(LoadError, match="does not know"):
            await device.login()
