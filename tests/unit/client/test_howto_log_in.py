"""What docs/how-to/client-log-in.md says is chosen is chosen, and its examples can be made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.service import ROMEO, VERONA

from pyrite.client import api
from pyrite.client.account import Account, Memory, Trust
from pyrite.client.errors import AuthenticationFailed, UntrustedServer
from pyrite.client.login import LogIn
from pyrite.client.mechanisms import kerberos, oauth
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.core.xml import Element, Name
from pyrite.kit.ids import Ids
from pyrite.net.tls import Identity
from pyrite.wire import sasl, sasl2
from unit.sasl.test_bearer import Scripted

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "client-log-in.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
ROWS = re.findall(r"^\| (`.*?) \| (.*?) ?\| (.*?) \| (.*?) \|$", PAGE, re.M)
FEATURES = Name("http://etherx.jabber.org/streams", "features")
CARD = Trust(identity=Identity(Path("card.pem"), Path("key.pem")))

ACCOUNTS = {
    "a password": Account(ROMEO, "wherefore"),
    "a password, for DIGEST-MD5 alone": Account(ROMEO, "wherefore", allowed=("DIGEST-MD5",)),
    "a password, proven by SCRAM before": Account(ROMEO, "wherefore"),
    "a password and a certificate": Account(ROMEO, "wherefore", trust=CARD),
    "a password and a ticket": Account(ROMEO, "wherefore", mechanisms=[kerberos("", Scripted)]),
    "a token": Account(ROMEO, mechanisms=[oauth(ROMEO, lambda: "token")]),
    "no name": Account(JID(None, VERONA)),
}
ERRORS: dict[str, type[Exception]] = {
    "nothing: `AuthenticationFailed`": AuthenticationFailed,
    "nothing: `UntrustedServer`": UntrustedServer,
}


class Said(Exception):
    """What was to be heard of the log-in has been."""


@dataclass
class Offering:
    """The server's end and its link: it offers, hears one answer, and has gone."""

    mechanisms: Sequence[str]
    types: Sequence[str]
    newer: bool
    is_secure: bool = True
    bindings: dict[str, bytes] = field(
        default_factory=lambda: {"tls-exporter": b"e" * 32, "tls-server-end-point": b"p" * 32}
    )
    heard: list[Any] = field(default_factory=list)

    async def open(self, domain: str, lang: str, sender: str = "") -> Element:
        cls = sasl2.Authentication if self.newer else sasl.Mechanisms
        offers = [encode(cls(tuple(self.mechanisms)))]
        if self.types:
            offers.append(encode(sasl.bindings(*self.types)))
        return Element(FEATURES, children=offers)

    def send(self, *payloads: Any) -> None:
        self.heard.extend(payloads)

    async def next(self) -> Element:
        raise Said


async def begun(has: str, offered: Offering) -> tuple[str, bytes]:
    """The mechanism that the account begins with, and what it says first."""
    known = "SCRAM-SHA-256" if "before" in has else ""
    memory = Memory("device", mechanism=known)
    log_in = LogIn(ACCOUNTS[has], offered, memory, Ids(), None)  # type: ignore[arg-type]
    with pytest.raises(Said):
        await log_in.run()
    (said,) = offered.heard
    if isinstance(said, sasl2.Authenticate):
        return said.mechanism, sasl2.unpack(said.initial or "") or b""
    return said.mechanism, sasl.unpack(said.encoded) or b""


def words(cell: str) -> list[str]:
    return re.findall(r"`(.*?)`", cell)


@pytest.mark.parametrize("newer", [True, False], ids=["SASL2", "SASL"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[2]} {row[3]}")
async def test_what_is_chosen(row: tuple[str, ...], newer: bool) -> None:
    mechanisms, types, has, chosen = row
    offered = Offering(words(mechanisms), words(types), newer)
    is_old_way = not newer and "SCRAM-SHA-256-PLUS" in mechanisms and not types
    if (error := ERRORS.get(chosen)) is not None and not is_old_way:
        with pytest.raises(error):
            await begun(has, offered)
        assert offered.heard == []
        return
    name, said = await begun(has, offered)
    if is_old_way:
        assert (name, said[:2]) == ("SCRAM-SHA-256", b"n,")
        return
    expected, *bound = words(chosen)
    assert name == expected
    if bound:
        assert said.startswith(f"p={bound[0]},,".encode())


def test_nothing_is_left_out() -> None:
    assert len(ROWS) == 16
    assert {row[2] for row in ROWS} == set(ACCOUNTS)
    assert set(ERRORS) < {row[3] for row in ROWS}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
async def test_an_example(tmp_path: Path, block: str) -> None:
    names: dict[str, Any] = {
        "jid": ROMEO,
        "certificate": tmp_path / "a.pem",
        "key": tmp_path / "b.pem",
        "token": lambda: "token",
    }
    exec(compile(block, "client-log-in.md", "exec"), names)
    assert isinstance(names["me"], api.Client)
