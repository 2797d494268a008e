"""Parts of files: gone on with, asked for, and hashes that are told last (XEP-0234 §6.3, §8)."""

import asyncio
from pathlib import Path

import pytest
from tests.peer import PATIENCE
from tests.service import serving
from tests.unit.client.jingles import Hand, by_hand, content
from tests.unit.client.pair import pair

from pyrite.client.app import Client
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb, Socks5
from pyrite.client.transfer import (
    NotAsAnnounced,
    TooLarge,
    TransferFailed,
    TransferRefused,
    hashed,
)
from pyrite.wire import jingle
from pyrite.wire.hashes import Hash, HashUsed

DATA = bytes(range(256)) * 400  # 25 blocks of stanzas


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_bytes(DATA)
    return path


async def cut_off(romeo: Client, juliet: Client, path: Path, got: Path, **options: bool) -> int:
    """Send most of a file, then call it off; how many octets of it are kept."""
    offers = juliet[Files].offers()
    half = asyncio.Event()

    def watch(done: int, _: int | None) -> None:
        if done >= len(DATA) // 2:
            half.set()

    sending = asyncio.create_task(romeo[Files].send(path, juliet.jid, **options))
    offer = await offers.next()
    taking = asyncio.create_task(offer.accept(got, resume=True, progress=watch))
    await half.wait()
    sending.cancel()
    with pytest.raises(TransferFailed):
        await taking
    offers.close()
    return got.with_name("got.part").stat().st_size


@pytest.mark.parametrize("hash_later", [False, True])
async def test_what_was_cut_off_is_gone_on_with(
    tmp_path: Path, path: Path, hash_later: bool
) -> None:
    got = tmp_path / "got"
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        kept = await cut_off(romeo, juliet, path, got, hash_later=hash_later)
        assert 0 < kept < len(DATA)
        assert not got.exists()
        offers, steps = juliet[Files].offers(), list[int]()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(romeo[Files].send(path, juliet.jid, hash_later=hash_later))
            offer = await offers.next()
            await offer.accept(got, resume=True, progress=lambda done, _: steps.append(done))
        assert steps[0] > kept
        assert got.read_bytes() == DATA
        assert not got.with_name("got.part").exists()
        assert not romeo[Files]._sessions
        assert not juliet[Files]._sessions


@pytest.mark.parametrize("hash_later", [False, True])
async def test_what_does_not_belong_together(tmp_path: Path, path: Path, hash_later: bool) -> None:
    got, part = tmp_path / "got", tmp_path / "got.part"
    part.write_bytes(b"of another file")
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send(path, juliet.jid, hash_later=hash_later))
        with pytest.raises(NotAsAnnounced, match="sha-256"):
            await (await offers.next()).accept(got, resume=True)
        with pytest.raises(TransferRefused, match="media-error"):
            await sending
        assert not part.exists()  # the next time begins anew
        assert not got.exists()


@pytest.mark.parametrize("announced", [True, False])
async def test_what_cannot_be_gone_on_with_begins_anew(
    tmp_path: Path, path: Path, announced: bool
) -> None:
    """More is here than the file has; or there is no hash to say whether it belongs to it."""
    got, part = tmp_path / "got", tmp_path / "got.part"
    part.write_bytes(DATA + b"more" if announced else b"abc")
    known = (await hashed(path, "sha-256"),) if announced else ()
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        file = jingle.File(size=len(DATA), range=jingle.Range(), hashes=known)
        await romeo.say("session-initiate", content(file))
        taking = asyncio.create_task((await offers.next()).accept(got, resume=True))
        assert asked(await romeo.hear("session-accept")) == jingle.Range()
        async with await romeo.client[Ibb].open(juliet.jid, "ibb-c") as stream:
            await stream.write(DATA)
        await taking
        assert got.read_bytes() == DATA


def asked(step: jingle.Jingle) -> jingle.Range | None:
    """From where on the file is wanted."""
    description = step.contents[0].description
    assert description is not None
    assert description.file is not None
    return description.file.range


async def test_an_offer_of_the_rest(tmp_path: Path) -> None:
    """We say from where on we need it, whatever they think that we have (§6.3)."""
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        file = jingle.File(size=6, range=jingle.Range(4), hashes=(Hash("sha-1", b"x"),))
        await romeo.say("session-initiate", content(file))
        taking = asyncio.create_task((await offers.next()).accept(tmp_path / "got"))
        assert asked(await romeo.hear("session-accept")) == jingle.Range(0)
        async with await romeo.client[Ibb].open(juliet.jid, "ibb-c") as stream:
            await stream.write(b"ef")
        with pytest.raises(TransferFailed, match="2 octets of 6"):
            await taking
        assert await romeo.ended() == "failed-transport"


async def sends_to(romeo: Hand, juliet: Client, path: Path, **options: bool) -> asyncio.Task[None]:
    return asyncio.create_task(juliet[Files].send(path, romeo.client.jid, **options))


@pytest.mark.parametrize(
    "range",
    [
        jingle.Range(len(DATA) + 1),
        jingle.Range(0, len(DATA) + 1),
        jingle.Range(2**62, 2**62),
        jingle.Range(None, len(DATA) + 1),
    ],
)
async def test_octets_that_the_file_does_not_have(
    tmp_path: Path, path: Path, range: jingle.Range
) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        streams = romeo.client[Ibb].streams()
        sending = await sends_to(romeo, juliet, path)
        offered = (await romeo.hear("session-initiate")).contents[0]
        await romeo.say("session-accept", content(jingle.File(range=range), offered.name))
        await streams.next()
        with pytest.raises(TransferFailed, match=f"of a file of {len(DATA)}"):
            await sending
        assert await romeo.ended() == "failed-application"


@pytest.mark.parametrize(
    ("range", "piece"),
    [
        (jingle.Range(10, 5), slice(10, 15)),
        (jingle.Range(None, 5), slice(0, 5)),
        (jingle.Range(len(DATA) - 3), slice(-3, None)),
        (None, slice(None)),
    ],
)
async def test_the_hash_that_is_told_last(
    tmp_path: Path, path: Path, range: jingle.Range | None, piece: slice
) -> None:
    """Of the whole file where all of it, or its end, was sent; else of the piece (§8.2)."""
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        streams = romeo.client[Ibb].streams()
        sending = await sends_to(romeo, juliet, path, hash_later=True)
        offered = (await romeo.hear("session-initiate")).contents[0]
        assert offered.description is not None
        assert offered.description.file is not None
        assert offered.description.file.hash_used == HashUsed("sha-256")
        assert offered.description.file.hashes == ()
        await romeo.say("session-accept", content(jingle.File(range=range), offered.name))
        stream, got = await streams.next(), b""
        while chunk := await stream.read():
            got += chunk
        assert got == DATA[piece]
        told = (await romeo.hear("session-info")).info
        assert isinstance(told, jingle.Checksum)
        (tmp_path / "piece").write_bytes(got)
        if range is not None and range.length is not None:
            hash = await hashed(tmp_path / "piece", "sha-256")
            assert told.file == jingle.File(
                range=jingle.Range(range.offset or 0, range.length, (hash,))
            )
        else:
            assert told.file == jingle.File(hashes=(await hashed(path, "sha-256"),))
        received = jingle.Received(offered.name)  # and not a word of its end
        await romeo.say("session-info", info=received)
        await sending
        assert await romeo.ended() == "success"


@pytest.mark.parametrize("told", [Hash("sha-1", b"wrong"), None])
async def test_a_hash_that_was_promised(
    tmp_path: Path, told: Hash | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told is None:
        monkeypatch.setattr("pyrite.client.mod.files.part.STEP", 1.0)
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        # COMPAT: as a hash without a value, of which the specification speaks as well (§4)
        file = jingle.File(size=3, hashes=(Hash("sha-1", b""),))
        await romeo.say("session-initiate", content(file))
        taking = asyncio.create_task((await offers.next()).accept(tmp_path / "got"))
        await romeo.hear("session-accept")
        async with await romeo.client[Ibb].open(juliet.jid, "ibb-c") as stream:
            await stream.write(b"abc")
        if told is not None:
            other = jingle.Checksum("d", jingle.File(hashes=(told,)))
            assert await romeo.refused("session-info", info=other) == "item-not-found"
            checksum = jingle.Checksum("c", jingle.File(hashes=(told,)))
            await romeo.say("session-info", info=checksum)
        with pytest.raises(TransferFailed, match="sha-1" if told is not None else "says nothing"):
            await taking
        assert await romeo.ended() == ("media-error" if told is not None else "failed-application")
        assert not (tmp_path / "got").exists()


# --- asking (§6.2) ------------------------------------------------------------------------------


async def give(juliet: Client, path: Path) -> None:
    """Send the file at `path` to who asks next."""
    await (await juliet[Files].requests().next()).send(path)


@pytest.mark.parametrize("told", ["nobody", "romeo", "juliet", "both"])
async def test_a_file_is_asked_for(tmp_path: Path, path: Path, told: str) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        for name, one in (("romeo", romeo), ("juliet", juliet)):
            if told in (name, "both"):
                one[Socks5].addresses = ("127.0.0.1",)
        wanted = jingle.File(hashes=(await hashed(path, "sha3-256"),))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(give(juliet, path))
            got = await romeo[Files].fetch(wanted, juliet.jid, tmp_path / "got")
        assert got.read_bytes() == DATA
        assert not romeo[Files]._sessions
        assert not juliet[Files]._sessions


async def test_the_rest_of_a_file_is_asked_for(tmp_path: Path, path: Path) -> None:
    got = tmp_path / "got"
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        kept = await cut_off(romeo, juliet, path, got)
        wanted = jingle.File(name="letter.txt", hashes=(await hashed(path, "sha-256"),))
        steps: list[int] = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(give(romeo, path))
            await juliet[Files].fetch(
                wanted, romeo.jid, got, resume=True, progress=lambda done, _: steps.append(done)
            )
        assert steps[0] > kept
        assert got.read_bytes() == DATA


@pytest.mark.parametrize(
    ("range", "piece"),
    [
        (jingle.Range(10, 5), slice(10, 15)),
        (jingle.Range(len(DATA) - 3), slice(-3, None)),
        (jingle.Range(len(DATA)), slice(0, 0)),
        (jingle.Range(0, len(DATA)), slice(None)),
    ],
)
async def test_a_piece_is_asked_for(
    tmp_path: Path, path: Path, range: jingle.Range, piece: slice
) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(give(juliet, path))
            wanted = jingle.File(name="letter.txt", range=range)
            got = await romeo[Files].fetch(wanted, juliet.jid, tmp_path / "got")
        assert got.read_bytes() == DATA[piece]


async def test_files_that_are_not_to_be_had(tmp_path: Path, path: Path) -> None:
    got = tmp_path / "got"
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        wanted = jingle.File(name="/etc/passwd")
        with pytest.raises(TransferRefused, match="file-not-available"):  # nobody is asked
            await romeo[Files].fetch(wanted, juliet.jid, got)
        requests = juliet[Files].requests()

        fetching = asyncio.create_task(romeo[Files].fetch(wanted, juliet.jid, got))
        request = await requests.next()
        assert (request.peer, request.name) == (romeo.jid, "/etc/passwd")
        await request.refuse()
        with pytest.raises(TransferRefused) as refused:
            await fetching
        assert refused.value.reason == "file-not-available"

        other = jingle.File(hashes=(Hash("sha-256", b"of something else"),))
        fetching = asyncio.create_task(romeo[Files].fetch(other, juliet.jid, got))
        with pytest.raises(TransferFailed, match="not the file"):
            await (await requests.next()).send(path)
        with pytest.raises(TransferRefused, match="file-not-available"):
            await fetching

        beyond = jingle.File(name="letter.txt", range=jingle.Range(len(DATA) + 1))
        fetching = asyncio.create_task(romeo[Files].fetch(beyond, juliet.jid, got))
        with pytest.raises(TransferFailed, match="of a file of"):
            await (await requests.next()).send(path)
        with pytest.raises(TransferRefused, match="failed-application"):
            await fetching

        fetching = asyncio.create_task(
            romeo[Files].fetch(jingle.File(name="letter.txt"), juliet.jid, got, most=10)
        )
        with pytest.raises(TransferRefused, match="file-too-large"):
            await (await requests.next()).send(path)
        with pytest.raises(TooLarge):
            await fetching
        assert not got.exists()


async def test_another_file_than_was_asked_for(tmp_path: Path) -> None:
    """The hash that was asked for counts, whatever the answer says."""
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        wanted = jingle.File(hashes=(Hash("sha-256", b"x" * 32),))
        got = tmp_path / "got"
        fetching = asyncio.create_task(juliet[Files].fetch(wanted, romeo.client.jid, got))
        asked = (await romeo.hear("session-initiate")).contents[0]
        assert asked.senders == "responder"
        assert isinstance(asked.transport, jingle.Ibb)
        streams = romeo.client[Ibb].streams()
        other = jingle.File(size=3, hashes=(Hash("sha-1", b"of the other"),))
        answer = content(other, asked.name, "responder")
        await romeo.say("session-accept", answer)
        async with await streams.next() as stream:
            assert stream.sid == asked.transport.sid
            await stream.write(b"abc")
        with pytest.raises(NotAsAnnounced, match="sha-256"):
            await fetching
        assert await romeo.ended() == "media-error"
        assert not got.exists()
