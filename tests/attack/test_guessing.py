"""Attack 16: guessing passwords, and finding out who has an account."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.peer import PASSWORD
from tests.service import JULIET, ROMEO, Client, Service, condition, serving

from pyrite.core.jid import JID
from pyrite.core.xml import Element, write

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

AUTH = "free-attempts = 3\nattempts = 6\nbackoff = '1s'\nbackoff-limit = '4s'\nlockout = '1m'"


async def guess(service: Service, name: str, password: str = "wrong") -> str:
    client = await service.secured()
    answer = await client.plain(name, password)
    await client.abort()
    return "success" if answer.name.tag == "success" else condition(answer)


async def test_guesses_cost_more_and_more_time(tmp_path: Path) -> None:
    """Some at once, then with waits, then none for a while; the right password waits too."""
    async with serving(tmp_path, auth=AUTH) as service:
        assert [await guess(service, "romeo") for _ in range(3)] == ["not-authorized"] * 3
        assert await guess(service, "romeo", PASSWORD) == "temporary-auth-failure"
        for wait in (1, 2, 4):
            service.clock.advance(wait - 0.1)
            assert await guess(service, "romeo") == "temporary-auth-failure"
            service.clock.advance(0.2)
            assert await guess(service, "romeo") == "not-authorized"
        service.clock.advance(30)
        assert await guess(service, "romeo", PASSWORD) == "temporary-auth-failure"
        service.clock.advance(31)
        assert await guess(service, "romeo", PASSWORD) == "success"


async def test_an_account_that_is_not_there_costs_the_same(tmp_path: Path) -> None:
    async with serving(tmp_path, auth=AUTH) as service:
        for name in ("juliet", "nobody"):
            found = [await guess(service, name) for _ in range(5)]
            assert found == ["not-authorized"] * 3 + ["temporary-auth-failure"] * 2, name


async def test_many_names_from_one_address(tmp_path: Path) -> None:
    """Spraying one password over all accounts: the address has to wait as well."""
    auth = f"{AUTH}\naddress-factor = 2"
    async with serving(tmp_path, auth=auth, limits="connection-burst = 1000") as service:
        found = [await guess(service, f"user{n}") for n in range(12)]
        assert found[:6] == ["not-authorized"] * 6
        assert set(found[6:]) == {"temporary-auth-failure"}
        assert len(service.server.auth_limits._accounts) <= 7


async def test_the_owner_is_not_locked_out_by_strangers(tmp_path: Path) -> None:
    """An address from which the owner has logged in counts for itself."""
    async with serving(tmp_path, auth=AUTH) as service:
        assert await guess(service, "romeo", PASSWORD) == "success"
        limits = service.server.auth_limits
        for _ in range(50):
            limits.failed(ROMEO, "192.0.2.1")
        assert await guess(service, "romeo", PASSWORD) == "success"


REQUESTS = {
    "disco of an account": ("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", ""),
    "items of an account": ("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", ""),
    "disco of a node": (
        "get",
        "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>",
        "",
    ),
    "last activity": ("get", "<query xmlns='jabber:iq:last'/>", ""),
    "vCard": ("get", "<vCard xmlns='vcard-temp'/>", ""),
    "version": ("get", "<query xmlns='jabber:iq:version'/>", ""),
    "ping": ("get", "<ping xmlns='urn:xmpp:ping'/>", ""),
    "roster": ("get", "<query xmlns='jabber:iq:roster'/>", ""),
    "roster set": (
        "set",
        "<query xmlns='jabber:iq:roster'><item jid='mallory@verona.lit'/></query>",
        "",
    ),
    "private": ("get", "<query xmlns='jabber:iq:private'><x xmlns='u'/></query>", ""),
    "unknown": ("get", "<query xmlns='urn:x'/>", ""),
    "ping of a resource": ("get", "<ping xmlns='urn:xmpp:ping'/>", "/x"),
}


def shape(answers: list[Element], name: str) -> str:
    return "".join(write(answer) for answer in answers).replace(name, "NAME")


@pytest.mark.parametrize(("kind", "payload", "resource"), REQUESTS.values(), ids=REQUESTS)
async def test_requests_do_not_tell(kind: str, payload: str, resource: str, tmp_path: Path) -> None:
    """RFC 6121 §8.5, XEP-0030 §8: an account's answer to a stranger is nobody's answer."""
    async with serving(tmp_path, clear=True) as service:
        await service.online("juliet@verona.lit/b", available=True)
        mallory = await service.online("mallory@verona.lit/m")
        answers = {}
        for name in ("juliet", "romeo", "nobody"):  # online, offline, not there
            to = f"{name}@verona.lit{resource}"
            answer = await mallory.ask(f"<iq type='{kind}' id='1' to='{to}'>{payload}</iq>")
            answers[name] = shape([answer], name)
        assert answers["romeo"] == answers["nobody"]
        assert answers["juliet"] == answers["nobody"]


STANZAS = [
    "<message to='{}' type='chat' id='1'><body>x</body></message>",
    "<message to='{}' id='1'><body>x</body></message>",
    "<message to='{}' type='headline' id='1'><body>x</body></message>",
    "<message to='{}' type='groupchat' id='1'><body>x</body></message>",
    "<message to='{}' type='error' id='1'/>",
    "<message to='{}/x' type='groupchat' id='1'><body>x</body></message>",
    "<presence to='{}' type='subscribe'/>",
    "<presence to='{}' type='subscribed'/>",
    "<presence to='{}' type='unsubscribe'/>",
    "<presence to='{}' type='probe'/>",
    "<presence to='{}'/>",
    "<presence to='{}/x' type='unavailable'/>",
]


@pytest.mark.parametrize("stanza", STANZAS)
async def test_messages_and_presence_do_not_tell(stanza: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m", available=True)
        answers = {}
        for name in ("romeo", "nobody"):
            await mallory.send(stanza.format(f"{name}@verona.lit"))
            answers[name] = shape(await mallory.barrier(), name)
        assert answers["romeo"] == answers["nobody"]


async def test_registration_tells_no_more_than_it_must(tmp_path: Path) -> None:
    """That a name is taken, a few times an hour; nothing at all where it is closed."""
    asked = (
        "<iq type='set' id='1'><query xmlns='jabber:iq:register'>"
        "<username>{}</username><password>long enough to be taken</password></query></iq>"
    )
    async with serving(tmp_path, clear=True) as service:
        client = await fresh(service)
        answers = [await client.ask(asked.format(name)) for name in ("romeo", "new")]
        assert answers[0] == answers[1]
        assert condition(answers[0]) in ("not-allowed", "service-unavailable")
        assert await service.server.accounts.exists(JULIET)
    async with serving(tmp_path / "open", clear=True, host='registration = "open"') as service:
        client = await fresh(service)
        answers = [await client.ask(asked.format(f"romeo{n}")) for n in range(8)]
        made = [a for a in answers if a.attrs["type"] == "result"]
        assert len(made) == 5
        assert condition(answers[-1]) == "not-acceptable"
        answer = await client.ask(asked.format("romeo"))
        assert condition(answer) == "not-acceptable"  # and not: conflict


async def fresh(service: Service) -> Client:
    client = await service.connect()
    await client.open("verona.lit")
    return client


async def test_the_cost_of_strangers_names_is_bounded(tmp_path: Path) -> None:
    """Asking about thousands of names fills no table without an end."""
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m")
        for number in range(300):
            await mallory.send(f"<presence to='x{number}@verona.lit' type='probe'/>")
        await mallory.barrier()
        from pyrite.server import rosters

        assert len(service.server.rosters._kept) <= rosters.MAX_ROSTERS
        assert not await service.server.accounts.exists(JID.parse("x1@verona.lit"))
