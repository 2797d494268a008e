"""Every recipe of the cookbook, and of the tutorial, does what it says, and is well typed."""

import asyncio
import hashlib
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.peer import PASSWORD, PATIENCE
from tests.service import JULIET, ROMEO, serving, until

from pyrite.client.api import (
    Archive,
    Bot,
    Carbons,
    Client,
    Commands,
    Disco,
    MessageReceived,
    QuickAsked,
    QuickResponses,
    Receipts,
    Reset,
    Roster,
    Shared,
    StanzaError,
    Upload,
)
from pyrite.client.testing import MemoryServer
from pyrite.core.errors import StreamError
from pyrite.wire.sharing import File

from .pair import client
from .website import HOST, website

DOCS = Path(__file__).parents[3] / "docs"
HEADING = re.compile(r"^## (.+)$", re.M)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)

Run = Callable[[MemoryServer, Any, Path], Awaitable[None]]


def recipes(page: str) -> dict[str, str]:
    """Heading -> the program below it."""
    found = {}
    for section in (DOCS / page).read_text().split("\n## ")[1:]:
        if block := BLOCK.search(section):
            found[section.partition("\n")[0]] = block[1]
    return found


COOKBOOK = recipes("how-to/client-cookbook.md")
TUTORIAL = recipes("tutorial/first-client.md")
RUNS: dict[str, Run] = {}


def runs(heading: str) -> Callable[[Run], Run]:
    def remember(run: Run) -> Run:
        RUNS[heading] = run
        return run

    return remember


def load(name: str, text: str, path: Path) -> ModuleType:
    module = ModuleType(name)
    file = path / f"{name}.py"
    file.write_text(text)
    sys.modules[name] = module  # and stays: its classes look there for what they name
    exec(compile(text, str(file), "exec"), module.__dict__)
    return module


@asynccontextmanager
async def couple(srv: MemoryServer, *features: Any) -> AsyncIterator[tuple[Client, Client]]:
    async with (
        srv.client("romeo", features=features) as romeo,
        srv.client("juliet", features=features) as juliet,
    ):
        yield romeo, juliet


async def next_body(client: Client, heard: Any) -> str | None:
    event: MessageReceived = await heard.next()
    return event.message.body


def clients_of(srv: MemoryServer, recipe: Any) -> None:
    """What a recipe calls `Client` reaches this server."""

    def made(jid: str, password: str | None = None, **options: Any) -> Client:
        client = srv.client(jid.partition("@")[0], **options)
        object.__setattr__(client.account, "password", password)
        return client

    recipe.Client = made


@runs("Say hello")
async def hello(srv: MemoryServer, recipe: Any, _: Path) -> None:
    clients_of(srv, recipe)
    async with srv.client("juliet") as juliet:
        heard = juliet.messages()
        await recipe.hello("open sesame")
        assert await next_body(juliet, heard) == "But soft!"


@runs("Say why there is no session")
async def why(srv: MemoryServer, recipe: Any, _: Path) -> None:
    clients_of(srv, recipe)
    assert await recipe.reason("romeo@x", "wrong") == "refused: not-authorized"
    assert await recipe.reason("romeo@x", "open sesame") == "logged in as romeo@example.org"


@runs("Know how far a message has come")
async def surely(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv, Receipts) as (romeo, juliet):
        assert await recipe.surely(romeo, str(juliet.jid), "hi")


@runs("Read what comes")
async def listen(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv) as (romeo, juliet), asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(recipe.listen(juliet, 2))
        await asyncio.sleep(0)
        await romeo.send(juliet.jid, "one")
        await romeo.send(juliet.jid, "two")
        said = ["romeo@example.org: one", "romeo@example.org: two"]
        assert await listening == said


@runs("Answer in order, and several people at a time")
async def slowly(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv) as (romeo, juliet):
        recipe.answer_slowly(juliet)
        heard = romeo.messages()
        for word in ("a", "b", "c"):
            await romeo.send(juliet.jid, word)
        assert [await next_body(romeo, heard) for _ in range(3)] == ["A", "B", "C"]


@runs("Echo")
async def echo(srv: MemoryServer, recipe: Any, _: Path) -> None:
    bot = Bot(client=srv.client("juliet"))
    recipe.echo(bot)
    async with bot.client, srv.client("romeo") as romeo:
        heard = romeo.messages()
        await romeo.send(bot.client.jid, "hello?")
        assert await next_body(romeo, heard) == "hello?"


@runs("A bot with commands")
async def weather_bot(srv: MemoryServer, recipe: Any, _: Path) -> None:
    bot = Bot(client=srv.client("juliet"))
    recipe.weather_bot(bot)
    with pytest.raises(ValueError, match="!weather"):
        bot.command("!weather")
    async with bot.client, srv.client("romeo") as romeo:
        heard = romeo.messages()
        for line in ("!weather Oslo", "!weather Rome", "hello"):
            await romeo.send(bot.client.jid, line)
        answers = [await next_body(romeo, heard) for _ in range(3)]
        assert answers == ["snow", "I do not know Rome.", "Try: !weather Oslo"]


@runs("Contacts")
async def contacts(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv, Roster) as (romeo, _juliet):
        await recipe.add_contact(romeo, "juliet@example.org", "Juliet")
        await srv.quiet()
        assert romeo[Roster]["juliet@example.org"].name == "Juliet"


@runs("Let everybody in who asks")
async def welcome(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv, Roster) as (romeo, juliet):
        recipe.welcome(juliet)
        await romeo[Roster].subscribe("juliet@example.org")
        await srv.quiet()
        assert romeo[Roster]["juliet@example.org"].subscription == "to"


@runs("See who comes and goes")
async def watch(srv: MemoryServer, recipe: Any, _: Path) -> None:
    await srv.befriend("romeo", "juliet")
    async with srv.client("romeo", features=[Roster]) as romeo, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(recipe.watch(romeo, 2))
        await srv.quiet()
        async with srv.client("juliet"):
            await srv.quiet()
        assert await watching == ["juliet is here", "juliet has left"]


@runs("What can it do?")
async def can(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with srv.client("romeo") as romeo:
        assert await recipe.has_archive(romeo)


@runs("Export an archive")
async def export(srv: MemoryServer, recipe: Any, folder: Path) -> None:
    async with couple(srv) as (romeo, juliet):
        for word in ("one", "two"):
            await (await romeo.send(juliet.jid, word)).acked
        file = folder / "archive.jsonl"
        assert await recipe.export(romeo, datetime(2020, 1, 1, tzinfo=UTC), file) == 2
        assert '"body": "one"' in file.read_text().splitlines()[0]


@runs("The last words of a conversation")
async def last_words(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv) as (romeo, juliet):
        for word in ("one", "two", "three"):
            await (await romeo.send(juliet.jid, word)).acked
        assert await recipe.last_words(romeo, "juliet@example.org", 2) == ["two", "three"]


@runs("Miss nothing between two runs")
async def miss_nothing(srv: MemoryServer, recipe: Any, folder: Path) -> None:
    told: list[str | None] = []
    async with srv.client("romeo") as romeo:
        for missed in ("one", "two"):
            juliet = srv.client("juliet", features=[Archive, Carbons])
            recipe.go_on_from(juliet, folder / "position")
            juliet.on(MessageReceived)(lambda event: told.append(event.message.body))
            async with juliet:
                await srv.quiet()
            await (await romeo.send(juliet.jid.bare, missed)).acked
        assert told == ["one"]


@runs("A payload of your own, asked for")
async def ask_weather(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv) as (romeo, juliet):
        with pytest.raises(StanzaError):
            await recipe.ask_weather(romeo, str(juliet.jid), "Oslo")

        @juliet.serve("get", recipe.Report)
        def answer(request: Any) -> Any:
            return recipe.Report(request.payload.city, "fog")

        assert await recipe.ask_weather(romeo, str(juliet.jid), "Oslo") == "fog"


@runs("A payload of your own, served")
async def serve_weather(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv) as (romeo, juliet):
        recipe.serve_weather(juliet)
        asked = await romeo.request(recipe.Report("Oslo"), juliet.jid, expect=recipe.Report)
        assert asked.sky == "snow"
        with pytest.raises(StanzaError, match="only Oslo"):
            await romeo.request(recipe.Report("Rome"), juliet.jid)


@runs("A feature of your own")
async def pokes(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv, recipe.Pokes) as (romeo, juliet):
        await romeo[recipe.Pokes].poke(juliet.jid)
        await srv.quiet()
        assert juliet[recipe.Pokes].count == 1


@runs("Run a command of somebody's")
async def order(srv: MemoryServer, recipe: Any, folder: Path) -> None:
    shop = load("shop", COOKBOOK["Offer a command"], folder)
    async with couple(srv, Commands) as (romeo, juliet):
        shop.offer(juliet)
        answer = await recipe.order(romeo, str(juliet.jid), "plum")
        assert answer == f"One plum cake for {romeo.jid}"
        with pytest.raises(StanzaError):
            await recipe.order(romeo, str(juliet.jid), "stone")


@runs("Offer a command")
async def offer(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv, Commands, Disco) as (romeo, juliet):
        recipe.offer(juliet)
        listed = await romeo[Commands].list(juliet.jid)
        assert [item.name for item in listed] == ["Order a cake"]
        async with romeo[Commands].run(juliet.jid, "order") as command:
            assert command.form == recipe.CAKES


@runs("Share a file by the server")
async def share(srv: MemoryServer, recipe: Any, folder: Path) -> None:
    """What there is to be done on a server without a place; the rest is done on others."""
    (folder / "letter").write_text("But soft!")
    async with couple(srv, Upload) as (romeo, juliet):
        said = await recipe.share(romeo, folder / "letter", str(juliet.jid))
        assert said == "the server has no place for files"


@runs("Save the files that are shared")
async def save(srv: MemoryServer, recipe: Any, folder: Path) -> None:
    async with website(folder) as site, couple(srv, Upload) as (romeo, juliet):
        site.pages["/letter"] = 200, b"But soft!"
        juliet[Upload].authorities, juliet[Upload].resolver = site.authorities, site
        (folder / "saved").mkdir()
        recipe.save(juliet, folder / "saved")
        letter = Shared(File(name="letter", size=9), (f"https://{HOST}/letter",))
        await romeo[Upload].share(letter, juliet.jid)
        while not (files := list((folder / "saved").iterdir())):
            await srv.quiet()
        while files[0].read_bytes() != b"But soft!":
            await srv.quiet()


@runs("Ask with buttons")
async def ask(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv, QuickResponses) as (romeo, juliet):
        asked = juliet.hear(QuickAsked)
        asking = asyncio.create_task(recipe.ask(romeo, str(juliet.jid)))
        await juliet[QuickResponses].respond(await asked.next(), "yes")
        assert await asking == "yes"


@runs("When the connection breaks")
async def again(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with couple(srv) as (romeo, juliet), asyncio.TaskGroup() as tasks:
        heard, states = juliet.messages(), romeo.lifecycle()
        sending = tasks.create_task(recipe.send_again(romeo))
        await srv.quiet()
        srv.cut("romeo")
        await srv.quiet()
        for session in tuple(srv.server.sessions.of(romeo.jid.bare).values()):
            await srv.server.unbind(session)
        await romeo.send(juliet.jid, "lost?")
        await srv.advance(5)
        while not isinstance(await states.next(), Reset):
            pass
        assert await next_body(juliet, heard) == "lost?"
        await romeo.close()
        await sending


@runs("Know when it is over")
async def log(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with srv.client("romeo") as romeo:
        logging = asyncio.create_task(recipe.log(romeo))
        await srv.quiet()
        (session,) = srv.server.sessions.of(romeo.jid.bare).values()
        session.end(StreamError("conflict", "somebody else"))
        with pytest.raises(StreamError, match="somebody else"):
            await logging


@runs("Log in without the password next time")
async def twice(srv: MemoryServer, recipe: Any, _: Path) -> None:
    clients_of(srv, recipe)
    await recipe.twice("open sesame")


@runs("A domain of one's own")
async def domain(srv: MemoryServer, recipe: Any, _: Path) -> None:
    async with srv.component("echo.example.org") as echo, srv.client("romeo") as romeo:
        recipe.echo_domain(echo)
        heard = romeo.messages()
        await romeo.send("narcissus@echo.example.org", "hello?")
        event = await heard.next()
        assert (str(event.sender), event.body) == ("narcissus@echo.example.org", "hello?")


@runs("Test without a net")
@runs("Test with a bad net")
@runs("Test what is on the wire")
async def written_as_a_test(_: MemoryServer, recipe: Any, __: Path) -> None:
    for name, test in vars(recipe).items():
        if name.startswith("test_"):
            await test()


@pytest.mark.parametrize("heading", COOKBOOK)
async def test_a_recipe(heading: str, tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE), MemoryServer(["romeo", "juliet"]) as srv:
        await RUNS[heading](srv, load("recipe", COOKBOOK[heading], tmp_path), tmp_path)


def test_every_recipe_is_run() -> None:
    assert RUNS.keys() == COOKBOOK.keys()
    assert len(COOKBOOK) >= 20


async def test_the_tutorial(tmp_path: Path) -> None:
    first, second, third, _ = TUTORIAL.values()
    sys.modules["shopping"] = load("shopping", first, tmp_path)
    try:
        test = load("test_shopping", second, tmp_path)
        answers = await test.try_it()
        assert answers == ["1 things to buy", "2 things to buy", "milk, bread"]
        assert load("third", third, tmp_path).main
    finally:
        del sys.modules["shopping"]


async def test_the_tutorial_on_a_server(tmp_path: Path) -> None:
    """As a program of its own, that is stopped as a service is."""
    for name, text in zip(
        ("shopping", "test_shopping", "bot", "local"), TUTORIAL.values(), strict=True
    ):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server") as service, asyncio.timeout(PATIENCE):
        pem = (service.folder / "cert.pem").read_text()
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "local.py"),
            cwd=tmp_path,
            env={
                **os.environ,
                "BOT": str(JULIET),
                "PASSWORD": PASSWORD,
                "PORT": str(service.server.listeners.ports["c2s-tls"]),
                "FINGERPRINT": ":".join(digest[at : at + 2] for at in range(0, 64, 2)),
            },
        )
        await until(lambda: bool(service.server.sessions.available(JULIET)))
        async with client(service, ROMEO) as romeo:
            answers = romeo.messages("chat")
            await romeo.send(JULIET, "!buy milk")
            assert (await answers.next()).body == "1 things to buy"
        running.send_signal(signal.SIGTERM)
        assert await running.wait() == 0


def test_recipes_are_well_typed(tmp_path: Path) -> None:
    """With nothing of the library's that is of any type whatever."""
    for number, text in enumerate([*COOKBOOK.values(), *list(TUTORIAL.values())[2:]]):
        (tmp_path / f"recipe_{number}.py").write_text(text)
    for name, text in zip(("shopping", "test_shopping"), TUTORIAL.values(), strict=False):
        (tmp_path / f"{name}.py").write_text(text)
    files = [str(path) for path in sorted(tmp_path.glob("*.py"))]
    no_any = ["--disallow-any-unimported", "--disallow-any-expr", "--disallow-any-decorated"]
    options = ["--strict", *no_any, "--no-incremental", "--config-file="]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
