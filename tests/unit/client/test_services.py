"""What the user's server does for its clients: lists, storage, search, push."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import JULIET, MALLORY, ROMEO, Service, serving

from pyrite.client.app import Client
from pyrite.client.feature import Request
from pyrite.client.mod.blocking import Blocking, BlocklistChanged
from pyrite.client.mod.privacy import Privacy, PrivacyListChanged
from pyrite.client.mod.private import PrivateStorage
from pyrite.client.mod.push import Push, PushRefused
from pyrite.client.mod.search import Found, Search
from pyrite.client.state import Reset
from pyrite.core.errors import StanzaError, StreamError
from pyrite.core.jid import JID
from pyrite.core.xml import Element, Name
from pyrite.server.mod.push import Push as ServerPush
from pyrite.server.mod.push.registrations import Registrations
from pyrite.wire import blocking, privacy, search
from pyrite.wire.dataforms import field, form, table
from pyrite.wire.nick import Nick
from pyrite.wire.ping import Ping

from .pair import client, pair

DOMAIN = JID(None, ROMEO.domain)
SERVICE = JID.parse("push.example")


async def begin_anew(service: Service, me: Client) -> None:
    """The session is lost, and another one is in its place."""
    states = me.lifecycle()
    session = service.server.sessions.find(me.jid)
    assert session is not None
    session.end(StreamError("reset"))
    async with asyncio.timeout(PATIENCE):
        while not isinstance(await states.next(), Reset):
            pass
    states.close()


# --- blocking ---------------------------------------------------------------------------------


async def test_who_is_blocked(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Blocking) as romeo,
        client(service, ROMEO, Blocking) as phone,
        asyncio.timeout(PATIENCE),
    ):
        changes = phone.hear(BlocklistChanged)
        mine = romeo[Blocking]
        assert mine.is_supported
        assert len(mine) == 0
        await mine.block(MALLORY, "evil.lit")
        assert set(mine) == {MALLORY, JID.parse("evil.lit")}  # whether or not we were told yet
        change = await changes.next()
        assert change.blocked == {MALLORY, JID.parse("evil.lit")}
        assert set(phone[Blocking]) == change.blocked
        assert phone[Blocking].is_blocked("anybody@evil.lit/there")
        assert "anybody@evil.lit" not in phone[Blocking]
        assert str(MALLORY) in phone[Blocking]
        with pytest.raises(StanzaError, match="not-acceptable"):
            await romeo.request(Ping(), JID.parse(f"{MALLORY}/x"))
        await mine.unblock()
        await mine.unblock(MALLORY)
        assert MALLORY not in mine
        assert (await changes.next()).unblocked == {MALLORY}
        await mine.unblock_all()
        assert (await changes.next()).unblocked == {JID.parse("evil.lit")}
        assert len(mine) == len(phone[Blocking]) == 0
        with pytest.raises(StanzaError, match="bad-request"):
            await mine.block()


async def test_the_list_is_read_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO, Blocking) as romeo:
        await romeo[Blocking].block(MALLORY)
        romeo[Blocking]._blocked.clear()
        await begin_anew(service, romeo)
        assert MALLORY in romeo[Blocking]


FORGED = {
    "blocking": blocking.Block((blocking.Item(JULIET),)),
    "blocking off": blocking.Unblock(),
    "privacy": privacy.Query(lists=(privacy.List("x"),)),
}


@pytest.mark.parametrize("name", sorted(FORGED))
async def test_only_our_server_tells_of_lists(tmp_path: Path, name: str) -> None:
    """XEP-0191 §3.3, XEP-0016 §2.6: a contact that says so would unblock itself."""
    async with (
        serving(tmp_path) as service,
        pair(service, Blocking, Privacy) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        await romeo[Blocking].block(MALLORY)
        changes = [romeo.hear(BlocklistChanged), romeo.hear(PrivacyListChanged)]
        with pytest.raises(StanzaError, match="service-unavailable"):
            await juliet.request(FORGED[name], romeo.jid, type="set")
        assert romeo.forged[name.split()[0]] == 1
        assert set(romeo[Blocking]) == {MALLORY}
        assert not any(heard.waiting for heard in changes)


# --- privacy lists ----------------------------------------------------------------------------


async def test_lists_of_rules(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO, Privacy) as romeo:
        lists, rules = (
            romeo[Privacy],
            (
                privacy.Item("deny", 2, "jid", str(MALLORY)),
                privacy.Item("allow", 1, "jid", str(JULIET)),
            ),
        )
        async with asyncio.timeout(PATIENCE):
            changes = romeo.hear(PrivacyListChanged)
            await lists.put("quiet", rules)
            assert (await changes.next()).name == "quiet"
            assert await lists.rules("quiet") == (rules[1], rules[0])
            await lists.activate("quiet")
            await lists.make_default("quiet")
            await begin_anew(service, romeo)
            told = await lists.lists()
            assert told.active == privacy.Active("quiet")
            assert told.default == privacy.Default("quiet")
            await lists.activate(None)
            await lists.make_default(None)
            await lists.remove("quiet")
            assert (await lists.lists()).lists == ()
            with pytest.raises(StanzaError, match="item-not-found"):
                await lists.rules("quiet")
            with pytest.raises(StanzaError, match="bad-request"):
                await lists.put("quiet", ())
            with pytest.raises(StanzaError, match="two rules"):
                await lists.put("quiet", (rules[0], rules[0]))


async def test_an_active_list_that_is_gone(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Privacy) as romeo,
        client(service, ROMEO, Privacy) as phone,
        asyncio.timeout(PATIENCE),
    ):
        await romeo[Privacy].put("quiet", (privacy.Item("deny", 1),))
        await romeo[Privacy].activate("quiet")
        romeo[Privacy]._active = "gone since"
        await begin_anew(service, romeo)
        assert (await phone[Privacy].lists()).active is None
        assert (await romeo[Privacy].lists()).active is None


# --- private storage --------------------------------------------------------------------------


async def test_what_is_kept(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, client(service, ROMEO, PrivateStorage) as romeo:
        kept = romeo[PrivateStorage]
        async with asyncio.timeout(PATIENCE):
            assert await kept.load(Nick) is None
            await kept.store(Nick("Montague"))
            assert await kept.load(Nick) == Nick("Montague")
            made = Element(Name("urn:example:own", "thing"), {"a": "1"})
            await kept.store(made)
            assert await kept.load_element("urn:example:own", "thing") == made
            with pytest.raises(StanzaError, match="not-acceptable"):
                await kept.store(Element(Name("jabber:iq:roster", "query"), {"a": "1"}))


# --- search -----------------------------------------------------------------------------------


async def test_a_directory_with_four_fields(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Search) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):

        @juliet.serve("get", search.Search)
        def ask(_: Request[search.Search]) -> search.Search:
            return search.Search("Somebody?", first="", nick="")

        @juliet.serve("set", search.Search)
        def found(request: Request[search.Search]) -> search.Search:
            assert request.payload.first == "Juliet"
            items = [search.Item(JULIET, "Juliet", nick="Jule")] * 1
            return search.Search(items=tuple(items))

        assert (await romeo[Search].fields(juliet.jid)).instructions == "Somebody?"
        people = await romeo[Search].find(juliet.jid, first="Juliet")
        assert people == (Found(JULIET, {"first": "Juliet", "nick": "Jule"}),)
        with pytest.raises(StanzaError, match="not searched there: email"):
            await romeo[Search].find(juliet.jid, email="@")


async def test_a_directory_with_a_form(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        pair(service, Search) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):

        @juliet.serve("get", search.Search)
        def ask(_: Request[search.Search]) -> search.Search:
            return search.Search(form=form(search.NS, field("x-gender", "list-single")))

        @juliet.serve("set", search.Search)
        def found(request: Request[search.Search]) -> search.Search:
            assert request.payload.form is not None
            assert request.payload.form.value("x-gender") == "f"
            heads = [field("jid", "jid-single"), field("first", "text-single")]
            rows = [{"jid": str(JULIET), "first": "Juliet"}, {"jid": "@"}, {"first": "Who"}]
            return search.Search(form=table(heads, rows))

        people = await romeo[Search].find(juliet.jid, **{"x-gender": "f"})
        assert people == (Found(JULIET, {"first": "Juliet"}),)


# --- push -------------------------------------------------------------------------------------


def registered(service: Service, owner: JID) -> Registrations:
    """What the server knows of push services."""
    module = service.server.hosts[owner.domain].modules["push"]
    assert isinstance(module, ServerPush)
    return module._registrations


async def test_push_is_enabled_again(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Push) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        push, there = romeo[Push], registered(service, ROMEO)
        await push.enable(SERVICE, "node", {"secret": "s"})
        await push.enable(SERVICE, "other")
        assert len(await there.of(ROMEO)) == 2
        await push.disable(SERVICE, "other")
        (kept,) = await there.of(ROMEO)
        assert (kept.enable.jid, kept.enable.node) == (SERVICE, "node")
        assert kept.enable.form is not None
        assert kept.enable.form.value("secret") == "s"
        await there.remove(ROMEO, lambda _: True)  # as if the service had not known it once
        await begin_anew(service, romeo)
        assert await there.of(ROMEO) == (kept,)
        await push.disable(str(SERVICE))
        assert await there.of(ROMEO) == ()
        assert push.enabled == frozenset()


async def test_what_cannot_be_enabled_again_is_told(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Push) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        await romeo[Push].enable(SERVICE, "node")
        key = (SERVICE, "node")
        romeo[Push]._enabled[key] = replace(romeo[Push]._enabled[key], node="")
        refused = romeo.hear(PushRefused)
        await begin_anew(service, romeo)
        event = await refused.next()
        assert (event.service, event.node) == key
        assert romeo[Push].enabled == frozenset()


async def test_a_push_service_that_the_server_will_not_have(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        client(service, ROMEO, Push) as romeo,
        asyncio.timeout(PATIENCE),
    ):
        with pytest.raises(StanzaError, match="somebody else"):
            await romeo[Push].enable(ROMEO, "node")
        with pytest.raises(StanzaError, match="feature-not-implemented"):
            await romeo[Push].enable(SERVICE, "")
