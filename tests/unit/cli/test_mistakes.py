"""`pyrite check` of settings that are wrong: where, what, and what may have been meant."""

from pathlib import Path

import pytest

from pyrite.cli.main import run

HOST = '[host."verona.lit"]\n'
GOOD = 'data = "data"\n' + HOST  # two lines

NO_DATA = "s.toml:1: data: is missing"
NO_HOST = 'host: no host is served: write [host."example.org"]'
DURATION = 'is no duration: write "30s", "5m", "12h" or "7d"'
ADDRESS = 'is no address: write "127.0.0.1:5222" or "[::]:5222"'

MISTAKES = {  # what is in the file: the lines that are said
    "": [NO_DATA, f"s.toml:1: {NO_HOST}"],
    "data = \n": ["s.toml:1: is not TOML: Invalid value"],
    'data = "x"\n[listen\n': [
        "s.toml:2: is not TOML: Expected ']' at the end of a table declaration"
    ],
    'data = "x"\ndata = "y"\n': ["s.toml:2: is not TOML: Cannot overwrite a value"],
    HOST: [NO_DATA],
    'data = "x"\n': [f"s.toml:1: {NO_HOST}"],
    'data = "x"\n[host]\n': [f"s.toml:2: {NO_HOST}"],
    'data = ""\n' + HOST: ['s.toml:1: data: expected a path, found ""'],
    'data = "a\\u0000b"\n' + HOST: ['s.toml:1: data: expected a path, found "a\\u0000b"'],
    "data = 5\n" + HOST: ["s.toml:1: data: expected a path, found 5"],
    'date = "x"\n' + HOST: ['s.toml:1: date: unknown key; did you mean "data"?', NO_DATA],
    GOOD + "[liste]\n": ['s.toml:3: liste: unknown key; did you mean "listen"?'],
    GOOD + '[listen]\nc2stls = "x:1"\n': [
        's.toml:4: listen.c2stls: unknown key; did you mean "c2s-tls"?'
    ],
    GOOD + "[listen]\nc2s = 5222\n": [
        's.toml:4: listen.c2s: expected an address as "127.0.0.1:5222", or a list of them'
    ],
    GOOD + '[listen]\nc2s = "127.0.0.1"\n': [f"s.toml:4: listen.c2s: '127.0.0.1' {ADDRESS}"],
    GOOD + '[listen]\nc2s = "127.0.0.1:99999"\n': [
        f"s.toml:4: listen.c2s: '127.0.0.1:99999' {ADDRESS}"
    ],
    GOOD + '[listen]\nc2s = "[::1]:5222"\nc2s-tls = "[::1]:5222"\n': [
        "s.toml:5: listen.c2s-tls: [::1]:5222 is listened on already by c2s"
    ],
    GOOD + '[tls]\nrequired = "no"\n': [
        's.toml:4: tls.required: expected true or false, found "no"'
    ],
    GOOD + '[tls]\ncertificate = "c.pem"\n': [
        "s.toml:4: tls.certificate: certificate is given without key"
    ],
    GOOD + '[tls]\ncertificate = "no.pem"\nkey = "no.key"\n': [
        "s.toml:4: tls.certificate: there is no file no.pem",
        "s.toml:5: tls.key: there is no file no.key",
    ],
    GOOD + '[store]\nurl = "pyrite.db"\n': ['s.toml:4: store.url: expected "sqlite:///FILE"'],
    GOOD + '[store]\nurl = "sqlite:///srv/"\n': ['s.toml:4: store.url: expected "sqlite:///FILE"'],
    GOOD + '[auth]\nmechanisms = ["SCRAM-SHA-265"]\n': [
        "s.toml:4: auth.mechanisms: there is no mechanism SCRAM-SHA-265"
    ],
    GOOD + "[auth]\nmechanisms = []\n": ["s.toml:4: auth.mechanisms: nobody could log in"],
    GOOD + '[listen]\nc2s = "0.0.0.0:5222"\n[tls]\nrequired = false\n': [
        "s.toml:6: tls.required: clients on 0.0.0.0:5222 need TLS"
    ],
    GOOD + '[listen]\nc2s = "0.0.0.0:5222"\n[auth]\nplain-without-tls = true\n': [
        "s.toml:6: auth.plain-without-tls: clients on 0.0.0.0:5222 need TLS"
    ],
    GOOD + 'registration = "opne"\n': [
        's.toml:3: host."verona.lit".registration: expected "closed" or "open" or "invite", '
        'found "opne"; did you mean "open"?'
    ],
    GOOD + 'modules = ["rooster"]\n': [
        's.toml:3: host."verona.lit".modules[0]: there is no module "rooster"; '
        'did you mean "roster"?'
    ],
    GOOD + 'modules = "ping"\n': [
        's.toml:3: host."verona.lit".modules: expected a list, each text, found "ping"'
    ],
    'data = "x"\n[host."a b"]\n': ['s.toml:2: host."a b": is no domain name'],
    'data = "x"\n[host."a.lit"]\n[host."A.lit"]\n': ['s.toml:3: host."A.lit": served twice'],
    'data = "x"\n[host.verona.lit]\n': [
        's.toml:2: host.verona: a domain stands in quotes: [host."verona.lit"]',
        's.toml:2: host.verona.lit: unknown key; did you mean "limits"?',
    ],
    GOOD + "[limits]\nconnections = -1\n": [
        "s.toml:4: limits.connections: expected an integer of 1 or more, found -1"
    ],
    GOOD + '[limits]\nnegotiation = "30 seconds"\n': [
        f"s.toml:4: limits.negotiation: '30 seconds' {DURATION}"
    ],
    GOOD + '[log]\nlevel = "verbose"\n': [
        's.toml:4: log.level: expected "debug" or "info" or "warning" or "error", found "verbose"'
    ],
    GOOD + "[modules.ofline]\n": ['s.toml:3: modules.ofline: unknown key; did you mean "offline"?'],
    GOOD + "[modules.offline]\nfoo = 1\n": ["s.toml:4: modules.offline.foo: unknown key"],
    GOOD + '[listen]\nhtp = "x:1"\n[auth]\nmechanism = []\n[host."b..lit"]\n': [
        's.toml:4: listen.htp: unknown key; did you mean "http"?',
        's.toml:6: auth.mechanism: unknown key; did you mean "mechanisms"?',
        's.toml:7: host."b..lit": is no domain name',
    ],
}

CONTRACTED = """\
[listen]
c2s = "127.0.0.1:5222"
c2s-tls = "127.0.0.1:5223"
s2s = "127.0.0.1:5269"
s2s-tls = "127.0.0.1:5270"
component = "127.0.0.1:5275"
http = "127.0.0.1:5280"
https = "127.0.0.1:5443"
[tls]
required = true
[store]
url = "sqlite:///pyrite.db"
[auth]
mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN"]
plain-without-tls = false
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("s.toml")


@pytest.mark.parametrize(("text", "said"), MISTAKES.items())
def test_all_of_it_is_said(
    file: Path, text: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text)
    assert run(["check", "--config", "s.toml"]) == 2
    captured = capsys.readouterr()
    assert (captured.err.splitlines(), captured.out) == (said, "")


@pytest.mark.parametrize("text", [GOOD, "\ufeff" + GOOD, GOOD.replace("\n", "\r\n")])
def test_what_is_right(file: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(text.encode() + CONTRACTED.encode())
    assert run(["check", "--config", "s.toml"]) == 0
    assert capsys.readouterr() == ("", "")
