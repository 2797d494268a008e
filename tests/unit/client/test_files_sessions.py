"""Several files of one session, and sessions whose other side does not keep to the rules."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.peer import PATIENCE
from tests.service import MALLORY, serving, until
from tests.unit.client.jingles import Hand, by_hand, content
from tests.unit.client.pair import client, pair

from pyrite.client.app import Client
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files, Ibb, Offer, Socks5
from pyrite.client.transfer import NotAsAnnounced, TransferFailed, TransferRefused
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import ibb, jingle
from pyrite.wire.hashes import Hash

SMALL = jingle.File(name="f", size=3)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("one", "two", "three")]
    for path in paths:
        path.write_bytes(path.name.encode() * 1000)
    return paths


@pytest.mark.parametrize("told", [(), ("127.0.0.1",)], ids=["stanzas", "direct"])
async def test_several_files_of_one_session(
    tmp_path: Path, paths: list[Path], told: tuple[str, ...]
) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        romeo[Socks5].addresses = told
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send_all(paths, juliet.jid))
        there = [await offers.next() for _ in paths]
        assert [offer.name for offer in there] == ["one", "two", "three"]
        assert len(juliet[Files]._sessions) == 1
        await there[1].decline()
        await there[0].accept(tmp_path / "got-one")
        assert not sending.done()
        await there[2].accept(tmp_path / "got-three")
        ends = await sending
        assert [ends[path] is None for path in paths] == [True, False, True]
        refused = ends[paths[1]]
        assert isinstance(refused, TransferRefused)
        assert refused.reason == "decline"
        assert (tmp_path / "got-three").read_bytes() == paths[2].read_bytes()
        assert not romeo[Files]._sessions
        assert not juliet[Files]._sessions


async def test_all_are_called_off(tmp_path: Path, paths: list[Path]) -> None:
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send_all(paths, juliet.jid))
        there = [await offers.next() for _ in paths]
        sending.cancel()
        await asyncio.wait([sending])
        await until(lambda: not juliet[Files]._sessions)
        for offer in there:
            with pytest.raises(TransferRefused, match="cancel"):
                await offer.accept(tmp_path / "got")


async def test_one_of_several_fails(tmp_path: Path) -> None:
    """The others go on; that one is taken out of the session (§6.4)."""
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        wrong = jingle.File(size=3, hashes=(Hash("sha-256", b"wrong"),))
        await romeo.say("session-initiate", content(wrong, "a"), content(SMALL, "b"))
        taking = [
            asyncio.create_task((await offers.next()).accept(tmp_path / name)) for name in "ab"
        ]
        await romeo.hear("session-accept")
        await romeo.hear("content-accept")
        await send(romeo, "a", b"abc")
        with pytest.raises(NotAsAnnounced):
            await taking[0]
        removed = await romeo.hear("content-remove")
        assert removed.contents[0].name == "a"
        assert removed.reason == jingle.Reason(media_error=True)
        await send(romeo, "b", b"abc")
        await taking[1]
        assert await romeo.ended() == "success"


async def send(romeo: Hand, name: str, data: bytes) -> None:
    async with await romeo.client[Ibb].open(romeo.peer, f"ibb-{name}") as stream:
        await stream.write(data)


async def test_files_that_are_added(tmp_path: Path) -> None:
    """To a session that is active, by who began it: an offer, and a request (§6.2)."""
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers, requests = juliet[Files].offers(), juliet[Files].requests()
        (tmp_path / "hers").write_bytes(b"hers")
        await romeo.say("session-initiate", content(SMALL, "a"))
        first = asyncio.create_task((await offers.next()).accept(tmp_path / "a"))
        await romeo.hear("session-accept")
        await romeo.say("content-add", content(SMALL, "b"))
        await romeo.say("content-add", content(jingle.File(name="hers"), "c", "responder"))
        await romeo.say("content-add", content(SMALL, "d"))
        second = asyncio.create_task((await offers.next()).accept(tmp_path / "b"))
        assert (await romeo.hear("content-accept")).contents[0].name == "b"
        third = asyncio.create_task((await requests.next()).send(tmp_path / "hers"))
        assert (await romeo.hear("content-accept")).contents[0].name == "c"
        await (await offers.next()).decline()
        rejected = await romeo.hear("content-reject")
        assert (rejected.contents[0].name, rejected.reason) == ("d", jingle.Reason(decline=True))
        for name, taking in (("a", first), ("b", second)):
            await send(romeo, name, b"abc")
            await taking
            assert (await romeo.hear("session-info")).info == jingle.Received(name)
        async with await romeo.client[Ibb].open(juliet.jid, "ibb-c") as stream:
            assert await stream.read() == b"hers"
        await romeo.say("session-terminate", reason=jingle.Reason(success=True))
        await third
        assert not juliet[Files]._sessions


async def test_files_that_are_taken_out(tmp_path: Path) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        await romeo.say("session-initiate", content(SMALL, "a"), content(SMALL, "b"))
        there = [await offers.next(), await offers.next()]
        taking = asyncio.create_task(there[0].accept(tmp_path / "a"))
        await romeo.hear("session-accept")
        out = jingle.Content("a", senders="initiator")
        await romeo.say("content-remove", out, reason=jingle.Reason(gone=True))
        with pytest.raises(TransferRefused, match="gone"):
            await taking
        assert await romeo.refused("content-remove", out) == "out-of-order"
        await romeo.say("content-remove", jingle.Content("b", senders="initiator"))
        assert await romeo.ended() == "cancel"  # a session of nothing is over (XEP-0166 §7.2)
        with pytest.raises(TransferRefused, match="cancel"):
            await there[1].accept(tmp_path / "b")


# --- who does not keep to the rules -------------------------------------------------------------


async def test_contents_that_cannot_be(tmp_path: Path) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        two = content(SMALL), content(SMALL)
        assert await romeo.refused("session-initiate", *two) == "bad-request"
        hers = content(SMALL, creator="responder")
        assert await romeo.refused("session-initiate", hers) == "bad-request"
        many = [content(SMALL, f"c{number}") for number in range(21)]
        assert await romeo.refused("session-initiate", *many) == "resource-constraint"
        assert not juliet[Files]._sessions
        datagrams = jingle.Content(
            "c",
            senders="initiator",
            description=jingle.Description(SMALL),
            transport=jingle.Socks5("s", mode="udp"),
        )
        for impossible, reason in (
            (content(None), "unsupported-applications"),
            (content(SMALL, senders="both"), "unsupported-applications"),
            (jingle.Content("c", senders="initiator"), "unsupported-applications"),
            (datagrams, "unsupported-transports"),
        ):
            await romeo.say("session-initiate", impossible)
            assert await romeo.ended() == reason
        await romeo.say("session-initiate", content(SMALL, senders="responder"))
        assert await romeo.ended() == "failed-application"
        await romeo.say("session-initiate", content(SMALL))
        await offers.next()  # what cannot be is not offered to anybody
        assert offers.waiting == 0


async def test_more_sessions_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrite.client.mod.files.feature.MOST_SESSIONS", 2)
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        for sid in ("1", "2", "3"):
            romeo.sid = sid
            if sid == "3":
                refused = await romeo.refused("session-initiate", content(SMALL))
                assert refused == "resource-constraint"
            else:
                await romeo.say("session-initiate", content(SMALL))
        assert offers.waiting == 2


async def test_a_session_is_of_two(tmp_path: Path, paths: list[Path]) -> None:
    """Who is neither of them knows of no such session, by whatever name."""
    async with (
        serving(tmp_path / "server") as service,
        pair(service, Disco, Files) as (romeo, juliet),
        client(service, MALLORY) as mallory,
        asyncio.timeout(PATIENCE),
    ):
        offers = juliet[Files].offers()
        sending = asyncio.create_task(romeo[Files].send(paths[0], juliet.jid))
        offer = await offers.next()
        for sid, _ in [(sid, to) for to, sid in juliet[Files]._sessions]:
            for step in (
                jingle.Jingle("session-terminate", sid, reason=jingle.Reason(success=True)),
                jingle.Jingle("session-info", sid),
            ):
                with pytest.raises(StanzaError) as refused:
                    await mallory.request(step, juliet.jid, type="set")
                assert refused.value.app is not None
                assert refused.value.app.name.tag == "unknown-session"
            own = jingle.Jingle("session-initiate", sid, contents=(content(SMALL),))
            await mallory.request(own, juliet.jid, type="set")  # which is another
        stolen = await offers.next()
        assert stolen.peer == mallory.jid
        await stolen.decline()
        await offer.accept(tmp_path / "got")
        await sending


async def test_two_sessions_of_one_name(tmp_path: Path) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        await romeo.say("session-initiate", content(SMALL))
        offer = await offers.next()
        assert await romeo.refused("session-initiate", content(SMALL)) == "out-of-order"
        taking = asyncio.create_task(offer.accept(tmp_path / "got"))
        await romeo.hear("session-accept")
        assert await romeo.refused("session-initiate", content(SMALL)) == "out-of-order"
        romeo.sid = "another"  # of the same stream
        await romeo.say("session-initiate", content(SMALL))
        with pytest.raises(StanzaError, match="conflict"):
            await (await offers.next()).accept(tmp_path / "other")
        assert await romeo.ended() == "general-error"
        await send(romeo, "c", b"abc")
        await taking


async def offered(romeo: Hand, juliet: Client, folder: Path) -> asyncio.Task[Path]:
    """A file that Juliet has accepted."""
    offers = juliet[Files].offers()
    await romeo.say("session-initiate", content(SMALL))
    offer: Offer = await offers.next()
    taking = asyncio.create_task(offer.accept(folder / "got"))
    await romeo.hear("session-accept")
    return taking


@pytest.mark.parametrize(
    ("block", "condition"),
    [
        (ibb.Data("ibb-c", 1, b"abc"), "unexpected-request"),
        (ibb.Data("ibb-c", 0, bytes(4097)), "bad-request"),
    ],
    ids=["out of order", "too large"],
)
async def test_blocks_that_may_not_be(tmp_path: Path, block: ibb.Data, condition: str) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        taking = await offered(romeo, juliet, tmp_path)
        with pytest.raises(StanzaError, match="resource-constraint"):  # larger than was agreed
            await romeo.client.request(ibb.Open("ibb-c", 4097), juliet.jid, type="set")
        await romeo.client.request(ibb.Open("ibb-c", 4096), juliet.jid, type="set")
        other = ibb.Data("another", 0, b"abc")
        with pytest.raises(StanzaError, match="item-not-found"):
            await romeo.client.request(other, juliet.jid, type="set")
        with pytest.raises(StanzaError, match=condition):
            await romeo.client.request(block, juliet.jid, type="set")
        with pytest.raises(TransferFailed, match=condition):
            await taking
        assert await romeo.ended() == "failed-transport"
        assert not (tmp_path / "got").exists()


@pytest.mark.parametrize(
    ("what", "error", "reason"),
    [
        ("more", "are allowed", "media-error"),
        ("one more", "are allowed", "media-error"),
        ("less", "2 octets of 3", "failed-transport"),
        ("nothing", "nothing comes", "timeout"),
        ("silence", "nothing comes", "timeout"),
        ("cut", "cut off", "failed-transport"),
        ("ended", "cancel", None),
    ],
)
async def test_what_comes_is_not_what_was_said(
    tmp_path: Path, what: str, error: str, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyrite.client.mod.files.part.LAST_WORDS", 0.2)
    if what == "nothing":
        monkeypatch.setattr("pyrite.client.mod.files.moving.STALLED", 0.2)
    if what == "silence":
        monkeypatch.setattr("pyrite.client.mod.files.carriage.STEP", 0.2)
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        taking = await offered(romeo, juliet, tmp_path)
        if what != "silence":
            stream = await romeo.client[Ibb].open(juliet.jid, "ibb-c")
            octets = {
                "one more": b"abc",
                "more": b"abcd",
                "less": b"ab",
                "nothing": b"",
                "cut": b"a",
                "ended": b"a",
            }
            await stream.write(octets[what])
        match what:
            case "one more":
                await stream.write(b"d")
            case "less":
                await stream.close()
            case "cut":
                await cut(juliet)
            case "ended":
                await romeo.say("session-terminate", reason=jingle.Reason(cancel=True))
        with pytest.raises(TransferFailed, match=error):
            await taking
        if reason is not None:
            assert await romeo.ended() == reason
        assert not (tmp_path / "got").exists()
        assert not juliet[Files]._sessions


async def test_a_stream_that_is_not_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is there, all the same; and the end of the stream is not waited for."""
    monkeypatch.setattr("pyrite.client.mod.files.moving.ENDING", 0.05)
    monkeypatch.setattr("pyrite.client.mod.files.ibb.CLOSING", 0.05)
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        taking = await offered(romeo, juliet, tmp_path)
        await romeo.client.request(ibb.Open("ibb-c", 4096), juliet.jid, type="set")
        await romeo.client.request(ibb.Data("ibb-c", 0, b"abc"), juliet.jid, type="set")
        assert (await taking).read_bytes() == b"abc"
        assert await romeo.ended() == "success"


async def cut(juliet: Client) -> None:
    """Let her streams break, as one does whose session was lost."""
    juliet[Ibb]._break("it was cut off")


ANSWERS: list[tuple[str, Any, str]] = [
    ("no transport", lambda name: jingle.Content(name, senders="initiator"), "no way"),
    (
        "another transport",
        lambda name: jingle.Content(name, senders="initiator", transport=jingle.Socks5("s")),
        "no way",
    ),
]


@pytest.mark.parametrize(("answer", "error"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS])
async def test_answers_that_lead_nowhere(
    tmp_path: Path, paths: list[Path], answer: Any, error: str
) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        sending = asyncio.create_task(juliet[Files].send(paths[0], romeo.client.jid))
        offer = (await romeo.hear("session-initiate")).contents[0]
        await romeo.say("session-accept", answer(offer.name))
        with pytest.raises(TransferFailed, match=error):
            await sending
        assert await romeo.ended() == "connectivity-error"


async def test_what_is_said_of_another_file(tmp_path: Path, paths: list[Path]) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        sending = asyncio.create_task(juliet[Files].send(paths[0], romeo.client.jid))
        name = (await romeo.hear("session-initiate")).contents[0].name
        assert await romeo.refused("session-accept", content(SMALL, "other")) == "item-not-found"
        assert await romeo.refused("session-accept") == "bad-request"
        assert await romeo.refused("content-accept", content(SMALL, "x")) == "item-not-found"
        assert await romeo.refused("transport-accept", content(SMALL, name)) == "out-of-order"
        checksum = jingle.Checksum(name, jingle.File(hashes=(Hash("sha-256", b"1"),)))
        assert await romeo.refused("session-info", info=checksum) == "out-of-order"
        await romeo.say("session-info")  # is it still there? It is
        await romeo.say("session-info", info=jingle.Received(name))  # which it is not yet
        await romeo.say("session-terminate", reason=jingle.Reason(busy=True))
        with pytest.raises(TransferRefused, match="busy"):
            await sending


async def test_who_says_that_it_has_what_was_not_sent(tmp_path: Path, paths: list[Path]) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        streams = romeo.client[Ibb].streams()
        sending = asyncio.create_task(juliet[Files].send(paths[0], romeo.client.jid))
        name = (await romeo.hear("session-initiate")).contents[0].name
        await romeo.say("session-accept", content(SMALL, name))
        stream = await streams.next()
        await romeo.say("session-terminate", reason=jingle.Reason(success=True))
        await stream.close()
        with pytest.raises(TransferFailed):
            await sending


async def test_a_program_that_does_not_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyrite.client.mod.files.feature.ANSWERING", 0.05)
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        await romeo.say("session-initiate", content(SMALL))
        offer = await offers.next()
        assert await romeo.ended() == "timeout"
        with pytest.raises(TransferFailed, match="ended"):
            await offer.accept(tmp_path / "got")


async def test_too_many_steps(tmp_path: Path) -> None:
    async with by_hand(tmp_path / "server") as (romeo, juliet):
        offers = juliet[Files].offers()
        await romeo.say("session-initiate", content(SMALL))
        offer = await offers.next()
        info = jingle.Content("c", senders="initiator", transport=jingle.Socks5("s"))
        for _ in range(50):
            await romeo.say("transport-info", info)
        assert await romeo.refused("transport-info", info) == "resource-constraint"
        await romeo.say("session-terminate", reason=jingle.Reason(cancel=True))
        with pytest.raises(TransferRefused, match="cancel"):
            await offer.accept(tmp_path / "got")


async def test_who_leaves_before_answering(tmp_path: Path, paths: list[Path]) -> None:
    async with (
        serving(tmp_path / "server") as service,
        client(service, MALLORY, Disco, Files) as mallory,
        asyncio.timeout(PATIENCE),
    ):
        async with client(service, JID.parse(f"{MALLORY}/other"), Disco, Files) as other:
            offers = other[Files].offers()
            sending = asyncio.create_task(mallory[Files].send(paths[0], other.jid))
            await offers.next()
        with pytest.raises(TransferRefused, match="gone"):
            await sending
