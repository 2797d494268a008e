"""The words of the command, and the settings that it gives to each server."""

import asyncio
import json
from pathlib import Path

import pytest
from bench import cli, micro
from bench.plan import Plan
from bench.scenario import SCENARIOS
from bench.servers import SERVERS
from bench.servers.base import DOMAIN
from bench.servers.ejabberd import Ejabberd
from bench.servers.prosody import EXTRA, Prosody
from bench.servers.pyrite import Pyrite

from pyrite.core.jid import JID
from pyrite.kit.clock import SystemClock
from pyrite.server.catalogue import Installed
from pyrite.server.settings import load
from pyrite.server.store import open_stores

SMALL = Plan(clients=2, sessions=1, warm_sessions=1, contacts=1)


def test_without_words_all_but_the_soak_run_everywhere() -> None:
    options = cli.parser().parse_args([])
    assert options.server == ["pyrite", "prosody", "ejabberd"]
    assert [name for name in SCENARIOS if name not in options.scenario] == ["soak"]
    assert cli.plan(options) == Plan()


def test_words_change_the_plan() -> None:
    words = "--seconds 2 --clients 4 --window 3 --mechanism PLAIN --with carbons sm".split()
    plan = cli.plan(cli.parser().parse_args(words))
    assert (plan.seconds, plan.clients, plan.window) == (2.0, 4, 3)
    assert (plan.mechanism, plan.features) == ("PLAIN", ("carbons", "sm"))


@pytest.mark.parametrize(
    "words", [["--clients", "3"], ["--server", "other"], ["--scenario", "nap"], ["--with", "sun"]]
)
def test_wrong_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.plan(cli.parser().parse_args(words))
    assert stopped.value.code == cli.WRONG
    assert words[0] in capsys.readouterr().err


def test_a_server_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # nothing is installed, nor can be
    assert cli.main(["--server", "prosody"]) == cli.WRONG
    assert "prosody is missing: apt-get install" in capsys.readouterr().err


def test_accounts_are_enough_for_every_scenario() -> None:
    assert Plan().accounts == 1500
    assert Plan(sessions=1, warm_sessions=1).accounts == 501


def test_settings_of_ejabberd(tmp_path: Path) -> None:
    config = Ejabberd(tmp_path, Plan()).config(1000, 2000, EXTRA)
    read = json.loads(json.dumps(config))
    assert [each["port"] for each in read["listen"]] == [1000, 2000]
    assert {"mod_mam", "mod_carboncopy", "mod_stream_mgmt", "mod_roster"} <= set(read["modules"])


def test_settings_of_prosody(tmp_path: Path) -> None:
    plain = Prosody(tmp_path, Plan()).config(1000, 2000)
    assert "c2s_ports = { 1000 }" in plain
    assert '"carbons"' not in plain
    assert '"carbons"' in Prosody(tmp_path, Plan()).config(1000, 2000, ["carbons"])
    assert 'password_hash = "SHA-256"' in Prosody(tmp_path, Plan(mechanism="SCRAM-SHA-256")).config(
        1000, 2000
    )


def test_accounts_of_prosody(tmp_path: Path) -> None:
    asyncio.run(Prosody(tmp_path, SMALL).provision())
    files = sorted(tmp_path.rglob("*.dat"))
    assert [file.name for file in files] == ["user0000.dat", "user0001.dat"]
    assert files[0].parts[-3:-1] == ("bench%2eexample", "accounts")
    assert '["iteration_count"] = 10000' in files[0].read_text()


async def test_pyrite_takes_its_settings_and_has_its_accounts(tmp_path: Path) -> None:
    server = Pyrite(tmp_path, SMALL)
    server.owner = None
    await server.prepare()
    file = tmp_path / "pyrite.toml"
    file.write_text(server.config(1000, 2000))
    settings = load(file, Installed())
    assert not settings.tls.required
    modules = settings.host[DOMAIN].modules or ()
    assert "archive" not in modules
    assert {"acks", "carbons", "roster"} <= set(modules)
    assert '"archive"' in server.config(1000, 2000, ["archive"]).replace("'", '"')
    stores = await open_stores(settings.store.url, settings.data, SystemClock())
    async with stores:
        account = await stores.accounts.find(JID.parse(f"user0001@{DOMAIN}"))
    assert account is not None
    assert {keys.mechanism for keys in account.keys} >= {"SCRAM-SHA-1", "SCRAM-SHA-256"}


async def test_pyrite_is_given_an_archive(tmp_path: Path) -> None:
    server = Pyrite(tmp_path, SMALL)
    await server.provision()
    await server.archive("user0001", 7)
    async with await open_stores("sqlite:///pyrite.db", tmp_path / "data", SystemClock()) as stores:
        page = await stores.archive.page(JID.parse(f"user0001@{DOMAIN}"), limit=10)
    assert len(page.entries) == 7
    assert f"to='user0000@{DOMAIN}/bench'" in page.entries[0].stanza


async def test_others_are_given_none(tmp_path: Path) -> None:
    for kind in (Prosody, Ejabberd):
        with pytest.raises(NotImplementedError, match=kind.name):
            await kind(tmp_path, SMALL).archive("user0000", 1)


def test_what_the_peers_cannot_do_is_not_asked_of_them() -> None:
    ours = [name for name, each in SCENARIOS.items() if each.servers == ("pyrite",)]
    assert ours == ["login-fast", "paging-large"]


def test_every_server_is_known_by_its_name() -> None:
    assert all(kind.name == name for name, kind in SERVERS.items())


@pytest.mark.parametrize("name", micro.STEPS)
def test_steps_of_the_small_bench(name: str) -> None:
    micro.STEPS[name]()()
