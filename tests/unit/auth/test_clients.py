"""Tokens instead of passwords: who is given one, what it is good for, and when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pyrite.core.errors import SaslError
from pyrite.core.jid import JID
from pyrite.core.sasl import TOKEN_MECHANISMS, HtClient
from pyrite.server.auth import Caller, Channel, Exchange, Issued, Success
from pyrite.server.auth.clients import HELD, Login
from pyrite.server.store.clients import Client
from unit.auth.world import BINDINGS, JULIET, NOBODY, PASSWORD, ROMEO, SECURE, World, options

EXPR, ENDP, NONE = TOKEN_MECHANISMS
PHONE, TABLET = "d4565fa7-4d72-4749-b3d3-740edbf87770", "11111111-2222-4333-8444-555555555555"
DAY = 86_400.0
CALLER = Caller(ROMEO, PHONE, "Gajim", "phone", wants=EXPR)


async def enter(
    world: World, caller: Caller = CALLER, channel: Channel = SECURE
) -> tuple[Success, Issued | None]:
    """Log in with the password, as `caller`."""
    exchange = world.authenticator.exchange(channel, caller)
    message = f"\0{(caller.sender or ROMEO).local}\0{PASSWORD}".encode()
    success = await exchange.start("PLAIN", message)
    assert isinstance(success, Success)
    return success, await exchange.enter(success)


async def come(
    world: World,
    token: str,
    mechanism: str = EXPR,
    caller: Caller = CALLER,
    channel: Channel = SECURE,
    name: str = "romeo",
) -> Issued | None:
    """Log in by `token`; raises what either side raises."""
    caller = replace(caller, is_token=True)
    exchange = world.authenticator.exchange(channel, caller)
    client = HtClient(mechanism, name, token, channel.bindings)
    success = await exchange.start(mechanism, client.start())
    assert isinstance(success, Success)
    client.finish(success.data)
    return await exchange.enter(success)


async def failure(world: World, token: str, *more: object, **named: object) -> str:
    try:
        await come(world, token, *more, **named)  # type: ignore[arg-type]
    except SaslError as error:
        return error.condition
    raise AssertionError("got in")


@pytest.fixture
async def token(world: World) -> str:
    """One of Romeo's phone, for EXPR."""
    for account in (ROMEO, JULIET):
        await world.accounts.create(account, PASSWORD)
    _, issued = await enter(world)
    assert issued
    return issued.token


@pytest.fixture
def later() -> Caller:
    """The phone, which has a token and wants no other."""
    return replace(CALLER, wants=None)


async def test_in_with_a_token(world: World, token: str, later: Caller) -> None:
    for _ in range(3):
        assert await come(world, token, caller=later) is None
    (client,) = await world.clients.list(ROMEO)
    expires = world.clock.now() + timedelta(days=30)
    now = world.clock.now()
    assert client == Client(PHONE, "Gajim", "phone", None, True, now, now, (expires,))


@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_a_token_is_for_one_mechanism(world: World, token: str, mechanism: str) -> None:
    """XEP-0484 §3.4: or whoever takes the channel binding away has won."""
    _, issued = await enter(world, replace(CALLER, wants=mechanism))
    assert issued
    for name in TOKEN_MECHANISMS:
        if name == mechanism:
            await come(world, issued.token, name)
        else:
            assert await failure(world, issued.token, name) == "not-authorized"


async def test_nothing_tells_a_token_from_a_stranger(world: World, token: str) -> None:
    """No account, no client, no token, another's token: the same word, the same work."""
    shut = JID.parse("tybalt@verona.lit")
    await world.accounts.create(shut, PASSWORD)
    await world.accounts.disable(shut)
    unknown = Caller(None, TABLET)
    told = {
        await failure(world, token[::-1]),
        await failure(world, token, caller=Caller(None, PHONE), name="nobody"),
        await failure(world, token, caller=Caller(None, PHONE), name="tybalt"),
        await failure(world, token, caller=Caller(None, PHONE), name="juliet"),
        await failure(world, token, caller=unknown),
    }
    assert told == {"not-authorized"}
    for account, client in ((ROMEO, PHONE), (ROMEO, TABLET), (NOBODY, PHONE)):
        held = await world.clients.held(account, client, EXPR)
        assert len(held) == HELD
        assert len({one.secret for one in held}) == HELD


async def test_who_says_no_id_gets_no_token(world: World, token: str) -> None:
    for caller in (Caller(wants=EXPR), Caller(None, PHONE, wants="PLAIN")):
        assert (await enter(world, caller))[1] is None
    assert await failure(world, token, caller=Caller()) == "invalid-mechanism"


async def test_without_the_word_a_token_is_not_offered(world: World, token: str) -> None:
    """XEP-0484 §3.4: ``<fast/>`` says that what is proven is a token."""
    exchange = world.authenticator.exchange(SECURE, CALLER)
    client = HtClient(EXPR, "romeo", token, BINDINGS)
    with pytest.raises(SaslError, match="invalid-mechanism"):
        await exchange.start(EXPR, client.start())


async def test_in_the_name_of_another(world: World, token: str) -> None:
    """XEP-0388 §2.3: who opens a stream as one and proves to be another is refused."""
    assert await failure(world, token, caller=replace(CALLER, sender=JULIET)) == "invalid-authzid"
    exchange = world.authenticator.exchange(SECURE, replace(CALLER, sender=JULIET))
    with pytest.raises(SaslError, match="invalid-authzid"):
        await exchange.start("PLAIN", f"\0romeo\0{PASSWORD}".encode())


async def test_a_token_expires(world: World, token: str, later: Caller) -> None:
    world.clock.advance(30 * DAY - 1)
    assert await come(world, token, caller=later)  # and is given the next
    world.clock.advance(1)
    assert await failure(world, token, caller=later) == "credentials-expired"
    assert await failure(world, token[::-1], caller=later) == "not-authorized"


async def test_a_token_is_replaced_when_it_has_served(
    world: World, token: str, later: Caller
) -> None:
    """XEP-0484 §3.5."""
    world.clock.advance(DAY - 1)
    assert await come(world, token, caller=later) is None
    world.clock.advance(1)
    following = await come(world, token, caller=later)
    assert following
    assert await come(world, token, caller=later) is not None  # the answer may have been lost
    following = await come(world, token, caller=later)
    assert following
    assert await come(world, following.token, caller=later) is None
    assert await failure(world, token, caller=later) == "not-authorized"


async def test_the_last_use(world: World, token: str, later: Caller) -> None:
    """XEP-0484 §3.6: and nothing new, unless it is asked for."""
    world.clock.advance(DAY)
    assert await come(world, token, caller=replace(later, ends=True)) is None
    assert await failure(world, token, caller=later) == "not-authorized"
    _, issued = await enter(world)
    assert issued
    again = await come(world, issued.token, caller=replace(CALLER, ends=True))
    assert again
    assert await failure(world, issued.token, caller=later) == "not-authorized"
    await come(world, again.token, caller=later)


async def test_a_count_is_not_taken_twice(world: World, token: str, later: Caller) -> None:
    counted = [replace(later, count=count) for count in (1, 1, 0, 2)]
    await come(world, token, caller=counted[0])
    for caller in (counted[1], counted[2], later):
        assert await failure(world, token, caller=caller) == "not-authorized"
    await come(world, token, caller=counted[3])


async def test_what_ends_all_tokens(world: World, token: str, later: Caller) -> None:
    _, juliet = await enter(world, replace(CALLER, sender=JULIET))
    assert juliet
    await world.accounts.change_password(ROMEO, PASSWORD + "!")
    assert await failure(world, token, caller=later) == "not-authorized"
    assert [client.password for client in await world.clients.list(ROMEO)] == [False]
    await world.accounts.change_password(ROMEO, PASSWORD)
    _, issued = await enter(world)
    assert issued
    await world.accounts.disable(ROMEO)
    assert await failure(world, issued.token, caller=later) == "not-authorized"
    await world.accounts.enable(ROMEO)
    assert await failure(world, issued.token, caller=later) == "not-authorized"
    _, issued = await enter(world)
    assert issued
    await world.accounts.delete(ROMEO)
    await world.accounts.create(ROMEO, PASSWORD)
    assert await failure(world, issued.token, caller=later) == "not-authorized"
    sender = replace(later, sender=JULIET)
    await come(world, juliet.token, caller=sender, name="juliet")


async def test_who_began_with_the_old_password(world: World, token: str) -> None:
    """A log-in that is held open until the password is another gets nowhere."""
    begun = world.authenticator.exchange(SECURE, CALLER)
    half: Exchange = world.authenticator.exchange(SECURE, CALLER)
    other = world.authenticator.exchange(SECURE, replace(CALLER, sender=JULIET))
    success = await half.start("PLAIN", f"\0romeo\0{PASSWORD}".encode())
    assert isinstance(success, Success)
    juliet = await other.start("PLAIN", f"\0juliet\0{PASSWORD}".encode())
    assert isinstance(juliet, Success)
    await world.accounts.change_password(ROMEO, PASSWORD + "!")
    with pytest.raises(SaslError, match="not-authorized"):
        await half.enter(success)
    with pytest.raises(SaslError, match="not-authorized"):
        await begun.start("PLAIN", f"\0romeo\0{PASSWORD}!".encode())
    assert await other.enter(juliet)


async def test_who_comes_often_leaves_nothing_to_write(
    world: World, token: str, later: Caller
) -> None:
    """Not for an hour: then it is kept once more when the client was last seen."""
    await come(world, token, caller=later)
    writes = world.stores.engine.writes
    for seconds, more in ((0, 0), (3599, 0), (1, 1), (1, 1)):
        world.clock.advance(seconds)
        await come(world, token, caller=later)
        assert world.stores.engine.writes == writes + more
    (client,) = await world.clients.list(ROMEO)
    assert world.clock.now() - client.last_seen == timedelta(seconds=1)
    await come(world, token, caller=replace(later, count=1))
    assert world.stores.engine.writes == writes + 2


async def test_a_client_that_is_shut_out_meanwhile(world: World, token: str, later: Caller) -> None:
    """Also one that would leave nothing to write."""
    await come(world, token, caller=later)
    exchange = world.authenticator.exchange(SECURE, replace(later, is_token=True))
    success = await exchange.start(EXPR, HtClient(EXPR, "romeo", token, BINDINGS).start())
    assert isinstance(success, Success)
    await world.clients.forget(ROMEO, PHONE)
    with pytest.raises(SaslError, match="not-authorized"):
        await exchange.enter(success)


async def test_two_at_once_with_one_count(world: World, token: str, later: Caller) -> None:
    caller = replace(later, is_token=True, count=7)
    both = [world.authenticator.exchange(SECURE, caller) for _ in range(2)]
    client = HtClient(EXPR, "romeo", token, BINDINGS)
    first, second = [await one.start(EXPR, client.start()) for one in both]
    assert isinstance(first, Success)
    assert isinstance(second, Success)
    assert await both[0].enter(first) is None
    with pytest.raises(SaslError, match="not-authorized"):
        await both[1].enter(second)


async def test_a_wrong_token_is_a_guess(world: World, token: str) -> None:
    world.configure(options(free_attempts=2, attempts=3))
    for _ in range(2):
        assert await failure(world, token[::-1]) == "not-authorized"
    assert await failure(world, token) == "temporary-auth-failure"


async def test_no_tokens_here(world: World, token: str) -> None:
    world.configure(options(tokens=False))
    assert world.authenticator.token_mechanisms(SECURE) == ()
    assert await failure(world, token) == "invalid-mechanism"
    assert (await enter(world))[1] is None


async def test_what_a_channel_is_offered(world: World) -> None:
    offered = world.authenticator.token_mechanisms
    assert offered(SECURE) == (EXPR, ENDP, NONE)
    assert offered(Channel(True, {}, "192.0.2.1")) == (NONE,)
    assert offered(Channel(False, BINDINGS, "192.0.2.1")) == ()


async def test_addresses_are_kept_only_if_wanted(world: World, token: str) -> None:
    assert [client.address for client in await world.clients.list(ROMEO)] == [None]
    world.configure(options(client_addresses=True))
    await enter(world)
    assert [client.address for client in await world.clients.list(ROMEO)] == ["192.0.2.1"]


async def test_guests_leave_nothing(world: World) -> None:
    world.configure(options(mechanisms=("ANONYMOUS",)))
    exchange = world.authenticator.exchange(SECURE, CALLER)
    success = await exchange.start("ANONYMOUS", b"")
    assert isinstance(success, Success)
    assert await exchange.enter(success) is None
    assert await world.clients.list(success.jid) == []


async def test_a_secret_that_is_lost_voids_all_tokens(world: World, token: str) -> None:
    world.configure(options(), secret=b"another secret of the same length")
    assert await failure(world, token) == "not-authorized"


async def test_names_that_tell_nothing(world: World) -> None:
    clients = world.clients
    names = {clients.resource(account, id) for account in (ROMEO, JULIET) for id in (PHONE, TABLET)}
    names |= {clients.reference(ROMEO, id) for id in (PHONE, TABLET)}
    assert len(names) == 6
    assert clients.resource(ROMEO, PHONE) in names
    assert not any(PHONE[:4] in name for name in names)


def test_what_proves_a_password() -> None:
    for name in ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "PLAIN", "DIGEST-MD5"):
        assert Login(name).by_password
    for name in ("EXTERNAL", "ANONYMOUS", *TOKEN_MECHANISMS):
        assert not Login(name).by_password
