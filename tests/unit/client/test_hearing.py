"""What comes before anybody listens is not lost, and what nobody has handled is told again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.peer import PATIENCE
from tests.service import until

from pyrite.client import hearing
from pyrite.client.app import Client
from pyrite.client.bot import Asked, Bot
from pyrite.client.feature import MessageReceived
from pyrite.client.mod.archive import Archive, VolatilePositions
from pyrite.client.mod.chats import Chats, Said
from pyrite.client.testing import MemoryServer
from pyrite.wire.ping import Ping

from .scripted import ME, Scripted


def body(text: str, type: str = "chat", sender: str = "juliet@verona.lit/balcony") -> str:
    return f"<message type='{type}' from='{sender}' to='{ME}'><body>{text}</body></message>"


# --- before anybody listens -------------------------------------------------------------------


@asynccontextmanager
async def told_early(*texts: str) -> AsyncIterator[Scripted]:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        await client.hears(*(body(text) for text in texts))
        yield client


async def test_a_loop_begins_with_what_came_before_it() -> None:
    many = [str(number) for number in range(300)]
    async with told_early(*many) as client:
        messages = client.messages("chat")
        await client.hears(body("now"))
        assert [(await messages.next()).body for _ in range(301)] == [*many, "now"]
        assert client.messages().waiting == 0  # the first has it, and nobody else


async def test_a_handler_begins_with_what_came_before_it() -> None:
    async with told_early("one", "two") as client:
        heard: list[str | None] = []

        @client.on(MessageReceived)
        async def slowly(event: MessageReceived) -> None:
            await asyncio.sleep(0)
            heard.append(event.body)

        assert heard == []  # what stands below the handler in the program is there when it runs
        await client.hears(body("three"))
        await until(lambda: len(heard) == 3)
        assert heard == ["one", "two", "three"]


async def test_an_ordinary_function_begins_with_it_too() -> None:
    async with told_early("one", "two") as client:
        heard: list[str | None] = []
        client.on(MessageReceived)(lambda event: heard.append(event.body))
        assert heard == []
        await client.hears(body("three"))
        await until(lambda: len(heard) == 3)
        assert heard == ["one", "two", "three"]


async def test_a_bot_answers_what_waited() -> None:
    async with told_early("!hello") as client:
        bot = Bot(client=client)

        @bot.command("!hello")
        def hello(asked: Asked) -> str:
            return f"hello, {asked.sender.local}"

        answer = await client.said()
        assert answer.to is not None
        assert answer.to.local == "juliet"


async def test_who_listens_to_one_type_gets_that() -> None:
    async with Scripted() as client, asyncio.timeout(PATIENCE):
        await client.hears(body("news", "headline"), body("hi"))
        assert (await client.messages("chat").next()).body == "hi"


async def test_the_last_of_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "EARLY", 2)
    async with told_early("one", "two", "three") as client:
        messages = client.messages()
        assert [(await messages.next()).body for _ in range(2)] == ["two", "three"]


async def test_who_has_listened_gets_nothing_from_before() -> None:
    async with Scripted() as client:
        client.messages().close()
        await client.hears(body("to nobody"))
        assert client.messages().waiting == 0


async def test_what_waited_at_the_server_is_not_lost() -> None:
    """README's program, but for the net."""
    async with asyncio.timeout(PATIENCE), MemoryServer(["a", "b"]) as srv, srv.client("b") as b:
        for number in range(3):
            await (await b.send(srv.jid("a"), str(number))).acked
        async with srv.client("a") as a:
            receipt = await a.send(srv.jid("b"), "But soft!")
            await receipt.acked
            await srv.quiet()
            messages = a.messages("chat")
            assert [(await messages.next()).body for _ in range(3)] == ["0", "1", "2"]


# --- between two runs -------------------------------------------------------------------------


class Runs:
    """One program on one account, run after run; `b` writes to it."""

    def __init__(self, srv: MemoryServer, b: Client) -> None:
        self.srv, self.b, self.store = srv, b, VolatilePositions()

    def client(self, *features: type[Chats]) -> Client:
        a = self.srv.client("a", features=features)
        a[Archive].remember(self.store)
        return a

    async def begin(self) -> None:
        """From here on something can be missed."""
        async with self.client():
            await self.srv.quiet()
        await self.srv.advance(1)

    async def write(self, *texts: str) -> None:
        for text in texts:
            await (await self.b.send(self.srv.jid("a"), text)).acked
        await self.srv.quiet()

    async def told(self) -> list[str | None]:
        """What the next run is told."""
        heard: list[str | None] = []
        async with self.client() as a:
            a.on(MessageReceived)(lambda event: heard.append(event.body))
            await self.srv.quiet()
            await a.request(Ping())
            await self.srv.quiet()
        return heard


@asynccontextmanager
async def runs() -> AsyncIterator[Runs]:
    async with asyncio.timeout(PATIENCE), MemoryServer(["a", "b"]) as srv, srv.client("b") as b:
        made = Runs(srv, b)
        await made.begin()
        yield made


async def test_a_handler_that_crashes_is_told_again() -> None:
    async with runs() as program:

        async def crash() -> None:
            async with program.client() as a:

                @a.on(MessageReceived)
                async def handle(event: MessageReceived) -> None:
                    await asyncio.sleep(0)
                    if event.body == "m2":
                        raise LookupError("my bug at m2")

                await a.ended()

        writing = asyncio.create_task(program.write("m0", "m1", "m2", "m3", "m4"))
        with pytest.raises(LookupError):
            await crash()
        await writing
        assert await program.told() == ["m2", "m3", "m4"]
        assert await program.told() == []


async def test_an_ordinary_function_that_crashes_is_told_again() -> None:
    async with runs() as program:

        def handle(event: MessageReceived) -> None:
            if event.body == "m1":
                raise LookupError("my bug at m1")

        async def crash() -> None:
            async with program.client() as a:
                a.on(MessageReceived)(handle)
                await a.ended()

        writing = asyncio.create_task(program.write("m0", "m1", "m2"))
        with pytest.raises(LookupError):
            await crash()
        await writing
        assert await program.told() == ["m1", "m2"]


@pytest.mark.parametrize("closes", [False, True])
async def test_a_loop_that_crashes_is_told_again(closes: bool) -> None:
    async with runs() as program:

        async def crash() -> None:
            async with program.client() as a:
                await program.write("m0", "m1", "m2")
                if closes:
                    async with a.messages() as messages:
                        async for event in messages:
                            assert event.body == "m0", "my bug"
                async for event in a.messages():
                    assert event.body == "m0", "my bug"

        with pytest.raises(AssertionError, match="my bug"):
            await crash()
        assert await program.told() == ["m1", "m2"]


async def test_a_loop_that_is_left_has_done_with_it() -> None:
    async with runs() as program:
        async with program.client() as a:
            await program.write("m0", "m1", "m2")
            async for event in a.messages():
                if event.body == "m1":
                    break
        assert await program.told() == []


async def test_words_are_told_again_where_their_handler_crashes() -> None:
    async with runs() as program:

        async def crash() -> None:
            async with program.client(Chats) as a:

                @a.on(Said)
                async def handle(event: Said) -> None:
                    await asyncio.sleep(0)
                    assert event.text == "m0", "my bug"

                await a.ended()

        writing = asyncio.create_task(program.write("m0", "m1", "m2"))
        with pytest.raises(AssertionError, match="my bug"):
            await crash()
        await writing
        assert await program.told() == ["m1", "m2"]


async def test_a_conversation_that_crashes_is_told_again() -> None:
    async with runs() as program:

        async def crash() -> None:
            async with program.client(Chats) as a, a[Chats].with_(program.b.jid) as chat:
                reading = chat.events()
                await program.write("m0", "m1", "m2")
                async for event in reading:
                    assert isinstance(event, Said)
                    assert event.text == "m0", "my bug"

        with pytest.raises(AssertionError, match="my bug"):
            await crash()
        assert await program.told() == ["m1", "m2"]


async def test_what_nobody_listened_to_is_told_again() -> None:
    async with runs() as program:
        async with program.client():
            await program.write("m0", "m1")
        assert await program.told() == ["m0", "m1"]
        assert await program.told() == []


async def test_who_listens_to_something_else_has_done_with_messages() -> None:
    async with runs() as program:
        async with program.client(Chats) as a:
            words = a.hear(Said)
            await program.write("m0", "m1")
            assert [(await words.next()).text for _ in range(2)] == ["m0", "m1"]
        assert await program.told() == []


async def test_a_handler_that_goes_on_is_waited_for() -> None:
    async with runs() as program:
        async with program.client() as a:
            done: list[str | None] = []

            @a.on(MessageReceived)
            async def slowly(event: MessageReceived) -> None:
                for _ in range(50):
                    await asyncio.sleep(0)
                done.append(event.body)

            await program.write("m0", "m1")
        assert done == ["m0", "m1"]
        assert await program.told() == []
