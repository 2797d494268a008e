"""Attack 25: addresses that look like others, cost much, or are none (RFC 7622, XEP-0106)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.service import condition, serving

from pyrite.core.jid import JID, escape_local, unescape_local

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

#: Another spelling of juliet@verona.lit/b: prepared, it is the same.
SAME = [
    "JULIET@verona.lit/b",
    "juliet@VERONA.LIT/b",
    "\uff4a\uff55\uff4c\uff49\uff45\uff54@verona.lit/b",
    "juliet@\uff56erona.lit/b",
    "juliet@verona.lit./b",
    "juliet@verona\u3002lit/b",
]
#: No address at all: refused, and not repaired.
NONE = [
    "jul\u200biet@verona.lit",
    "jul\u00adiet@verona.lit",
    "jul\ufe0fiet@verona.lit",
    "jul\u2060iet@verona.lit",
    "jul iet@verona.lit",
    "jul\u00a0iet@verona.lit",
    "juliet\u202e@verona.lit",
    "\u05d0juliet@verona.lit",
    "jul\ufb01t@verona.lit",
    "juliet\u2028@verona.lit",
    "\ue000@verona.lit",
    "juliet@verona..lit",
    "juliet@-verona.lit",
    "juliet@ver ona.lit",
    "juliet@verona\u200b.lit",
    "juliet@" + "x" * 64 + ".lit",
    "@verona.lit",
    "juliet@",
    "juliet@verona.lit/",
    "x" * 1024 + "@verona.lit",
    "juliet@" + "x." * 512 + "lit",
    "juliet@verona.lit/" + "x" * 1024,
    "juliet@verona.lit/" + "\u00e9" * 512,
    "a@b@c",
    "<juliet>@verona.lit",
    "jul&iet@verona.lit",
    "juliet@[::1",
    "juliet@[fe80::1%eth0]",
]
#: Addresses that look like hers, and are others': nobody's here.
LOOK_ALIKE = [
    "j\u057dliet@verona.lit/b",
    "juli\u0435t@verona.lit/b",
    "jul\u0131et@verona.lit/b",
    "jul\u00edet@verona.lit/b",
    "juliet\\20@verona.lit/b",
]


def quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")


async def test_another_spelling_is_the_same_address(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        for address in SAME:
            await romeo.send(f"<message to='{address}'/>")
            assert await romeo.barrier() == []
            (message,) = await juliet.barrier()
            assert message.attrs["to"] == "juliet@verona.lit/b"


async def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    """RFC 6120 §8.1.1.1: jid-malformed, the stream goes on, and nobody gets it."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        romeo = await service.online("romeo@verona.lit/a")
        for address in map(quoted, NONE):
            began = time.process_time()
            answer = await romeo.ask(f"<message to='{address}' id='1'/>")
            assert condition(answer) == "jid-malformed", ascii(address)
            assert time.process_time() - began < 1
            answer = await romeo.ask(
                "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
                f"<item jid='{address}'/></query></iq>"
            )
            assert condition(answer) in ("jid-malformed", "bad-request"), ascii(address)
        assert await juliet.barrier() == []


async def test_what_looks_alike_is_somebody_else(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b", available=True)
        romeo = await service.online("romeo@verona.lit/a")
        for address in LOOK_ALIKE:
            await romeo.send(f"<message to='{address}' id='1'><body>x</body></message>")
            await romeo.barrier()
            assert await juliet.barrier() == [], ascii(address)


async def test_the_longest_address_is_one(tmp_path: Path) -> None:
    local, domain, resource = "l" * 1023, "mantua.lit", "r" * 1023
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online(f"romeo@verona.lit/{resource}")
        answer = await romeo.ask(
            f"<iq type='get' id='1' to='{local}@{domain}/{resource}'><x xmlns='u'/></iq>"
        )
        assert condition(answer) == "service-unavailable"
        assert answer.attrs["from"] == f"{local}@{domain}/{resource}"


async def test_costly_addresses_cost_little(tmp_path: Path) -> None:
    """Preparing is the dearest thing that an address can ask for."""
    costly = ["\u0660" * 500, "\u30fb" * 330, "e\u0301" * 400, "\u0344" * 250, "\uac00" * 340]
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/a")
        began = time.process_time()
        for number in range(20):
            for part in costly:
                await romeo.send(f"<message type='error' to='{part}{number}@verona.lit/{part}'/>")
        await romeo.barrier()
        assert time.process_time() - began < 3


async def test_many_addresses_fill_no_table(tmp_path: Path) -> None:
    from pyrite.core import jid

    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/a")
        for number in range(500):
            await romeo.send(f"<message type='error' to='{'x' * 1000}{number}@verona.lit'/>")
        await romeo.barrier()
        held = sum(map(len, jid._young)) + sum(map(len, jid._old))
        assert held <= 2 * jid._CACHE_CHARACTERS + 10_000


@pytest.mark.parametrize("name", ["d'artagnan", "a@b", "space cadet", "c:\\net", '&<>/"', "\\5c"])
async def test_escaped_names_go_round(name: str, tmp_path: Path) -> None:
    """XEP-0106: what is escaped is one address, and never read as what it stands for."""
    local = escape_local(name)
    jid = JID.parse(f"{local}@verona.lit")
    assert unescape_local(jid.local or "") == name
    async with serving(tmp_path, clear=True) as service:
        await service.server.accounts.create(jid, "a rose by any other name")
        other = await service.online(JID.parse(f"{jid}/x"))
        romeo = await service.online("romeo@verona.lit/a")
        await romeo.send(f"<message to='{quoted(str(jid))}/x'/>")
        await romeo.barrier()
        (message,) = await other.barrier()
        assert message.attrs["to"] == f"{jid}/x"
