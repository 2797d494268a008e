"""Presence (RFC 6121 §4)."""

from slixmpp.stanza import Presence

from .people import Cast, attribute, befriend, child, settle


async def test_friends_see_each_other_come_change_and_go(cast: Cast) -> None:
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")
    await befriend(romeo, juliet)
    await romeo.appear(pshow="away", pstatus="under the balcony", ppriority=3)
    seen = await juliet.presence(sender=romeo.full)
    assert (seen["show"], seen["status"], seen["priority"]) == ("away", "under the balcony", 3)
    await romeo.leave()
    await juliet.presence("unavailable", romeo.full)


async def test_who_comes_later_is_told_who_is_there(cast: Cast) -> None:
    """§4.3: the probe at login is answered for each resource with its last presence."""
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")
    await befriend(romeo, juliet)
    garden = await cast.again(juliet, "garden")
    await garden.appear(pstatus="among the roses")
    await romeo.leave()
    back = await cast.again(romeo, "orchard")
    await back.presence(sender=juliet.full)
    assert (await back.presence(sender=garden.full))["status"] == "among the roses"


async def test_a_lost_connection_is_told_as_unavailable(cast: Cast) -> None:
    """§4.5.2: the server speaks for a client that can no longer."""
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")
    await befriend(romeo, juliet)
    await romeo.break_off()
    await juliet.presence("unavailable", romeo.full)


async def test_strangers_are_told_nothing(cast: Cast) -> None:
    romeo, tybalt = await cast.enter("romeo"), await cast.enter("tybalt")
    romeo.send_presence(pstatus="here I am")
    tybalt.send_presence(romeo.bare, "probe")
    await settle(romeo, tybalt)
    told = [s for s in tybalt.heard if isinstance(s, Presence)]
    assert not [s for s in told if s.get_from().bare == romeo.bare and not attribute(s, "type")]
    assert not [s for s in tybalt.unheard(Presence) if "here I am" in s]


async def test_presence_to_one_person(cast: Cast) -> None:
    """§4.6: it reaches that one, and so does the end of it, however that comes about."""
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")
    romeo.send_presence(juliet.full, pstatus="for you alone")
    seen = await juliet.presence(sender=romeo.full)
    assert seen["status"] == "for you alone"
    assert attribute(seen, "to") == juliet.full
    await romeo.break_off()
    await juliet.presence("unavailable", romeo.full)


async def test_directed_presence_that_was_taken_back_is_not_repeated(cast: Cast) -> None:
    """§4.6.3."""
    romeo, juliet = await cast.enter("romeo/orchard"), await cast.enter("juliet/balcony")
    romeo.send_presence(juliet.full)
    await juliet.presence(sender=romeo.full)
    romeo.send_presence(juliet.full, "unavailable")
    await juliet.presence("unavailable", romeo.full)
    await romeo.leave()
    await settle(juliet)
    assert juliet.unheard(Presence) == []


async def test_own_resources_see_each_other(cast: Cast) -> None:
    """§4.2.2, §4.4.2."""
    home = await cast.enter("juliet/home")
    away = await cast.again(home, "away")
    await home.presence(sender=away.full)
    await away.presence(sender=home.full)
    away.send_presence(None, "unavailable")
    await home.presence("unavailable", away.full)
    assert child(await away.presence("unavailable", away.full), "jabber:client", "show") is None


async def test_presence_to_the_account_reaches_every_resource_as_sent(cast: Cast) -> None:
    """§8.5.2.1.2: also those of negative priority; ``to`` is not rewritten."""
    romeo, home = await cast.enter("romeo"), await cast.enter("juliet/home")
    away = await cast.again(home, "away")
    await away.appear(ppriority=-1)
    romeo.send_presence(home.bare, pstatus="psst")
    for session in (home, away):
        seen = await session.presence(sender=romeo.full)
        assert attribute(seen, "to") == home.bare
