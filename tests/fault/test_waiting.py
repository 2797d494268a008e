"""The server is killed while a session waits for its client (XEP-0198 §5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..peer import PASSWORD
from ..process import running

HOST = '[host."verona.lit"]'
JULIET = "juliet@verona.lit/balcony"
NS_ACKS = "urn:xmpp:sm:3"
NEVER = "<iq type='set' id='n'><prefs xmlns='urn:xmpp:mam:2' default='never'/></iq>"

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


async def test_what_waits_for_a_client_that_broke_off_is_not_lost(tmp_path: Path) -> None:
    """It is in no archive, for its owner wants none: acknowledged, killed, there all the same."""
    async with running(tmp_path, HOST) as server:
        for name in ("romeo", "juliet"):
            await server.ask("account-add", jid=f"{name}@verona.lit", password=PASSWORD)
        juliet = await server.online("juliet@verona.lit/balcony")
        await juliet.send(f"<presence/>{NEVER}<enable xmlns='{NS_ACKS}' resume='true'/>")
        await juliet.barrier()
        romeo = await server.online("romeo@verona.lit/garden")
        await romeo.send(f"<enable xmlns='{NS_ACKS}'/>{say('under way')}")
        await romeo.barrier()
        juliet.writer.transport.abort()
        await server.line_with("session detached")
        await romeo.send(f"{say('waits')}<r xmlns='{NS_ACKS}'/>")
        while (answer := await romeo.element()).name.tag != "a":
            continue
        assert answer.attrs["h"] == "3"  # with the barrier
        await server.kill()
    async with running(tmp_path, HOST) as server:
        juliet = await server.online("juliet@verona.lit/tomb")
        await juliet.send("<presence/>")
        came = [each for each in await juliet.barrier() if each.name.tag == "message"]
        assert [each.attrs["id"] for each in came] == ["under way", "waits"]


def say(text: str) -> str:
    return f"<message to='{JULIET}' type='chat' id='{text}'><body>{text}</body></message>"
