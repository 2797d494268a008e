"""What the user's server does for its clients, on every server."""

import asyncio

import pytest
from tests.interop.servers import Server

from pyrite.client.mod.blocking import Blocking, BlocklistChanged
from pyrite.client.mod.privacy import Privacy, PrivacyListChanged
from pyrite.client.mod.private import PrivateStorage
from pyrite.client.mod.push import Push
from pyrite.client.mod.registration import Registration, registering
from pyrite.client.mod.search import Search
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import privacy
from pyrite.wire.nick import Nick
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

TYBALT = JID.parse("tybalt@verona.example")


async def test_who_is_blocked(login: Login) -> None:
    async with (
        login("juliet", features=[Blocking]) as juliet,
        login("juliet", features=[Blocking]) as phone,
        login("tybalt") as tybalt,
        asyncio.timeout(PATIENCE),
    ):
        await juliet[Blocking].unblock_all()
        changes, heard = phone.hear(BlocklistChanged), juliet.messages()
        await juliet[Blocking].block(TYBALT)
        while (change := await changes.next()).blocked != {TYBALT}:
            pass
        assert change.unblocked == frozenset()
        assert phone[Blocking].is_blocked(tybalt.jid)
        await tybalt.send(juliet.jid, "one")
        await tybalt.request(Ping(), JID(None, tybalt.jid.domain))
        await juliet[Blocking].unblock(TYBALT)
        assert (await changes.next()).unblocked == {TYBALT}
        await tybalt.send(juliet.jid, "two")
        assert (await heard.next()).message.body == "two"


@pytest.mark.lacks(prosody_0_12="no privacy lists without a module of the community")
async def test_lists_of_rules(login: Login) -> None:
    async with login("mercutio", features=[Privacy]) as me, asyncio.timeout(PATIENCE):
        lists, changes = me[Privacy], me.hear(PrivacyListChanged)
        rules = (privacy.Item("deny", 1, "jid", str(TYBALT)), privacy.Item("allow", 2))
        await lists.put("quiet", rules)
        assert (await changes.next()).name == "quiet"
        assert await lists.rules("quiet") == rules
        await lists.activate("quiet")
        assert (await lists.lists()).active == privacy.Active("quiet")
        await lists.activate(None)
        await lists.remove("quiet")
        assert "quiet" not in {one.name for one in (await lists.lists()).lists}


async def test_what_is_kept(login: Login) -> None:
    async with login("romeo", features=[PrivateStorage]) as me, asyncio.timeout(PATIENCE):
        await me[PrivateStorage].store(Nick("Montague"))
        assert await me[PrivateStorage].load(Nick) == Nick("Montague")
        assert await me[PrivateStorage].load_element("urn:example:none", "x") is None


@pytest.mark.lacks(prosody_0_12="no push before 13")
async def test_push(login: Login) -> None:
    async with login("romeo", features=[Push]) as me, asyncio.timeout(PATIENCE):
        await me[Push].enable("push.example", "node", {"secret": "s"})
        await me[Push].enable("push.example", "node")
        await me[Push].disable("push.example", "node")
        assert me[Push].enabled == frozenset()


@pytest.mark.lacks(pyrite="no directory", prosody="no directory of its own")
async def test_a_directory(login: Login) -> None:
    async with login("romeo", features=[Search]) as me, asyncio.timeout(PATIENCE):
        asked = await me[Search].fields("vjud.verona.example")
        assert asked.form is not None
        assert await me[Search].find("vjud.verona.example", nick="nobody-of-that-name") == ()


@pytest.mark.lacks(pyrite="registration is closed unless the operator opens it")
async def test_an_account(login: Login, server: Server) -> None:
    options = login("nurse")
    trust, connector = options.account.trust, options._connector
    async with asyncio.timeout(PATIENCE):
        async with registering("verona.example", trust=trust, connector=connector) as host:
            made = await host.register("peter", "long secret one")
            assert str(made) == "peter@verona.example"
            with pytest.raises(StanzaError, match="conflict"):
                await host.register("peter", "long secret two")
        async with login("peter", password="long secret one", features=[Registration]) as me:
            await me[Registration].change_password("long secret two")
        async with login("peter", password="long secret two", features=[Registration]) as me:
            await me[Registration].cancel()
