"""The program, as an operator and a script use it: words, exit codes, signals."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from .people import Cast, Refused
from .servers import START, VERONA, Pyrite


def run(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*Pyrite.program(), *words], input=given, capture_output=True, text=True, timeout=START
    )


def test_accounts_whether_or_not_the_server_runs(tmp_path: Path) -> None:
    server = Pyrite(tmp_path)
    server.configure()
    server.command("account", "add", f"romeo@{VERONA}", "--password-stdin", given="of Verona")
    server.start()
    server.command("account", "add", f"juliet@{VERONA}", "--password-stdin", given="of Verona")
    told = json.loads(server.command("account", "list", "--host", VERONA, "--json"))
    assert server.stop() == 0
    again = json.loads(server.command("account", "list", "--host", VERONA, "--json"))
    assert told == again
    assert f"romeo@{VERONA}" in json.dumps(told)
    assert f"juliet@{VERONA}" in json.dumps(told)
    assert server.complaints() == []


async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    server = Pyrite(tmp_path)
    server.start()
    cast = Cast(server, 0)
    romeo = await cast.enter("romeo")
    await romeo.client.update_roster(f"nurse@{VERONA}", name="Nurse")
    await romeo.push()
    assert server.stop() == 0
    server.start()
    back = await cast.person(romeo.bare).log_in()
    assert (await back.roster())[f"nurse@{VERONA}"].get("name") == "Nurse"
    await cast.go_home()
    assert server.stop() == 0
    assert server.complaints() == []


async def test_an_account_by_the_operator(pyrite: Pyrite) -> None:
    cast = Cast(pyrite, 0)
    jid = cast.account("operated")
    pyrite.command("account", "password", jid, "--password-stdin", given="changed by hand")
    with pytest.raises(Refused, match="not-authorized"):
        await cast.person(jid).log_in()
    romeo = await cast.person(jid, password="changed by hand").log_in()
    gone = romeo.is_gone()
    pyrite.command("account", "delete", jid)
    await gone
    with pytest.raises(Refused, match="not-authorized"):
        await cast.person(jid, password="changed by hand").log_in()
    await cast.go_home()


def test_check_says_where_and_what(tmp_path: Path) -> None:
    """Exit 2, and for each mistake its file, line, key, and the key that was meant."""
    settings = tmp_path / "pyrite.toml"
    settings.write_text(
        f'data = "{tmp_path}/data"\n[listen]\nc2s = 5222\n[host."{VERONA}"]\nregistraton = "open"\n'
    )
    done = run("check", "--config", str(settings))
    assert done.returncode == 2
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if f"{settings}:3" in line and "listen.c2s" in line]
    assert [line for line in said if f"{settings}:5" in line and "registration" in line]
    assert run("serve", "--config", str(settings)).returncode == 2


def test_check_of_what_is_right(pyrite: Pyrite) -> None:
    assert run("check", "--config", str(pyrite.settings)).returncode == 0


def test_wrong_words(pyrite: Pyrite) -> None:
    assert run("sreve").returncode == 2
    no_such = ("account", "show", f"nobody@{VERONA}", "--config", str(pyrite.settings))
    done = run(*no_such)
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_on_the_same_data_does_not_start(pyrite: Pyrite) -> None:
    done = run("serve", "--config", str(pyrite.settings))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_reload(tmp_path: Path) -> None:
    """SIGHUP: new settings are read whole, wrong ones change nothing, and it goes on."""
    server = Pyrite(tmp_path)
    server.start()
    server.settings.write_text(server.text() + '\n[host."padua.example"]\n')
    assert server._process
    server._process.send_signal(signal.SIGHUP)
    server.command("reload")
    hosts = json.loads(server.command("host", "list", "--json"))
    assert server.stop() == 0
    assert VERONA in json.dumps(hosts)
