"""Files from client to client: by each way, refused, called off, and wrong."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import serving, until
from tests.unit.client.pair import pair

from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb, Offer, Socks5
from pyrite.client.socks import Listener
from pyrite.client.transfer import TooLarge, TransferFailed, TransferRefused
from pyrite.core.errors import StanzaError
from pyrite.wire import jingle
from pyrite.wire.hashes import Hash

DATA = bytes(range(256)) * 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("told", ["nobody", "romeo", "juliet", "both"])
async def test_a_file_arrives(
    tmp_path: Path, path: Path, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody tells an address, stanzas carry it; else whoever was told connects."""
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        for name, one in (("romeo", romeo), ("juliet", juliet)):
            if told in (name, "both"):
                one[Socks5].addresses = ("127.0.0.1",)
        steps: list[int] = []
        direct: list[object] = []
        welcome = Listener.welcome

        async def seen(self: Listener, *pipe: object) -> None:
            direct.append(pipe)
            await welcome(self, *pipe)  # type: ignore[arg-type]

        monkeypatch.setattr(Listener, "welcome", seen)
        offers = juliet[Files].offers()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                romeo[Files].send(path, juliet.jid, progress=lambda done, _: steps.append(done))
            )
            offer = await offers.next()
            assert (offer.peer, offer.name, offer.size) == (romeo.jid, "letter.txt", len(DATA))
            got = await offer.accept(tmp_path / "got")
        assert got.read_bytes() == DATA
        assert steps[-1] == len(DATA)
        assert bool(direct) is (told != "nobody")
        assert not romeo[Files]._sessions
        assert not juliet[Files]._sessions


async def test_declined(tmp_path: Path, path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        with pytest.raises(TransferRefused, match="decline"):  # nobody is there to ask
            await romeo[Files].send(path, juliet.jid)
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid))
        offer = await offers.next()
        assert offer._part.deadline is not None
        await offer.decline()
        assert offer._part.deadline is None  # nothing of it is left
        with pytest.raises(TransferRefused, match="decline"):
            await sending
        with pytest.raises(TransferFailed, match="ended"):
            await offer.accept(tmp_path / "got")
        assert not (tmp_path / "got").exists()


async def test_called_off(tmp_path: Path, path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid))
        offer = await offers.next()
        sending.cancel()
        await asyncio.wait([sending])
        await until(lambda: not juliet[Files]._sessions)
        with pytest.raises(TransferRefused, match="cancel"):
            await offer.accept(tmp_path / "got")


async def test_larger_than_wanted(tmp_path: Path, path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid))
        offer = await offers.next()
        with pytest.raises(TooLarge):
            await offer.accept(tmp_path / "got", most=len(DATA) - 1)
        with pytest.raises(TransferRefused, match="media-error"):
            await sending
        assert not (tmp_path / "got").exists()


async def test_nothing_is_overwritten(tmp_path: Path, path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid))
        offer = await offers.next()
        with pytest.raises(FileExistsError):
            await offer.accept(path)
        await offer.decline()
        with pytest.raises(TransferRefused):
            await sending
    assert await asyncio.to_thread(path.read_bytes) == DATA


@pytest.mark.parametrize(
    ("size", "hash", "sent", "said"),
    [
        (3, Hash("sha-256", b"wrong"), b"abc", "sha-256"),
        (3, None, b"abcd", "are allowed"),
        (5, None, b"abcd", "4 octets of 5"),
    ],
)
async def test_what_is_not_as_announced_is_not_kept(
    tmp_path: Path, size: int, hash: Hash | None, sent: bytes, said: str
) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Ibb, Socks5) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        accepted = asyncio.Event()
        heard: list[str] = []

        @romeo.serve("set", jingle.Jingle)
        def step(request):  # type: ignore[no-untyped-def]
            heard.append(request.payload.action)
            accepted.set()

        file = jingle.File(name="../../evil", size=size, hashes=(hash,) if hash else ())
        content = jingle.Content(
            "c", senders="initiator", description=jingle.Description(file),
            transport=jingle.Ibb("s", 4096),
        )  # fmt: skip
        start = jingle.Jingle("session-initiate", "x", contents=(content,))
        await romeo.request(start, juliet.jid, type="set")
        offer: Offer = await offers.next()
        taking = asyncio.create_task(offer.accept(tmp_path / "got"))
        await accepted.wait()
        async with await romeo[Ibb].open(juliet.jid, "s") as stream:
            await stream.write(sent)
        with pytest.raises(TransferFailed, match=said):
            await taking
        await until(lambda: heard[-1:] == ["session-terminate"])
        assert not (tmp_path / "got").exists()


async def test_steps_that_may_not_be(tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, also=[Ibb]) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        content = jingle.Content(
            "c", senders="initiator", description=jingle.Description(jingle.File(name="f", size=1)),
            transport=jingle.Ibb("s", 4096),
        )  # fmt: skip
        start = jingle.Jingle("session-initiate", "x", contents=(content,))

        async def refused(step: jingle.Jingle) -> str:
            with pytest.raises(StanzaError) as raised:
                await romeo.request(step, juliet.jid, type="set")
            app = raised.value.app
            return app.name.tag if app is not None else raised.value.condition

        assert await refused(jingle.Jingle("session-accept", "x")) == "unknown-session"
        assert await refused(jingle.Jingle("session-initiate", "x")) == "bad-request"
        await romeo.request(start, juliet.jid, type="set")
        assert await refused(start) == "out-of-order"
        assert await refused(jingle.Jingle("session-accept", "x")) == "out-of-order"
        assert await refused(jingle.Jingle("transport-replace", "x")) == "out-of-order"
        assert await refused(jingle.Jingle("content-add", "x")) == "bad-request"
        assert await refused(jingle.Jingle("content-modify", "x")) == "feature-not-implemented"
        assert await refused(jingle.Jingle("transport-info", "x")) == "bad-request"
        other = jingle.Content("d", senders="initiator")
        assert await refused(jingle.Jingle("transport-info", "x", contents=(other,))) == (
            "item-not-found"
        )
        (await offers.next())
        await romeo.request(jingle.Jingle("session-terminate", "x"), juliet.jid, type="set")
        assert await refused(jingle.Jingle("session-info", "x")) == "unknown-session"
