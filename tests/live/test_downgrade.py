"""A password that is proven over a bound channel, and who stands in between (XEP-0440, XEP-0474).

He has a certificate that is believed: it is not TLS that stops him here.
"""

from __future__ import annotations

import pytest
from tests.interop.servers import Server

from pyrite.client.account import Account, VolatileStore
from pyrite.client.errors import AuthenticationFailed, UntrustedServer

from .acceptors import Acceptor
from .asking import ALL, By, client, entered, fails, refused, romeo
from .conftest import on
from .listener import in_between, without
from .servers import PASSWORD

binding = on(
    "prosody-13",
    "ejabberd-24",
    prosody="before 13 no type that is safe with TLS 1.3",
    ejabberd="before 24 it does not say which types it knows",
)


@binding
@pytest.mark.parametrize("types", [ALL, ("tls-exporter",), ("tls-server-end-point",)])
@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
async def test_the_channel_is_bound(
    acceptor: Acceptor, types: tuple[str, ...], direct: bool
) -> None:
    by = By(acceptor.c2s_tls if direct else acceptor.c2s, direct=direct, types=types)
    me = client(acceptor, Account(romeo(), PASSWORD), by)
    assert (await entered(me)).endswith("-PLUS")
    assert by.said[0].startswith(f"p={types[0]},,".encode())


PLUS = ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS")
SCRAM = tuple(name.removesuffix("-PLUS") for name in PLUS)


@pytest.mark.lacks(prosody_0_12="no SASL2", ejabberd_23="no SASL2 before 24")
async def test_the_channel_is_bound_in_the_newer_way(server: Server) -> None:
    by = By(server.c2s)
    me = client(server, Account(romeo(), PASSWORD), by)
    assert (await entered(me)).endswith("-PLUS")
    assert by.ways == ["Authenticate"]
    assert by.said[0].startswith(b"p=tls-exporter,,")


@binding
@pytest.mark.parametrize("types", [("tls-exporter",), ("tls-server-end-point",)])
async def test_another_channel_is_noticed(acceptor: Acceptor, types: tuple[str, ...]) -> None:
    """The server refuses who proves the password for the channel to somebody in between."""
    with in_between(acceptor) as port:
        by = By(port, direct=True, types=types)
        await refused(client(acceptor, Account(romeo(), PASSWORD), by))
        assert by.said[0].startswith(b"p=")


@binding
async def test_all_channel_binding_is_taken_away(acceptor: Acceptor) -> None:
    """RFC 5802 §6: the client says that it could, and the server that it offered."""
    with in_between(acceptor, without(*PLUS, *ALL)) as port:
        by = By(port, direct=True)
        me = client(acceptor, Account(romeo(), PASSWORD), by)
        await fails(me, AuthenticationFailed, UntrustedServer)  # whoever speaks first
        assert by.said[0].startswith(b"y,,")


@binding
async def test_half_of_the_channel_binding_is_taken_away(acceptor: Acceptor) -> None:
    """XEP-0440 §4: nothing is said then."""
    with in_between(acceptor, without(*PLUS)) as port:
        by = By(port, direct=True)
        error = await fails(client(acceptor, Account(romeo(), PASSWORD), by), UntrustedServer)
        assert "channel binding types" in error.text
        assert by.said == []


@binding
@pytest.mark.parametrize("gone", ["PLAIN", "SCRAM-SHA-1-PLUS", "tls-exporter"])
async def test_a_changed_offer_is_noticed(acceptor: Acceptor, gone: str) -> None:
    """XEP-0474: by who cannot bind the channel, too. The proof goes nowhere."""
    with in_between(acceptor, without(gone)) as port:
        by = By(port, direct=True, types=())
        error = await fails(client(acceptor, Account(romeo(), PASSWORD), by), UntrustedServer)
        assert "changed on its way" in error.text
        assert by.said[0].startswith(b"n,,")
    by = By(acceptor.c2s_tls, direct=True, types=())
    assert (await entered(client(acceptor, Account(romeo(), PASSWORD), by))).startswith("SCRAM-")


@binding
async def test_the_password_is_not_told_to_who_takes_all_else_away(acceptor: Acceptor) -> None:
    """XEP-0474 §5: once it was proven, it is never said from then on."""
    store = VolatileStore()
    await entered(client(acceptor, Account(romeo(), PASSWORD), tokens=store))
    with in_between(acceptor, without(*PLUS, *SCRAM, *ALL)) as port:
        by = By(port, direct=True)
        error = await refused(client(acceptor, Account(romeo(), PASSWORD), by, tokens=store))
        assert error.condition == "invalid-mechanism"
        assert by.said == []
