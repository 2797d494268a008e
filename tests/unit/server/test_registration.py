"""Registration before log-in, where there is no session and so no story."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.negotiate import Phase
from pyrite.core.payload import encode
from pyrite.core.stanza import NS, Iq, read
from pyrite.core.xml import parse, write
from pyrite.server.hosts import Host
from pyrite.server.module import Request
from pyrite.wire import dataforms, registration

HOST = "verona.lit"
ADDRESS = "192.0.2.7"
ASK = f'<query xmlns="{registration.NS}">{{}}</query>'


@asynccontextmanager
async def scene_where(
    folder: Path, registration: str = '"open"', **settings: str
) -> AsyncIterator[Memory]:
    script = Script(
        modules=("registration",),
        hosts=(HOST,),
        settings={"registration": settings},
        host_settings={"registration": registration},
    )
    async with in_memory(script, folder, 0) as scene:
        yield scene


async def say(scene: Memory, type: str, inside: str = "", address: str = ADDRESS) -> Iq:
    """What the host answers to a peer that has not logged in."""
    host = scene.server.hosts[HOST]
    iq = read(parse(f'<iq type="{type}" id="1">{ASK.format(inside)}</iq>', NS))
    assert isinstance(iq, Iq)
    return await host.answer(Request(iq, host.jid, host.jid, None, address))


def named(name: str, password: str = "wherefore art thou") -> str:
    return f"<username>{name}</username><password>{password}</password>"


def offered(host: Host, phase: Phase, *, secure: bool) -> bool:
    return bool(host.offered(phase, secure=secure))


async def test_the_question_has_both_forms(tmp_path: Path) -> None:
    """XEP-0077 §4: a form, and the same as fields for clients that know no forms."""
    async with scene_where(tmp_path) as scene:
        asked = (await say(scene, "get")).get(registration.Registration)
        assert asked is not None
        assert asked.form is not None
        assert (asked.username, asked.password, asked.registered) == ("", "", False)
        assert asked.form.form_type == registration.NS


@pytest.mark.parametrize("as_form", [False, True])
async def test_an_account_is_made(tmp_path: Path, as_form: bool) -> None:
    async with scene_where(tmp_path) as scene:
        answers = {"username": "Juliet", "password": "wherefore art thou"}
        form = dataforms.submission(registration.NS, answers)
        inside = write(encode(form)) if as_form else named("Juliet")
        assert (await say(scene, "set", inside)).type == "result"
        assert await scene.server.accounts.exists(JID("juliet", HOST))


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        (named("romeo"), "conflict"),
        (named("", "wherefore art thou"), "not-acceptable"),
        ("<username>juliet</username>", "not-acceptable"),
        (named("juliet", ""), "not-acceptable"),
        (named("juliet", "short"), "not-acceptable"),
        (named("juliet@mantua.lit"), "not-acceptable"),
        (named("juliet/balcony"), "not-acceptable"),
        (named("a" * 1024), "not-acceptable"),
        ("<remove/>", "unexpected-request"),
        ("<remove/>" + named("juliet"), "bad-request"),
        ('<x xmlns="jabber:x:data" type="result"/>', "bad-request"),
    ],
)
async def test_what_is_refused(tmp_path: Path, inside: str, condition: str) -> None:
    async with scene_where(tmp_path) as scene:
        await scene.server.stores.accounts.create(JID("romeo", HOST), (), scene.clock.now())
        with pytest.raises(StanzaError) as refused:
            await say(scene, "set", inside)
        assert refused.value.condition == condition


async def test_an_address_has_so_many_attempts(tmp_path: Path) -> None:
    async with scene_where(tmp_path, attempts="2", period='"1h"') as scene:
        await say(scene, "set", named("one"))
        await say(scene, "set", named("two"))
        with pytest.raises(StanzaError, match="too many"):
            await say(scene, "set", named("three"))
        await say(scene, "set", named("four"), "192.0.2.8")
        scene.clock.advance(1800)
        await say(scene, "set", named("three"))


async def test_addresses_of_one_network_count_together(tmp_path: Path) -> None:
    async with scene_where(tmp_path, attempts="1") as scene:
        await say(scene, "set", named("one"), "2001:db8::1")
        with pytest.raises(StanzaError, match="too many"):
            await say(scene, "set", named("two"), "2001:db8::2")


@pytest.mark.parametrize("setting", ['"closed"', '"invite"'])
async def test_a_closed_host_lets_nobody_in(tmp_path: Path, setting: str) -> None:
    """XEP-0077 §3.1: as a host that has no registration."""
    async with scene_where(tmp_path, setting) as scene:
        with pytest.raises(StanzaError, match="service-unavailable"):
            await say(scene, "get")
        with pytest.raises(StanzaError, match="not-allowed"):
            await say(scene, "set", named("juliet"))
        # XEP-0445 §3: who was invited must see that there is a way in
        is_offered = offered(scene.server.hosts[HOST], Phase.SECURE, secure=True)
        assert is_offered is (setting == '"invite"')


async def test_it_is_offered_where_it_works(tmp_path: Path) -> None:
    """XEP-0077 §8: a password is not asked for in the clear."""
    async with scene_where(tmp_path) as scene:
        host = scene.server.hosts[HOST]
        assert offered(host, Phase.SECURE, secure=True)
        assert not offered(host, Phase.PLAIN, secure=False)
        assert not offered(host, Phase.AUTHENTICATED, secure=True)


async def test_other_domains_do_not_register(tmp_path: Path) -> None:
    async with scene_where(tmp_path) as scene:
        host = scene.server.hosts[HOST]
        sender = JID.parse("romeo@mantua.lit/x")
        iq = Iq("set", host.jid, sender, "1").add(registration.Registration(remove=True))
        with pytest.raises(StanzaError, match="service-unavailable"):
            await host.answer(Request(iq, sender, host.jid, None))
