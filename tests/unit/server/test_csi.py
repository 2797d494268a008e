"""What an inactive client's connection is not woken for, and what wakes it."""

from pathlib import Path

import pytest
from tests.service import JULIET, ROMEO, Service, serving

from pyrite.core.errors import StreamError
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.core.stanza import Iq, Message, Presence, Stanza
from pyrite.server.mod.csi import CsiSettings
from pyrite.server.session import Session
from pyrite.wire import chatstates, csi
from pyrite.wire.message import Body

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

PHONE = JULIET.at("phone")
ROOM = JID.parse("hall@conference.verona.lit")
INACTIVE, ACTIVE = f"<inactive xmlns='{csi.NS}'/>", f"<active xmlns='{csi.NS}'/>"


def presence(who: JID, id: str = "") -> Presence:
    return Presence(to=PHONE, sender=who, id=id or None)


def state(value: chatstates.ChatState) -> Message:
    return Message("chat", PHONE, ROMEO.at("a"), payloads=(encode(value),))


def words() -> Message:
    return Message("chat", PHONE, ROMEO.at("a"), payloads=(encode(Body("hi")),))


class Wakes:
    """Counts how often a session's connection is woken."""

    def __init__(self, session: Session) -> None:
        self.count = 0
        session.wake = self

    def __call__(self) -> None:
        self.count += 1


async def asleep(service: Service, count: int = 500) -> tuple[Session, Wakes]:
    """A session whose client is inactive, and that nobody writes out."""
    server = service.server
    host = server.hosts["verona.lit"]
    session = await server.bind(JULIET, "phone")
    wakes = Wakes(session)
    await host.unload("csi")
    await host.load("csi", CsiSettings(count=count))
    await host.take_nonza(encode(csi.Inactive()), session)
    return session, wakes


async def test_it_is_offered_after_authentication(tmp_path: Path) -> None:
    """§4.1."""
    async with serving(tmp_path) as service:
        client = await service.secured()
        await client.scram("romeo")
        offered = await client.open("verona.lit")
        assert offered.child(csi.NS, "csi") is not None
        assert (await (await service.connect()).open("verona.lit")).child(csi.NS, "csi") is None


@pytest.mark.parametrize(
    "matters",
    [
        words(),
        Message("error", PHONE, ROMEO, payloads=(encode(chatstates.Paused()),)),
        Message("groupchat", PHONE, ROOM.at("romeo"), payloads=(encode(Body("juliet: hi")),)),
        Iq("get", PHONE, ROMEO.at("a"), "1"),
        Presence("subscribe", PHONE, ROMEO),
        Presence("error", PHONE, ROOM),
    ],
    ids=repr,
)
async def test_what_matters_wakes(matters: Stanza, tmp_path: Path) -> None:
    """And what waited comes before it."""
    async with serving(tmp_path) as service:
        session, wakes = await asleep(service)
        held = [presence(ROMEO.at("a")), state(chatstates.Composing())]
        for stanza in held:
            session.send(stanza)
        assert wakes.count == 0
        session.send(matters)
        assert wakes.count == 1
        assert session.take() == [*held, matters]


async def test_the_latest_counts(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        session, wakes = await asleep(service)
        romeo, other = ROMEO.at("a"), ROMEO.at("b")
        session.send(presence(romeo, "1"))
        session.send(presence(other, "2"))
        for _ in range(5_000):  # more than the queue has room for
            session.send(presence(romeo, "3"))
            session.send(state(chatstates.Composing()))
        session.send(presence(romeo, "4"))
        assert wakes.count == 0
        assert session.queued_octets == sum(len(stanza.write()) for stanza in session.queue)
        assert [stanza.id for stanza in session.take()] == ["2", None, "4"]
        assert session.ended is None


async def test_what_is_not_written_yet_stays_before_what_matters(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        session, _ = await asleep(service)
        sent = [presence(ROMEO.at("a"), "1"), words(), presence(ROMEO.at("a"), "2")]
        for stanza in sent:
            session.send(stanza)
        assert session.take() == sent


async def test_not_more_than_so_many_wait(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        session, wakes = await asleep(service, 3)
        for number in range(6):
            session.send(presence(ROMEO.at(str(number))))
        assert wakes.count == 2
        assert len(session.take()) == 6


async def test_what_was_written_is_forgotten(tmp_path: Path) -> None:
    """By a full queue, or because the client said something."""
    async with serving(tmp_path) as service:
        session, wakes = await asleep(service)
        session.send(presence(ROMEO.at("a"), "1"))
        session.take()
        session.send(presence(ROMEO.at("a"), "2"))
        assert [stanza.id for stanza in session.take()] == ["2"]
        assert wakes.count == 0


async def test_the_end_wakes(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        session, wakes = await asleep(service)
        session.send(presence(ROMEO.at("a")))
        session.end(StreamError("conflict"))
        assert wakes.count == 1


async def test_without_the_module_nobody_sleeps(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        session, wakes = await asleep(service)
        await service.server.hosts["verona.lit"].unload("csi")
        assert wakes.count == 1
        assert session.wake is wakes


async def test_a_stream_that_was_resumed_is_active(tmp_path: Path) -> None:
    """§5.2: another connection has taken over the session."""
    async with serving(tmp_path) as service:
        session, old = await asleep(service)
        new = Wakes(session)
        await session.host.take_nonza(encode(csi.Active()), session)
        assert (session.wake, new.count, old.count) == (new, 0, 0)
        await session.host.take_nonza(encode(csi.Inactive()), session)
        session.send(presence(ROMEO.at("a")))
        await session.host.take_nonza(encode(csi.Active()), session)
        assert (session.wake, new.count, old.count) == (new, 1, 0)


async def test_over_a_socket(tmp_path: Path) -> None:
    """§5.1: what waited is written before the answer to what the client asks next."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online(PHONE)
        await juliet.send(INACTIVE)
        await juliet.barrier()
        (session,) = service.server.sessions
        session.send(presence(ROMEO.at("a"), "waited"))
        assert len(session.queue) == 1
        await juliet.send(ACTIVE)
        assert [e.attrs.get("id") for e in await juliet.barrier()] == ["waited"]
