"""Resource binding over sockets (RFC 6120 §7): names, conflicts, limits, and old clients."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.service import JULIET, NS_BIND, ROMEO, VERONA, Client, Service, condition, serving, until

from pyrite.core.jid import JID
from pyrite.core.xml import Element
from pyrite.server.app import SessionBound

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ROMEO_A = JID.parse("romeo@verona.lit/a")


async def authenticated(service: Service, name: str = "romeo") -> Client:
    """A client that may bind."""
    client = await service.connect()
    await client.open(VERONA)
    assert (await client.plain(name)).name.tag == "success"
    await client.open(VERONA)
    return client


def bound_to(answer: Element) -> JID:
    assert answer.attrs["type"] == "result", answer
    jid = answer.child(NS_BIND, "bind")
    assert jid is not None
    return JID.parse(next(jid.elements).text)


async def test_the_server_chooses_what_nobody_can_guess(tmp_path: Path) -> None:
    """Rule 28 (§7.6)."""
    async with serving(tmp_path, clear=True) as service:
        found = set()
        for _ in range(3):
            jid = bound_to(await (await authenticated(service)).bind())
            assert jid.bare == ROMEO
            assert len(jid.resource or "") >= 16
            found.add(jid)
        found.add(bound_to(await (await authenticated(service)).bind("")))
        assert len(found) == 4


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("balcony", "balcony"),
        ("The Balcony", "The Balcony"),
        ("\u00c5", "\u00c5"),
        ("A\u030a", "\u00c5"),
        ("a/b@c", "a/b@c"),
        ("x" * 1023, "x" * 1023),
        ("\U0001f339", "\U0001f339"),
    ],
)
async def test_a_client_may_choose(wanted: str, given: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await authenticated(service)
        assert bound_to(await client.bind(wanted)).resource == given
        await client.is_served()


@pytest.mark.parametrize("wanted", ["x" * 1024, "\u00e9" * 512, "a\u2028b", "\ue000", "x" * 9000])
async def test_a_bad_resource(wanted: str, tmp_path: Path) -> None:
    """Rule 29 (§7.7.2.1): refused, and the client may ask again."""
    async with serving(tmp_path, clear=True) as service:
        client = await authenticated(service)
        assert condition(await client.bind(wanted)) == "bad-request"
        assert bound_to(await client.bind("a")) == ROMEO_A


@pytest.mark.parametrize(
    "asked",
    [
        f"<iq type='get' id='1'><bind xmlns='{NS_BIND}'/></iq>",
        f"<iq type='set'><bind xmlns='{NS_BIND}'/></iq>",
        f"<iq type='set' id='1'><bind xmlns='{NS_BIND}'/><bind xmlns='{NS_BIND}'/></iq>",
        f"<iq type='set' id='1'><unbind xmlns='{NS_BIND}'/></iq>",
        f"<iq type='set' id='1'><bind xmlns='{NS_BIND}'><jid>@</jid></bind></iq>",
    ],
)
async def test_what_is_no_request_to_bind(asked: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await authenticated(service)
        assert condition(await client.ask(asked)) in ("bad-request", "jid-malformed")
        assert bound_to(await client.bind("a")) == ROMEO_A


@pytest.mark.parametrize("kind", ["result", "error"])
async def test_an_answer_is_not_answered(kind: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await authenticated(service)
        await client.send(f"<iq type='{kind}' id='1'><bind xmlns='{NS_BIND}'/></iq>")
        await client.ends_with("not-authorized")


async def test_nobody_binds_somebody_elses_resource(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        client = await authenticated(service)
        answer = await client.ask(
            f"<iq type='set' id='1' to='juliet@verona.lit' from='juliet@verona.lit'>"
            f"<bind xmlns='{NS_BIND}'><jid>juliet@verona.lit/b</jid><resource>b</resource></bind>"
            "</iq>"
        )
        assert bound_to(answer) == JID.parse("romeo@verona.lit/b")
        await juliet.is_served()


async def test_the_newest_client_wins(tmp_path: Path) -> None:
    """Rule 28 (§7.7.2.2): the old session ends with a conflict, and its contacts see it go."""
    async with serving(tmp_path, clear=True) as service:
        await service.befriend(ROMEO, JULIET)
        juliet = await service.online("juliet@verona.lit/b", available=True)
        old = await service.online(ROMEO_A, available=True)
        await juliet.barrier()
        new = await service.online(ROMEO_A)
        await old.ends_with("conflict")
        assert (await juliet.element()).attrs == {
            "type": "unavailable",
            "from": "romeo@verona.lit/a",
            "to": "juliet@verona.lit",
        }
        assert await juliet.barrier() == []
        await new.send("<presence/>")
        assert "type" not in (await juliet.element()).attrs
        await service.until_alone(2)
        await new.is_served()
        assert len(service.server.sessions) == 2


async def test_many_want_one_resource_at_once(tmp_path: Path) -> None:
    """One of them has it in the end, and nothing is left of the others."""
    async with serving(tmp_path, clear=True) as service:
        clients = [await authenticated(service) for _ in range(8)]
        for client in clients:
            await client.send(
                f"<iq type='set' id='1'><bind xmlns='{NS_BIND}'><resource>a</resource></bind></iq>"
            )
        answers = await asyncio.gather(*(client.element() for client in clients))
        assert {bound_to(answer) for answer in answers} == {ROMEO_A}
        await until(lambda: sum(not c.connection.is_closing for c in connections(service)) == 1)
        assert len(service.server.sessions) == 1


def connections(service: Service) -> list:  # type: ignore[type-arg]
    return list(service.server.listeners.connections)


async def test_too_many_clients_of_one_account(tmp_path: Path) -> None:
    """Rule 29 (§7.6.2.1)."""
    async with serving(tmp_path, clear=True, limits="sessions-per-account = 2") as service:
        for resource in ("a", "b"):
            await service.online(f"romeo@verona.lit/{resource}")
        client = await authenticated(service)
        assert condition(await client.bind("c")) == "resource-constraint"
        assert condition(await client.bind()) == "resource-constraint"
        assert bound_to(await client.bind("a")) == ROMEO_A  # takes the place of the old one
        assert bound_to(await (await authenticated(service, "juliet")).bind("a")).bare == JULIET


async def test_a_stream_has_one_resource(tmp_path: Path) -> None:
    """Rule 29 (§7.6.2.2)."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.online(ROMEO_A)
        for resource in ("b", None):
            assert condition(await client.bind(resource)) == "not-allowed"
        assert len(service.server.sessions) == 1
        await client.is_served()


async def test_old_clients_begin_a_session(tmp_path: Path) -> None:
    """Rule 30."""
    async with serving(tmp_path, clear=True) as service:
        client = await authenticated(service)
        offered = client.features.child("urn:ietf:params:xml:ns:xmpp-session", "session")
        assert offered is not None
        assert [e.name.tag for e in offered.elements] == ["optional"]
        await client.bind("a")
        answer = await client.ask(
            "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
        )
        assert (answer.attrs["type"], answer.attrs["id"]) == ("result", "s")


async def test_binding_ends_the_time_limit(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.authenticate(ROMEO_A)
        (mine,) = service.server.listeners.connections
        assert mine.connection._deadline is not None
        await client.take_resource("a")
        assert mine.connection._deadline is None


async def test_a_conflict_while_the_first_is_still_being_bound(tmp_path: Path) -> None:
    """Slow modules: who loses its resource before it has it is told so, and is no zombie."""
    async with serving(tmp_path, clear=True) as service:
        host = service.server.hosts[VERONA]
        may_go_on, bound = asyncio.Event(), asyncio.Event()

        async def slow(event: SessionBound) -> None:
            if not bound.is_set():
                bound.set()
                await may_go_on.wait()

        stop = host.events.on(SessionBound, slow)
        first = await authenticated(service)
        await first.send(
            f"<iq type='set' id='1'><bind xmlns='{NS_BIND}'><resource>a</resource></bind></iq>"
        )
        await bound.wait()
        second = await service.online(ROMEO_A)
        may_go_on.set()
        await first.ends_with("conflict")
        await second.is_served()
        await service.until_alone(1)
        await until(lambda: len(service.server.sessions) == 1)
        stop()
