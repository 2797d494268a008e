"""The settings of a server: what may be written, what it means, what is refused."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct
from msgspec.structs import fields

from pyrite.core.jid import JID
from pyrite.kit.config import Address, ConfigError, Duration, Secret, Table
from pyrite.kit.config.words import describe
from pyrite.server.catalogue import Installed
from pyrite.server.settings import Settings, changed, load, tables, to_json

CONTRACT = """
data = "/var/lib/pyrite"

[listen]
c2s = "127.0.0.1:5222"
c2s-tls = "127.0.0.1:5223"
s2s = "127.0.0.1:5269"
s2s-tls = "127.0.0.1:5270"
component = "127.0.0.1:5275"
http = "127.0.0.1:5280"
https = "127.0.0.1:5443"

[tls]
certificate = "cert.pem"
key = "key.pem"
required = true

[store]
url = "sqlite:///pyrite.db"

[auth]
mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-512", \
"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN"]
plain-without-tls = false

[host."example.org"]
registration = "closed"
"""


class Archive(Table):
    """An archive."""

    keep: Duration = Duration(7 * 86400)
    """How long."""
    page: Annotated[int, Meta(ge=1)] = 50
    """How many at once."""
    key: Secret | None = None
    """For the other side."""


CATALOGUE: dict[str, type[Struct] | None] = {"archive": Archive, "ping": None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pyrite.toml"


def settings(file: Path, text: str) -> Settings:
    file.write_text(text)
    return load(file, CATALOGUE)


def mistakes(file: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings(file, text)
    return [str(one).removeprefix(f"{file}:") for one in caught.value.mistakes]


MINIMAL = 'data = "d"\n[host.localhost]\n'


def test_all_that_is_promised_may_be_written(file: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (file.parent / name).touch()
    read = settings(file, CONTRACT)
    assert read.data == Path("/var/lib/pyrite")
    assert read.store_path == Path("/var/lib/pyrite/pyrite.db")
    assert read.tls.certificate == file.parent / "cert.pem"
    assert [(key, a.port) for key, a in read.listen.used()] == [
        ("c2s", 5222),
        ("c2s-tls", 5223),
        ("s2s", 5269),
        ("s2s-tls", 5270),
        ("component", 5275),
        ("http", 5280),
        ("https", 5443),
    ]
    assert read.host["example.org"].registration == "closed"
    assert read.host["example.org"].modules is None


def test_what_is_promised_as_default_is(file: Path) -> None:
    (file.parent / "cert.pem").touch()
    (file.parent / "key.pem").touch()
    promised = settings(file, CONTRACT)
    least = settings(file, 'data = "/var/lib/pyrite"\n[host."example.org"]\n')
    assert {path[0] for path in changed(promised, least)} == {"listen", "tls"}
    assert least.tls.required
    assert not list(least.listen.used())


def test_paths_begin_at_the_file(file: Path) -> None:
    read = settings(file, MINIMAL + '[store]\nurl = "sqlite:////srv/x.db"\n')
    assert read.data == file.parent / "d"
    assert read.store_path == Path("/srv/x.db")
    assert read.file == file


def test_a_listener_may_have_several_addresses(file: Path) -> None:
    read = settings(file, 'listen.c2s = ["127.0.0.1:1", "[::1]:2"]\n' + MINIMAL)
    assert list(read.listen.used()) == [
        ("c2s", Address("127.0.0.1", 1)),
        ("c2s", Address("::1", 2)),
    ]


def test_hosts_are_known_by_the_name_that_is_compared(file: Path) -> None:
    read = settings(file, 'data = "d"\nadmins = ["Romeo@Verona.lit"]\n[host."Verona.LIT"]\n')
    assert list(read.host) == ["verona.lit"]
    assert read.admins == (JID.parse("romeo@verona.lit"),)


def test_a_hosts_module_settings_stand_over_those_of_all(file: Path) -> None:
    read = settings(
        file,
        """
        data = "d"
        [modules.archive]
        keep = "3d"
        page = 10
        [host."a.lit"]
        [host."b.lit"]
        archive.page = 20
        """,
    )
    assert read.of_module("archive", "a.lit") == Archive(keep=Duration(3 * 86400), page=10)
    assert read.of_module("archive", "b.lit") == Archive(keep=Duration(3 * 86400), page=20)
    assert read.of_module("ping", "a.lit") is None


def test_a_module_that_nothing_is_set_for_has_its_defaults(file: Path) -> None:
    read = settings(file, MINIMAL)
    assert read.of_module("archive", "localhost") is None
    assert read.of_module("archive", "localhost", Archive) == Archive()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[host.localhost]\n", "1: data: is missing"),
        ('data = "d"\n', '1: host: no host is served: write [host."example.org"]'),
        ('data = "d"\nhost = 3\n', "2: host: no host is served"),
        ('data = "d"\nhost.x = 3\n', "2: host.x: expected a table, found 3"),
        ("dta = 3\n" + MINIMAL, '1: dta: unknown key; did you mean "data"?'),
        (MINIMAL + "[listen]\nc2c = 1\n", '4: listen.c2c: unknown key; did you mean "c2s"?'),
        ('data = "d"\n[host."a@b"]\n', '2: host."a@b": is no domain name'),
        ('data = "d"\n[host.a]\n[host.A]\n', "3: host.A: served twice"),
        (MINIMAL + 'registration = "opne"\n', 'found "opne"; did you mean "open"?'),
        (MINIMAL + 'modules = ["pong"]\n', 'there is no module "pong"; did you mean "ping"?'),
        (MINIMAL + "[modules.archiv]\n", 'modules.archiv: unknown key; did you mean "archive"?'),
        (MINIMAL + "[modules.ping]\n", "modules.ping: this module has no settings"),
        (MINIMAL + "[modules]\narchive = 3\n", "modules.archive: expected a table, found 3"),
        (MINIMAL + "[modules.archive]\nkep = 1\n", 'archive.kep: unknown key; did you mean "keep"'),
        (MINIMAL + "archive.page = 0\n", "host.localhost.archive.page: expected an integer of 1"),
        (MINIMAL + "archiv.page = 3\n", '3: host.localhost.archiv: unknown key; did you mean "ar'),
        (MINIMAL + '[tls]\ncertificate = "c"\n', "tls.certificate: certificate is given without k"),
        (MINIMAL + '[tls]\nkey = "c"\n', "tls.key: key is given without certificate"),
        (MINIMAL + '[store]\nurl = "mysql:x"\n', 'store.url: expected "sqlite:///FILE"'),
        (MINIMAL + '[store]\nwindow = "2s"\n', "store.window: expected 1s or less"),
        (MINIMAL + '[auth]\nmechanisms = ["X"]\n', "auth.mechanisms: there is no mechanism X"),
        (MINIMAL + '[limits]\nstanza = "9kB"\n', "limits.stanza: clients may rely on 10,000"),
        (MINIMAL + '[limits]\nstanza-before-auth = "1MiB"\n', "is larger than limits.stanza"),
        (MINIMAL + '[limits]\nping-after = "0s"\n', "limits.ping-after: expected more than 0s"),
        (MINIMAL + '[log]\nlevel = "loud"\n', 'log.level: expected "debug" or "info" or'),
        (MINIMAL + '[log.levels]\nx = "warn"\n', 'log.levels.x: expected "debug" or "info"'),
        ('admins = ["@"]\n' + MINIMAL, "admins[0]: "),
    ],
)
def test_a_mistake_is_told_with_line_and_key(file: Path, text: str, said: str) -> None:
    (told,) = mistakes(file, text)
    assert said in told


def test_a_certificate_that_is_not_there_is_a_mistake(file: Path) -> None:
    told = mistakes(file, MINIMAL + '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    assert [line.partition(":")[0] for line in told] == ["4", "5"]
    assert "there is no file" in told[0]


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("127.0.0.1:1", False),
        ("[::1]:1", False),
        ("localhost:1", False),
        ("0.0.0.0:1", True),
        ("[::]:1", True),
        ("192.0.2.1:1", True),
        ("example.org:1", True),
    ],
)
@pytest.mark.parametrize("line", ["tls.required = false", "auth.plain-without-tls = true"])
def test_only_loopback_is_served_without_tls(
    file: Path, address: str, refused: bool, line: str
) -> None:
    text = f'{line}\nlisten.c2s = ["127.0.0.1:2", "{address}"]\n' + MINIMAL
    if refused:
        (told,) = mistakes(file, text)
        assert told.startswith("1: " + line.partition(" ")[0])
        assert "need TLS" in told
    else:
        settings(file, text)


def test_a_module_that_cannot_be_loaded_is_a_mistake(file: Path) -> None:
    class Broken(dict[str, type[Struct] | None]):
        def __getitem__(self, name: str) -> type[Struct] | None:
            raise LookupError("it does not import")

    file.write_text(MINIMAL + "archive.page = 3\n")
    with pytest.raises(ConfigError, match=r":3: host.localhost.archive: it does not import"):
        load(file, Broken(CATALOGUE))


def test_every_mistake_of_every_part_is_told(file: Path) -> None:
    told = mistakes(
        file,
        """
        [listen]
        c2s = "x"
        [modules.archive]
        page = 0
        [host."a.lit"]
        archive.page = "3"
        modules = ["nope"]
        [host."b@c"]
        """,
    )
    assert [int(line.partition(":")[0]) for line in told] == [1, 3, 5, 7, 8, 9]


def test_what_changed_is_told_as_it_is_written(file: Path) -> None:
    old = settings(file, MINIMAL + "archive.page = 3\n")
    new = settings(
        file,
        'admins = ["a@localhost"]\n'
        + MINIMAL
        + 'archive.page = 4\nregistration = "open"\n[host.other]\n[log]\nlevel = "debug"\n',
    )
    assert changed(old, old) == set()
    assert changed(old, new) == {
        ("admins",),
        ("host", "localhost", "archive", "page"),
        ("host", "localhost", "registration"),
        ("host", "other"),
        ("log", "level"),
    }


def test_secrets_are_hidden_where_settings_are_shown(file: Path) -> None:
    read = settings(file, MINIMAL + '[modules.archive]\nkey = "hunter2"\n')
    assert read.of_module("archive", "localhost").key.reveal() == "hunter2"
    assert "hunter2" not in repr(read)
    shown = msgspec.json.decode(to_json(read))
    assert shown["modules"]["archive"] == {"keep": "7d", "page": 50, "key": "***"}


def test_limits_before_authentication_are_the_smaller(file: Path) -> None:
    limits = settings(file, MINIMAL + "[limits]\ndepth = 5\n").limits
    before, after = limits.before_authentication(), limits.after_authentication()
    assert (before.octets, after.octets) == (10_000, 512 * 1024)
    assert (before.depth, after.depth) == (5, 5)
    assert before.elements < after.elements
    assert before.attributes < after.attributes


DOCUMENTED = dict(tables(Installed(plugins=False)))


@pytest.mark.parametrize("heading", DOCUMENTED)
def test_every_setting_is_documented(heading: str) -> None:
    kind = DOCUMENTED[heading]
    assert kind.__doc__, heading
    missing = [one.key for one in describe(kind) if not one.doc and one.type != "a table"]
    assert not missing


@pytest.mark.parametrize("heading", DOCUMENTED)
def test_every_setting_is_frozen_and_has_a_good_default(heading: str) -> None:
    kind = DOCUMENTED[heading]
    assert kind.__struct_config__.frozen
    assert kind.__struct_config__.forbid_unknown_fields
    required = {field.encode_name for field in fields(kind) if field.required}
    assert required <= {"data"}
