"""Clients of our own server in this process, with the features that a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.peer import PASSWORD
from tests.service import JULIET, ROMEO, Service

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.feature import Feature
from pyrite.client.keeper import Backoff
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping


def client(
    service: Service, jid: JID, *features: type[Feature], password: str = PASSWORD, **options: Any
) -> Client:
    """A client of `jid`, to be entered."""
    return Client(
        jid,
        password,
        trust=Trust(authorities=service.folder / "ca.pem"),
        connector=Tcp([Target("127.0.0.1", service.port)]),
        features=features,
        backoff=Backoff(first=0.01, most=0.02),
        **options,
    )


@asynccontextmanager
async def pair(
    service: Service, *features: type[Feature], also: Sequence[type[Feature]] = ()
) -> AsyncIterator[tuple[Client, Client]]:
    """Romeo and Juliet, whom the server knows to be there; `also` are features of Romeo's alone."""
    async with (
        client(service, ROMEO, *features, *also) as romeo,
        client(service, JULIET, *features) as juliet,
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        yield romeo, juliet
