"""Attack 26: answers that are answered, for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import serving, until

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

ERROR = (
    "<error type='cancel'>"
    "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
)
TO = [
    "juliet@verona.lit/b",
    "juliet@verona.lit/gone",
    "juliet@verona.lit",
    "romeo@verona.lit",
    "nobody@verona.lit",
    "nobody@verona.lit/x",
    "verona.lit",
    "verona.lit/x",
    "mallory@verona.lit",
    "mallory@verona.lit/m",
    "tybalt@capulet.example",
    "@@@",
    "",
]
ANSWERS = {
    "message": f"<message type='error' {{}} id='1'>{ERROR}</message>",
    "message without a reason": "<message type='error' {} id='1'/>",
    "presence": f"<presence type='error' {{}} id='1'>{ERROR}</presence>",
    "iq": f"<iq type='error' {{}} id='1'>{ERROR}</iq>",
    "iq without an id": f"<iq type='error' {{}}>{ERROR}</iq>",
    "result": "<iq type='result' {} id='1'/>",
    "result with too much": "<iq type='result' {} id='1'><x xmlns='u'/><y xmlns='u'/></iq>",
    "result of a request": "<iq type='result' {} id='1'><query xmlns='jabber:iq:register'/></iq>",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_is_never_answered(answer: str, tmp_path: Path) -> None:
    """RFC 6120 §8.3.1: whoever it is for, there or not, well-formed or not."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        mallory = await service.online("mallory@verona.lit/m")
        for to in TO:
            await mallory.send(answer.format(f"to='{to}'" if to else ""))
            received = await mallory.barrier()
            if to == "mallory@verona.lit/m":  # it comes to whom it was sent
                received = [e for e in received if e.attrs["from"] != "mallory@verona.lit/m"]
            assert received == [], to
            assert len(await juliet.barrier()) <= 1, to


async def test_two_that_answer_everything_with_an_error(tmp_path: Path) -> None:
    """The second error is answered by nobody, so it ends there."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        await romeo.send("<message to='juliet@verona.lit/b' id='1'><body>x</body></message>")
        await romeo.barrier()
        (message,) = await juliet.barrier()
        await juliet.abort()
        await service.until_alone(1)
        await romeo.send(
            f"<message to='{message.attrs['to']}' type='error' id='2'>{ERROR}</message>"
        )
        assert await romeo.barrier() == []


async def test_what_is_sent_to_oneself_comes_once(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        mallory = await service.online("mallory@verona.lit/m", available=True)
        for to in ("to='mallory@verona.lit/m'", "to='mallory@verona.lit'", ""):
            await mallory.send(f"<message {to} type='chat'><body>x</body></message>")
            assert len(await mallory.barrier()) == 1
        await mallory.send("<presence to='mallory@verona.lit'/>")
        assert len(await mallory.barrier()) <= 1
        await mallory.send("<presence to='mallory@verona.lit' type='probe'/>")
        assert len(await mallory.barrier()) <= 1
        await mallory.send(
            "<iq to='mallory@verona.lit/m' type='get' id='1'><x xmlns='urn:x'/></iq>"
        )
        assert len(await mallory.barrier()) == 1


async def test_errors_of_a_sender_that_is_gone_end(tmp_path: Path) -> None:
    """A request that waits for a client that goes, from one that went before."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        juliet.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for number in range(50):
            await romeo.send(
                f"<iq to='juliet@verona.lit/b' type='get' id='{number}'><x xmlns='urn:x'/></iq>"
            )
        await romeo.barrier()
        await romeo.abort()
        await juliet.abort()
        await service.until_alone()
        await until(lambda: len(service.server.sessions) == 0)
