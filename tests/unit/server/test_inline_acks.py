"""Streams that are acknowledged or resumed along with a log-in (XEP-0198 §9)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.entering import BIND, Entered, bind, come, enter, want
from tests.service import ROMEO, serving, until

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

CARBONS = "<enable xmlns='urn:xmpp:carbons:2'/>"
NS_ACKS = "urn:xmpp:sm:3"
ENABLE = f"<enable xmlns='{NS_ACKS}' resume='true'/>"


def resume(id: str, h: int = 0) -> str:
    return f"<resume xmlns='{NS_ACKS}' previd='{id}' h='{h}'/>"


def enabled(entered: Entered) -> str:
    """The id to resume by."""
    (told,) = [element for element in entered.bound if element.name == (NS_ACKS, "enabled")]
    assert told.attrs["resume"] == "true"
    return told.attrs["id"]


async def test_acknowledged_from_the_first_stanza_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        phone = await service.secured()
        enabled(await enter(phone, bind(ENABLE)))
        await phone.is_served()
        answer = await phone.ask(f"<r xmlns='{NS_ACKS}'/>")
        while answer.name != (NS_ACKS, "a"):
            answer = await phone.element()
        assert answer.attrs["h"] == "1"


async def test_an_old_session_goes_on_in_one_round_trip(tmp_path: Path) -> None:
    """§9.2: no new address, no features; what the client has missed follows at once."""
    async with serving(tmp_path) as service:
        phone, juliet = await service.secured(), await service.secured()
        first = await enter(phone, bind(ENABLE, CARBONS), want())
        id, token, own = enabled(first), first.token, first.success.identifier
        phone.writer.transport.abort()
        await service.until_alone(left=1)
        await enter(juliet, BIND, name="juliet")
        await juliet.send(f"<message to='{own}' type='chat'><body>missed</body></message>")
        await juliet.barrier()
        phone = await service.secured()
        back = await come(phone, token, resume(id), bind(ENABLE, tag="another"))
        assert back.asked == 1
        assert back.features is None
        assert set(back.results) == {"resumed"}
        assert back.success.identifier == own
        missed = await phone.element()
        assert [element.text for element in missed.elements if element.name.tag == "body"] == [
            "missed"
        ]
        assert len(service.server.sessions.of(ROMEO)) == 1


async def test_an_old_session_that_is_gone(tmp_path: Path) -> None:
    """§9.2.1: the refusal stands beside the new session."""
    async with serving(tmp_path) as service:
        token = (await enter(await service.secured(), want())).token
        phone = await service.secured()
        back = await come(phone, token, resume("nothing"), bind(ENABLE))
        assert set(back.results) == {"failed", "bound"}
        enabled(back)
        await phone.is_served()


async def test_an_old_session_that_is_gone_and_no_new_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        phone = await service.secured()
        back = await enter(phone, resume("nothing"))
        assert set(back.results) == {"failed"}
        assert back.success.identifier == ROMEO
        assert back.features
        assert back.features.child("urn:ietf:params:xml:ns:xmpp-bind", "bind")


async def test_nobody_goes_on_with_anothers_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        phone, juliet = await service.secured(), await service.secured()
        id = enabled(await enter(phone, bind(ENABLE)))
        back = await enter(juliet, resume(id), BIND, name="juliet")
        assert set(back.results) == {"failed", "bound"}
        await phone.is_served()


async def test_a_client_that_comes_anew_ends_what_waited_for_it(tmp_path: Path) -> None:
    """What it had not got is not lost with it: it comes to the new session.

    There is no archive here, in which the client would find it.
    """
    modules = 'modules = ["acks", "offline", "ping", "roster"]'
    async with serving(tmp_path, host=modules) as service:
        phone, juliet = await service.secured(), await service.secured()
        await enter(phone, bind(ENABLE, tag="old"))
        await phone.send("<presence/>")
        await phone.barrier()
        phone.writer.transport.abort()
        await service.until_alone(left=1)
        await enter(juliet, BIND, name="juliet")
        await juliet.send(f"<message to='{ROMEO}' type='chat'><body>missed</body></message>")
        await juliet.barrier()
        phone = await service.secured()
        await enter(phone, bind(tag="new"))
        await until(lambda: len(service.server.sessions.of(ROMEO)) == 1)
        await phone.send("<presence/>")
        received = await phone.barrier()
        bodies = [e.text for stanza in received for e in stanza.elements if e.name.tag == "body"]
        assert bodies == ["missed"]
