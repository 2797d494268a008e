"""Streams and files between two clients, through every server."""

import asyncio

from pyrite.client.mod.files import Ibb
from pyrite.wire.ping import Ping

from .conftest import Login

PATIENCE = 15.0


async def test_octets_in_stanzas(login: Login) -> None:
    data = bytes(range(256)) * 100
    async with (
        login("romeo", features=[Ibb]) as romeo,
        login("juliet", features=[Ibb]) as juliet,
        asyncio.timeout(PATIENCE),
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        streams = juliet[Ibb].streams()
        async with await romeo[Ibb].open(juliet.jid) as his:
            hers = await streams.next()
            await his.write(data)
        got = b""
        while chunk := await hers.read():
            got += chunk
        assert got == data
