"""The rules of SASL2, Bind 2 and the upgrade of keys that need no server."""

import hashlib

import pytest

from pyrite.core.errors import SaslError
from pyrite.core.payload import decode, encode
from pyrite.core.xml import parse
from pyrite.wire import bind2, clients, sasl2, upgrade

ID = "d4565fa7-4d72-4749-b3d3-740edbf87770"


@pytest.mark.parametrize("text", ["AGE=", " AGE= ", "\n  AG\n  E=\n"])
def test_space_around_a_message_is_no_harm(text: str) -> None:
    assert sasl2.unpack(text) == b"\0a"


@pytest.mark.parametrize("text", ["=", "AGE", "AGF=", "AG=E", "ä", "AG-_", "AGE=="])
def test_what_is_no_message(text: str) -> None:
    with pytest.raises(SaslError) as caught:
        sasl2.unpack(text)
    assert caught.value.condition == "incorrect-encoding"


def test_an_empty_message_and_none() -> None:
    """§2.2: both are told apart by whether the element is there."""
    assert (sasl2.pack(None), sasl2.pack(b""), sasl2.pack(b"\0a")) == (None, "", "AGE=")
    assert sasl2.unpack("") == b""
    both = [sasl2.Authenticate("EXTERNAL", initial) for initial in (None, "")]
    assert [decode(sasl2.Authenticate, encode(one)) for one in both] == both


def test_the_id_of_a_client() -> None:
    assert sasl2.client_id(None) is None
    assert sasl2.client_id(sasl2.UserAgent(software="x")) is None
    assert sasl2.client_id(sasl2.UserAgent(ID.upper())) == ID


@pytest.mark.parametrize("id", ["", "phone", ID[:-1], ID + "0", "{" + ID + "}", "x" * 36])
def test_the_id_of_a_client_is_a_uuid(id: str) -> None:
    with pytest.raises(SaslError, match="UUID"):
        sasl2.client_id(sasl2.UserAgent(id))


def test_what_a_client_says_of_itself() -> None:
    assert sasl2.described(None) is None
    assert sasl2.described(" \n ") is None
    assert sasl2.described("Kiva's\n\tPhone") == "Kiva's Phone"
    assert sasl2.described("x" * 1000) == "x" * sasl2.MAX_DESCRIPTION


def test_failures_there_and_back() -> None:
    told = sasl2.failure(SaslError("credentials-expired", "log in anew"))
    error = decode(sasl2.Failure, encode(told)).error
    assert (error.condition, error.text) == ("credentials-expired", "log in anew")
    unknown = parse("<failure xmlns='urn:xmpp:sasl:2'><x xmlns='y'/></failure>")
    assert decode(sasl2.Failure, unknown).error.condition == "not-authorized"


@pytest.mark.parametrize(
    ("tag", "resource"),
    [
        ("AwesomeXMPP", "AwesomeXMPP/rest"),
        ("", "rest"),
        (None, "rest"),
        ("a\u0007b", "rest"),
        ("x" * (bind2.MAX_TAG + 1), "rest"),
    ],
)
def test_resources(tag: str | None, resource: str) -> None:
    """XEP-0386 §3.2.1: as it is, or not at all."""
    assert bind2.resource(tag, "rest") == resource


def test_the_names_of_tasks() -> None:
    assert upgrade.task_for("SCRAM-SHA-256") == "UPGR-SCRAM-SHA-256"
    assert upgrade.mechanism_of("UPGR-SCRAM-SHA-256") == "SCRAM-SHA-256"
    for task in ("SCRAM-SHA-256", "UPGR-SCRAM-SHA-256-PLUS", "UPGR-PLAIN", "UPGR-", ""):
        assert upgrade.mechanism_of(task) is None


def test_the_length_of_a_salted_password() -> None:
    size = hashlib.sha256().digest_size
    assert upgrade.salted("SCRAM-SHA-256", upgrade.Hash(bytes(size))) == bytes(size)
    for wrong in (size - 1, size + 1):
        with pytest.raises(SaslError, match="length"):
            upgrade.salted("SCRAM-SHA-256", upgrade.Hash(bytes(wrong)))


def test_who_knows_the_password_is_not_shut_out() -> None:
    error = clients.knows_password()
    assert error.condition == "service-unavailable"
    assert error.app == encode(clients.PasswordResetRequired())
