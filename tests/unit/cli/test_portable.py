"""Accounts as files on the command line: made, read, refused, and never left half written."""

import io
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyrite.cli.main import run

SETTINGS = """
data = "data"
[auth]
iterations = 4096
[host."verona.lit"]
modules = []
[host."mantua.lit"]
modules = []
"""
PIE = "urn:xmpp:pie:0"
Pyrite = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pyrite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pyrite:
    """Runs words beside a settings file: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    Path("pyrite.toml").write_text(SETTINGS)

    def call(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    for jid in ("romeo@verona.lit", "juliet@verona.lit", "friar@mantua.lit"):
        assert call("account", "add", jid, "--password-stdin", stdin="wherefore\n")[0] == 0
    return call


def hamlet(inside: str = "") -> str:
    return f"<host xmlns='{PIE}' jid='verona.lit'><user name='hamlet'>{inside}</user></host>"


def test_an_account_goes_to_a_file_and_comes_back(pyrite: Pyrite) -> None:
    code, out, err = pyrite("account", "export", "romeo@verona.lit", "--output", "romeo.xml")
    assert (code, err) == (0, "")
    assert "accounts: 1\n" in out
    assert stat.S_IMODE(Path("romeo.xml").stat().st_mode) == 0o600
    text = Path("romeo.xml").read_text()
    assert pyrite("account", "export", "romeo@verona.lit") == (0, text, "")
    assert pyrite("account", "delete", "romeo@verona.lit")[0] == 0
    mechanisms = "SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512"
    assert pyrite("account", "import", "romeo.xml") == (
        0,
        f"romeo@verona.lit: imported: {mechanisms}\nromeo.xml: 1 imported, 0 refused\n",
        "",
    )
    assert pyrite("account", "export", "romeo@verona.lit")[1] == text
    assert pyrite("account", "import", "romeo.xml") == (
        1,
        "romeo@verona.lit: refused: it exists already\nromeo.xml: 0 imported, 1 refused\n",
        "",
    )
    assert pyrite("account", "import", "romeo.xml", "--replace")[0] == 0


def test_a_host_goes_to_a_file_and_several_files_come_in(pyrite: Pyrite) -> None:
    for host in ("verona.lit", "mantua.lit"):
        assert pyrite("host", "export", host, "--output", f"{host}.xml")[0] == 0
    for jid in ("romeo@verona.lit", "friar@mantua.lit"):
        assert pyrite("account", "delete", jid)[0] == 0
    code, out, _ = pyrite("account", "import", "verona.lit.xml", "mantua.lit.xml")
    assert code == 1  # Juliet was there still
    assert "verona.lit.xml: 1 imported, 1 refused\n" in out
    assert "mantua.lit.xml: 1 imported, 0 refused\n" in out
    words = ("account", "import", "verona.lit.xml", "--host", "mantua.lit")
    assert "romeo@verona.lit: refused: it is of verona.lit\n" in pyrite(*words)[1]


def test_what_is_left_out_is_said(pyrite: Pyrite) -> None:
    given = hamlet("<a xmlns='urn:a'/><a xmlns='urn:a'/><b xmlns='urn:b'/>")
    assert pyrite("account", "import", stdin=given) == (
        0,
        "hamlet@verona.lit: imported: no password\n"
        "  left out: a of urn:a (2 times)\n"
        "  left out: b of urn:b\n"
        "standard input: 1 imported, 0 refused, 1 of the imported without all that they had\n",
        "",
    )
    given = given.replace("</user>", "</user><c xmlns='urn:c'/>")
    outcome, total = map(
        json.loads,
        pyrite("account", "import", "--replace", "--json", stdin=given)[1].splitlines(),
    )
    assert outcome["left_out"] == {"a of urn:a": 2, "b of urn:b": 1}
    assert total == {
        "file": "standard input",
        "imported": 1,
        "refused": 0,
        "incomplete": 1,
        "outside": {"c of urn:c": 1},
    }


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("account", "import"), 1, "standard input: line 1: not-well-formed: no element found"),
        (("account", "import", "none.xml"), 1, "none.xml: No such file or directory"),
        (("account", "import", "pyrite.toml"), 1, "pyrite.toml: line 2: not-well-formed"),
        (("account", "import", "--host", "elsewhere.lit"), 1, "not served here"),
        (("account", "export", "nobody@verona.lit"), 1, "there is no account nobody@verona.lit"),
        (("account", "export", "verona.lit"), 1, "is no address of an account"),
        (("host", "export", "elsewhere.lit"), 1, "elsewhere.lit is not served here"),
        (
            ("account", "export", "romeo@verona.lit", "--output", "pyrite.toml"),
            1,
            "pyrite.toml: File exists",
        ),
        (
            ("account", "export", "nobody@verona.lit", "--output", "new.xml"),
            1,
            "there is no account",
        ),
        (("command", "account-export", "jid=romeo@verona.lit"), 2, "reads or writes a file"),
    ],
)
def test_what_is_refused_leaves_nothing(
    pyrite: Pyrite, words: tuple[str, ...], code: int, said: str
) -> None:
    got, out, err = pyrite(*words)
    assert (got, out) == (code, "")
    assert said in err
    assert not Path("new.xml").exists()
    assert Path("pyrite.toml").read_text() == SETTINGS


def test_the_store_gets_smaller(pyrite: Pyrite) -> None:
    large = f"<query xmlns='jabber:iq:private'><a xmlns='urn:a'>{'x' * (1 << 20)}</a></query>"
    assert pyrite("account", "import", stdin=hamlet(large))[0] == 0
    assert pyrite("account", "delete", "hamlet@verona.lit")[0] == 0
    sizes = json.loads(pyrite("store", "compact", "--json")[1])
    assert sizes["before"] >= sizes["after"] + (1 << 20)
    assert (Path("data") / "pyrite.db").stat().st_size == sizes["after"]
