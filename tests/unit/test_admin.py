"""What an operator does, in a server without sockets."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pyrite import __version__
from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.admin import Admin
from pyrite.server.app import Server
from pyrite.server.catalogue import Installed
from pyrite.server.commands import Caller, CommandError, encode
from pyrite.server.settings import Limits, load

SETTINGS = """
data = "data"
[host."verona.lit"]
modules = ["ping"]
[host."mantua.lit"]
modules = []
"""
ROMEO = JID.parse("romeo@verona.lit")
Started = Callable[[], AbstractAsyncContextManager[Server]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pyrite.toml"
    path.write_text(SETTINGS)
    return path


def rewrite(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.fixture
def started(file: Path) -> Started:
    @asynccontextmanager
    async def start() -> AsyncIterator[Server]:
        server = Server(load(file, Installed()), clock=ManualClock())
        async with server.opened():
            yield server

    return start


async def plain(server: Server, command: str, **args: Any) -> Any:
    return encode(await server.commands.run(command, args))


async def test_accounts_are_listed_in_pages_over_all_hosts(started: Started) -> None:
    everyone = ["a@mantua.lit", "b@mantua.lit", "a@verona.lit", "b@verona.lit", "c@verona.lit"]
    async with started() as server:
        for jid in everyone:
            await plain(server, "account-add", jid=jid, password="secret")
        listed: list[str] = []
        while page := await plain(
            server, "account-list", limit=2, **({"after": listed[-1]} if listed else {})
        ):
            assert len(page) <= 2
            listed += page
    assert listed == everyone


async def test_what_accounts_refuse_is_said(started: Started) -> None:
    async with started() as server:
        await plain(server, "account-add", jid="romeo@verona.lit", password="secret")
        for name, args, said in (
            ("account-add", {"jid": "romeo@verona.lit", "password": "x"}, "exists already"),
            ("account-add", {"jid": "verona.lit", "password": "x"}, "no address of an account"),
            ("account-show", {"jid": "nobody@verona.lit"}, "there is no account"),
            ("account-delete", {"jid": "nobody@verona.lit"}, "there is no account"),
            ("account-password", {"jid": "nobody@verona.lit", "password": "x"}, "there is no acc"),
            ("account-list", {"host": "elsewhere.lit"}, "not served here"),
        ):
            with pytest.raises(CommandError, match=said):
                await plain(server, name, **args)


async def test_an_admin_of_one_host_does_nothing_elsewhere(started: Started) -> None:
    async with started() as server:
        caller = Caller("host-admin", JID.parse("admin@verona.lit"), "verona.lit")
        romeo = {"jid": "romeo@verona.lit", "password": "secret"}
        await server.commands.run("account-add", romeo, caller)
        assert await server.commands.run("account-list", {"host": "verona.lit"}, caller) == [ROMEO]
        for name, args in (
            ("account-add", {"jid": "romeo@mantua.lit", "password": "secret"}),
            ("account-list", {"host": "mantua.lit"}),
            ("account-list", {}),
            ("account-list", {"host": "verona.lit", "after": "a@mantua.lit"}),
            ("sessions-list", {}),
            ("reload", {}),
            ("settings-show", {}),
        ):
            with pytest.raises(CommandError, match="may"):
                await server.commands.run(name, args, caller)


async def test_sessions_are_listed_and_ended(started: Started) -> None:
    async with started() as server:
        ended = [await server.bind(ROMEO, resource) for resource in ("garden", "orchard")]
        friar = await server.bind(JID.parse("friar@mantua.lit"), "cell")
        shown = await plain(server, "sessions-list", host="verona.lit")
        assert [one["jid"] for one in shown] == [
            "romeo@verona.lit/garden",
            "romeo@verona.lit/orchard",
        ]
        assert shown[0]["since"].startswith("2026-01-01T00:00:00")
        assert len(await plain(server, "sessions-list")) == 3
        assert len(await plain(server, "sessions-list", limit=1)) == 1
        assert await plain(server, "sessions-end", jid="romeo@verona.lit/garden") == 1
        assert [one.ended is not None for one in ended] == [True, False]
        assert await plain(server, "sessions-end", jid="romeo@verona.lit") == 2
        assert ended[1].ended is not None
        assert friar.ended is None
        with pytest.raises(CommandError, match="no session"):
            await plain(server, "sessions-end", jid="romeo@verona.lit/balcony")


async def test_modules_are_loaded_and_unloaded(started: Started) -> None:
    async def hosts_of(server: Server, module: str) -> list[str]:
        found = {one["module"]: one["hosts"] for one in await plain(server, "module-list")}
        hosts: list[str] = found[module]
        return hosts

    async with started() as server:
        assert await hosts_of(server, "ping") == ["verona.lit"]
        await plain(server, "module-load", name="ping", host="mantua.lit")
        assert await hosts_of(server, "ping") == ["verona.lit", "mantua.lit"]
        await plain(server, "module-unload", name="ping", host="verona.lit")
        assert await hosts_of(server, "ping") == ["mantua.lit"]
        for name, args, said in (
            ("module-load", {"name": "ping", "host": "mantua.lit"}, "ping is loaded"),
            ("module-load", {"name": "pong", "host": "mantua.lit"}, "there is no module pong"),
            ("module-unload", {"name": "ping", "host": "verona.lit"}, "ping is not loaded"),
            ("module-load", {"name": "ping", "host": "padua.lit"}, "padua.lit is not served here"),
        ):
            with pytest.raises(CommandError, match=said):
                await plain(server, name, **args)


async def test_a_reload_takes_the_file_as_it_is_now(started: Started, file: Path) -> None:
    async with started() as server:
        rewrite(file, SETTINGS.replace('"ping"', "").replace("mantua", "padua"))
        told = await plain(server, "reload")
        assert [one["setting"] for one in told] == [
            'host."mantua.lit"',
            'host."padua.lit"',
            'host."verona.lit".modules',
        ]
        assert [one["host"] for one in await plain(server, "host-list")] == [
            "verona.lit",
            "padua.lit",
        ]
        rewrite(file, "data = 3")
        with pytest.raises(CommandError, match=r"nothing was changed:\n.*pyrite.toml:1: data: "):
            await plain(server, "reload")
        assert len(server.hosts) == 2


async def test_a_live_setting_stays_changed_until_it_is_unset(started: Started) -> None:
    key = 'host."verona.lit".registration'
    async with started() as server:
        told = await plain(server, "settings-set", key=key, value="open")
        assert told == [{"setting": key, "applies": "now"}]
        assert server.hosts["verona.lit"].settings.registration == "open"
        assert await plain(server, "reload") == []
    async with started() as server:
        assert server.hosts["verona.lit"].settings.registration == "open"
        assert {"key": key, "value": "open"} in await plain(server, "settings-live")
        assert await plain(server, "settings-unset", key=key) == [
            {"setting": key, "applies": "now"}
        ]
        assert server.hosts["verona.lit"].settings.registration == "closed"
        with pytest.raises(CommandError, match="was not changed"):
            await plain(server, "settings-unset", key=key)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("data", "x", "data is not changed while the server runs"),
        ("listen.c2s", "x", "is not changed while the server runs"),
        ("listen", {}, "is not changed while the server runs"),
        ("limits.pnig-after", "5m", 'unknown key; did you mean "ping-after"?'),
        ("limits.ping-after", "5", "'5' is no duration"),
        ("limits.ping-after", "0s", "limits.ping-after: expected more than 0s"),
        ("limits.attempts", 99, "limits.attempts: expected an integer of 2 or more and at most 10"),
        ('host."verona.lit".registration', "opn", 'did you mean "open"?'),
        ('host."padua.lit".registration', "open", "unknown key"),
        ("host.verona.lit.registration", "open", "unknown key"),
        ("modules.pong.x", 3, "unknown key"),
        ('host."verona.lit".pong.x', 3, "unknown key"),
        ("log.level.x", 3, "is no table"),
        ("a = 3\nb", 3, "is no key"),
        ("a =", 3, "is no key"),
        ("", 3, "is no key"),
    ],
)
async def test_what_cannot_be_set_is_said(
    started: Started, key: str, value: object, said: str
) -> None:
    async with started() as server:
        before = server.settings
        with pytest.raises(CommandError) as caught:
            await plain(server, "settings-set", key=key, value=value)
        assert said in str(caught.value)
        assert server.settings == before
        assert await server.stores.settings.load() == {}


async def test_a_stored_setting_that_fits_no_more_is_left_out(
    started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    async with started() as server:
        await server.stores.settings.put("limits.attempts", "99")
        await server.stores.settings.put("limits.negotiation", '"20s"')
        await server.stores.settings.put("no.longer", "1")
    async with started() as server:
        assert server.settings.limits.attempts == Limits().attempts
        assert server.settings.limits.negotiation == 20
    assert caplog.text.count("stored setting left out") == 2
    caplog.clear()


async def test_what_the_server_tells_of_itself(started: Started) -> None:
    async with started() as server:
        server.meter.counter("seen", "Seen.").value = 3
        assert {"name": "seen", "label": None, "value": 3} in await plain(server, "metrics")
        await server.bind(ROMEO, "garden")
        status = await plain(server, "status")
        assert (status["version"], status["hosts"], status["sessions"]) == (__version__, 2, 1)
        shown = await plain(server, "settings-show")
        assert list(shown["host"]) == ["verona.lit", "mantua.lit"]
        (verona, _) = await plain(server, "host-list")
        assert (verona["modules"], verona["accounts"], verona["sessions"]) == (["ping"], 0, 1)


async def test_every_method_of_admin_is_a_command(started: Started) -> None:
    public = [name for name in vars(Admin) if not name.startswith("_")]
    async with started() as server:
        known = {one.name for one in server.commands}
    assert {name.replace("_", "-") for name in public} <= known
