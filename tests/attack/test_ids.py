"""Attack 22: ids, stamps and copies that only the server may make."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import Service, serving

from pyrite.core.xml import Element, write

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

SID = "<stanza-id xmlns='urn:xmpp:sid:0' id='{}' by='{}'/>"
DELAY = "<delay xmlns='urn:xmpp:delay' from='{}' stamp='2001-01-01T00:00:00Z'/>"


async def delivered(service: Service, inside: str, to: str = "juliet@verona.lit/b") -> Element:
    juliet = await service.online("juliet@verona.lit/b", available=True)
    mallory = await service.online("mallory@verona.lit/m")
    await mallory.send(f"<message to='{to}' type='chat'><body>x</body>{inside}</message>")
    await mallory.barrier()
    (message,) = await juliet.barrier()
    return message


def ids_of(message: Element) -> list[tuple[str, str]]:
    found = [e.attrs for e in message.elements if e.name.tag == "stanza-id"]
    return [(attrs["by"], attrs["id"]) for attrs in found]


@pytest.mark.parametrize("to", ["juliet@verona.lit/b", "juliet@verona.lit"])
async def test_ids_in_our_name_are_taken_off(to: str, tmp_path: Path) -> None:
    """All copies, in whatever spelling (XEP-0359 §5); not those of other archives."""
    ours = ["juliet@verona.lit", "verona.lit", "JULIET@VERONA.LIT", "\uff4auliet@verona.lit"]
    ours.append("mallory@verona.lit")  # whose account is here too, and gives no id by itself
    theirs = ["room@conference.mantua.lit", "benvolio@mantua.lit"]
    inside = "".join(SID.format(f"forged{n}", by) for n, by in enumerate([*ours, *theirs, *ours]))
    async with serving(tmp_path, clear=True) as service:
        message = await delivered(
            service, inside + "<stanza-id xmlns='urn:xmpp:sid:0' id='forged'/>", to
        )
        assert [by for by, id in ids_of(message) if id.startswith("forged")] == theirs
        assert all(by == "juliet@verona.lit" for by, id in ids_of(message) if "forged" not in id)


async def test_ids_in_what_is_kept_for_later_too(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m")
        sid = SID.format("forged", "juliet@verona.lit")
        await mallory.send(
            f"<message to='juliet@verona.lit' type='chat'><body>x</body>{sid}</message>"
        )
        await mallory.barrier()
        juliet = await service.online("juliet@verona.lit/b")
        await juliet.send("<presence/>")
        (message,) = [e for e in await juliet.barrier() if e.name.tag == "message"]
        assert "forged" not in write(message)


async def test_stamps_in_our_name_are_taken_off(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        inside = DELAY.format("verona.lit") * 2 + DELAY.format("room@conference.mantua.lit")
        message = await delivered(service, inside)
        left = [e.attrs["from"] for e in message.elements if e.name.tag == "delay"]
        assert left == ["room@conference.mantua.lit"]


async def test_stamps_of_presence_too(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        mallory = await service.online("mallory@verona.lit/m")
        await mallory.send(
            f"<presence to='juliet@verona.lit/b'>{DELAY.format('verona.lit')}</presence>"
        )
        await mallory.barrier()
        (presence,) = await juliet.barrier()
        assert list(presence.elements) == []


@pytest.mark.parametrize(
    "inside",
    [
        "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<message xmlns='jabber:client' from='romeo@verona.lit/a' to='juliet@verona.lit/b'>"
        "<body>forged</body></message></forwarded></received>",
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<message xmlns='jabber:client' from='juliet@verona.lit/c' to='romeo@verona.lit'/>"
        "</forwarded></sent>",
        "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'/></result>",
    ],
)
async def test_a_forged_copy_keeps_its_forgers_name(inside: str, tmp_path: Path) -> None:
    """What decides whether a client believes it (XEP-0280 §11) is who sent it: that we say."""
    async with serving(tmp_path, clear=True) as service:
        message = await delivered(service, inside)
        assert message.attrs["from"] == "mallory@verona.lit/m"
