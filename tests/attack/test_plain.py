"""Attack 12: PLAIN as somebody, for somebody else, or with what hides in a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import NS_BIND, VERONA, condition, serving

from pyrite.core.jid import JID

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

SECRET = b"a rose by any other name"
MESSAGES: dict[str, tuple[bytes, set[str]]] = {
    "as another": (b"juliet@verona.lit\0romeo\0" + SECRET, {"invalid-authzid"}),
    "as a resource": (b"romeo@verona.lit/a\0romeo\0" + SECRET, {"invalid-authzid"}),
    "as another's resource": (b"juliet@verona.lit/b\0romeo\0" + SECRET, {"invalid-authzid"}),
    "as the server": (b"verona.lit\0romeo\0" + SECRET, {"invalid-authzid"}),
    "as a name": (b"romeo\0romeo\0" + SECRET, {"invalid-authzid"}),
    "at another host": (b"romeo@mantua.lit\0romeo\0" + SECRET, {"invalid-authzid"}),
    "a whole address": (b"\0romeo@verona.lit\0" + SECRET, {"not-authorized"}),
    "with a resource": (b"\0romeo/a\0" + SECRET, {"not-authorized"}),
    "NUL in a name": (b"\0ro\0meo\0" + SECRET, {"malformed-request"}),
    "NUL in a password": (b"\0romeo\0" + SECRET + b"\0", {"malformed-request"}),
    "nothing": (b"\0\0", {"malformed-request"}),
    "two of three": (b"romeo\0" + SECRET, {"malformed-request"}),
    "no Unicode": (b"\0romeo\0\xed\xa0\x80", {"malformed-request"}),
    "a look-alike": ("\0r\u03bfme\u03bf\0".encode() + SECRET, {"not-authorized"}),
    "a long name": (b"\0" + b"x" * 3000 + b"\0" + SECRET, {"not-authorized", "malformed-request"}),
    "a long password": (b"\0romeo\0" + b"x" * 7000, {"not-authorized", "malformed-request"}),
    "an old hash": (b"\0romeo\0$2b$12$x", {"not-authorized"}),
    "LDAP": (b"\0*)(uid=*\0x", {"not-authorized"}),
    "SQL": (b"\0romeo' OR '1'='1\0x", {"not-authorized"}),
    "a log line": (b"\0romeo\r\nerror: x\0x", {"not-authorized", "malformed-request"}),
}


@pytest.mark.parametrize(("message", "expected"), MESSAGES.values(), ids=MESSAGES)
async def test_what_gets_nobody_in(message: bytes, expected: set[str], tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        assert condition(await client.auth("PLAIN", message)) in expected
        assert (await client.plain("romeo", authzid="romeo@verona.lit")).name.tag == "success"


async def test_whoever_logs_in_is_who_binds(tmp_path: Path) -> None:
    """The address that is bound comes from the proof alone, not from the request."""
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.open(VERONA)
        await client.plain("ROMEO")
        await client.open(VERONA)
        answer = await client.ask(
            "<iq type='set' id='1' from='juliet@verona.lit' to='juliet@verona.lit'>"
            f"<bind xmlns='{NS_BIND}'><resource>b</resource></bind></iq>"
        )
        assert answer.attrs["type"] == "result"
        (session,) = service.server.sessions
        assert session.jid == JID.parse("romeo@verona.lit/b")


async def test_an_account_of_another_host_is_not_ours(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        assert condition(await client.plain("benvolio")) == "not-authorized"
        assert condition(await client.scram("benvolio")) == "not-authorized"
