"""The account service, over the real store."""

import pytest

from pyrite.core.jid import JID
from pyrite.server.accounts import (
    AccountCreated,
    AccountDeleted,
    AccountDisabled,
    AccountEnabled,
    AccountError,
    PasswordChanged,
)
from unit.auth.world import JULIET, NOBODY, PASSWORD, ROMEO, World, options


async def test_an_account_has_keys_for_every_hash(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    shown = await world.accounts.show(ROMEO)
    assert shown.mechanisms == ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")
    assert (shown.jid, shown.created, shown.disabled) == (ROMEO, world.clock.now(), False)
    found = await world.stores.accounts.find(ROMEO)
    assert found is not None
    assert len({keys.salt for keys in found.keys}) == 3
    assert {keys.iterations for keys in found.keys} == {4096}
    for mechanism in shown.mechanisms:
        assert (await world.login("romeo", PASSWORD, mechanism)).jid == ROMEO


async def test_each_change_is_told_once_it_is_kept(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    await world.accounts.set_password(ROMEO, "another")
    await world.accounts.disable(ROMEO)
    await world.accounts.enable(ROMEO)
    await world.accounts.delete(ROMEO)
    assert world.told == [
        AccountCreated(ROMEO),
        PasswordChanged(ROMEO),
        AccountDisabled(ROMEO),
        AccountEnabled(ROMEO),
        AccountDeleted(ROMEO),
    ]


async def test_what_fails_is_not_told(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    world.told.clear()
    accounts = world.accounts
    for attempt, condition in [
        (accounts.create(ROMEO, PASSWORD), "conflict"),
        (accounts.register(ROMEO, PASSWORD), "conflict"),
        (accounts.delete(NOBODY), "item-not-found"),
        (accounts.set_password(NOBODY, PASSWORD), "item-not-found"),
        (accounts.change_password(NOBODY, PASSWORD), "item-not-found"),
        (accounts.disable(NOBODY), "item-not-found"),
        (accounts.enable(NOBODY), "item-not-found"),
        (accounts.show(NOBODY), "item-not-found"),
        (accounts.create(JID.parse("romeo@mantua.lit"), PASSWORD), "item-not-found"),
        (accounts.create(JID.parse("verona.lit"), PASSWORD), "bad-request"),
        (accounts.create(ROMEO.at("orchard"), PASSWORD), "bad-request"),
        (accounts.create(JID("Romeo", "verona.lit"), PASSWORD), "not-acceptable"),
        (accounts.create(JID("ro meo", "verona.lit"), PASSWORD), "not-acceptable"),
        (accounts.create(JULIET, ""), "not-acceptable"),
        (accounts.create(JULIET, "\u00ad"), "not-acceptable"),
        (accounts.create(JULIET, "a\nb"), "not-acceptable"),
        (accounts.create(JULIET, "\ud800"), "not-acceptable"),
        (accounts.create(JULIET, "x" * 1025), "not-acceptable"),
    ]:
        with pytest.raises(AccountError) as raised:
            await attempt
        assert raised.value.condition == condition
        assert raised.value.text
    assert world.told == []
    assert await accounts.count("verona.lit") == 1


async def test_the_old_password_is_gone(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    await world.accounts.set_password(ROMEO, "another")
    assert (await world.failure("romeo", PASSWORD)).condition == "not-authorized"
    assert (await world.login("romeo", "another")).jid == ROMEO


async def test_accounts_are_listed_in_pages(world: World) -> None:
    for jid in (ROMEO, JULIET, NOBODY):
        await world.accounts.create(jid, PASSWORD)
    assert await world.accounts.list("verona.lit") == [JULIET, NOBODY, ROMEO]
    assert await world.accounts.list("verona.lit", limit=1) == [JULIET]
    assert await world.accounts.list("verona.lit", after=JULIET, limit=1) == [NOBODY]
    assert await world.accounts.list("verona.lit", limit=-1) == []
    assert await world.accounts.list("mantua.lit") == []
    assert await world.accounts.count("verona.lit") == 3


async def test_existence(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    await world.accounts.disable(ROMEO)
    assert await world.accounts.exists(ROMEO)
    assert not await world.accounts.exists(JULIET)
    assert not await world.accounts.exists(JID.parse("verona.lit"))


@pytest.mark.parametrize(
    ("name", "password", "condition"),
    [
        ("benvolio", "correct horse", None),
        ("benvolio", "short", "not-acceptable"),
        ("benvolio", "Benvolio", "not-acceptable"),
        ("benvolio", "oilovneb", "not-acceptable"),
        ("benvolio", "Password123", "not-acceptable"),
        ("benvolio", "zzzzzzzzz", "not-acceptable"),
        ("benvolio", "\U0001f511\U0001f3f0 of my own", None),
        ("adm1n", "correct horse", "not-allowed"),
        ("a.d-m_i.n", "correct horse", "not-allowed"),
        ("\u0430dmin", "correct horse", "not-allowed"),
        ("admln", "correct horse", "not-allowed"),
        ("adrnin", "correct horse", "not-allowed"),
        ("administer", "correct horse", None),
        ("benv\u043elio", "correct horse", "not-acceptable"),  # one Cyrillic letter
        ("\u0431\u0435\u043d\u0432\u043e\u043b\u0438\u043e", "correct horse", None),
        ("\u592a\u90ceben", "correct horse", None),
    ],
)
async def test_registration_has_rules(
    world: World, name: str, password: str, condition: str | None
) -> None:
    world.configure(options(reserved_names=("admin", "support")))
    jid = JID.parse(f"{name}@verona.lit")
    if condition is None:
        await world.accounts.register(jid, password)
        assert (await world.login(name, password)).jid == jid
        return
    with pytest.raises(AccountError) as raised:
        await world.accounts.register(jid, password)
    assert raised.value.condition == condition


async def test_rules_can_be_relaxed(world: World) -> None:
    world.configure(options(password_length=4, common_passwords=True, mixed_scripts=True))
    await world.accounts.register(JID.parse("benv\u043elio@verona.lit"), "root")


async def test_an_operator_may_set_any_password(world: World) -> None:
    await world.accounts.create(ROMEO, "romeo")
    await world.accounts.set_password(ROMEO, "1")
    with pytest.raises(AccountError, match="less than 8"):
        await world.accounts.change_password(ROMEO, "1")
    assert (await world.login("romeo", "1")).jid == ROMEO


async def test_a_deleted_name_rests(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    await world.accounts.delete(ROMEO)
    world.clock.advance(89 * 24 * 3600)
    with pytest.raises(AccountError) as raised:
        await world.accounts.register(ROMEO, PASSWORD)
    assert raised.value.condition == "conflict"
    world.clock.advance(2 * 24 * 3600)
    await world.accounts.register(ROMEO, PASSWORD)


async def test_an_operator_may_give_a_deleted_name_again(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    await world.accounts.delete(ROMEO)
    await world.accounts.create(ROMEO, PASSWORD)


async def test_nothing_secret_is_shown(world: World) -> None:
    await world.accounts.create(ROMEO, PASSWORD)
    found = await world.stores.accounts.find(ROMEO)
    assert found is not None
    shown = f"{await world.accounts.show(ROMEO)!r} {found!r}"
    for keys in found.keys:
        assert repr(keys.stored_key) not in shown
        assert repr(keys.server_key) not in shown
