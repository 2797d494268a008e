"""Streams between our client and one that others wrote."""

import asyncio
from typing import Any

from tests.interop.people import Person
from tests.interop.servers import VERONA, Server

from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Ibb
from pyrite.core.jid import JID
from pyrite.wire.ping import Ping

from .conftest import Login
from .servers import PASSWORD

PATIENCE = 15.0
DATA = bytes(range(256)) * 40


async def test_octets_in_stanzas_with_slixmpp(server: Server, login: Login) -> None:
    person = Person(server, f"juliet@{VERONA}", PASSWORD, ["xep_0030", "xep_0047"])
    person["xep_0047"].auto_accept = True
    started: asyncio.Queue[Any] = asyncio.Queue()
    person.client.add_event_handler("ibb_stream_start", started.put_nowait)
    async with asyncio.timeout(PATIENCE), login("romeo", features=[Disco, Ibb]) as romeo:
        await romeo.request(Ping())
        await person.log_in()
        streams = romeo[Ibb].streams()
        async with await romeo[Ibb].open(JID.parse(person.full)) as ours:
            theirs = await started.get()
            await ours.write(DATA)
            got = b""
            while len(got) < len(DATA):
                got += await theirs.recv_queue.get()
            assert got == DATA
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
    await person.leave()
