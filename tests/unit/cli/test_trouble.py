"""What stops a start, or should worry who starts it: in words, and never a traceback."""

import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.peer import PATIENCE

from pyrite.cli.main import run
from pyrite.net.certificates import self_signed
from pyrite.server import control
from pyrite.server.commands import CommandError

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
START = (sys.executable, "-m", "pyrite.cli.main")

Trouble = Callable[[Path], str]
"""Makes it in a folder; gives what is put into the settings."""


def data_is_a_file(folder: Path) -> str:
    (folder / "data").write_text("")
    return ""


def data_in_no_place(_: Path) -> str:
    return 'data = "/proc/nowhere"\n'


def the_port_is_taken(_: Path) -> str:
    return f'listen.c2s = "127.0.0.1:{TAKEN.getsockname()[1]}"\n'


def the_address_is_anothers(_: Path) -> str:
    return 'listen.c2s-tls = "203.0.113.7:5223"\n'


def the_database_is_newer(folder: Path) -> str:
    with _database(folder) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    return ""


def the_database_is_anothers(folder: Path) -> str:
    with _database(folder) as database:
        database.execute("CREATE TABLE sheep (name TEXT)")
    database.close()
    return ""


def the_database_is_none(folder: Path) -> str:
    (folder / "data").mkdir()
    (folder / "data/pyrite.db").write_bytes(b"sheep" * 1000)
    return ""


def the_database_has_no_folder(_: Path) -> str:
    return 'store.url = "sqlite:///below/pyrite.db"\n'


def the_key_is_lost(folder: Path) -> str:
    (folder / "data").mkdir()
    (folder / "data/cert.pem").write_text("")
    return ""


def the_key_is_anothers(folder: Path) -> str:
    (folder / "c.pem").write_bytes(self_signed(["verona.lit"], NOW)[0])
    (folder / "k.pem").write_bytes(self_signed(["verona.lit"], NOW)[1])
    return 'tls = { certificate = "c.pem", key = "k.pem" }\n'


def the_key_has_a_pass_phrase(folder: Path) -> str:
    settings = the_key_is_anothers(folder)
    words = ("openssl", "ec", "-in", "k.pem", "-aes128", "-passout", "pass:sheep", "-out", "k.pem")
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return settings


def the_secret_is_short(folder: Path) -> str:
    (folder / "data").mkdir()
    (folder / "data/auth.secret").write_bytes(b"short")
    return ""


TROUBLES: dict[Trouble, str] = {
    data_is_a_file: "/data: is no directory",
    data_in_no_place: "/proc/nowhere: No such file or directory",
    the_port_is_taken: "listen.c2s: cannot listen on 127.0.0.1:{taken}: Address already in use",
    the_address_is_anothers: "listen.c2s-tls: cannot listen on 203.0.113.7:5223: Cannot assign",
    the_database_is_newer: "of a newer version: its schema is 9999",
    the_database_is_anothers: "the file is a database of another program",
    the_database_is_none: "pyrite.db: file is not a database",
    the_database_has_no_folder: "below/pyrite.db: No such file or directory",
    the_key_is_lost: "cert.pem is there, but ",
    the_key_is_anothers: "k.pem: is not the key of ",
    the_key_has_a_pass_phrase: "k.pem: the key has a pass phrase; write it without one",
    the_secret_is_short: "auth.secret has less than 32 octets; delete it",
}
TAKEN = socket.create_server(("127.0.0.1", 0))


@pytest.fixture(scope="module", autouse=True)
def _taken() -> Iterator[None]:
    with TAKEN:
        yield


def _database(folder: Path) -> sqlite3.Connection:
    (folder / "data").mkdir()
    return sqlite3.connect(folder / "data/pyrite.db")


def settings(folder: Path, more: str) -> Path:
    file = folder / "pyrite.toml"
    data = "" if more.startswith("data") else 'data = "data"\n'
    listen = "" if more.startswith("listen") else 'listen.c2s = "127.0.0.1:0"\n'
    file.write_text(data + listen + more + '[host."verona.lit"]\nmodules = []\n')
    return file


def start(file: Path, prepare: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*START, "serve", "--config", str(file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("trouble", "said"), TROUBLES.items(), ids=[one.__name__ for one in TROUBLES]
)
def test_the_start_is_stopped_in_words(tmp_path: Path, trouble: Trouble, said: str) -> None:
    code, out, err = ended(start(settings(tmp_path, trouble(tmp_path))))
    assert (code, out) == (1, "")
    assert said.format(taken=TAKEN.getsockname()[1]) in err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("host", "made", "said"),
    [
        ("verona.lit", NOW - 4000 * DAY, "is valid from"),
        ("verona.lit", NOW - 3640 * DAY, "expires on"),
        ("mantua.lit", NOW, "is not for verona.lit"),
    ],
)
def test_a_doubtful_certificate_is_told_and_used(
    tmp_path: Path, host: str, made: datetime, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = self_signed([host], made)
    (tmp_path / "c.pem").write_bytes(certificate)
    (tmp_path / "k.pem").write_bytes(key)
    file = settings(tmp_path, 'tls = { certificate = "c.pem", key = "k.pem" }\n')
    assert run(["check", "--config", str(file)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    process = start(file)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 0
    assert said in err


def test_a_locked_database_is_said_to_who_writes(tmp_path: Path) -> None:
    file = settings(tmp_path, "")
    process = start(file)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    other = sqlite3.connect(tmp_path / "data/pyrite.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    romeo = {"jid": "romeo@verona.lit", "password": "x"}
    with pytest.raises(CommandError, match=r"^database is locked$"):
        control.ask(tmp_path / "data", "account-add", romeo, PATIENCE)
    other.execute("ROLLBACK")
    other.close()
    control.ask(tmp_path / "data", "account-add", romeo, PATIENCE)
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 0
    assert "writing fails: database is locked" in err
    assert "Traceback" not in err


def test_few_descriptors_are_enough_to_start_and_to_go_on(tmp_path: Path) -> None:
    """More clients than descriptors: they wait, the log says why, and the operator gets in."""

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    file = settings(tmp_path, "")
    process = start(file, few)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert process.stderr is not None
    line = next(line for line in process.stderr if "listening: c2s" in line)
    port = int(line.rpartition(":")[2])
    crowd = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(80)]
    assert any("cannot accept connections: " in line for line in process.stderr)
    for one in crowd:
        one.close()
    assert control.ask(tmp_path / "data", "account-list", {}, PATIENCE) == []
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 0
    assert "Traceback" not in err


def test_what_was_killed_starts_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = settings(tmp_path, "")
    for _ in range(2):
        process = start(file)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGKILL)
        code, _, err = ended(process)
        assert code == -signal.SIGKILL
        assert "Traceback" not in err
    assert (tmp_path / "data" / control.NAME).exists()
    assert run(["account", "list", "--config", str(file)]) == 0
    assert capsys.readouterr() == ("", "")
