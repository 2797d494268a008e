"""@xmpp/client: it logs in by SASL2 and Bind 2, is given a token, and comes back by that alone."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from .people import PASSWORD, PATIENCE, Cast, attribute
from .servers import Pyrite, Server

FOLDER = Path(__file__).parent / "node"
PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"

SASL2, BIND2, FAST = "{urn:xmpp:sasl:2}", "{urn:xmpp:bind:0}", "{urn:xmpp:fast:0}"


class Script:
    """A client in Node; `seen` is all that it has told so far."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.seen: list[tuple[str, Any]] = []

    def tell(self, what: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def hear(self, event: str) -> Any:
        """What comes with the next such event. Fails at the end, or after `PATIENCE`."""
        assert self._process.stdout
        async with asyncio.timeout(PATIENCE):
            while line := await self._process.stdout.readline():
                told = json.loads(line)
                self.seen.append((told["event"], told["what"]))
                if told["event"] == event:
                    return told["what"]
        raise AssertionError(f"no {event}: {self.seen}")

    def all(self, event: str) -> list[Any]:
        return [what for name, what in self.seen if name == event]

    @property
    def success(self) -> ElementTree.Element:
        """The one end of its one authentication."""
        (found,) = self.all("success")
        return ElementTree.fromstring(found)

    async def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self.hear("end")
        async with asyncio.timeout(PATIENCE):
            assert await self._process.wait() == 0


@asynccontextmanager
async def running(server: Server, jid: str, **credentials: object) -> AsyncIterator[Script]:
    """The client, on its way in."""
    env = {**os.environ, "NODE_EXTRA_CA_CERTS": str(server.ca), "NODE_NO_WARNINGS": "1"}
    process = await asyncio.create_subprocess_exec(
        "node", "client.js", cwd=FOLDER, env=env, stdin=PIPE, stdout=PIPE
    )
    name, domain = jid.split("@")
    script = Script(process)
    service = f"xmpp://127.0.0.1:{server.c2s}"
    known = {"username": name, **credentials}
    script.tell({"service": service, "domain": domain, "id": PHONE, "credentials": known})
    try:
        yield script
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.lacking("SASL2 is a module of others there")
async def test_in_and_back_by_token(cast: Cast) -> None:
    """XEP-0388, XEP-0386, XEP-0484: the second time in one round trip, with no password."""
    juliet = await cast.enter("juliet/balcony")
    romeo = cast.account("romeo")
    async with running(cast.server, romeo, password=PASSWORD) as script:
        own = await script.hear("online")
        assert own.startswith(f"{romeo}/test/")
        token = await script.hear("token")
        assert token["mechanism"] == "HT-SHA-256-NONE"
        assert script.all("sent") == ["authenticate", "response"]
        assert script.success.find(f"{BIND2}bound") is not None
        assert script.success.find(f"{FAST}token") is not None
        script.tell({"to": juliet.full, "body": "It is the east"})
        said = await juliet.message("It is the east")
        assert attribute(said, "from") == own
        await script.end()
    async with running(cast.server, romeo, token=token) as script:
        assert await script.hear("online") == own
        assert script.all("sent") == ["authenticate"]
        assert script.all("token") == []
        assert script.success.findtext(f"{SASL2}authorization-identifier") == own
        juliet.say(own, "Ay me")
        assert (await script.hear("message"))["body"] == "Ay me"
        script.tell({"to": juliet.full, "body": "She speaks"})
        await juliet.message("She speaks", sender=own)
        assert script.all("error") == []  # before goodbye, after which it counts nothing any more
        await script.end()


@pytest.mark.lacking("SASL2 is a module of others there")
async def test_a_token_that_is_none_any_more(cast: Cast) -> None:
    """It falls back to the password by itself, on the same stream (XEP-0484 §4.1)."""
    romeo = cast.account("romeo")
    stale = {"mechanism": "HT-SHA-256-NONE", "token": "x" * 43, "expiry": "2999-01-01T00:00:00Z"}
    async with running(cast.server, romeo, token=stale, password=PASSWORD) as script:
        assert (await script.hear("online")).startswith(f"{romeo}/test/")
        assert (await script.hear("token"))["token"] != stale["token"]
        assert script.all("token")[0] is None  # it has forgotten the stale one
        assert script.all("sent") == ["authenticate", "authenticate", "response"]
        await script.end()


@pytest.mark.lacking("SASL2 is a module of others there")
async def test_a_client_is_ended_by_an_operator(cast: Cast) -> None:
    """XEP-0494 §5: its token is none any more, and so it would need the password."""
    romeo = cast.account("romeo")
    assert isinstance(cast.server, Pyrite)
    async with running(cast.server, romeo, password=PASSWORD) as script:
        await script.hear("online")
        token = await script.hear("token")
        (shown,) = json.loads(cast.server.command("client", "list", romeo, "--json"))
        assert (shown["software"], shown["connected"], shown["token"]) == ("xmpp.js", True, True)
        cast.server.command("client", "revoke", romeo, shown["id"])
        await script.hear("offline")
    async with running(cast.server, romeo, token=token) as script:
        assert await script.hear("token") is None  # it has forgotten it: it was refused
