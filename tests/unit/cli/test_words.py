"""The words of the command line: what they do without a server, and how they fail."""

import io
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.peer import PATIENCE

from pyrite import __version__
from pyrite.cli.call import text
from pyrite.cli.main import GROUPS, WORDS, _function, run
from pyrite.server.control import claim

SETTINGS = """
data = "data"
[host."verona.lit"]
modules = []
[host."mantua.lit"]
modules = []
"""
Pyrite = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pyrite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pyrite:
    """Runs words beside a settings file: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    Path("pyrite.toml").write_text(SETTINGS)

    def call(*words: str, stdin: str | bytes = "") -> tuple[int, str, str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = run(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def add(pyrite: Pyrite, jid: str, password: str = "wherefore") -> tuple[int, str, str]:
    return pyrite("account", "add", jid, "--password-stdin", stdin=password + "\n")


def test_accounts_come_and_go_without_a_server(pyrite: Pyrite) -> None:
    assert add(pyrite, "Romeo@verona.lit") == (0, "", "")
    assert add(pyrite, "friar@mantua.lit") == (0, "", "")
    assert pyrite("account", "list") == (0, "friar@mantua.lit\nromeo@verona.lit\n", "")
    assert pyrite("account", "list", "--host", "verona.lit") == (0, "romeo@verona.lit\n", "")
    assert json.loads(pyrite("account", "list", "--json")[1]) == [
        "friar@mantua.lit",
        "romeo@verona.lit",
    ]
    assert pyrite("account", "disable", "romeo@verona.lit") == (0, "", "")
    shown = json.loads(pyrite("account", "show", "romeo@verona.lit", "--json")[1])
    assert (shown["jid"], shown["disabled"]) == ("romeo@verona.lit", True)
    assert pyrite("account", "enable", "romeo@verona.lit") == (0, "", "")
    assert "disabled: no\n" in pyrite("account", "show", "romeo@verona.lit")[1]
    deleted = "jid: romeo@verona.lit\nremoved: 3 keys\noverwritten: yes\n"
    assert pyrite("account", "delete", "romeo@verona.lit") == (0, deleted, "")
    assert pyrite("account", "list", "--host", "verona.lit") == (0, "", "")


def test_a_password_is_one_line_of_standard_input(pyrite: Pyrite) -> None:
    add(pyrite, "romeo@verona.lit")
    words = ("account", "password", "romeo@verona.lit", "--password-stdin")
    assert pyrite(*words, stdin=" spaces stay \r\nnot this") == (0, "", "")
    assert pyrite(*words, stdin="no end of line") == (0, "", "")
    assert pyrite(*words, stdin="")[0] == 2
    assert pyrite(*words, stdin="\n")[0] == 2
    assert pyrite(*words, stdin="x" * 10_000)[0] == 2
    assert pyrite(*words, stdin="pass\udce4word".encode("utf-8", "surrogateescape"))[0] == 2
    code, _, said = pyrite(*words[:-1])
    assert (code, said) == (2, "no password: write it on standard input with --password-stdin\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("account", "show", "nobody@verona.lit"), "pyrite: there is no account nobody@verona.lit"),
        (("account", "add", "a@elsewhere.lit"), "pyrite: elsewhere.lit is not served here"),
        (("account", "list", "--host", "elsewhere.lit"), "pyrite: elsewhere.lit is not served h"),
        (("status",), "pyrite: the server does not run"),
        (("reload",), "pyrite: the server does not run"),
        (("sessions", "list"), "pyrite: the server does not run"),
        (("module", "load", "ping", "--host", "verona.lit"), "pyrite: the server does not run"),
    ],
)
def test_what_fails_says_why(pyrite: Pyrite, words: tuple[str, ...], said: str) -> None:
    extra = ("--password-stdin",) if "add" in words else ()
    code, out, err = pyrite(*words, *extra, stdin="secret\n")
    assert (code, out) == (1, "")
    assert err.startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("acount",), 'there is no command "acount"; did you mean "account"?'),
        (("account", "ad"), 'there is no command "ad"; did you mean "add"?'),
        (("--verbose",), 'there is no command "--verbose"'),
        (("account", "add"), "requires an argument"),
        (("check", "--confg", "x"), "Unknown option"),
        (("check", "--config", "absent.toml"), "absent.toml: cannot be read: No such file"),
        (("account", "show", "a@b@c/"), "account-show: jid: "),
        (("account", "list", "--after"), "Unknown option"),
        (("command", "nothing"), "there is no command nothing"),
        (("command", "status", "x"), "write key=text, or key:=JSON"),
        (("command", "account-list", "limit:=x"), "what is behind := is not JSON"),
        (
            ("command", "account-list", "limit=5"),
            "limit: expected an integer of 1 or more and at m",
        ),
        (("log", "loud"), "the server does not run"),
    ],
)
def test_wrong_words_are_said(pyrite: Pyrite, words: tuple[str, ...], said: str) -> None:
    code, out, err = pyrite(*words)
    assert (code, out) == (1 if words[0] == "log" else 2, "")
    assert said in err
    assert "Traceback" not in err


def test_any_command_may_be_run(pyrite: Pyrite) -> None:
    add(pyrite, "romeo@verona.lit")
    assert (
        pyrite("command", "account-list", "limit:=5", "host=verona.lit")[1] == "romeo@verona.lit\n"
    )
    listed = pyrite("command")[1]
    assert "account-add jid password" in listed
    assert "Make an account." in listed


def test_hosts_and_modules_are_listed(pyrite: Pyrite) -> None:
    add(pyrite, "romeo@verona.lit")
    hosts = json.loads(pyrite("host", "list", "--json")[1])
    assert [(one["host"], one["accounts"]) for one in hosts] == [
        ("verona.lit", 1),
        ("mantua.lit", 0),
    ]
    assert pyrite("module", "list")[1].splitlines()[0].split() == ["MODULE", "HOSTS"]


def test_live_settings_are_changed(pyrite: Pyrite) -> None:
    key = 'host."verona.lit".registration'
    assert pyrite("settings", "set", key, "open")[0] == 0
    assert pyrite("settings", "set", "limits.attempts", "5")[0] == 0
    assert f"{key}" in pyrite("settings", "live")[1]
    shown = json.loads(pyrite("settings", "show")[1])
    assert shown["host"]["verona.lit"]["registration"] == "open"
    assert shown["limits"]["attempts"] == 5
    assert pyrite("settings", "unset", key)[0] == 0
    code, _, said = pyrite("settings", "set", key, "opne")
    assert (code, 'did you mean "open"?' in said) == (1, True)


def test_settings_are_looked_for_in_the_usual_places(pyrite: Pyrite) -> None:
    assert pyrite("check") == (0, "", "")
    Path("pyrite.toml").unlink()
    code, _, said = pyrite("check")
    assert code == 2
    assert "neither pyrite.toml nor /etc/pyrite/pyrite.toml is there" in said


def test_check_tells_every_mistake_in_a_line(pyrite: Pyrite) -> None:
    Path("wrong.toml").write_text('dta = 3\n[listen]\nc2s = "x"\n')
    code, out, said = pyrite("check", "--config", "wrong.toml")
    assert (code, out) == (2, "")
    assert said.splitlines() == [
        'wrong.toml:1: dta: unknown key; did you mean "data"?',
        "wrong.toml:1: data: is missing",
        'wrong.toml:1: host: no host is served: write [host."example.org"]',
        'wrong.toml:3: listen.c2s: \'x\' is no address: write "127.0.0.1:5222" or "[::]:5222"',
    ]


def test_check_reads_the_certificate(pyrite: Pyrite) -> None:
    for name in ("cert.pem", "key.pem"):
        Path(name).write_text("not PEM")
    Path("pyrite.toml").write_text(SETTINGS + '[tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n')
    code, _, said = pyrite("check")
    assert code == 2
    assert said.startswith("pyrite.toml:8: tls.certificate: cert.pem: is no usable certificate")


def test_check_makes_nothing(pyrite: Pyrite) -> None:
    pyrite("check")
    assert [path.name for path in Path().iterdir()] == ["pyrite.toml"]


def test_a_data_directory_in_use_is_left_alone(pyrite: Pyrite) -> None:
    with claim(Path("data").absolute()):
        code, _, said = pyrite("account", "list")
    assert code == 1
    assert "another process works with" in said


def test_the_version_is_told(pyrite: Pyrite) -> None:
    assert pyrite("--version") == (0, __version__ + "\n", "")


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_explains_its_words(pyrite: Pyrite, group: str) -> None:
    code, out, _ = pyrite(group, "--help")
    assert code == 0
    for word, place in GROUPS[group][1].items():
        summary = (_function(place).__doc__ or "").splitlines()[0]
        assert word in out
        assert summary[:40] in out


@pytest.mark.parametrize("word", sorted(set(WORDS) - {"demo"}))
def test_each_word_explains_itself(pyrite: Pyrite, word: str) -> None:
    code, out, _ = pyrite(word, "--help")
    assert code == 0
    assert f"pyrite {word}" in out


def children_worked() -> float:
    """Seconds of the processor that processes took which we have started, and which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_imports_nothing_of_the_server() -> None:
    program = (
        "import sys; from pyrite.cli.main import run; run(['--help']);"
        "print([m for m in sys.modules if m.startswith('pyrite.')], file=sys.stderr)"
    )
    before = children_worked()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE
    )
    assert children_worked() - before < 2  # far below, but machines are slow
    assert sorted(eval(done.stderr)) == ["pyrite.cli", "pyrite.cli.failure", "pyrite.cli.main"]
    for word in (*WORDS, *GROUPS):
        assert word in done.stdout


def test_results_are_written_for_people() -> None:
    rows = [
        {"name": "a", "is_on": True, "list": ["x", "y"]},
        {"name": "bb", "is_on": False, "list": []},
    ]
    assert text(rows) == "NAME  IS-ON  LIST\na     yes    x y\nbb    no     -\n"
    assert text({"some_key": None, "n": 3, "d": {"a": "b"}}) == 'some-key: -\nn: 3\nd: {"a": "b"}\n'
    assert text({"removed": {"keys": 3, "vcards": 1}}) == "removed: 3 keys, 1 vcards\n"
    assert text(["a\x1b[2J\nb"]) == "a\\x1b[2J\\nb\n"
    assert text(None) == ""
    assert text([]) == ""
    assert text(5) == "5\n"
