"""An account ends, or becomes another's, while it is in use: nothing of the old one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.entering import BIND, authenticate, enter, failure, plain
from tests.peer import PASSWORD
from tests.places import Place, document
from tests.resuming import enabled, resume, strand
from tests.service import JULIET, ROMEO, VERONA, Client, Service, serving

from pyrite.core.stanza import Message
from pyrite.server.accounts import AccountDeleted
from pyrite.server.commands import CommandError
from pyrite.server.mod.push import Push
from pyrite.server.session import SessionEnded
from pyrite.server.shown import Deleted
from pyrite.wire import archive, blocking, push
from pyrite.wire.message import Body

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

SECRET = "what Juliet and nobody else has said and heard"
NEVER = f"<iq type='set' id='n'><prefs xmlns='{archive.NS}' default='never'/></iq>"
MOST = 1000  # messages: more than there is time for, if nothing holds up the deletion


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[tuple[Service, Client, Client]]:
    """Juliet and Romeo, whose own archive has nothing."""
    async with serving(folder, clear=True) as service:
        juliet, romeo = [
            await service.online(jid.at("desk"), available=True) for jid in (JULIET, ROMEO)
        ]
        await romeo.ask(NEVER)
        yield service, juliet, romeo


def traces(service: Service) -> int:
    """How often the files of the store have what was said."""
    files = [path for path in (service.folder / "data").iterdir() if "pyrite.db" in path.name]
    return sum(path.read_bytes().count(SECRET.encode()) for path in files)


async def talk(service: Service, until_done: asyncio.Future[Deleted]) -> int:
    """Both say something at each turn of the loop, as if it had been read before; how much."""
    server, said = service.server, 0
    sessions = [server.sessions.find(jid.at("desk")) for jid in (ROMEO, JULIET)]
    while not until_done.done():
        if said == MOST:
            await until_done
            break
        for session, to in zip(sessions, (JULIET.at("desk"), ROMEO.at("desk")), strict=True):
            assert session is not None
            message = Message("chat", to, session.jid).add(Body(f"{SECRET} {said}"))
            await server.router.receive(message, session)
            said += 1
        await asyncio.sleep(0)
    return said


async def test_what_is_said_meanwhile_is_erased(tmp_path: Path) -> None:
    """Nothing that comes or goes while the account is deleted stays in its archive."""
    async with talking(tmp_path) as (service, juliet, _):
        await juliet.send(f"<message to='{ROMEO}' type='chat'><body>{SECRET}</body></message>")
        await juliet.barrier()
        await service.server.stores.archive.settled(JULIET)
        assert traces(service)
        delete = service.server.commands.run("account-delete", {"jid": str(JULIET)})
        deleting: asyncio.Future[Deleted] = asyncio.ensure_future(delete)
        said = await talk(service, deleting)
        assert said > 10
        assert deleting.result().overwritten
        assert traces(service) == 0
        assert await service.server.stores.portable.held(JULIET) == {}
        assert not service.server.sessions.of(JULIET)


@pytest.mark.parametrize("way", ["in", "out"])
async def test_what_comes_behind_the_deletion_is_not_kept(way: str, tmp_path: Path) -> None:
    """To a session that is just ending, or from one whose last stanza is still handled."""
    async with talking(tmp_path) as (service, _, _):
        server = service.server
        one, other = (ROMEO, JULIET) if way == "in" else (JULIET, ROMEO)
        speaker = server.sessions.find(one.at("desk"))
        assert speaker is not None

        async def speak(event: AccountDeleted) -> None:
            for to in (other, other.at("desk")):
                message = Message("chat", to, speaker.jid).add(Body(SECRET))
                await server.router.receive(message, speaker)

        server.hosts[VERONA].events.on(AccountDeleted, speak)
        await server.commands.run("account-delete", {"jid": str(JULIET)})
        await server.stores.archive.settled(JULIET)
        assert traces(service) == 0


async def test_who_gets_the_name_has_nothing_of_what_was_under_way(tmp_path: Path) -> None:
    async with talking(tmp_path) as (service, _, _):
        server = service.server
        deleting = asyncio.ensure_future(
            server.commands.run("account-delete", {"jid": str(JULIET)})
        )
        await talk(service, deleting)
        await server.commands.run("account-add", {"jid": str(JULIET), "password": PASSWORD})
        assert (await server.stores.portable.held(JULIET)).keys() == {"keys"}
        assert await server.stores.archive.count(JULIET) == 0


async def test_who_deletes_the_own_account_hears_that_it_is_done(tmp_path: Path) -> None:
    """XEP-0077 §3.2. Other clients are gone by then."""
    async with talking(tmp_path) as (service, juliet, _):
        phone = await service.online(JULIET.at("phone"))
        query = "<query xmlns='jabber:iq:register'><remove/></query>"
        answer = await juliet.ask(f"<iq type='set' id='r'>{query}</iq>")
        assert (answer.attrs["id"], answer.attrs["type"]) == ("r", "result")
        assert service.server.sessions.find(JULIET.at("phone")) is None
        await juliet.ends_with("not-authorized")
        await phone.ends_with("not-authorized")


# --- replaced ------------------------------------------------------------------------------


async def replace(service: Service, inside: str = "") -> None:
    """Juliet is another, with the same password, who has what is `inside`."""
    text = document(inside, f"name='juliet' password='{PASSWORD}'")
    total, _ = await Place(service.server).bring(text, replace=True)
    assert total.imported == 1


async def prefs(client: Client) -> str:
    answer = await client.ask(f"<iq type='get' id='g'><prefs xmlns='{archive.NS}'/></iq>")
    return next(answer.elements).attrs["default"]


async def test_the_wishes_of_the_old_account_hold_no_more(tmp_path: Path) -> None:
    """Of those who block and archive, and of those who are pushed to."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online(JULIET.at("desk"), available=True)
        romeo = await service.online(ROMEO.at("desk"), available=True)
        assert await prefs(juliet) == "always"
        await juliet.ask(NEVER)
        block = f"<block xmlns='{blocking.NS}'><item jid='{ROMEO}'/></block>"
        await juliet.send(f"<iq type='set' id='b'>{block}</iq>")
        item = "<item jid='nurse@verona.lit'/>"
        await juliet.send(
            f"<iq type='set' id='i'><query xmlns='jabber:iq:roster'>{item}</query></iq>"
        )
        enable = f"<enable xmlns='{push.NS}' jid='push.verona.lit' node='n'/>"
        await juliet.send(f"<iq type='set' id='p'>{enable}</iq>")
        await juliet.barrier()
        pushing = service.server.hosts[VERONA].modules["push"]
        assert isinstance(pushing, Push)
        registrations = pushing._registrations
        assert len(await registrations.of(JULIET)) == 1
        await replace(service)
        await juliet.ends_with("reset")
        assert await registrations.of(JULIET) == ()
        again = await service.online(JULIET.at("desk"), available=True)
        assert await prefs(again) == "always"
        roster = await again.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
        assert list(next(roster.elements).elements) == []
        await romeo.send(f"<message to='{JULIET}' type='chat'><body>hi</body></message>")
        assert (await again.element()).name.tag == "message"
        assert await service.server.stores.archive.count(JULIET) == 1


async def test_what_waits_for_the_old_account_is_not_the_new_ones(tmp_path: Path) -> None:
    """Neither a session whose connection has broken, nor what is in it; nor its archive."""
    async with serving(tmp_path, clear=True) as service:
        juliet, id = await enabled(service, JULIET.at("desk"))
        romeo = await service.online(ROMEO.at("desk"))
        await strand(service, juliet)
        await romeo.send(f"<message to='{JULIET}' type='chat'><body>{SECRET}</body></message>")
        await romeo.barrier()
        await replace(service)
        assert not service.server.sessions.of(JULIET)
        _, answer = await resume(service, JULIET, id, 0)
        assert answer.name.tag == "failed"
        stores = service.server.stores
        assert await stores.offline.count(JULIET) == 0
        assert await stores.archive.count(JULIET) == 0


async def test_who_was_authenticated_comes_no_further(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.connect()
        await client.authenticate(JULIET)
        await replace(service)
        await client.ends_with("reset")


async def test_a_log_in_under_way_is_void(tmp_path: Path) -> None:
    """Also one that has proven the old account, and waits for a place."""
    async with serving(tmp_path) as service:
        server, first, second = service.server, await service.secured(), await service.secured()
        await enter(first, BIND, name="juliet")

        async def change(event: SessionEnded) -> None:
            await replace(service)

        server.hosts[VERONA].events.on(SessionEnded, change)
        answer = await second.ask(authenticate("PLAIN", plain("juliet"), BIND))
        assert failure(answer) == "not-authorized"
        assert not server.sessions.of(JULIET)


async def test_a_replacement_that_fails_leaves_the_account(tmp_path: Path) -> None:
    async with talking(tmp_path) as (service, juliet, _):
        await juliet.ask(NEVER)
        text = document("", f"name='juliet' password='{PASSWORD}'").replace("</user>", "<user")
        with pytest.raises(CommandError, match="line 1"):
            await Place(service.server).bring(text, replace=True)
        assert await prefs(juliet) == "never"
