"""Authentication by XEP-0388: what is offered, how it ends, and what it ends with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.entering import (
    BIND,
    ENDP,
    EXPR,
    NONE,
    NS,
    NS_STREAMS,
    PHONE,
    SHA,
    TABLET,
    agent,
    authenticate,
    bind,
    come,
    enter,
    failure,
    header,
    offered,
    plain,
    want,
)
from tests.peer import PASSWORD
from tests.service import JULIET, NS_SASL, ROMEO, VERONA, serving

from pyrite.core.jid import JID
from pyrite.core.payload import decode
from pyrite.core.sasl import HtClient
from pyrite.core.stream import ERROR, read_error
from pyrite.core.xml import Element, Opened, write
from pyrite.server.auth.backend import BackendDown
from pyrite.wire import bind2, fast

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NS_BIND1 = "urn:ietf:params:xml:ns:xmpp-bind"


# --- what is offered ---------------------------------------------------------------------


async def test_the_feature(tmp_path: Path) -> None:
    """§2.1; XEP-0386 §3.1; XEP-0484 §3.1; XEP-0480 §2.1. SASL of RFC 6120 stays beside it."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        told = offered(client)
        assert told
        assert told.inline
        assert told.mechanisms == client.mechanisms
        assert [one.task for one in told.upgrades] == ["UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512"]
        inline = {element.name.ns: element for element in told.inline.features}
        tokens = decode(fast.Fast, inline[fast.NS])
        assert tokens == fast.Fast((EXPR, ENDP, NONE))
        binding = decode(bind2.Bind, inline[bind2.NS]).inline
        assert binding
        assert {"urn:xmpp:carbons:2", "urn:xmpp:csi:0"} <= {one.var for one in binding.features}


async def test_never_before_tls(tmp_path: Path) -> None:
    """§3: SASL2 is for after TLS, also where RFC 6120's is not."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.open(VERONA)
        assert client.mechanisms
        assert offered(client) is None
        await client.send(authenticate("PLAIN", plain()))
        await client.ends_with("not-authorized")


async def test_without_tokens_and_passwords(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='tokens = false\nmechanisms = ["ANONYMOUS"]') as service:
        told = offered(await service.secured())
        assert told
        assert told.inline
        assert fast.NS not in {element.name.ns for element in told.inline.features}
        assert told.upgrades == ()


async def test_it_is_the_same_for_everybody(tmp_path: Path) -> None:
    """§2.1, §3: nobody learns by it who has an account."""
    async with serving(tmp_path) as service:
        seen = set()
        for name in ("romeo", "nobody", ""):
            client = await service.connect_direct()
            sender = f"{name}@{VERONA}" if name else ""
            opened, features = await client.opening(header(sender))
            assert isinstance(opened, Opened)
            assert isinstance(features, Element)
            seen.add(write(features))
        assert len(seen) == 1


# --- how it ends -------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", SHA, f"{SHA}-PLUS"])
async def test_in_by_password(mechanism: str, tmp_path: Path) -> None:
    """§2.6.1: the success names the account, features follow, and the stream goes on as it is."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        entered = await enter(client, mechanism=mechanism)
        assert entered.success.identifier == ROMEO
        assert entered.results == {}
        assert entered.features
        assert entered.features.child(NS_BIND1, "bind")
        assert not entered.features.child(NS, "authentication")
        assert not entered.features.child(NS_SASL, "mechanisms")
        answer = await client.ask(f"<iq type='set' id='b'><bind xmlns='{NS_BIND1}'/></iq>")
        assert answer.attrs["type"] == "result"
        await client.is_served()
        assert len(service.server.sessions) == 1


async def test_a_session_in_one_request(tmp_path: Path) -> None:
    """XEP-0386 §3.2: and in one round trip more than SCRAM takes anyway."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        entered = await enter(client, BIND)
        (session,) = service.server.sessions
        assert entered.success.identifier == session.jid
        assert session.jid.resource
        assert session.jid.resource.startswith("test/")
        assert entered.asked == 2
        assert entered.features
        assert not entered.features.child(NS_BIND1, "bind")
        await client.is_served()


async def test_larger_stanzas_after_it(tmp_path: Path) -> None:
    """The limits before authentication end with it, although the stream does not."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await enter(client, BIND)
        body = "x" * 20_000
        await client.send(f"<message to='{ROMEO}' type='error'><body>{body}</body></message>")
        await client.is_served()
        stranger = await service.secured()
        await stranger.send(authenticate("PLAIN", None, f"<x xmlns='x'>{body}</x>"))
        await stranger.ends_with("policy-violation")


FAILURES = [
    ("PLAIN", plain(password="wrong"), "not-authorized"),
    ("PLAIN", plain("nobody"), "not-authorized"),
    ("PLAIN", plain(authzid=str(JULIET)), "invalid-authzid"),
    ("PLAIN", "", "malformed-request"),
    ("PLAIN", "=", "incorrect-encoding"),
    ("PLAIN", "%%%", "incorrect-encoding"),
    ("X-MAGIC", b"x", "invalid-mechanism"),
    ("", b"x", "invalid-mechanism"),
    ("EXTERNAL", "", "invalid-mechanism"),
    (EXPR, b"romeo\0" + bytes(32), "invalid-mechanism"),
    (SHA, b"y,,n=romeo,r=abcdefgh", "not-authorized"),
]


@pytest.mark.parametrize(("mechanism", "initial", "expected"), FAILURES)
async def test_failures(
    mechanism: str, initial: bytes | str, expected: str, tmp_path: Path
) -> None:
    """§2.6.2: the stream is as it was, and nothing that was asked for is done."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        request = authenticate(mechanism, initial, BIND, want())
        assert failure(await client.ask(request)) == expected
        assert len(service.server.sessions) == 0
        assert await service.server.stores.clients.list(ROMEO) == []
        await enter(client, BIND)


@pytest.mark.parametrize(
    "inside",
    [
        agent("not-a-uuid"),
        "<fast xmlns='urn:xmpp:fast:0' count='-1'/>",
        "<fast xmlns='urn:xmpp:fast:0' count='x'/>",
        "<x xmlns='x'/>" * 17,
        bind("<x xmlns='x'/>" * 17),
        "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>" * 17,
    ],
)
async def test_requests_that_make_no_sense(inside: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        request = authenticate("PLAIN", plain(), inside, id=None)
        assert failure(await client.ask(request)) == "malformed-request"
        await enter(client)


async def test_what_nobody_knows_is_left_out(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        entered = await enter(client, "<x xmlns='x'/>", bind("<y xmlns='y'/>"))
        assert set(entered.results) == {"bound"}


async def test_giving_up(tmp_path: Path) -> None:
    """§4.5."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        first = b"n,,n=romeo,r=abcdefghij"
        assert (await client.ask(authenticate(SHA, first))).name == (NS, "challenge")
        answer = await client.ask(f"<abort xmlns='{NS}'><text>tired</text></abort>")
        assert failure(answer) == "aborted"
        await enter(client)


@pytest.mark.parametrize(
    "said",
    [
        "<presence/>",
        f"<auth xmlns='{NS_SASL}' mechanism='PLAIN'/>",
        f"<response xmlns='{NS_SASL}'/>",
        authenticate("PLAIN", plain()),
        f"<next xmlns='{NS}' task='x'/>",
        f"<task-data xmlns='{NS}'/>",
    ],
)
async def test_nothing_else_meanwhile(said: str, tmp_path: Path) -> None:
    """§2.4: whoever says anything else is hung up on."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.ask(authenticate(SHA, b"n,,n=romeo,r=abcdefghij"))
        await client.send(said)
        await client.ends_with("not-authorized")


async def test_only_once(tmp_path: Path) -> None:
    """§4.8: a second authentication ends the stream."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await enter(client)
        await client.send(authenticate("PLAIN", plain()))
        await client.ends_with("not-authorized")
        client = await service.secured()
        await enter(client, BIND)
        await client.send(authenticate("PLAIN", plain()))
        await client.ends_with("unsupported-stanza-type")


async def test_too_many_attempts(tmp_path: Path) -> None:
    """Those of both kinds count together."""
    async with serving(tmp_path, limits="attempts = 3") as service:
        client = await service.secured()
        wrong = authenticate("PLAIN", plain(password="wrong"))
        assert failure(await client.ask(wrong)) == "not-authorized"
        assert (await client.plain("romeo", "wrong")).name.tag == "failure"
        assert failure(await client.ask(wrong)) == "not-authorized"
        await client.ends_with("policy-violation")


async def test_an_account_that_is_shut(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.server.accounts.disable(ROMEO)
        client = await service.secured()
        answer = await client.ask(authenticate("PLAIN", plain(), BIND))
        assert failure(answer) == "account-disabled"


async def test_a_store_that_is_down(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()

        async def down(*_: object, **__: object) -> bool:
            raise BackendDown("the disk is full")

        service.server.clients.enter = down  # type: ignore[assignment]
        answer = await client.ask(authenticate("PLAIN", plain(), BIND))
        assert failure(answer) == "temporary-auth-failure"
        assert len(service.server.sessions) == 0
        assert [record.levelname for record in caplog.records if "disk" in record.message] == [
            "WARNING"
        ]
        caplog.clear()


async def test_in_the_name_of_another(tmp_path: Path) -> None:
    """§2.3; RFC 6120 §4.9.3.9."""
    async with serving(tmp_path) as service:
        client = await service.connect_direct()
        await client.opening(header(str(JULIET)))
        assert failure(await client.ask(authenticate("PLAIN", plain()))) == "invalid-authzid"
        await client.ask(authenticate("PLAIN", plain("juliet"), BIND))
        stranger = await service.connect_direct()
        *_, error = await stranger.opening(header("romeo@elsewhere.lit"))
        assert isinstance(error, Element)
        assert error.name == ERROR
        assert read_error(error).condition == "invalid-from"


async def test_guests(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='mechanisms = ["ANONYMOUS"]') as service:
        client = await service.secured()
        answer = await client.ask(authenticate("ANONYMOUS", "", BIND, want()))
        assert answer.name == (NS, "success")
        await client.element()
        await client.is_served()
        (session,) = service.server.sessions
        assert await service.server.stores.clients.list(session.jid.bare) == []


# --- resources ---------------------------------------------------------------------------


async def test_a_client_keeps_its_resource(tmp_path: Path) -> None:
    """XEP-0386 §3.2.1: the same for the same tag and installation, and telling nothing of it."""
    async with serving(tmp_path) as service:
        found: list[JID | None] = []
        for id, tag in ((PHONE, "a"), (TABLET, "a"), (None, "a"), (None, "a"), (PHONE, "a")):
            client = await service.secured()
            entered = await enter(client, bind(tag=tag), id=id)
            found.append(entered.success.identifier)
        assert found[0] == found[4]
        assert len(set(found)) == 4
        assert not any(part in str(jid) for jid in found for part in PHONE.split("-"))


async def test_a_client_has_one_session(tmp_path: Path) -> None:
    """XEP-0386 §3.2: what it had before is a connection that it has lost."""
    async with serving(tmp_path) as service:
        first, other, second = [await service.secured() for _ in range(3)]
        await enter(first, bind(tag="old"))
        await enter(other, bind(tag="old"), id=TABLET)
        await enter(second, bind(tag="new"))
        await first.ends_with("conflict")
        await other.is_served()
        await second.is_served()


async def test_too_many_sessions(tmp_path: Path) -> None:
    """What cannot be said in a success is a failure, and leaves nothing behind."""
    async with serving(tmp_path, limits="sessions-per-account = 1") as service:
        first = await service.secured()
        await enter(first, BIND)
        second = await service.secured()
        answer = await second.ask(authenticate("PLAIN", plain(), BIND, id=TABLET))
        assert failure(answer) == "temporary-auth-failure"
        await first.is_served()


# --- one round trip ----------------------------------------------------------------------


async def test_back_in_one_round_trip(tmp_path: Path) -> None:
    """XEP-0484: the token, the resource and its features are one question and one answer."""
    async with serving(tmp_path) as service:
        token = (await enter(await service.secured(), BIND, want())).token
        client = await service.secured()
        carbons = "<enable xmlns='urn:xmpp:carbons:2'/>"
        entered = await come(client, token, bind(carbons, "<inactive xmlns='urn:xmpp:csi:0'/>"))
        assert entered.asked == 1
        assert entered.success.identifier in [session.jid for session in service.server.sessions]
        assert entered.token == ""
        await client.is_served()


async def test_back_before_the_features_have_come(tmp_path: Path) -> None:
    """A client that remembers what was offered (§2.1) says all at once, its first stanza too."""
    async with serving(tmp_path) as service:
        token = (await enter(await service.secured(), want(NONE))).token
        client = await service.connect_direct()
        proof = HtClient(NONE, "romeo", token, {}).start()
        fast_ = "<fast xmlns='urn:xmpp:fast:0'/>"
        ping = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
        request = authenticate(NONE, proof, fast_, BIND)
        client.stream.restart()
        await client.write(header(str(ROMEO)) + request + ping)
        names = [(await client.element()).name for _ in range(4)]
        assert names == [
            (NS_STREAMS, "features"),
            (NS, "success"),
            (NS_STREAMS, "features"),
            ("jabber:client", "iq"),
        ]


async def test_the_old_way_is_still_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        assert (await client.scram("romeo", PASSWORD)).name == (NS_SASL, "success")
