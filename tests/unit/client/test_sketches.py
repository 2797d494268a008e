"""What programs look like that use the library for what it is for, in as few words."""

import asyncio
import os
import signal

import pytest
from tests.peer import PATIENCE

from pyrite.client import inbox
from pyrite.client.api import (
    Archive,
    Asked,
    AuthenticationFailed,
    Bot,
    Closed,
    Component,
    Feature,
    Message,
    MessageReceived,
    Online,
    Presence,
    Request,
    Reset,
    Roster,
    Spec,
    StanzaError,
    Suspended,
    attr,
    opens,
    payload,
    text,
)
from pyrite.client.testing import MemoryServer
from pyrite.wire.ping import Ping

ECHO = "echo.example.org"


@payload("urn:example:weather", "report")
class Report:
    city: str = attr()
    celsius: float = text(default=0.0)


async def test_send_and_listen() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["romeo", "juliet"]) as srv:
        said = []
        async with srv.client("romeo") as me, srv.client("juliet") as juliet:
            receipt = await me.send(juliet.jid, "But soft!")
            await receipt.acked
            messages = me.messages("chat")
            await juliet.send(me.jid, "one", type="headline")
            await juliet.send(me.jid, "two")
            await juliet.send(me.jid, "three")
            async for message in messages:
                said.append((message.sender, message.body))
                if message.body == "three":
                    await me.close()  # which ends the loop
        assert said == [(juliet.jid, "two"), (juliet.jid, "three")]


async def test_a_payload_is_asked_for_and_served() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["romeo", "weather"]) as srv,
        srv.client("romeo") as me,
        srv.client("weather") as weather,
    ):

        @weather.serve("get", Report)
        async def report(request: Request[Report]) -> Report:
            if request.payload.city != "Oslo":
                raise StanzaError("item-not-found", "only Oslo")
            return Report(request.payload.city, -1.5)

        assert await me.request(Report("Oslo"), weather.jid, expect=Report) == Report("Oslo", -1.5)
        with pytest.raises(StanzaError, match="only Oslo") as refused:
            await me.request(Report("Rome"), weather.jid, expect=Report)
        match refused.value:
            case StanzaError(condition="item-not-found", type="cancel", text=words):
                assert words == "only Oslo"
            case _:
                pytest.fail("errors are matched by what they say")


async def test_what_was_lost_is_sent_again() -> None:
    """A program that keeps its own outbox, beside the client, in one task group."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["romeo", "juliet"]) as srv:
        seen = []
        async with (
            srv.client("juliet") as juliet,
            srv.client("romeo") as me,
            asyncio.TaskGroup() as tasks,
        ):
            heard = juliet.messages()

            async def watch() -> None:
                async for state in me.lifecycle():
                    seen.append(type(state))
                    if isinstance(state, Reset):
                        for message in state.lost:
                            await me.send(message)

            tasks.create_task(watch())
            await srv.quiet()
            srv.cut("romeo")
            await srv.quiet()
            for session in tuple(srv.server.sessions.of(me.jid.bare).values()):
                await srv.server.unbind(session)
            receipt = await me.send(juliet.jid, "But soft!")
            await srv.advance(60)
            assert (await heard.next()).body == "But soft!"
            assert not receipt.acked.is_reached
            await me.close()
        assert seen == [Suspended, Online, Reset, Closed]


async def test_what_was_said_before() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["romeo", "juliet"]) as srv:
        async with srv.client("romeo") as me:
            for number in range(7):
                await (await me.send(srv.jid("juliet"), str(number))).acked
            history = me[Archive].query(with_="juliet@example.org", page=3)
            kept = [(old.id, old.message.body) async for old in history]
        assert [body for _, body in kept] == [*"0123456"]
        assert len({id for id, _ in kept}) == 7


# --- components, and tests without a net --------------------------------------------------


def echo(app: Component) -> None:
    @app.on(MessageReceived)
    async def again(event: MessageReceived) -> None:
        await app.send(event.reply(event.body or ""))


async def test_an_echo() -> None:
    app = Component(ECHO, "secret")
    echo(app)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"], components=[app]) as srv,
        srv.client("a") as a,
        a.messages() as heard,
    ):
        await a.send(f"narcissus@{ECHO}", "hi")
        event = await heard.next()
        assert (str(event.sender), event.body) == (f"narcissus@{ECHO}", "hi")


async def test_a_bot_at_every_address_of_a_domain() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.component(ECHO) as app,
        srv.client("a") as a,
        a.messages() as heard,
    ):
        bot = Bot(client=app)

        @bot.command("!who")
        def who(asked: Asked) -> str:
            return f"{asked.message.to}"

        await a.send(f"nymph@{ECHO}", "!who")
        event = await heard.next()
        assert (str(event.sender), event.body) == (f"nymph@{ECHO}",) * 2


async def test_what_a_component_asks_and_is_asked() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.component(ECHO) as app,
        srv.client("a") as a,
    ):
        app.serve("get", Report)(lambda request: Report(str(request.iq.to)))
        assert (await a.request(Report("?"), f"oslo@{ECHO}", expect=Report)).city == f"oslo@{ECHO}"
        a.serve("get", Report)(lambda request: Report(str(request.sender)))
        assert (await app.request(Report("?"), a.jid, expect=Report)).city == ECHO
        with pytest.raises(StanzaError):
            await app.request(Report("?"), "example.org")
        receipt = await app.send("nobody@example.net", "hi")
        refused = app.messages("error")
        await receipt.written
        assert (await refused.next()).message.error is not None
        await a.send_presence(Presence(to=app.jid))
        await srv.quiet()


async def test_who_does_not_know_the_secret() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer([]) as srv:
        stranger = srv.component(ECHO, "guessed")
        stranger._secret = "another"
        with pytest.raises(AuthenticationFailed, match="that is not the secret"):
            async with stranger:
                pass


async def test_a_component_comes_back_when_time_passes() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv, srv.component(ECHO) as app:
        states = app.lifecycle()
        assert srv.cut(ECHO) == 1
        assert isinstance(await states.next(), Suspended)
        await srv.advance(60)
        assert isinstance(await states.next(), Online)


# --- listening ----------------------------------------------------------------------------


async def test_who_leaves_the_loop_listens_no_more() -> None:
    """Else a hundred messages later nothing at all would be read."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a") as a,
        srv.client("b") as b,
    ):

        async def one() -> str | None:
            async for event in b.messages():
                return event.body
            return None

        hearing = asyncio.create_task(one())
        await srv.quiet()
        for number in range(1500):
            await a.send(b.jid, str(number))
            if number % 100 == 99:
                await srv.quiet()
        assert await hearing == "0"
        heard = b.messages()
        await a.send(b.jid, "last")
        async for event in heard:
            if event.body == "last":
                break
        assert not [line for line in b._lines if line is not heard.line]


async def test_who_is_full_and_gone_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST", 200_000)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a") as a,
        srv.client("b") as b,
    ):
        forgotten = b.messages()
        for number in range(300):
            await a.send(b.jid, str(number))
        await srv.quiet()
        assert 10 < forgotten.waiting < 200  # the rest is not read
        del forgotten
        heard = b.messages("headline")
        await a.send(b.jid, "now", type="headline")
        assert (await heard.next()).body == "now"


async def test_who_is_slow_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever holds what nobody reads would else look for it in the net."""
    monkeypatch.setattr(inbox, "MOST", 10)
    monkeypatch.setattr(inbox, "SLOW", 0.01)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a") as a,
        srv.client("b") as b,
    ):
        kept = b.messages()
        for number in range(120):
            await a.send(b.jid, str(number))
        while not caplog.records:
            await srv.quiet()
        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert record.getMessage().startswith("nothing is read: ")
        assert record.getMessage().endswith(" octets wait for who listens")
        caplog.clear()
        monkeypatch.setattr(inbox, "SLOW", PATIENCE)  # once is enough
        assert [(await kept.next()).body for _ in range(120)] == [*map(str, range(120))]


async def test_several_who_go_through_one_come_to_its_end() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv:
        async with srv.client("a") as a:
            heard = a.messages()

            async def count() -> int:
                return len([event async for event in heard])

            counting = [asyncio.create_task(count()) for _ in range(3)]
            await srv.quiet()
            await a.send(a.jid, "one")
            await a.send(a.jid, "two")
            await srv.quiet()
        assert sum(await asyncio.gather(*counting)) == 2
        assert heard.waiting == 0


# --- the end ------------------------------------------------------------------------------


async def test_what_was_sent_before_the_end_arrives() -> None:
    """However much it is, and without a look at any receipt."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("b") as b,
        b.messages() as heard,
    ):
        async with srv.client("a") as a:
            ends = a.hear(Closed)
            receipts = [await a.send(b.jid, f"{number} {'x' * 500}") for number in range(200)]
        assert [(await heard.next()).body for _ in range(200)] == [
            f"{number} {'x' * 500}" for number in range(200)
        ]
        assert all(receipt.acked.is_reached for receipt in receipts)
        assert (await ends.next()).lost == ()


async def test_what_did_not_go_out_is_told_at_the_end() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv:
        async with srv.client("a") as a:
            ends = a.hear(Closed)
            srv.cut("a")
            await srv.quiet()
            await a.send(srv.jid("b"), "lost")
        end = await ends.next()
        assert end.cause is None
        assert [message.body for message in end.lost] == ["lost"]


async def test_a_service_is_stopped_in_good_order() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["bot"]) as srv:
        bot = Bot(client=srv.client("bot"))
        running = asyncio.create_task(bot._until_stopped())
        while not bot.client.is_online:
            await srv.quiet()
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        assert not srv.server.sessions.of(srv.jid("bot"))


# --- mistakes that are told --------------------------------------------------------------


@payload("urn:example:poke", "poke")
class Poke:
    pass


class Curious(Feature):
    """Asks back, before anything else is read: in the wrong way, or in the right one."""

    spec = Spec("urn:example:poke", "1", "Curious")
    answered = 0

    @opens(Poke)
    async def poked(self, message: Message) -> bool:
        with pytest.raises(RuntimeError, match="nothing is read before this is done"):
            await self.client.request(Ping())
        self.client.start(self.ask())
        return True

    async def ask(self) -> None:
        await self.client.request(Ping())
        self.answered += 1


async def test_who_would_wait_for_what_is_not_read_is_told() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"]) as srv,
        srv.client("a") as a,
        srv.client("b", features=[Curious]) as b,
    ):
        await a.send(b.jid, Poke())
        while not b[Curious].answered:
            await srv.quiet()
            await b.request(Ping())  # which others may, meanwhile


async def test_a_feature_in_the_midst_of_a_session() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b"], friends=[("a", "b")]) as srv,
        srv.client("a") as a,
    ):
        assert not list(a[Roster])  # it is only being read
        roster = await a.begun(Roster)
        assert [str(item.jid) for item in roster] == ["b@example.org"]
        assert await a.begun(Roster) is roster


async def test_what_is_no_payload() -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv, srv.client("a") as a:
        with pytest.raises(TypeError, match="dict is no payload"):
            await a.send(a.jid, {"city": "Oslo"})
        with pytest.raises(TypeError, match="int is no payload"):
            await a.request(1)
