"""What a settings file writes as text."""

import pickle
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.kit.config import DAY, HOUR, WEEK, Address, Addresses, Duration, Secret, Size


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("30s", 30, "30s"),
        ("5m", 300, "5m"),
        ("90s", 90, "1m30s"),
        ("1h30m", 1.5 * HOUR, "1h30m"),
        ("7d", 7 * DAY, "7d"),
        ("2w", 2 * WEEK, "14d"),
        ("1.5s", 1.5, "1s500ms"),
        ("250ms", 0.25, "250ms"),
        ("0s", 0, "0s"),
    ],
)
def test_durations(text: str, seconds: float, shown: str) -> None:
    assert Duration.parse(text) == seconds
    assert str(Duration.parse(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 m", "-5s", "5x", "1h 30m", "5S", "٣s", "5sx", "9" * 400 + "s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        Duration.parse(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_a_duration_reads_what_it_writes(delta: timedelta) -> None:
    duration = Duration(round(delta.total_seconds(), 3))
    assert Duration.parse(str(duration)) == pytest.approx(duration, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "octets", "shown"),
    [
        ("512B", 512, "512B"),
        ("10kB", 10_000, "10kB"),
        ("10 KB", 10_000, "10kB"),
        ("16KiB", 16384, "16KiB"),
        ("1.5MiB", 3 << 19, "1536KiB"),
        ("10MB", 10_000_000, "10MB"),
        ("2GiB", 2 << 30, "2GiB"),
        ("0B", 0, "0B"),
    ],
)
def test_sizes(text: str, octets: int, shown: str) -> None:
    assert Size.parse(text) == octets
    assert str(Size.parse(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "5", "KiB", "5kib", "-5B", "5 parsec", "1.5B", "5  kB", "9" * 400 + "B"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"no size|no whole"):
        Size.parse(text)


@given(st.integers(0, 1 << 52))
def test_a_size_reads_what_it_writes(octets: int) -> None:
    assert Size.parse(str(Size(octets))) == octets


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:5222", "127.0.0.1", 5222),
        ("[::]:5222", "::", 5222),
        ("[::1]:0", "::1", 0),
        ("localhost:80", "localhost", 80),
        ("xmpp.example.org:65535", "xmpp.example.org", 65535),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert (address, address.host, address.port) == (text, host, port)
    assert address == Address(host, port)


@pytest.mark.parametrize(
    "text",
    [
        *("", "5222", ":5222", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536"),
        *("::1:5222", "[::1]", "[127.0.0.1]:1", "[localhost]:1", "a b:1", "-a:1", "h:٣", "h:-1"),
        "h:000080",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        Address.parse(text)


def test_addresses_are_one_or_a_list() -> None:
    one = Addresses.from_toml("[::1]:1", Path())
    assert one == Addresses((Address("::1", 1),))
    assert str(Addresses.from_toml(["[::1]:1", "a:2"], Path())) == "[::1]:1, a:2"
    assert not Addresses.from_toml([], Path())
    for wrong in (3, [3], {"a": 1}):
        with pytest.raises(ValueError, match="expected an address"):
            Addresses.from_toml(wrong, Path())


def test_a_secret_never_prints() -> None:
    secret = Secret("hunter2")
    printed = f"{secret} {secret!r} {secret:>20} %s" % secret
    assert "hunter2" not in printed
    assert secret.reveal() == "hunter2"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_are_compared() -> None:
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    assert Secret.from_toml({"file": "pw"}, tmp_path).reveal() == "hunter2"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "one line"), (b"a\nb\n", "one line"), (b"\xff", "UTF-8"), (None, "No such file")],
)
def test_a_secrets_file_that_is_wrong(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "pw").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        Secret.from_toml({"file": "pw"}, tmp_path)


def test_without_a_folder_no_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    with pytest.raises(ValueError, match=r"expected text$"):
        Secret.from_toml({"file": str(tmp_path / "pw")}, None)


@pytest.mark.parametrize("raw", [3, ["hunter2"], {"fil": "pw"}, {"file": 3}])
def test_what_is_no_secret_is_not_shown(raw: object) -> None:
    with pytest.raises(ValueError) as caught:
        Secret.from_toml(raw, Path())
    assert "hunter2" not in str(caught.value)
