"""Attack 17: registration floods, worn-out invitations, and names that are not for everybody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.scene import Memory, in_memory
from tests.stage import Script

from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.stanza import NS, Iq, read
from pyrite.core.xml import parse
from pyrite.server.commands import CommandError
from pyrite.server.mod.registration import Registration
from pyrite.server.module import Request
from pyrite.wire import invitations, registration

HOST = "verona.lit"
PASSWORD = "wherefore art thou"
NURSE = JID.parse(f"nurse@{HOST}")


@asynccontextmanager
async def house(
    folder: Path, registration: str = '"invite"', **settings: str
) -> AsyncIterator[Memory]:
    settings.setdefault("attempts", "100")
    script = Script(
        modules=("registration", "roster"),
        hosts=(HOST,),
        settings={"registration": settings},
        host_settings={"registration": registration},
        extras=[NURSE],
    )
    async with in_memory(script, folder, 0) as scene:
        yield scene


def doorkeeper(scene: Memory) -> Registration:
    module = scene.server.hosts[HOST].modules["registration"]
    assert isinstance(module, Registration)
    return module


class Newcomer:
    """One connection without an account."""

    def __init__(self, scene: Memory, address: str = "192.0.2.7") -> None:
        self.scene, self.address = scene, address
        self.notes: dict[str, str] = {}

    async def ask(self, xml: str, type: str = "set") -> Iq:
        host = self.scene.server.hosts[HOST]
        iq = read(parse(f'<iq type="{type}" id="1">{xml}</iq>', NS))
        assert isinstance(iq, Iq)
        return await host.answer(Request(iq, host.jid, host.jid, None, self.address, self.notes))

    async def show(self, token: str) -> None:
        await self.ask(f'<preauth xmlns="{invitations.NS}" token="{token}"/>')

    async def register(self, name: str) -> None:
        fields = f"<username>{name}</username><password>{PASSWORD}</password>"
        await self.ask(f'<query xmlns="{registration.NS}">{fields}</query>')

    async def exists(self, name: str) -> bool:
        return await self.scene.server.accounts.exists(JID.parse(f"{name}@{HOST}"))


async def refused(doing: object) -> str:
    with pytest.raises(StanzaError) as raised:
        await doing  # type: ignore[misc]
    return raised.value.condition


async def test_who_was_not_invited_stays_out(tmp_path: Path) -> None:
    async with house(tmp_path) as scene:
        newcomer = Newcomer(scene)
        assert await refused(newcomer.register("romeo")) == "not-allowed"
        for token in ("", "a", "x" * 100_000):
            assert await refused(newcomer.show(token)) == "item-not-found"
        assert await refused(newcomer.register("romeo")) == "not-allowed"
        assert not await newcomer.exists("romeo")


async def test_an_invitation_is_for_one(tmp_path: Path) -> None:
    """XEP-0445 §4: it is used when the account is there, and not before."""
    async with house(tmp_path) as scene:
        made = await doorkeeper(scene).invitation_create()
        assert made.uri == f"xmpp:{HOST}?register;preauth={made.token}"
        first, second, third = (Newcomer(scene) for _ in range(3))
        await first.show(made.token)
        await second.show(made.token)
        assert await refused(first.register("nurse")) == "conflict"  # which uses nothing up
        await first.register("romeo")
        assert await refused(second.register("tybalt")) == "not-allowed"
        assert await refused(first.register("tybalt")) == "not-allowed"
        assert await refused(third.show(made.token)) == "item-not-found"
        assert await first.exists("romeo")
        assert not await first.exists("tybalt")


async def test_a_race_brings_no_second_account(tmp_path: Path) -> None:
    async with house(tmp_path) as scene:
        made = await doorkeeper(scene).invitation_create(uses=2)
        newcomers = [Newcomer(scene) for _ in range(6)]
        for newcomer in newcomers:
            await newcomer.show(made.token)
        tries = (one.register(f"guest{number}") for number, one in enumerate(newcomers))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(result is None for result in results) == 2
        there = [await newcomers[0].exists(f"guest{number}") for number in range(6)]
        assert sum(there) == 2


async def test_a_name_that_is_meant_for_somebody_is_for_nobody_else(tmp_path: Path) -> None:
    async with house(tmp_path, '"open"') as scene:
        made = await doorkeeper(scene).invitation_create(name="Juliet", contact=NURSE)
        assert made.uri.startswith(f"xmpp:juliet@{HOST}?register;preauth=")
        assert await refused(Newcomer(scene).register("juliet")) == "conflict"
        invited = Newcomer(scene)
        await invited.show(made.token)
        assert await refused(invited.register("rosaline")) == "not-acceptable"
        await invited.register("juliet")
        roster = await scene.server.rosters.of(NURSE)
        assert roster.items[JID.parse(f"juliet@{HOST}")].subscription == "both"
        with pytest.raises(CommandError, match="exists"):
            await doorkeeper(scene).invitation_create(name="juliet")


async def test_it_wears_out(tmp_path: Path) -> None:
    """XEP-0445 §4: the time counts when it is shown, and no more after that."""
    async with house(tmp_path) as scene:
        made = await doorkeeper(scene).invitation_create()
        early, late = Newcomer(scene), Newcomer(scene)
        await early.show(made.token)
        scene.clock.advance(timedelta(days=7).total_seconds())
        assert await refused(late.show(made.token)) == "item-not-found"
        await early.register("romeo")
        assert await doorkeeper(scene).invitation_list() == []


async def test_it_can_be_taken_back(tmp_path: Path) -> None:
    async with house(tmp_path) as scene:
        made = await doorkeeper(scene).invitation_create()
        newcomer = Newcomer(scene)
        await newcomer.show(made.token)
        (shown,) = await doorkeeper(scene).invitation_list()
        assert made.token not in str(shown)
        await doorkeeper(scene).invitation_revoke(shown.id)
        assert await refused(newcomer.register("romeo")) == "not-allowed"
        with pytest.raises(CommandError, match="no invitation"):
            await doorkeeper(scene).invitation_revoke(shown.id)


async def test_guessing_is_counted(tmp_path: Path) -> None:
    async with house(tmp_path, attempts="3") as scene:
        made = await doorkeeper(scene).invitation_create()
        answers = [await refused(Newcomer(scene).show(f"guess{n}")) for n in range(5)]
        assert answers == ["item-not-found"] * 3 + ["not-acceptable"] * 2
        await Newcomer(scene, "198.51.100.9").show(made.token)  # others are not held up


async def test_a_closed_house_looks_at_no_invitation(tmp_path: Path) -> None:
    async with house(tmp_path, '"closed"') as scene:
        assert await refused(Newcomer(scene).show("any")) == "service-unavailable"
        with pytest.raises(CommandError, match="closed"):
            await doorkeeper(scene).invitation_create()


async def test_what_is_kept_gives_no_invitation_away(tmp_path: Path) -> None:
    async with house(tmp_path) as scene:
        made = await doorkeeper(scene).invitation_create()
        (kept,) = await doorkeeper(scene).values.load(scene.server.hosts[HOST].jid)
        await scene.server.stores.engine.settle()
        everything = (tmp_path / "pyrite.db").read_bytes()
        assert kept.encode() in everything
        assert made.token.encode() not in everything
