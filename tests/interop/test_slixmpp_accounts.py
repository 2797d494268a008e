"""Accounts that users make, change and delete themselves (XEP-0077)."""

import pytest
from slixmpp.exceptions import IqError

from .people import PATIENCE, Cast, Person, Refused, befriend, settle
from .servers import MANTUA, VERONA


async def register(person: Person) -> None:
    """Ask for an account before logging in. Raises IqError when it is refused."""
    register = person.client
    register.register_plugin("xep_0077")
    jid = person.client.requested_jid
    errors: list[IqError] = []

    async def fill_in(form: object) -> None:
        iq = register.make_iq_set()
        iq["register"]["username"] = jid.local
        iq["register"]["password"] = person.password
        try:
            await iq.send(timeout=PATIENCE)
        except IqError as error:
            errors.append(error)

    register.add_event_handler("register", fill_in)
    try:
        await person.log_in()
    except Refused:
        if errors:
            raise errors[0] from None
        raise


async def test_registration_where_it_is_open(cast: Cast) -> None:
    newcomer = cast.person(f"balthasar-{id(cast)}@{MANTUA}", password="to Mantua!")
    await register(newcomer)
    assert newcomer.bare.startswith("balthasar")
    await newcomer.leave()
    await cast.person(newcomer.bare, password="to Mantua!").log_in()


async def test_an_account_that_exists_is_not_made_again(cast: Cast) -> None:
    jid = cast.account("romeo", MANTUA)
    thief = cast.person(jid, password="another password")
    with pytest.raises(IqError, match="conflict"):
        await register(thief)


async def test_registration_is_closed_elsewhere(cast: Cast) -> None:
    stranger = cast.person(f"stranger-{id(cast)}@{VERONA}", password="let me in")
    stranger.client.register_plugin("xep_0077", {"force_registration": True})
    with pytest.raises((Refused, IqError)):
        await register(stranger)
    with pytest.raises(Refused, match="not-authorized"):
        await cast.person(f"stranger-{id(cast)}@{VERONA}", password="let me in").log_in()


async def test_a_password_is_changed(cast: Cast) -> None:
    romeo = await cast.enter("romeo", plugins=["xep_0077"])
    await romeo["xep_0077"].change_password("Rosaline no more", jid=VERONA, timeout=PATIENCE)
    await romeo.leave()
    with pytest.raises(Refused, match="not-authorized"):
        await cast.person(romeo.bare).log_in()
    await cast.person(romeo.bare, password="Rosaline no more").log_in(mechanism="SCRAM-SHA-1")


async def test_an_account_is_deleted(cast: Cast) -> None:
    """XEP-0077 §3.2: every session ends, friends are told, and nothing is left."""
    romeo = await cast.enter("romeo", plugins=["xep_0077"])
    juliet = await cast.enter("juliet")
    await befriend(romeo, juliet)
    gone = romeo.is_gone()
    request = romeo.client.make_iq_set()
    request["register"]["remove"] = True
    request.send(callback=lambda _: None)
    await gone
    await juliet.presence("unavailable", romeo.full)
    await juliet.presence("unsubscribed", romeo.bare)
    await settle(juliet)
    with pytest.raises(Refused, match="not-authorized"):
        await cast.person(romeo.bare).log_in()
    cast.server.add(romeo.bare, "a new owner")
    heir = await cast.person(romeo.bare, password="a new owner").log_in()
    assert await heir.roster() == {}
