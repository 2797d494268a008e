"""What a server does for its users besides messages: discovery, storage, blocking."""

import asyncio
import hashlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from slixmpp.exceptions import IqError
from slixmpp.stanza import Iq, Message, Presence

from .people import PATIENCE, Cast, attribute, befriend, child, settle
from .servers import VERONA

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


async def test_discovery(cast: Cast) -> None:
    """XEP-0030: what the server is, what it can do, and what there is."""
    romeo = await cast.enter("romeo", plugins=["xep_0030"])
    info = (await romeo["xep_0030"].get_info(VERONA, timeout=PATIENCE))["disco_info"]
    kinds = {(category, kind) for category, kind, _, _ in info["identities"]}
    assert ("server", "im") in kinds
    assert {
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "urn:xmpp:ping",
        "urn:xmpp:time",
        "urn:xmpp:blocking",
        "jabber:iq:version",
        "jabber:iq:last",
        "vcard-temp",
    } <= set(info["features"])
    items = await romeo["xep_0030"].get_items(VERONA, timeout=PATIENCE)
    assert items["type"] == "result"
    own = (await romeo["xep_0030"].get_info(romeo.bare, timeout=PATIENCE))["disco_info"]
    assert ("account", "registered") in {(c, k) for c, k, _, _ in own["identities"]}


async def test_contact_addresses(cast: Cast) -> None:
    """XEP-0157."""
    romeo = await cast.enter("romeo", plugins=["xep_0030", "xep_0128"])
    info = await romeo["xep_0030"].get_info(VERONA, timeout=PATIENCE)
    fields = {f.get("var"): f for f in info.xml.iter("{jabber:x:data}field")}
    form_type = fields["FORM_TYPE"].findtext("{jabber:x:data}value")
    assert form_type == "http://jabber.org/network/serverinfo"
    admins = [v.text for v in fields["admin-addresses"]]
    assert admins == ["mailto:admin@verona.example"]


async def test_an_unknown_node_is_not_found(cast: Cast) -> None:
    """XEP-0030 §7."""
    romeo = await cast.enter("romeo", plugins=["xep_0030"])
    with pytest.raises(IqError, match="item-not-found"):
        await romeo["xep_0030"].get_info(VERONA, node="urn:example:none", timeout=PATIENCE)


@pytest.mark.lacking("it announces its own capabilities only to other servers")
async def test_capabilities_of_the_server(cast: Cast) -> None:
    """XEP-0115 §6.3: announced in the stream features, and the hash is right."""
    romeo = await cast.enter("romeo", plugins=["xep_0030", "xep_0115"])
    assert "caps" in romeo.client.features
    verstring = await romeo["xep_0115"].get_verstring(VERONA)
    info = await romeo["xep_0030"].get_info(VERONA, timeout=PATIENCE)
    again = romeo["xep_0115"].generate_verstring(info["disco_info"], "sha-1")
    assert verstring == again


async def test_capabilities_of_a_friend(cast: Cast) -> None:
    """XEP-0115: the presence carries them; the question goes from client to client."""
    plugins = ["xep_0030", "xep_0115", "xep_0092"]
    romeo = await cast.enter("romeo", plugins=plugins)
    juliet = await cast.enter("juliet", plugins=plugins)
    await befriend(romeo, juliet)
    await romeo["xep_0115"].update_caps()
    await romeo.appear()
    seen = await juliet.presence(sender=romeo.full)
    assert child(seen, "http://jabber.org/protocol/caps", "c") is not None
    assert await juliet["xep_0030"].supports(romeo.full, feature="jabber:iq:version")


async def test_ping(cast: Cast) -> None:
    """XEP-0199: server, own account, own session."""
    romeo = await cast.enter("romeo", plugins=["xep_0199"])
    for to in (VERONA, romeo.bare, romeo.full):
        assert await romeo["xep_0199"].ping(to, timeout=PATIENCE) < PATIENCE


async def test_version_and_time(cast: Cast) -> None:
    """XEP-0092, XEP-0202."""
    romeo = await cast.enter("romeo", plugins=["xep_0092", "xep_0202"])
    version = await romeo["xep_0092"].get_version(VERONA, timeout=PATIENCE)
    assert version["software_version"]["name"].lower() == cast.server.name
    time = await romeo["xep_0202"].get_entity_time(VERONA, timeout=PATIENCE)
    utc = child(time, "urn:xmpp:time", "utc")
    assert utc is not None
    told = datetime.fromisoformat(utc.text or "")
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)


async def test_last_activity(cast: Cast) -> None:
    """XEP-0012: the server's uptime, and a friend's absence; strangers learn nothing."""
    plugins = ["xep_0012"]
    romeo = await cast.enter("romeo", plugins=plugins)
    juliet = await cast.enter("juliet")
    tybalt = await cast.enter("tybalt", plugins=plugins)
    uptime = await romeo["xep_0012"].get_last_activity(VERONA, timeout=PATIENCE)
    assert uptime["last_activity"]["seconds"] >= 0
    await befriend(romeo, juliet)
    juliet.send_presence(None, "unavailable", pstatus="Good night")
    await romeo.presence("unavailable", juliet.full)
    await juliet.leave()
    async with asyncio.timeout(PATIENCE):  # until the server has seen her go
        gone = None
        while gone is None or gone["last_activity"]["status"] != "Good night":
            with suppress(IqError):
                gone = await romeo["xep_0012"].get_last_activity(juliet.bare, timeout=PATIENCE)
    assert 0 <= gone["last_activity"]["seconds"] < 60
    with pytest.raises(IqError, match=r"forbidden|service-unavailable|subscription-required"):
        await tybalt["xep_0012"].get_last_activity(juliet.bare, timeout=PATIENCE)


async def test_private_storage(cast: Cast) -> None:
    """XEP-0049: kept by element name; nobody else's."""
    romeo, tybalt = await cast.enter("romeo"), await cast.enter("tybalt")
    note = "<note xmlns='urn:example:note'>{}</note>"
    private = "<query xmlns='jabber:iq:private'>{}</query>"
    empty = await romeo.ask("get", private.format(note.format("")))
    assert child(empty, "urn:example:note", "note") is not None
    await romeo.ask("set", private.format(note.format("It is the east")))
    kept = child(
        await romeo.ask("get", private.format(note.format(""))), "urn:example:note", "note"
    )
    assert kept is not None
    assert kept.text == "It is the east"
    with pytest.raises(IqError):
        await tybalt.ask("get", private.format(note.format("")), romeo.bare)


async def test_vcard_and_avatar(cast: Cast) -> None:
    """XEP-0054; XEP-0153: the hash of the picture goes out with presence."""
    romeo = await cast.enter("romeo", plugins=["xep_0054", "xep_0153"])
    juliet = await cast.enter("juliet", plugins=["xep_0054"])
    await befriend(romeo, juliet)
    card = romeo["xep_0054"].make_vcard()
    card["FN"] = "Romeo Montague"
    card["PHOTO"]["TYPE"] = "image/png"
    card["PHOTO"]["BINVAL"] = PNG
    await romeo["xep_0054"].publish_vcard(card, timeout=PATIENCE)
    got = await juliet["xep_0054"].get_vcard(romeo.bare, timeout=PATIENCE)
    assert got["vcard_temp"]["FN"] == "Romeo Montague"
    assert got["vcard_temp"]["PHOTO"]["BINVAL"] == PNG
    await romeo["xep_0153"].set_avatar(avatar=PNG, mtype="image/png")
    wanted = hashlib.sha1(PNG).hexdigest()
    await juliet.hear(
        lambda s: (
            isinstance(s, Presence)
            and attribute(s, "from") == romeo.full
            and (photo := child(s, "vcard-temp:x:update", "photo")) is not None
            and photo.text == wanted
        )
    )


async def test_only_the_owner_changes_a_vcard(cast: Cast) -> None:
    romeo, tybalt = await cast.enter("romeo"), await cast.enter("tybalt")
    with pytest.raises(IqError, match=r"forbidden|not-allowed|service-unavailable"):
        await tybalt.ask("set", "<vCard xmlns='vcard-temp'><FN>Villain</FN></vCard>", romeo.bare)


async def test_blocking(cast: Cast) -> None:
    """XEP-0191: both ways, without a trace, told to the own sessions, and undone."""
    romeo = await cast.enter("romeo", plugins=["xep_0191"])
    garden = await cast.again(romeo, "garden", plugins=["xep_0191"])
    await garden["xep_0191"].get_blocked(timeout=PATIENCE)
    await romeo["xep_0191"].get_blocked(timeout=PATIENCE)
    tybalt = await cast.enter("tybalt")
    await befriend(romeo, tybalt)
    tybalt.forget()

    await romeo["xep_0191"].block(tybalt.bare, timeout=PATIENCE)
    await garden.hear(lambda s: isinstance(s, Iq) and "<block " in str(s))
    await tybalt.presence("unavailable", romeo.full)
    assert await romeo["xep_0191"].get_blocked_jids(timeout=PATIENCE) == {tybalt.bare}

    tybalt.say(romeo.bare, "villain!")
    refused = await tybalt.message(sender=romeo.bare)
    assert refused["error"]["condition"] == "service-unavailable"
    romeo.say(tybalt.bare, "gentle Tybalt")
    refused = await romeo.message(sender=tybalt.bare)
    assert refused["error"]["condition"] == "not-acceptable"
    assert child(refused, "urn:xmpp:blocking:errors", "blocked") is not None
    await settle(romeo, garden, tybalt)
    assert [s for s in romeo.unheard(Message) + garden.unheard(Message) if "villain" in s] == []
    assert tybalt.unheard(Message) == []

    await romeo["xep_0191"].unblock(tybalt.bare, timeout=PATIENCE)
    await tybalt.presence(sender=romeo.full)
    tybalt.say(romeo.bare, "follow me")
    await romeo.message("follow me", sender=tybalt.full)


@pytest.mark.lacking("its privacy lists are a module of its community")
async def test_privacy_lists(cast: Cast) -> None:
    """XEP-0016: named, default and active lists; the same rules as blocking."""
    romeo = await cast.enter("romeo", plugins=["xep_0016", "xep_0191"])
    tybalt = await cast.enter("tybalt")
    lists = romeo["xep_0016"]
    rule = {"type": "jid", "value": tybalt.bare, "action": "deny", "order": "1"}
    await lists.edit_list("quiet", [rule], timeout=PATIENCE)
    names = await lists.get_privacy_lists(timeout=PATIENCE)
    assert child(names, "jabber:iq:privacy", "list").get("name") == "quiet"  # type: ignore[union-attr]
    kept = child(await lists.get_list("quiet", timeout=PATIENCE), "jabber:iq:privacy", "item")
    assert kept is not None
    assert {k: kept.get(k) for k in rule} == rule

    tybalt.say(romeo.bare, "before")
    await romeo.message("before")
    await lists.activate("quiet", timeout=PATIENCE)
    tybalt.say(romeo.bare, "villain!")
    assert attribute(await tybalt.message(sender=romeo.bare), "type") == "error"
    await lists.deactivate(timeout=PATIENCE)
    tybalt.say(romeo.bare, "after")
    await romeo.message("after")

    await lists.make_default("quiet", timeout=PATIENCE)
    tybalt.say(romeo.bare, "villain!")
    assert attribute(await tybalt.message(sender=romeo.bare), "type") == "error"
    await lists.remove_default(timeout=PATIENCE)
    await lists.remove_list("quiet", timeout=PATIENCE)
    with pytest.raises(IqError, match="item-not-found"):
        await lists.get_list("quiet", timeout=PATIENCE)
