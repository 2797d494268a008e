"""Attack 2: too deep, too wide, too long, never ending; before log-in and after."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.service import VERONA, Client, serving

from pyrite.core.xml import Element, Name

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

LIMITS = """
stanza = "50kB"
stanza-before-auth = "10kB"
depth = 20
attributes = 30
children = 200
"""
TOO_BIG = Element(Name("urn:xmpp:errors", "stanza-too-big"))

#: Each is endless, or nearly so; none is worth more than a few reads.
FLOODS = {
    "depth": "<message>" + "<a>" * 100_000,
    "children": "<message>" + "<a/>" * 100_000,
    "attributes": "<message" + "".join(f" a{n}='1'" for n in range(100_000)),
    "namespaces": "<message" + "".join(f" xmlns:a{n}='urn:{n}'" for n in range(100_000)),
    "nested namespaces": "<message>" + "".join(f"<a xmlns='urn:{n}'>" for n in range(100_000)),
    "value": "<message id='" + "x" * 1_000_000,
    "text": "<message><body>" + "x" * 1_000_000,
    "entities": "<message><body>" + "&lt;" * 250_000,
    "CDATA": "<message><body><![CDATA[" + "x" * 1_000_000,
    "name": "<" + "x" * 1_000_000,
    "prefix": "<" + "x" * 500_000 + ":a",
    "end tag": "<message></" + "x" * 1_000_000,
    "comment": "<message><!--" + "x" * 1_000_000,
    "processing instruction": "<message><?" + "x" * 1_000_000,
    "white space in a tag": "<message" + " " * 1_000_000,
}


async def pour(client: Client, data: bytes) -> None:
    """Send it, though nobody may be listening any more."""
    try:
        for start in range(0, len(data), 1 << 14):
            client.writer.write(data[start : start + (1 << 14)])
            await client.writer.drain()
    except ConnectionError:
        return


async def ends(client: Client, data: str) -> None:
    began = time.process_time()
    pouring = asyncio.create_task(pour(client, data.encode()))
    error = await client.stream_error()
    assert error.condition == "policy-violation", error
    assert time.process_time() - began < 5
    pouring.cancel()


@pytest.mark.parametrize("data", FLOODS.values(), ids=FLOODS)
async def test_after_log_in(data: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        other = await service.online("juliet@verona.lit/b")
        await ends(await service.online("romeo@verona.lit/a"), data)
        assert await other.barrier() == []


@pytest.mark.parametrize("data", FLOODS.values(), ids=FLOODS)
async def test_before_log_in(data: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        client = await service.connect()
        await client.open(VERONA)
        await ends(client, data)


@pytest.mark.parametrize("name", ["attributes", "namespaces", "value", "name"])
async def test_in_the_header(name: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.connect()
        pouring = asyncio.create_task(pour(client, FLOODS[name].encode()))
        await client.ends_with("policy-violation")
        pouring.cancel()


async def test_octet_by_octet(tmp_path: Path) -> None:
    """A tag that never ends is not looked at from its beginning for each octet, for ever."""
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        client = await service.online("romeo@verona.lit/a")
        other = await service.online("juliet@verona.lit/b")
        began = time.process_time()
        await client.send("<message id='")
        for _ in range(300):
            await client.send("x")
            await asyncio.sleep(0)
        await other.is_served()
        await client.send("x" * 20_000)
        await client.ends_with("policy-violation")
        assert time.process_time() - began < 2


async def test_what_fits_passes(tmp_path: Path) -> None:
    """Limits keep out what is over them, and nothing below."""
    async with serving(tmp_path, clear=True, limits=LIMITS) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        deep = "<a xmlns='urn:a'>" + "<a>" * 18 + "</a>" * 19
        wide = "<a xmlns='urn:a'>" + "<b/>" * 198 + "</a>"
        many = "<a xmlns='urn:a'" + "".join(f" b{n}='1'" for n in range(30)) + "/>"
        long = f"<a xmlns='urn:a'>{'x' * 49_900}</a>"
        for inside in (deep, wide, many, long):
            await romeo.send(f"<message to='juliet@verona.lit/b'>{inside}</message>")
        await romeo.barrier()
        assert len(await juliet.barrier()) == 4
        await romeo.send(f"<message to='juliet@verona.lit/b'>{long}{long}</message>")
        error = await romeo.stream_error()
        assert error.app == TOO_BIG
        assert await juliet.barrier() == []


async def test_a_long_stream_does_not_grow(tmp_path: Path) -> None:
    """New names, prefixes and namespaces in every stanza: none is remembered for long."""
    from pyrite.core.xml import reader

    async with serving(tmp_path, clear=True) as service:
        client = await service.online("romeo@verona.lit/a")
        (mine,) = service.server.listeners.connections
        parsers = set()
        for batch in range(40):
            names = "".join(
                f"<p{batch}x{n}:a{batch}x{n} xmlns:p{batch}x{n}='urn:{batch}:{n}'/>"
                for n in range(1_000)
            )
            await client.send(f"<message type='error'>{names}</message>")
            await client.is_served()
            parsers.add(id(mine.stream._reader._parser))
        assert len(parsers) > 1
        assert all(len(names) <= reader.MAX_NAMES for names in reader._NAMES.values())
