"""The clients of an account, and what becomes of their tokens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pyrite.core.jid import JID
from pyrite.core.sasl.keys import Keys
from pyrite.server.store import Stores
from pyrite.server.store.clients import Client, Token, Visit

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@verona.lit")
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PHONE, TABLET = "phone", "tablet"
NONE, EXPR = "HT-SHA-256-NONE", "HT-SHA-256-EXPR"
KEYS = Keys("SCRAM-SHA-256", b"salt", 4096, bytes(32), bytes(32))


def token(salt: bytes, mechanism: str = NONE, days: int = 30) -> Token:
    return Token(mechanism, salt, START, START + days * DAY)


async def enter(stores: Stores, visit: Visit, owner: JID = ROMEO, limit: int = 9) -> bool:
    return await stores.clients.enter(owner, visit, limit=limit, since=START - DAY)


async def salts(stores: Stores, owner: JID = ROMEO, client: str = PHONE) -> list[bytes]:
    return [one.salt for one in await stores.clients.tokens(owner, client, NONE)]


async def test_what_is_known_of_a_client(stores: Stores) -> None:
    first = Visit(PHONE, START, "Gajim", "laptop", "192.0.2.1", password=True)
    assert await enter(stores, first)
    assert await enter(stores, Visit(TABLET, START + DAY))
    assert await enter(stores, Visit(PHONE, START + 2 * DAY, device="desk"))
    assert await stores.clients.list(ROMEO) == [
        Client(PHONE, "Gajim", "desk", None, True, START, START + 2 * DAY),
        Client(TABLET, None, None, None, False, START + DAY, START + DAY),
    ]
    assert await stores.clients.list(JULIET) == []
    assert await stores.clients.forget(ROMEO, TABLET)
    assert not await stores.clients.forget(ROMEO, TABLET)
    assert [client.id for client in await stores.clients.list(ROMEO)] == [PHONE]


async def test_the_new_token_ends_the_old_one_when_it_is_used(stores: Stores) -> None:
    """XEP-0484 §3.5, §5: not when it is issued, or a client that missed it were locked out."""
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    assert await enter(stores, Visit(PHONE, START, used=b"a"))
    await enter(stores, Visit(PHONE, START, used=b"a", issued=token(b"b")))
    assert await salts(stores) == [b"b", b"a"]
    assert await enter(stores, Visit(PHONE, START, used=b"a"))
    assert await enter(stores, Visit(PHONE, START, used=b"b"))
    assert await salts(stores) == [b"b"]
    assert not await enter(stores, Visit(PHONE, START, used=b"a"))
    assert await enter(stores, Visit(PHONE, START, used=b"b"))


async def test_a_token_that_was_never_used_makes_way(stores: Stores) -> None:
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    await enter(stores, Visit(PHONE, START, issued=token(b"b")))
    assert await salts(stores) == [b"b"]


async def test_a_token_is_of_one_client_of_one_account(stores: Stores) -> None:
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    assert not await enter(stores, Visit(TABLET, START, used=b"a"))
    assert not await enter(stores, Visit(PHONE, START, used=b"a"), JULIET)
    assert await stores.clients.list(JULIET) == []
    assert await stores.clients.tokens(ROMEO, PHONE, EXPR) == []
    assert await stores.clients.tokens(ROMEO, PHONE, NONE) == [token(b"a")]


async def test_the_count_grows(stores: Stores) -> None:
    """XEP-0484 §3.4; who has begun to count goes on with it."""
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    for count, is_new in (
        (None, True),
        (3, True),
        (3, False),
        (2, False),
        (None, False),
        (4, True),
    ):
        assert await enter(stores, Visit(PHONE, START, used=b"a", count=count)) is is_new
    assert (await stores.clients.tokens(ROMEO, PHONE, NONE))[0].count == 4


async def test_the_last_use_of_a_token(stores: Stores) -> None:
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    await enter(stores, Visit(PHONE, START, used=b"a", issued=token(b"b")))
    assert await enter(stores, Visit(PHONE, START, used=b"a", ends=True))
    assert await salts(stores) == []
    assert await enter(stores, Visit(PHONE, START, ends=True, issued=token(b"c")))
    assert await salts(stores) == [b"c"]


async def test_when_tokens_expire(stores: Stores) -> None:
    await enter(stores, Visit(PHONE, START, issued=token(b"a", days=2)))
    await enter(stores, Visit(PHONE, START, used=b"a", issued=token(b"b", days=3)))
    (client,) = await stores.clients.list(ROMEO)
    assert client.tokens == (START + 2 * DAY, START + 3 * DAY)


async def test_clients_that_are_not_seen_any_more(stores: Stores) -> None:
    for day, name in enumerate("abcd"):
        visit = Visit(name, START + day * DAY, issued=token(name.encode()))
        await enter(stores, visit, limit=3)
    assert [client.id for client in await stores.clients.list(ROMEO)] == ["b", "c", "d"]
    assert await salts(stores, client="a") == []
    await stores.clients.enter(JULIET, Visit("e", START + 3 * DAY), limit=3, since=START + 3 * DAY)
    assert [client.id for client in await stores.clients.list(ROMEO)] == ["d"]
    assert await salts(stores, client="c") == []


async def test_clients_that_come_once_take_nobodys_place(stores: Stores) -> None:
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    await enter(stores, Visit(PHONE, START, used=b"a"))
    await enter(stores, Visit(TABLET, START + DAY, issued=token(b"b")))
    for day in (2, 3, 4):
        await enter(stores, Visit(f"{day}", START + day * DAY), limit=3)
        issued = Visit(f"{day} too", START + day * DAY, issued=token(b"c"))
        await enter(stores, issued, limit=3)
    assert [one.id for one in await stores.clients.list(ROMEO)] == [PHONE, "3 too", "4 too"]


async def test_another_password_ends_all_tokens(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [KEYS], START)
    for owner in (ROMEO, JULIET):
        visit = Visit(PHONE, START, password=True, issued=token(b"a"))
        await enter(stores, visit, owner)
    assert await stores.accounts.set_keys(ROMEO, [replace(KEYS, salt=b"new")])
    assert await salts(stores) == []
    assert [client.password for client in await stores.clients.list(ROMEO)] == [False]
    assert await salts(stores, JULIET) == [b"a"]
    assert [client.password for client in await stores.clients.list(JULIET)] == [True]


async def test_a_disabled_account_has_no_tokens(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [KEYS], START)
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    assert await stores.accounts.set_disabled(ROMEO, False)
    assert await salts(stores) == [b"a"]
    assert await stores.accounts.set_disabled(ROMEO, True)
    assert await salts(stores) == []


async def test_a_deleted_account_has_no_clients(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [KEYS], START)
    await enter(stores, Visit(PHONE, START, issued=token(b"a")))
    await stores.accounts.delete(ROMEO)
    assert await stores.clients.list(ROMEO) == []
    assert await salts(stores) == []


async def test_keys_that_an_account_lacks(stores: Stores) -> None:
    await stores.accounts.create(ROMEO, [KEYS], START)
    other = replace(KEYS, mechanism="SCRAM-SHA-512")
    assert not await stores.accounts.complete_keys(JULIET, other)
    assert await stores.accounts.complete_keys(ROMEO, other)
    assert not await stores.accounts.complete_keys(ROMEO, replace(other, salt=b"another"))
    found = await stores.accounts.find(ROMEO)
    assert found
    assert set(found.keys) == {KEYS, other}
