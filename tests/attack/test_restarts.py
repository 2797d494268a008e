"""Attack 13: what changes between one stream and the next on the same connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import MANTUA, VERONA, condition, serving

from pyrite.core.jid import JID

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

HEADER = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " version='1.0' to='{}' from='{}'>"
)


@pytest.mark.parametrize("before", ["nothing", "failed attempt", "authenticated"])
async def test_log_in_here_and_bind_there(before: str, tmp_path: Path) -> None:
    """CVE-2018-10847: one host's users must not become another's."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.open(VERONA)
        if before == "failed attempt":
            assert condition(await client.plain("benvolio")) == "not-authorized"
        elif before == "authenticated":
            await client.plain("romeo")
            client.stream.restart()
        await client.write(HEADER.format(MANTUA, "benvolio@mantua.lit") + "</stream:stream>")
        is_new = before == "authenticated"
        await client.ends_with("not-authorized" if is_new else "unsupported-stanza-type")
        assert len(service.server.sessions) == 0


@pytest.mark.parametrize("host", ["verona.lit.", "VERONA.LIT", "\uff56erona.lit"])
async def test_the_same_host_by_another_spelling(host: str, tmp_path: Path) -> None:
    """It is the same host: prepared before it is compared."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("romeo")
        assert (await client.open(host)).name.tag == "features"
        await client.bind("a")
        (session,) = service.server.sessions
        assert session.jid == JID.parse("romeo@verona.lit/a")


async def test_a_header_from_somebody_else(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        for sender in ("juliet@verona.lit", "verona.lit", "juliet@verona.lit/b"):
            client.stream.restart()
            await client.write(HEADER.format(VERONA, sender))
            await client.element()
            if sender == "juliet@verona.lit":
                await client.plain("romeo")
            elif sender == "verona.lit":
                break
        await client.bind("b")
        (session,) = service.server.sessions
        assert session.jid == JID.parse("romeo@verona.lit/b")


async def test_a_second_header_where_none_may_be(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.online("romeo@verona.lit/a")
        await client.write(HEADER.format(VERONA, "") + "</stream:stream>")
        await client.ends_with("unsupported-stanza-type")
        assert len(service.server.sessions) == 0


async def test_two_resources_on_one_stream(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.online("romeo@verona.lit/a")
        assert condition(await client.bind("b")) == "not-allowed"
        assert [str(session.jid) for session in service.server.sessions] == ["romeo@verona.lit/a"]


async def test_what_was_sent_ahead_of_success_is_not_done(tmp_path: Path) -> None:
    """Stanzas behind ``<auth/>`` in one packet are of a stream that has ended."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        client = await service.connect()
        await client.open(VERONA)
        answer = await client.ask(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
            "AHJvbWVvAGEgcm9zZSBieSBhbnkgb3RoZXIgbmFtZQ==</auth>"
            "<message to='juliet@verona.lit/b'/><iq type='set' id='1'>"
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        )
        assert answer.name.tag == "success"
        assert (await client.open(VERONA)).name.tag == "features"
        assert await juliet.barrier() == []
        assert len(service.server.sessions) == 1
