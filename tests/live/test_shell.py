"""Looking around a server with the shell, on every server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from pyrite.cli.talk import FEATURES, Seeing, Talk
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

no_rooms = pytest.mark.lacks(pyrite="rooms are not served yet")


@asynccontextmanager
async def talking(login: Login, name: str) -> AsyncIterator[tuple[Talk, list[str]]]:
    lines: list[str] = []
    client = login(name, features=FEATURES)
    client.__class__ = Seeing
    talk = Talk(client, lines.append)
    async with asyncio.timeout(PATIENCE), client:
        await client.request(Ping())
        yield talk, lines
        await talk.close()


async def until(talk: Talk, lines: list[str], words: str) -> None:
    while not any(words in line for line in lines):
        await talk.client.request(Ping())


async def test_what_there_is(login: Login) -> None:
    async with talking(login, "romeo") as (talk, lines):
        for word in ("features", "services", "info", "version", "ping", "time", "roster"):
            lines.clear()
            await talk.do(word)
            assert lines or word == "roster"
            assert not [line for line in lines if line.startswith("refused")]
        await talk.do("info juliet@verona.example")
        await talk.do("last romeo@verona.example")


@no_rooms
async def test_sitting_in_a_room(login: Login) -> None:
    room = f"{uuid4().hex}@conference.verona.example"
    async with talking(login, "romeo") as (romeo, his), talking(login, "juliet") as (juliet, hers):
        await romeo.do(f"join {room} fox")
        assert any(line.startswith("  fox (moderator, owner)") for line in his)
        await juliet.do(f"join {room}")
        await until(romeo, his, "juliet has come")
        await romeo.do("say hello there")
        await until(juliet, hers, f"{room}: fox> hello there")
        await juliet.do("subject foxes")  # which occupants may not, or may
        await juliet.do("leave")
        await until(romeo, his, "juliet has gone (went)")
        his.clear()
        await romeo.do(f"archive {room}")
        assert [line for line in his if "hello there" in line]
        await romeo.do("rooms")
        assert [line for line in his if room in line]
        await romeo.do("leave")
