"""What a client asks for along with its log-in: features, tasks, tokens; and who has come so."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from tests.entering import (
    BIND,
    NONE,
    NS,
    PHONE,
    SHA,
    TABLET,
    authenticate,
    bind,
    come,
    enter,
    failure,
    finish,
    plain,
    refused,
    want,
)
from tests.peer import PASSWORD
from tests.scene import quiet
from tests.service import JULIET, ROMEO, Client, Service, serving, until

from pyrite.core.payload import decode
from pyrite.core.sasl import HASHES, Advertised, Credentials, choose, derive
from pyrite.core.sasl.keys import salted_password
from pyrite.core.stanza import NS as NS_CLIENT
from pyrite.core.xml import Element
from pyrite.kit.clock import ManualClock
from pyrite.kit.config import DAY
from pyrite.server.app import Server
from pyrite.server.commands import CommandError
from pyrite.wire import archive, clients, sasl2, upgrade

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

CARBONS = "<enable xmlns='urn:xmpp:carbons:2'/>"
INACTIVE = "<inactive xmlns='urn:xmpp:csi:0'/>"
WANTS_UPGRADE = f"<upgrade xmlns='{upgrade.NS}'>UPGR-SCRAM-SHA-256</upgrade>"
NEXT = f"<next xmlns='{NS}' task='UPGR-SCRAM-SHA-256'/>"


# --- features of the session -------------------------------------------------------------


async def test_copies_from_the_first_message_on(tmp_path: Path) -> None:
    """XEP-0386 §3.2: carbons are on when the session begins."""
    async with serving(tmp_path) as service:
        phone, tablet, juliet = [await service.secured() for _ in range(3)]
        await enter(phone, bind(CARBONS))
        await enter(tablet, bind(), id=TABLET)
        await enter(juliet, BIND, name="juliet")
        await tablet.send(f"<message to='{JULIET}' type='chat'><body>hi</body></message>")
        await tablet.barrier()
        (copy,) = await phone.barrier()
        assert copy.child("urn:xmpp:carbons:2", "sent")


async def test_asleep_from_the_beginning(tmp_path: Path) -> None:
    """XEP-0386 §3.2: presence does not wake a client that says at once that nobody looks."""
    async with serving(tmp_path) as service:
        await service.befriend(ROMEO, JULIET)
        phone, juliet = await service.secured(), await service.secured()
        await enter(phone, bind(INACTIVE))
        await phone.send("<presence/>")
        await phone.barrier()
        await enter(juliet, BIND, name="juliet")
        await juliet.send("<presence/>")
        await juliet.barrier()
        (session,) = service.server.sessions.of(ROMEO).values()
        assert [stanza.tag for stanza in session.queue] == ["presence"]
        received = await phone.barrier()
        assert [element.name.tag for element in received] == ["presence"]


async def test_active_is_how_it_begins(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        phone = await service.secured()
        await enter(phone, bind("<active xmlns='urn:xmpp:csi:0'/>"))
        await phone.is_served()


async def test_where_the_archive_ends(tmp_path: Path) -> None:
    """XEP-0386 §3.2: what is there by then is the client's to ask for, and is not given twice."""
    async with serving(tmp_path) as service:
        juliet, phone, tablet = [await service.secured() for _ in range(3)]
        await enter(juliet, BIND, name="juliet")
        entered = await enter(phone, bind())
        (told,) = entered.bound
        assert decode(archive.Metadata, told) == archive.Metadata()
        await phone.close()
        await service.until_alone(2)
        await say(juliet, "one", "two")
        (told,) = (await enter(tablet, bind(), id=TABLET)).bound
        ends = await service.server.stores.archive.ends(ROMEO)
        assert ends is not None
        metadata = decode(archive.Metadata, told)
        assert metadata.start is not None
        assert metadata.end is not None
        assert (metadata.start.id, metadata.end.id) == (str(ends[0].id), str(ends[1].id))
        await say(juliet, "three")
        await tablet.send("<presence/>")
        came = [e for e in await tablet.barrier() if e.name.tag == "message"]
        assert [body.text for e in came if (body := e.child(NS_CLIENT, "body"))] == ["three"]
        await quiet(service.server)
        assert await service.server.stores.offline.count(ROMEO) == 0


async def say(client: Client, *words: str) -> None:
    for body in words:
        await client.send(f"<message to='{ROMEO}' type='chat'><body>{body}</body></message>")
    await client.barrier()


# --- tasks (XEP-0480) --------------------------------------------------------------------


async def imported(service: Service) -> None:
    """Leave Romeo what another server may have had of him: keys for SHA-1 alone."""
    keys = derive("SCRAM-SHA-1", PASSWORD, b"salt of another server", 4096)
    await service.server.stores.accounts.set_keys(ROMEO, [keys])


async def to_the_task(client: Client) -> upgrade.Salt:
    """Log in as far as the question for a hash."""
    answer = await client.ask(authenticate("PLAIN", plain(), WANTS_UPGRADE, BIND))
    told = decode(sasl2.Continue, answer)
    assert told.tasks.names == ("UPGR-SCRAM-SHA-256",)
    (data,) = decode(sasl2.TaskData, await client.ask(NEXT)).data
    return decode(upgrade.Salt, data)


def hashed(salted: bytes) -> str:
    told = f"<hash xmlns='{upgrade.NS_SCRAM}'>{b64encode(salted).decode()}</hash>"
    return f"<task-data xmlns='{NS}'>{told}</task-data>"


async def test_an_account_gets_the_keys_that_it_lacks(tmp_path: Path) -> None:
    """From SHA-1 to SHA-256 within one log-in, and the password never leaves the client."""
    async with serving(tmp_path) as service:
        await imported(service)
        client = await service.secured()
        assert (await client.scram("romeo")).name.tag == "failure"
        asked = await to_the_task(client)
        assert asked.iterations == 4096
        salted = salted_password(HASHES[SHA], PASSWORD, asked.salt, asked.iterations)
        entered = await finish(client, await client.ask(hashed(salted)), 3)
        assert set(entered.results) == {"bound"}
        again = await service.secured()
        await enter(again, WANTS_UPGRADE, mechanism=SHA)  # there is nothing left to do
        found = await service.server.stores.accounts.find(ROMEO)
        assert found
        assert {keys.mechanism for keys in found.keys} == {"SCRAM-SHA-1", SHA}


async def test_the_proof_of_the_mechanism_comes_before_the_task(tmp_path: Path) -> None:
    """XEP-0388 §2.6.3: with the first ``<continue/>``, and not once more at the end."""
    async with serving(tmp_path, auth='mechanisms = ["SCRAM-SHA-1", "PLAIN"]') as service:
        await imported(service)
        client = await service.secured()
        told = Advertised("verona.lit", client.mechanisms, (), {})
        ours = choose(told, Credentials("romeo", PASSWORD), "abcdefghijk", ["SCRAM-SHA-1"])
        answer = await client.ask(authenticate("SCRAM-SHA-1", ours.start(), WANTS_UPGRADE))
        said = ours.step(sasl2.unpack(answer.text))
        answer = await client.ask(f"<response xmlns='{NS}'>{b64encode(said).decode()}</response>")
        ours.finish(sasl2.unpack(decode(sasl2.Continue, answer).additional or ""))
        (data,) = decode(sasl2.TaskData, await client.ask(NEXT)).data
        asked = decode(upgrade.Salt, data)
        salted = salted_password(HASHES[SHA], PASSWORD, asked.salt, asked.iterations)
        answer = await client.ask(hashed(salted))
        assert decode(sasl2.Success, answer).additional is None


@pytest.mark.parametrize(
    "said",
    [
        hashed(b""),
        hashed(bytes(31)),
        hashed(bytes(33)),
        f"<task-data xmlns='{NS}'/>",
        f"<task-data xmlns='{NS}'><hash xmlns='{upgrade.NS_SCRAM}'>%</hash></task-data>",
    ],
)
async def test_hashes_that_are_none(said: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await imported(service)
        client = await service.secured()
        await to_the_task(client)
        assert failure(await client.ask(said)) == "malformed-request"
        assert len(service.server.sessions) == 0
        assert await service.server.accounts.lacks_keys(ROMEO, SHA)


async def test_another_task_than_the_one_that_is_left(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await imported(service)
        client = await service.secured()
        await client.ask(authenticate("PLAIN", plain(), WANTS_UPGRADE))
        answer = await client.ask(f"<next xmlns='{NS}' task='UPGR-SCRAM-SHA-512'/>")
        assert failure(answer) == "malformed-request"


async def test_giving_up_a_task(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await imported(service)
        for at in ("continue", "task"):
            client = await service.secured()
            if at == "task":
                await to_the_task(client)
            else:
                await client.ask(authenticate("PLAIN", plain(), WANTS_UPGRADE))
            assert failure(await client.ask(f"<abort xmlns='{NS}'/>")) == "aborted"
            await enter(client, mechanism="PLAIN")


async def test_without_the_task_nobody_is_in(tmp_path: Path) -> None:
    """§2.4: a stanza instead of it ends the stream."""
    async with serving(tmp_path) as service:
        await imported(service)
        client = await service.secured()
        await to_the_task(client)
        await client.send("<presence/>")
        await client.ends_with("not-authorized")


async def test_an_unknown_task_is_not_done(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = await service.secured()
        for task in ("UPGR-SCRAM-SHA-1", "UPGR-MAGIC", "", "UPGR-SCRAM-SHA-256-PLUS"):
            inside = f"<upgrade xmlns='{upgrade.NS}'>{task}</upgrade>"
            await imported(service)
            await enter(client, inside, mechanism="PLAIN")
            client = await service.secured()


# --- tokens ------------------------------------------------------------------------------


async def test_tokens_are_replaced_in_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        first = (await enter(await service.secured(), want())).token
        assert (await come(await service.secured(), first)).token == ""
        service.clock.advance(DAY)
        second = (await come(await service.secured(), first, BIND)).token
        assert second
        assert second != first
        await come(await service.secured(), second)
        assert await refused(await service.secured(), first) == "not-authorized"


async def test_a_token_expires(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='token-life = "2h"\ntoken-rotation = "1h"') as service:
        token = (await enter(await service.secured(), want())).token
        service.clock.advance(7200)
        client = await service.secured()
        assert await refused(client, token) == "credentials-expired"
        await enter(client, want())  # and the stream goes on


async def test_logging_out(tmp_path: Path) -> None:
    """XEP-0484 §3.6."""
    async with serving(tmp_path) as service:
        token = (await enter(await service.secured(), want())).token
        last = "<fast xmlns='urn:xmpp:fast:0' invalidate='true'/>"
        entered = await come(await service.secured(), token, BIND, fast=last)
        assert set(entered.results) == {"bound"}
        assert await refused(await service.secured(), token) == "not-authorized"


async def test_tokens_outlive_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        token = (await enter(await service.secured(), want(NONE))).token
    server = Server(service.server.settings, clock=ManualClock())
    async with server.running():
        again = Service(server, service.clock, tmp_path)
        client = await again.secured()
        await come(client, token, mechanism=NONE)
        client.writer.transport.abort()
        await again.until_alone()


# --- the list of clients (XEP-0494) ------------------------------------------------------


async def listed(client: Client) -> list[clients.Client]:
    answer = await client.ask(f"<iq type='get' id='l'><list xmlns='{clients.NS}'/></iq>")
    (told,) = answer.elements
    return [*decode(clients.Clients, told).clients]


async def revoke(client: Client, id: str) -> Element:
    return await client.ask(f"<iq type='set' id='r'><revoke xmlns='{clients.NS}' id='{id}'/></iq>")


async def test_what_a_user_sees(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        phone, tablet, stranger = [await service.secured() for _ in range(3)]
        await enter(phone, BIND, want())
        service.clock.advance(1)
        await enter(tablet, BIND, id=TABLET)
        await stranger.scram("romeo")
        await stranger.open("verona.lit")
        await stranger.ask(
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        )
        tablet.writer.transport.abort()
        await until(lambda: len(service.server.sessions) == 2)
        told = await listed(phone)
        assert [(one.connected, one.auth.password, one.auth.fast) for one in told] == [
            (True, True, True),
            (False, True, False),
            (True, True, False),
        ]
        assert [one.agent and one.agent.software for one in told] == ["Test", "Test", None]
        ids = [one.id for one in told]
        assert len(set(ids)) == 3
        assert not {PHONE, TABLET} & {*ids}
        for id in ids:
            assert (await revoke(phone, id)).attrs["type"] == "error"


async def test_a_client_is_shut_out(tmp_path: Path) -> None:
    """One that has a token and not the password that the account has now."""
    async with serving(tmp_path) as service:
        server = service.server
        await server.accounts.set_password(ROMEO, "the first of them")
        tablet = await service.secured()
        await enter(tablet, BIND, id=TABLET, password="the first of them")
        await server.accounts.set_password(ROMEO, PASSWORD)
        phone = await service.secured()
        await enter(phone, BIND)
        told = {one.auth.password: one.id for one in await listed(phone)}
        assert set(told) == {True, False}
        assert (await revoke(phone, told[False])).attrs["type"] == "result"
        await tablet.ends_with("not-authorized")
        assert [one.id for one in await listed(phone)] == [told[True]]
        assert (await revoke(phone, told[False])).attrs["type"] == "error"


async def test_a_token_is_taken_away(tmp_path: Path) -> None:
    """Of a client that never showed the password, as one that came by a certificate."""
    async with serving(tmp_path) as service:
        tablet = await service.secured()
        token = (await enter(tablet, want(), id=TABLET)).token
        await service.server.stores.engine.write(
            lambda database: database.execute("UPDATE clients SET password = 0").rowcount
        )
        phone = await service.secured()
        await enter(phone, BIND)
        (id,) = [one.id for one in await listed(phone) if not one.auth.password]
        assert (await revoke(phone, id)).attrs["type"] == "result"
        assert await refused(await service.secured(), token, id=TABLET) == "not-authorized"


async def test_what_an_operator_sees_and_ends(tmp_path: Path) -> None:
    """XEP-0494 §5. Of a client that knows the password, it is the token that ends."""
    async with serving(tmp_path) as service:
        phone = await service.secured()
        token = (await enter(phone, BIND, want())).token
        run, romeo = service.server.commands.run, {"host": "verona.lit", "jid": str(ROMEO)}
        (shown,) = await run("client-list", romeo)
        assert (shown.software, shown.connected, shown.token) == ("Test", True, True)
        with pytest.raises(CommandError, match="no client"):
            await run("client-revoke", {**romeo, "jid": str(JULIET), "id": shown.id})
        with pytest.raises(CommandError, match="no account"):
            await run("client-list", {**romeo, "jid": "romeo@elsewhere.lit"})
        await run("client-revoke", {**romeo, "id": shown.id})
        await phone.ends_with("not-authorized")
        assert await refused(await service.secured(), token) == "not-authorized"
        assert await run("client-list", romeo) == []
