"""Every way to be let in but a password over a channel, with programs of others that judge it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.attack.test_external import OURS, THEIRS, Card, address
from tests.interop.servers import VERONA

from pyrite.client.account import Account, Mechanism, Trust
from pyrite.client.errors import AuthenticationFailed, ClientError, ConnectionFailed
from pyrite.client.mechanisms import kerberos, oauth
from pyrite.client.state import Reset
from pyrite.core.jid import JID
from pyrite.wire.ping import Ping

from .acceptors import (
    CARDS,
    EJABBERD,
    OLD,
    PROSODY,
    TICKETS,
    TOKENS,
    Acceptor,
    AskingEjabberd,
    AskingNewerProsody,
    web_token,
)
from .asking import client, entered, fails, refused, romeo
from .conftest import PATIENCE, on
from .realm import Realm
from .servers import PASSWORD

Ticket = Callable[..., None]


@pytest.fixture
def ticket(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> Ticket:
    """``ticket("romeo", "1s")``: he has one for so long, as after ``kinit``."""
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.home}/nobody")

    def fetched(name: str, lasts: str = "1h") -> None:
        monkeypatch.setenv("KRB5CCNAME", realm.ticket(name, PASSWORD, lasts))

    return fetched


# --- GSSAPI -------------------------------------------------------------------------------------

with_tickets = on(*PROSODY, ejabberd="GSSAPI is not in the open edition")


@with_tickets
async def test_a_ticket_in_place_of_a_password(
    acceptor: Acceptor, realm: Realm, ticket: Ticket
) -> None:
    """RFC 4752, with MIT's key distribution center and Cyrus SASL."""
    ticket("romeo")
    me = client(acceptor, Account(romeo(TICKETS), mechanisms=[kerberos()]))
    assert await entered(me) == "GSSAPI"
    assert me.jid.bare == romeo(TICKETS)
    assert f"romeo@VERONA.EXAMPLE for xmpp/{TICKETS}@VERONA.EXAMPLE" in realm.log


@with_tickets
async def test_the_ticket_says_who_it_is(acceptor: Acceptor, ticket: Ticket) -> None:
    ticket("juliet")
    me = client(acceptor, Account(romeo(TICKETS), mechanisms=[kerberos()]))
    assert await entered(me) == "GSSAPI"
    assert me.jid.bare == JID("juliet", TICKETS)


@with_tickets
async def test_without_a_ticket(acceptor: Acceptor, ticket: Ticket) -> None:
    me = client(acceptor, Account(romeo(TICKETS), mechanisms=[kerberos()]))
    error = await refused(me)
    assert error.text.startswith("Kerberos: No Kerberos credentials available")
    assert error.is_final


@with_tickets
async def test_a_service_that_nobody_knows(acceptor: Acceptor, ticket: Ticket) -> None:
    """The name is that of the account's domain unless the program says another."""
    ticket("romeo")
    for host, is_known in (("xmpp1.verona.example", False), (TICKETS, True)):
        me = client(acceptor, Account(romeo(TICKETS), mechanisms=[kerberos(host)]))
        if is_known:
            assert await entered(me) == "GSSAPI"
        else:
            assert "xmpp/xmpp1.verona.example@VERONA.EXAMPLE not found" in (await refused(me)).text


@with_tickets
async def test_nobody_gives_tickets(
    acceptor: Acceptor,
    realm: Realm,
    ticket: Ticket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That passes: who has had a session tries again."""
    ticket("romeo")
    told = (realm.home / "krb5.conf").read_text()
    (tmp_path / "krb5.conf").write_text(told.replace(f":{realm.port}", ":1"))
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
    error = await refused(client(acceptor, Account(romeo(TICKETS), mechanisms=[kerberos()])))
    assert error.text.startswith("Kerberos: Cannot contact any KDC")
    assert not error.is_final


@with_tickets
async def test_a_ticket_that_has_expired(acceptor: Acceptor, ticket: Ticket) -> None:
    """The next one may be better."""
    ticket("romeo", "1s")

    async def enter_until_then() -> None:
        while True:
            await entered(client(acceptor, Account(romeo(TICKETS), mechanisms=[kerberos()])))

    with pytest.raises(AuthenticationFailed) as failed:
        await asyncio.wait_for(enter_until_then(), PATIENCE)
    assert failed.value.text == "Kerberos: Ticket expired"
    assert not failed.value.is_final


# --- OAUTHBEARER --------------------------------------------------------------------------------


def with_token(token: Callable[[], str], domain: str = TOKENS) -> Account:
    return Account(romeo(domain), mechanisms=[oauth(romeo(domain), token)])


by_dovecot = on(*PROSODY, ejabberd="OAUTHBEARER is not known: X-OAUTH2 is")


@by_dovecot
async def test_a_token_of_somebody_else_who_is_trusted(acceptor: Acceptor) -> None:
    """RFC 7628, with Dovecot. Each log-in asks for a token: the old one may have expired."""
    given: list[str] = []

    def token() -> str:
        given.append(web_token(str(romeo(TOKENS))))
        return given[-1]

    me = client(acceptor, with_token(token))
    async with asyncio.timeout(PATIENCE), me:
        states = me.lifecycle()
        await me.request(Ping(), JID(None, TOKENS))
        me.break_off()
        while not isinstance(await states.next(), Reset):
            pass
        await me.request(Ping(), JID(None, TOKENS))
        assert me.jid.bare == romeo(TOKENS)
    assert len(given) == 2


@by_dovecot
@pytest.mark.parametrize(
    "token",
    [
        lambda: web_token(str(romeo(TOKENS)), lasts=-60),
        lambda: web_token(str(romeo(TOKENS)), key=b"of nobody in particular"),
        lambda: web_token(f"juliet@{TOKENS}"),
        lambda: "not-one",
    ],
    ids=["expired", "forged", "another's", "none"],
)
async def test_a_token_that_is_refused(acceptor: Acceptor, token: Callable[[], str]) -> None:
    """§3.2.3: the server says why before it fails, and waits until that was heard."""
    error = await refused(client(acceptor, with_token(token)))
    assert error.condition == "not-authorized"
    assert error.text == "invalid_token"


@on("prosody-13", prosody="before 13 tokens of its own cannot log in")
async def test_a_token_of_the_servers_own(acceptor: AskingNewerProsody) -> None:
    token = acceptor.token(str(romeo()))
    assert await entered(client(acceptor, with_token(lambda: token, VERONA))) == "OAUTHBEARER"
    error = await refused(client(acceptor, with_token(lambda: token[:-4] + "AAAA", VERONA)))
    assert (error.condition, error.text) == ("not-authorized", "invalid_token")


# --- a mechanism of the program's own -----------------------------------------------------------


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "client-log-in.md"


def own(token: str) -> Mechanism:
    """The mechanism of the example there."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    (example,) = (block for block in blocks if "ClientMechanism" in block)
    names: dict[str, Any] = {"jid": romeo(), "token": lambda: token}
    exec(compile(example, str(PAGE), "exec"), names)
    return cast("Mechanism", names["old_oauth"])


@on(*EJABBERD, prosody="no X-OAUTH2")
async def test_a_mechanism_of_ones_own(acceptor: AskingEjabberd) -> None:
    token = acceptor.token(str(romeo()))
    account = Account(romeo(), mechanisms=[own(token)])
    assert await entered(client(acceptor, account)) == "X-OAUTH2"
    account = Account(romeo(), mechanisms=[own(token[::-1])])
    assert (await refused(client(acceptor, account))).condition == "not-authorized"


# --- EXTERNAL -----------------------------------------------------------------------------------


@on(*PROSODY, *EJABBERD)
async def test_a_certificate(acceptor: Acceptor, tmp_path: Path) -> None:
    """XEP-0178: the address in it is who it is."""
    card = Card([address(str(romeo(CARDS)))], by=OURS).write(tmp_path)
    me = client(acceptor, Account(romeo(CARDS), trust=Trust(identity=card)))
    assert await entered(me) == "EXTERNAL"
    assert me.jid.bare == romeo(CARDS)


@on(*PROSODY, *EJABBERD)
@pytest.mark.parametrize(
    "card",
    [
        Card([address(f"juliet@{CARDS}")], by=OURS),
        Card([address(str(romeo(CARDS)))], by=THEIRS),
        Card([address(str(romeo(CARDS)))]),
    ],
    ids=["another's", "forged", "self-signed"],
)
async def test_a_certificate_that_is_refused(
    acceptor: Acceptor, tmp_path: Path, card: Card
) -> None:
    me = client(acceptor, Account(romeo(CARDS), trust=Trust(identity=card.write(tmp_path))))
    if acceptor.name == "prosody" and card.by is not OURS:  # by TLS, or by a word of its own
        error = await fails(me, ClientError)
        assert isinstance(error, ConnectionFailed) or "account-disabled" in str(error)
    else:
        assert (await refused(me)).condition == "not-authorized"


# --- DIGEST-MD5 ---------------------------------------------------------------------------------


@on(*EJABBERD, prosody="DIGEST-MD5 was taken out")
async def test_an_old_mechanism_on_request(acceptor: Acceptor) -> None:
    asked = Account(romeo(OLD), PASSWORD, allowed=("DIGEST-MD5",))
    assert await entered(client(acceptor, asked)) == "DIGEST-MD5"
    error = await refused(client(acceptor, replace(asked, password="wrong")))
    assert error.condition == "not-authorized"
    unasked = await entered(client(acceptor, Account(romeo(OLD), PASSWORD)))
    assert unasked.startswith("SCRAM-SHA-512")
