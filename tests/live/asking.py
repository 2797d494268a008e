"""A client that logs in to an acceptor in just this way, and what becomes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from tests.interop.servers import VERONA, Server

from pyrite.client.account import Account
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.errors import AuthenticationFailed
from pyrite.client.link import Link
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire import sasl, sasl2
from pyrite.wire.ping import Ping

from .conftest import PATIENCE

E = TypeVar("E", bound=Exception)


class Noted:
    """A link that can be bound only in some ways, and that tells `by` how a log-in begins."""

    def __init__(self, link: Link, by: By) -> None:
        self._link, self._by = link, by

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    @property
    def bindings(self) -> dict[str, bytes]:
        return {name: data for name, data in self._link.bindings.items() if name in self._by.types}

    def send(self, *payloads: Any) -> None:
        for one in payloads:
            match one:
                case sasl.Auth():
                    self._by.begins("Auth", sasl.unpack(one.encoded))
                case sasl2.Authenticate():
                    self._by.begins("Authenticate", sasl2.unpack(one.initial or ""))
        self._link.send(*payloads)


ALL = ("tls-exporter", "tls-server-end-point")


class By:
    """By TCP to a port, with only these types of channel binding."""

    def __init__(self, port: int, *, direct: bool = False, types: tuple[str, ...] = ALL) -> None:
        self._inner = Tcp([Target("127.0.0.1", port, direct)])
        self.types = types
        self.ways: list[str] = []  # to begin, by the names of the elements
        self.said: list[bytes] = []  # first

    def begins(self, way: str, said: bytes | None) -> None:
        self.ways.append(way)
        self.said.append(said or b"")

    async def connect(self, account: Account) -> Link:
        return Noted(await self._inner.connect(account), self)


def client(acceptor: Server, account: Account, by: By | None = None, **options: Any) -> Client:
    trust = replace(account.trust, authorities=acceptor.ca)
    by = by or By(acceptor.c2s)
    return Client(account.jid, account=replace(account, trust=trust), connector=by, **options)


def romeo(domain: str = VERONA) -> JID:
    return JID("romeo", domain)


async def entered(me: Client) -> str:
    """The mechanism that it came in by; it works."""
    async with asyncio.timeout(PATIENCE), me:
        await me.request(Ping(), JID(None, me.jid.domain))
        assert me._keeper.session is not None
        return me._keeper.session.mechanism


async def refused(me: Client) -> AuthenticationFailed:
    return await fails(me, AuthenticationFailed)


async def fails(me: Client, *errors: type[E]) -> E:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(errors) as failed:
            async with me:
                pass
    return failed.value
