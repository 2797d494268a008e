"""Commands of our own: steps forward and back, limits, and those who do not play by the rules."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.peer import PATIENCE

from pyrite.client.app import Client
from pyrite.client.mod import commands as mod
from pyrite.client.mod.commands import (
    Call,
    CommandFailed,
    Commands,
    CommandsAnnounced,
)
from pyrite.client.mod.commands.serving import WITHIN
from pyrite.client.mod.disco import Disco
from pyrite.client.testing import MemoryServer
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.wire import commands, dataforms, disco
from pyrite.wire.commands import Actions, Command, Note
from pyrite.wire.dataforms import Field, Form, WrongAnswers, field, form
from pyrite.wire.oob import XOob

CITY = form("urn:x:city", field("city", "text-single", required=True))
DAYS = form("urn:x:days", field("days", "list-single", value="1", options=[("1", ""), ("7", "")]))
SURE = form("urn:x:sure", field("sure", "boolean", required=True), field("pin", "text-private"))


def anybody(_: JID | None) -> bool:
    return True


@asynccontextmanager
async def couple() -> AsyncIterator[tuple[MemoryServer, Client, Client]]:
    """Romeo offers commands, and Juliet runs them."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["romeo", "juliet"]) as srv,
        srv.client("romeo", features=[Commands, Disco]) as romeo,
        srv.client("juliet", features=[Commands, Disco]) as juliet,
    ):
        yield srv, romeo, juliet


def offer_weather(client: Client, *, can_go_back: bool = False) -> list[str]:
    """A command of three questions; what it has done is remembered."""
    done: list[str] = []

    @client[Commands].offer("weather", "Weather", allows=anybody, can_go_back=can_go_back)
    async def weather(call: Call) -> str:
        city = (await call.ask(CITY, last=False))["city"]
        call.note(f"Of {city}, then.")
        days = (await call.ask(DAYS))["days"]
        sure = (await call.ask(SURE, last=True))["sure"]
        done.append(f"{city} {days} {sure}")
        return done[-1]

    return done


def words(notes: tuple[Note, ...]) -> list[str]:
    return [note.text for note in notes]


# --- steps (§2.4) -----------------------------------------------------------------------------


async def test_forward_and_back() -> None:
    async with couple() as (_, romeo, juliet):
        done = offer_weather(romeo, can_go_back=True)
        async with juliet[Commands].run(romeo.jid, "weather", lang="de") as command:
            assert (command.actions, command.usual) == ({"execute", "next", "cancel"}, "next")
            assert command.lang == "de"
            await command.next({"city": "Oslo"})
            assert words(command.notes) == ["Of Oslo, then."]
            assert command.actions == {"execute", "prev", "next", "complete", "cancel"}
            await command.next({"days": "7"})
            assert (command.actions, command.usual) == (
                {"execute", "prev", "complete", "cancel"},
                "complete",
            )
            days = await command.back()
            assert days is not None
            assert days.value("days") == "7"  # as it was answered
            city = await command.back()
            assert city is not None
            assert city.value("city") == "Oslo"
            assert "prev" not in command.actions
            await command.next({"city": "Rome"})
            await command.next()
            assert await command.complete({"sure": True}) is None
            assert command.status == "completed"
            assert words(command.notes) == ["Rome 1 True"]
            assert command.actions == frozenset()
            with pytest.raises(StanzaError, match="has ended"):
                await command.next()
        assert done == ["Rome 1 True"]


async def test_secrets_are_not_shown_again() -> None:
    async with couple() as (_, romeo, juliet):

        @romeo[Commands].offer("twice", "Twice", allows=anybody, can_go_back=True)
        async def twice(call: Call) -> None:
            await call.ask(SURE, last=False)
            await call.ask(CITY, last=True)

        async with juliet[Commands].run(romeo.jid, "twice") as command:
            await command.next({"sure": True, "pin": "1234"})
            sure = await command.back()
            assert sure is not None
            assert (sure.value("sure"), sure.values("pin")) == ("1", ())


async def test_there_is_no_way_back_unless_it_is_said() -> None:
    async with couple() as (_, romeo, juliet):
        offer_weather(romeo)
        async with juliet[Commands].run(romeo.jid, "weather") as command:
            await command.next({"city": "Oslo"})
            assert "prev" not in command.actions
            with pytest.raises(StanzaError, match="not possible now") as raised:
                await command.back()
            assert raised.value.app is None  # found out here
            asked = Command("weather", command._last.sessionid, "prev")
            assert await refused(juliet, romeo, asked) == ("bad-request", "bad-action")


async def test_who_has_enough_is_asked_no_more_than_there_must_be() -> None:
    """`complete` answers with the defaults of what would still be asked, as far as there are."""
    async with couple() as (_, romeo, juliet):

        @romeo[Commands].offer("enough", "Enough", allows=anybody)
        async def enough(call: Call) -> str:
            city, days = await call.ask(CITY), await call.ask(DAYS)
            sure = await call.ask(SURE, last=True)
            return f"{city['city']} {days['days']} {sure['sure']}"

        async with juliet[Commands].run(romeo.jid, "enough") as command:
            asked = await command.complete({"city": "Oslo"})
            assert asked == SURE  # for that has no default
            await command.complete({"sure": False})
            assert words(command.notes) == ["Oslo 1 False"]


async def test_more_than_a_form_and_failure() -> None:
    async with couple() as (_, romeo, juliet):

        @romeo[Commands].offer("page", "Page", allows=anybody)
        async def page(call: Call) -> Form:
            call.add(XOob("https://weather.lit/"))
            call.note("Soon.", "warn")
            return Form("result", fields=(Field("n", values=("1",)),))

        @romeo[Commands].offer("fail", "Fail", allows=anybody)
        async def fail(_: Call) -> None:
            raise CommandFailed("the sky is gone")

        async with juliet[Commands].run(romeo.jid, "page") as command:
            assert command.payload(XOob) == XOob("https://weather.lit/")
            assert command.payload(disco.Info) is None
            assert command.notes == (Note("Soon.", "warn"),)
            assert command.form is not None
            assert command.failure is None
        async with juliet[Commands].run(romeo.jid, "fail") as command:
            assert (command.status, command.failure) == ("completed", "the sky is gone")


async def test_answers_that_do_not_fit() -> None:
    async with couple() as (_, romeo, juliet):
        offer_weather(romeo)
        async with juliet[Commands].run(romeo.jid, "weather") as command:
            with pytest.raises(WrongAnswers) as raised:
                await command.next({"town": "Oslo"})
            assert raised.value.wrong == {"town": "is not asked for", "city": "is required"}
            id = command._last.sessionid
            empty = Command("weather", id, "next", form=Form("submit"))
            assert await refused(juliet, romeo, empty) == ("bad-request", "bad-payload")
            cancelled = Form("cancel", fields=(Field("city", values=("Oslo",)),))
            answer = Command("weather", id, form=cancelled)  # §3.5.1: as if it were submitted
            assert (
                await juliet.request(answer, romeo.jid, type="set", expect=Command)
            ).form == DAYS


# --- refusals (§4.4) and limits ---------------------------------------------------------------


async def refused(who: Client, whom: Client, asked: Command) -> tuple[str, str | None]:
    """How it is refused: the condition, and the protocol's own."""
    with pytest.raises(StanzaError) as raised:
        await who.request(asked, whom.jid, type="set")
    app = raised.value.app
    return raised.value.condition, app.name.tag if app is not None else None


async def test_refusals() -> None:
    async with couple() as (_, romeo, juliet):
        offer_weather(romeo)

        @romeo[Commands].offer("own", "Own")
        async def own(_: Call) -> None:
            return None

        first = Command("weather", None, "fly")
        assert await refused(juliet, romeo, first) == ("bad-request", "malformed-action")
        first = Command("weather", None, "next")
        assert await refused(juliet, romeo, first) == ("bad-request", "bad-action")
        unknown = Command("weather", "guess", "next")
        assert await refused(juliet, romeo, unknown) == ("bad-request", "bad-sessionid")
        assert await refused(juliet, romeo, Command("own")) == ("forbidden", None)
        assert await refused(juliet, romeo, Command("none")) == ("item-not-found", None)
        async with juliet[Commands].run(romeo.jid, "weather") as command:
            id = command._last.sessionid
            fly = Command("weather", id, "fly")
            assert await refused(juliet, romeo, fly) == ("bad-request", "malformed-action")
            other = Command("own", id, "next")
            assert await refused(juliet, romeo, other) == ("forbidden", None)
            stolen = Command("weather", id, "next")
            assert await refused(romeo, romeo, stolen) == ("bad-request", "bad-sessionid")
        again = Command("weather", id, "next")
        assert await refused(juliet, romeo, again) == ("not-allowed", "session-expired")


async def test_a_step_that_says_execute_twice() -> None:
    """§3.3: a first step may say ``status='execute'``, which is no status."""
    async with couple() as (_, romeo, juliet):
        offer_weather(romeo)
        begun = Command("weather", status="execute")
        answer = await juliet.request(begun, romeo.jid, type="set", expect=Command)
        assert (answer.status, answer.form) == ("executing", CITY)


async def test_who_waits_too_long_begins_again() -> None:
    async with couple() as (srv, romeo, juliet):
        ended = asyncio.Event()

        @romeo[Commands].offer("ask", "Ask", allows=anybody)
        async def ask(call: Call) -> None:
            try:
                await call.ask(CITY)
            finally:
                ended.set()

        async with juliet[Commands].run(romeo.jid, "ask") as command:
            await srv.advance(mod.LIFE - 1)
            with pytest.raises(StanzaError):  # it goes on from here
                await juliet.request(
                    Command("ask", command._last.sessionid, "prev"), romeo.jid, type="set"
                )
            await srv.advance(mod.LIFE - 1)
            assert not ended.is_set()
            await srv.advance(2)
            await ended.wait()
            with pytest.raises(StanzaError, match="not-allowed"):
                await command.next({"city": "Oslo"})
        assert romeo[Commands]._sessions == {}


async def test_a_command_that_takes_too_long() -> None:
    async with couple() as (srv, romeo, juliet):
        begun, ended = asyncio.Event(), asyncio.Event()

        @romeo[Commands].offer("slow", "Slow", allows=anybody)
        async def slow(_: Call) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        running = asyncio.ensure_future(
            juliet.request(Command("slow"), romeo.jid, type="set", within=1000)
        )
        await begun.wait()
        await srv.advance(WITHIN + 1)
        with pytest.raises(StanzaError, match="resource-constraint"):
            await running
        await ended.wait()


async def test_nobody_has_all_of_them() -> None:
    async with couple() as (srv, romeo, juliet):
        offer_weather(romeo)
        for _ in range(mod.MOST_OF_ONE):
            await juliet.request(Command("weather"), romeo.jid, type="set")
        assert await refused(juliet, romeo, Command("weather")) == ("not-allowed", None)
        async with romeo[Commands].run(romeo.jid, "weather") as command:
            assert command.status == "executing"
        await srv.advance(mod.LIFE)
        await juliet.request(Command("weather"), romeo.jid, type="set")


async def test_all_of_them_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mod, "MOST", 2)
    async with couple() as (_, romeo, juliet):
        offer_weather(romeo)
        for _ in range(2):
            await juliet.request(Command("weather"), romeo.jid, type="set")
        assert await refused(romeo, romeo, Command("weather")) == ("resource-constraint", None)


async def test_a_client_that_is_closed_ends_what_waits() -> None:
    ended = asyncio.Event()
    async with couple() as (_, romeo, juliet):

        @romeo[Commands].offer("ask", "Ask", allows=anybody)
        async def ask(call: Call) -> None:
            try:
                await call.ask(CITY)
            finally:
                ended.set()

        await juliet.request(Command("ask"), romeo.jid, type="set")
    assert ended.is_set()


async def test_a_mistake_in_a_command_is_ours_to_know() -> None:
    """Who has asked need not wait for nothing, and our own program ends with the mistake."""

    async def run() -> None:
        async with couple() as (_, romeo, juliet):

            @romeo[Commands].offer("broken", "Broken", allows=anybody)
            async def broken(_: Call) -> str:
                return str(1 // 0)

            with pytest.raises(asyncio.CancelledError):
                await juliet.request(Command("broken"), romeo.jid, type="set")

    with pytest.raises(ZeroDivisionError):
        await run()


# --- what there is (§2.1, §2.2, §2.3) ---------------------------------------------------------


async def test_what_a_command_is() -> None:
    async with couple() as (_, romeo, juliet):
        offer_weather(romeo)

        @romeo[Commands].offer("own", "Own")
        async def own(_: Call) -> None:
            return None

        info = await juliet[Disco].info(romeo.jid)
        assert {commands.NS, dataforms.NS, dataforms.NS_VALIDATION} <= info.vars
        listed = await juliet[Disco].info(romeo.jid, commands.NS)
        assert listed.is_a("automation", "command-list")
        one = await juliet[Disco].info(romeo.jid, "weather")
        assert one.identities == (disco.Identity("automation", "command-node", "Weather"),)
        assert one.vars == {commands.NS, dataforms.NS, dataforms.NS_VALIDATION}
        with pytest.raises(StanzaError, match="forbidden"):
            await juliet[Disco].info(romeo.jid, "own")
        assert not (await juliet[Disco].info(romeo.jid, "none")).is_a("automation", "command-node")


async def test_commands_are_announced() -> None:
    async with couple() as (srv, romeo, juliet):
        offer_weather(romeo)
        heard = juliet.hear(CommandsAnnounced)
        foreign = disco.Item(JID.parse("bank.lit"), "pay", "Pay")
        await romeo.send(juliet.jid, disco.Items(commands.NS, (foreign,)), type="normal")
        await romeo[Commands].announce(juliet.jid)
        assert (await heard.next()).commands == ()  # whose commands those are not (§7)
        told = await heard.next()
        assert (told.jid, [one.node for one in told.commands]) == (romeo.jid, ["weather"])
        await srv.quiet()
        assert juliet.forged["command"] == 1


async def test_commands_of_somebody_else_are_not_listed() -> None:
    async with couple() as (_, romeo, juliet):

        class Liar(Disco):
            pass

        romeo[Commands].shown = lambda node, sender: [  # type: ignore[method-assign]
            disco.Item(romeo.jid, "true"),
            disco.Item(JID.parse("bank.lit"), "pay"),
        ]
        assert [one.node for one in await juliet[Commands].list(romeo.jid)] == ["true"]


# --- others who do not play by the rules ------------------------------------------------------

WORDS = st.none() | st.sampled_from(
    ["", "execute", "prev", "next", "complete", "cancel", "fly", "executing", "completed"]
)
STEPS = st.builds(
    Command,
    st.just("any"),
    st.none() | st.sampled_from(["same", "other"]),
    WORDS,
    WORDS,
    st.none() | st.builds(Actions, st.none() | st.just("prev"), st.booleans(), st.booleans()),
    st.lists(st.builds(Note, st.text(max_size=3)), max_size=2).map(tuple),
    st.none() | st.sampled_from([CITY, DAYS, Form("cancel"), Form("result")]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=4), st.lists(STEPS, min_size=1, max_size=4))
def test_any_steps_are_answered_or_refused(asked: list[Command], answers: list[Command]) -> None:
    """Of whoever runs our commands, and of whoever has one for us."""

    async def both() -> None:
        async with couple() as (_, romeo, juliet):
            offer_weather(romeo, can_go_back=True)
            id: str | None = None
            for step in asked:
                step = replace(step, node="weather", sessionid=id if step.sessionid else None)
                with suppress(StanzaError):
                    told = await juliet.request(step, romeo.jid, type="set", expect=Command)
                    id = told.sessionid
            todo = iter(answers)
            juliet[Commands].execute = lambda _: next(todo, answers[-1])  # type: ignore[method-assign, assignment]
            juliet._serving._served.clear()
            juliet.serve("set", Command)(lambda _: next(todo, answers[-1]))
            with suppress(StanzaError):
                async with romeo[Commands].run(juliet.jid, "any") as command:
                    await command.next({"city": "Oslo"})
                    await command.complete({"days": "1"})

    asyncio.run(both())


def test_nothing_is_offered_twice() -> None:
    client = Client("romeo@example.org", "secret")

    async def nothing(_: Call) -> None:
        return None

    client[Commands].offer("one", "One")(nothing)
    with pytest.raises(ValueError, match="offered already"):
        client[Commands].offer("one", "One")
