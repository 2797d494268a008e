"""Files as old clients send them: by each kind of stream, and refused."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import serving
from tests.unit.client.pair import pair

from pyrite.client.feature import Request
from pyrite.client.mod.files import Ibb, Si, Socks5
from pyrite.client.mod.ping import Ping
from pyrite.client.transfer import TransferFailed, TransferRefused
from pyrite.core.errors import StanzaError
from pyrite.wire import ibb, ping, si

DATA = bytes(range(256)) * 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("kind", ["connection", "stanzas"])
async def test_a_file_arrives(
    tmp_path: Path, path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "stanzas":
        monkeypatch.setattr("pyrite.client.mod.files.si.METHODS", (ibb.NS,))
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Si) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        romeo[Socks5].addresses = ("127.0.0.1",)
        offers = juliet[Si].offers()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(romeo[Si].send(path, juliet.jid))
            offer = await offers.next()
            assert (offer.peer, offer.name, offer.size) == (romeo.jid, "letter.txt", len(DATA))
            got = await offer.accept(tmp_path / "got")
        assert got.read_bytes() == DATA
        with pytest.raises(TransferFailed, match="answered"):
            await offer.accept(tmp_path / "again")


@pytest.mark.parametrize(
    ("range", "got"),
    [
        (si.Range(), DATA),
        (si.Range(offset=128), DATA[128:]),
        (si.Range(length=256), DATA[:256]),
        (si.Range(128, 256), DATA[128 : 128 + 256]),
        (si.Range(len(DATA)), b""),
        (si.Range(len(DATA) + 1), None),
        (si.Range(1, len(DATA)), None),
    ],
)
async def test_a_piece_is_wanted(
    tmp_path: Path, path: Path, range: si.Range, got: bytes | None
) -> None:
    """As an old client says that has the rest already (XEP-0096 §3)."""
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Ibb, also=[Si]) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        streams = juliet[Ibb].streams()

        @juliet.serve("set", si.Si)
        def answer(request: Request[si.Si]) -> si.Si:
            offered = request.payload.file
            assert offered is not None
            assert offered.range == si.Range()
            return si.Si(file=si.File(range=range), feature=si.chosen(ibb.NS))

        sending = asyncio.create_task(romeo[Si].send(path, juliet.jid))
        if got is None:
            with pytest.raises(TransferFailed, match=f"of a file of {len(DATA)}"):
                await sending
            return
        data = b""
        async with await streams.next() as stream:
            while piece := await stream.read():
                data += piece
        await sending
        assert data == got


async def test_refused(tmp_path: Path, path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Si) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        with pytest.raises(TransferRefused):  # nobody is there to ask
            await romeo[Si].send(path, juliet.jid)
        offers = juliet[Si].offers()
        sending = asyncio.create_task(romeo[Si].send(path, juliet.jid))
        (await offers.next()).decline()
        with pytest.raises(TransferRefused):
            await sending


async def test_who_waits_for_a_decision_is_answered_meanwhile(tmp_path: Path, path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Si, Ping) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Si].offers()
        sending = asyncio.create_task(romeo[Si].send(path, juliet.jid))
        offer = await offers.next()
        await romeo.request(ping.Ping(), juliet.jid)
        assert not sending.done()
        offer.decline()
        with pytest.raises(TransferRefused):
            await sending


async def test_offers_are_few(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrite.client.mod.files.si.MOST_OFFERS", 1)
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Si) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Si].offers()
        sending = asyncio.create_task(romeo[Si].send(path, juliet.jid))
        offer = await offers.next()
        with pytest.raises(TransferRefused):
            await romeo[Si].send(path, juliet.jid)
        assert not sending.done()
        offer.decline()
        with pytest.raises(TransferRefused):
            await sending
        sending = asyncio.create_task(romeo[Si].send(path, juliet.jid))
        (await offers.next()).decline()
        with pytest.raises(TransferRefused):
            await sending


@pytest.mark.parametrize(
    ("offer", "app"),
    [
        (si.Si("a", profile="urn:other", file=si.File("f", 1)), "bad-profile"),
        (si.Si("a", profile=si.NS_FILE), "bad-profile"),
        (si.Si("a", profile=si.NS_FILE, file=si.File("f", 1)), "no-valid-streams"),
        (
            si.Si("a", None, si.NS_FILE, si.File("f", 1), si.offered(("jabber:iq:oob",))),
            "no-valid-streams",
        ),
    ],
)
def test_offers_that_cannot_be_taken(offer: si.Si, app: str) -> None:
    with pytest.raises(StanzaError) as raised:
        si.choose(offer, (ibb.NS,))
    assert raised.value.app is not None
    assert raised.value.app.name == (si.NS, app)
