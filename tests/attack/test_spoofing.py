"""Attack 18: speaking in somebody else's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import serving

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

NAMES = {
    "another account": "juliet@verona.lit",
    "another's resource": "juliet@verona.lit/b",
    "our other resource": "mallory@verona.lit/x",
    "our name at another host": "mallory@mantua.lit/m",
    "the server": "verona.lit",
    "another host": "mantua.lit",
    "a service of the host": "conference.verona.lit",
    "somebody far away": "tybalt@capulet.example",
}
STANZAS = {
    "message": "<message from='{}' to='juliet@verona.lit/b'><body>x</body></message>",
    "presence": "<presence from='{}' to='juliet@verona.lit/b'/>",
    "request": "<presence from='{}' to='juliet@verona.lit' type='subscribed'/>",
    "iq": (
        "<iq from='{}' to='juliet@verona.lit/b' type='set' id='1'>"
        "<query xmlns='jabber:iq:roster'><item jid='mallory@verona.lit'/></query></iq>"
    ),
    "to the server": "<iq from='{}' type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
}


@pytest.mark.parametrize("stanza", STANZAS.values(), ids=STANZAS)
async def test_another_name_ends_the_stream(stanza: str, tmp_path: Path) -> None:
    """RFC 6120 §8.1.2.1: invalid-from, and nobody hears of it."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        for name in NAMES.values():
            mallory = await service.online("mallory@verona.lit/m", available=True)
            await mallory.send(stanza.format(name))
            await mallory.ends_with("invalid-from")
            assert await juliet.barrier() == [], name


@pytest.mark.parametrize(
    "name", ["mallory@verona.lit", "mallory@verona.lit/m", "MALLORY@Verona.lit/m", None]
)
async def test_ones_own_name_is_written_as_it_is(name: str | None, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online("mallory@verona.lit/m")
        sender = f"from='{name}'" if name else ""
        await mallory.send(f"<message {sender} to='juliet@verona.lit/b'/>")
        await mallory.barrier()
        (message,) = await juliet.barrier()
        assert message.attrs["from"] == "mallory@verona.lit/m"


@pytest.mark.parametrize("name", ["", "@", "a@b@c", "/", "mallory@verona.lit/", "\u200b"])
async def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online("mallory@verona.lit/m")
        answer = await mallory.ask(f"<message from='{name}' to='juliet@verona.lit/b' id='1'/>")
        assert answer.attrs["type"] == "error"
        assert answer.child("jabber:client", "error") is not None
        assert await juliet.barrier() == []


async def test_the_name_in_another_namespace_is_nothing(tmp_path: Path) -> None:
    """Only the attribute without a prefix is the sender; others do not go on."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online("mallory@verona.lit/m")
        await mallory.send(
            "<message xmlns:c='jabber:client' c:from='verona.lit' c:type='error'"
            " to='juliet@verona.lit/b'/>"
        )
        await mallory.barrier()
        (message,) = await juliet.barrier()
        assert message.attrs == {"from": "mallory@verona.lit/m", "to": "juliet@verona.lit/b"}
