"""Streams, files and bits between our client and one that others wrote."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from slixmpp import JID as TheirJID
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import StanzaPath
from tests.interop.people import Person, child
from tests.interop.servers import VERONA, Server

from pyrite.client.app import Client
from pyrite.client.feature import Feature
from pyrite.client.mod.bob import Bit, Bob
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Ibb, Si, Socks5
from pyrite.client.mod.upload import FileShared, Shared, Upload
from pyrite.client.transfer import TransferRefused
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import bob, sharing
from pyrite.wire.hashes import Hash
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login
from .servers import PASSWORD

DATA = bytes(range(256)) * 40
SFS = "urn:xmpp:sfs:0"
HASHES = "urn:xmpp:hashes:2"
no_proxy = pytest.mark.lacks(pyrite="no proxy yet")


@asynccontextmanager
async def both(
    server: Server, login: Login, plugins: list[str], *features: type[Feature]
) -> AsyncIterator[tuple[Client, Person]]:
    """Our Romeo, and Juliet by slixmpp."""
    person = Person(server, f"juliet@{VERONA}", PASSWORD, ["xep_0030", *plugins])
    async with asyncio.timeout(PATIENCE), login("romeo", features=[Disco, *features]) as romeo:
        await romeo.request(Ping())
        await person.log_in()
        made = connections(person)
        try:
            yield romeo, person
        finally:
            await person.leave()
            for transport in made:
                transport.abort()


def connections(person: Person) -> list[Any]:
    """Those that slixmpp makes from now on, and does not close all of."""
    made: list[Any] = []
    if "xep_0065" in person.client.plugin:
        connect = person["xep_0065"]._connect_proxy

        async def noted(*place: Any) -> tuple[Any, Any]:
            transport, protocol = await connect(*place)
            made.append(transport)
            return transport, protocol

        person["xep_0065"]._connect_proxy = noted
    return made


def heard(person: Person, event: str) -> asyncio.Queue[Any]:
    """What slixmpp tells of `event`, from now on."""
    told: asyncio.Queue[Any] = asyncio.Queue()
    person.client.add_event_handler(event, told.put_nowait)
    return told


async def collect(told: asyncio.Queue[bytes], size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += await told.get()
    return got


# --- streams ------------------------------------------------------------------------------------


async def test_octets_in_stanzas_with_slixmpp(server: Server, login: Login) -> None:
    async with both(server, login, ["xep_0047"], Ibb) as (romeo, person):
        person["xep_0047"].auto_accept = True
        started = heard(person, "ibb_stream_start")
        streams = romeo[Ibb].streams()
        async with await romeo[Ibb].open(JID.parse(person.full)) as ours:
            theirs = await started.get()
            await ours.write(DATA)
            assert await collect(theirs.recv_queue, len(DATA)) == DATA
            await theirs.send(b"back")
            assert await ours.read() == b"back"
        theirs = await person["xep_0047"].open_stream(romeo.jid, block_size=1000)
        ours = await streams.next()
        await theirs.sendall(DATA)
        await theirs.close()
        got = b""
        while chunk := await ours.read():
            got += chunk
        assert got == DATA


async def test_octets_to_slixmpp(server: Server, login: Login) -> None:
    await octets_to_slixmpp(server, login, ("127.0.0.1",))


@no_proxy
async def test_octets_to_slixmpp_by_proxy(server: Server, login: Login) -> None:
    await octets_to_slixmpp(server, login, ())


async def octets_to_slixmpp(server: Server, login: Login, told: tuple[str, ...]) -> None:
    async with both(server, login, ["xep_0065"], Socks5) as (romeo, person):
        person["xep_0065"].auto_accept = True
        data = heard(person, "socks5_data")
        started = heard(person, "socks5_stream")
        romeo[Socks5].addresses = told
        async with await romeo[Socks5].open(person.full) as ours:
            theirs = await started.get()
            await theirs.write(b"back")
            assert await ours.read() == b"back"
            await ours.write(DATA)
            await ours.close()  # COMPAT: Prosody's proxy holds the last 4096 octets until then
            assert await collect(data, len(DATA)) == DATA


@no_proxy
async def test_octets_from_slixmpp(server: Server, login: Login) -> None:
    """It knows of proxies alone."""
    async with both(server, login, ["xep_0065"], Socks5) as (romeo, person):
        with pytest.raises(IqError):  # nobody listens
            await person["xep_0065"].handshake(str(romeo.jid))
        streams = romeo[Socks5].streams()
        data = heard(person, "socks5_data")
        theirs = await person["xep_0065"].handshake(str(romeo.jid))
        async with await streams.next() as ours:
            await ours.write(b"back")
            assert await collect(data, 4) == b"back"
            await theirs.write(DATA)
            theirs.transport.close()
            got = b""
            while chunk := await ours.read():
                got += chunk
            assert got == DATA


# --- files as old clients send them (XEP-0096) --------------------------------------------------

METHODS = {
    "xep_0065": "http://jabber.org/protocol/bytestreams",
    "xep_0047": "http://jabber.org/protocol/ibb",
}
SI = ["xep_0047", "xep_0065", "xep_0095", "xep_0096"]


async def test_a_file_from_slixmpp(server: Server, login: Login, tmp_path: Path) -> None:
    await a_file_from_slixmpp(server, login, tmp_path, "xep_0047")


@no_proxy
async def test_a_file_from_slixmpp_by_proxy(server: Server, login: Login, tmp_path: Path) -> None:
    await a_file_from_slixmpp(server, login, tmp_path, "xep_0065")


async def a_file_from_slixmpp(server: Server, login: Login, tmp_path: Path, way: str) -> None:
    async with both(server, login, SI, Si) as (romeo, person):
        offers = romeo[Si].offers()
        si = person["xep_0096"]
        method = METHODS[way]
        # COMPAT: slixmpp 1.17, which fails on names of methods where there are several
        options = {"name": "../evil", "size": len(DATA), "methods": [{"value": method}]}
        offering = asyncio.ensure_future(
            si.request_file_transfer(str(romeo.jid), sid=way, **options)
        )
        offer = await offers.next()
        assert (offer.peer, offer.name, offer.size) == (
            JID.parse(person.full),
            "../evil",
            len(DATA),
        )
        taking = asyncio.create_task(offer.accept(tmp_path / "got"))
        answer = await offering
        assert answer["si"]["feature_neg"]["form"].get_values() == {"stream-method": method}
        if way == "xep_0065":
            theirs = await person[way].handshake(str(romeo.jid), sid=way)
            await theirs.write(DATA)
            theirs.transport.close()
        else:
            theirs = await person[way].open_stream(str(romeo.jid), sid=way)
            await theirs.sendall(DATA)
            await theirs.close()
        assert (await taking).read_bytes() == DATA

        offering = asyncio.ensure_future(si.request_file_transfer(str(romeo.jid), **options))
        (await offers.next()).decline()
        with pytest.raises(IqError) as refused:
            await offering
        assert refused.value.condition == "forbidden"


async def test_a_file_to_slixmpp(server: Server, login: Login, tmp_path: Path) -> None:
    await a_file_to_slixmpp(server, login, tmp_path, "xep_0047", ())


async def test_a_file_to_slixmpp_over_a_connection(
    server: Server, login: Login, tmp_path: Path
) -> None:
    await a_file_to_slixmpp(server, login, tmp_path, "xep_0065", ("127.0.0.1",))


@no_proxy
async def test_a_file_to_slixmpp_by_proxy(server: Server, login: Login, tmp_path: Path) -> None:
    await a_file_to_slixmpp(server, login, tmp_path, "xep_0065", ())


async def a_file_to_slixmpp(
    server: Server, login: Login, tmp_path: Path, way: str, told: tuple[str, ...]
) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(DATA)
    async with both(server, login, SI, Si) as (romeo, person):
        person["xep_0065"].auto_accept = person["xep_0047"].auto_accept = True
        si = person["xep_0095"]
        romeo[Socks5].addresses = told
        other = "xep_0047" if way == "xep_0065" else "xep_0065"
        si.unregister_method(METHODS[other])
        # COMPAT: slixmpp 1.17, which does not wait for its own handler
        wanted = StanzaPath("iq@type=set/si")
        person.client.remove_handler("SI Request")
        person.client.register_handler(CoroutineCallback("SI", wanted, si._handle_request))
        asked = heard(person, "si_request")
        started, data = heard(person, "ibb_stream_start"), heard(person, "socks5_data")

        sending = asyncio.create_task(romeo[Si].send(path, person.full))
        request = await asked.get()
        assert request["si"]["file"]["name"] == "letter.txt"
        assert request["si"]["file"]["size"] == str(len(DATA))
        await accept(person, request)
        if way == "xep_0047":
            data = (await started.get()).recv_queue
        assert await collect(data, len(DATA)) == DATA
        await sending

        sending = asyncio.create_task(romeo[Si].send(path, person.full))
        request = await asked.get()
        answer = request.reply()
        answer["type"] = "error"
        answer["error"]["condition"] = "forbidden"
        answer.send()
        with pytest.raises(TransferRefused):
            await sending


async def accept(person: Person, request: Any) -> None:
    """As slixmpp accepts; it waits for an answer to its own answer, which nobody gives."""
    si = person["xep_0095"]
    key = request["to"], request["si"]["id"], request["from"]
    stream = await si.api["get_pending"](*key)
    answer = request.reply()
    answer["si"]["feature_neg"]["form"]["type"] = "submit"
    answer["si"]["feature_neg"]["form"].add_field(
        var="stream-method", ftype="list-single", value=stream["method"]
    )
    answer.send()


# --- bits, and files by way of the server -------------------------------------------------------


async def test_bits_with_slixmpp(server: Server, login: Login) -> None:
    spot = b"\x89PNG spot"
    async with both(server, login, ["xep_0231"], Bob) as (romeo, person):
        theirs = person["xep_0231"]
        name = await theirs.set_bob(spot, "image/png", max_age=60)
        assert name == bob.cid(spot)
        assert await romeo[Bob].fetch(name, person.full) == Bit(spot, "image/png")
        forged = await theirs.set_bob(b"forged", "image/png", cid=bob.cid(b"a seal"))
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo[Bob].fetch(forged, person.full)

        own = romeo[Bob].offer(spot * 2, "image/png", max_age=60)
        found = await theirs.get_bob(TheirJID(str(romeo.jid)), own, cached=False)
        assert found["bob"]["data"] == spot * 2
        assert found["bob"]["type"] == "image/png"
        assert found["bob"]["max_age"] == 60
        with pytest.raises(IqError) as refused:
            await theirs.get_bob(TheirJID(str(romeo.jid)), bob.cid(b"?"), cached=False)
        assert refused.value.condition == "item-not-found"


async def test_what_is_shared_with_slixmpp(server: Server, login: Login, tmp_path: Path) -> None:
    """Each tells the other of a file, so that it is understood: XEP-0447 and XEP-0066."""
    url = "https://upload.verona.example/1/letter.txt"
    path = tmp_path / "letter.txt"
    path.write_bytes(DATA)
    plugins = ["xep_0066", "xep_0300", "xep_0446", "xep_0447"]
    async with both(server, login, plugins, Upload) as (romeo, person):
        hash = Hash("sha-256", b"x" * 32)
        file = sharing.File(name="letter.txt", size=3, hashes=(hash,))
        await romeo[Upload].share(Shared(file, (url,)), JID.parse(person.bare))
        message = await person.message(url)
        assert message["oob"]["url"] == url
        told = child(message, SFS, "file-sharing")
        assert told is not None
        assert [one.text for one in told.iter(f"{{{HASHES}}}hash")] == ["eHh4" * 10 + "eHg="]

        shared = romeo.hear(FileShared)
        answer = person.client.make_message(mto=romeo.jid.bare, mbody=url, mtype="chat")
        answer.append(person["xep_0447"].get_sfs(path, [url], "text/plain"))
        answer.send()
        (found,) = (await shared.next()).files
        assert found.urls == (url,)
        assert (found.file.name, found.file.size) == ("letter.txt", len(DATA))
        assert found.file.hashes

        plain = person.client.make_message(mto=romeo.jid.bare, mbody=url, mtype="chat")
        plain["oob"]["url"] = url
        plain.send()
        (found,) = (await shared.next()).files
        assert (found.urls, found.file) == ((url,), sharing.File())
