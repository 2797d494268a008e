"""Clients' certificates: whose they are is what the right issuer says, in the right place."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pyrite.core.jid import JID
from pyrite.net.tls import ClientTls, Identity, client_context

from ..service import JULIET, ROMEO, VERONA, Client, Service, condition, serving

XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
OFFERED = 'mechanisms = ["EXTERNAL", "SCRAM-SHA-256"]'
UTF8, IA5 = 0x0C, 0x16

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


def address(text: str, tag: int = UTF8) -> x509.GeneralName:
    octets = text.encode()
    return x509.OtherName(XMPP_ADDR, bytes((tag, len(octets))) + octets)


@dataclass
class Issuer:
    """Who signs: an authority, or somebody who is none."""

    name: str
    is_authority: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def certificate(self, by: Issuer | None = None) -> x509.Certificate:
        constraint = x509.BasicConstraints(ca=self.is_authority, path_length=None)
        return _sign(
            self.subject, self.key, by or self, [(constraint, True)], (NOW - DAY, NOW + DAY)
        )


Extensions = list[tuple[x509.ExtensionType, bool]]


def _sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: Issuer,
    extensions: Extensions,
    valid: tuple[datetime.datetime, datetime.datetime],
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(by.key, hashes.SHA256())


OURS, THEIRS = Issuer("Verona"), Issuer("Verona")  # the same name, another key


@dataclass
class Card:
    """A client's certificate, as a test wants it."""

    names: list[x509.GeneralName] = field(default_factory=list)
    subject: list[tuple[x509.ObjectIdentifier, str]] = field(default_factory=list)
    by: Issuer | None = None  # nobody: self-signed
    valid: tuple[datetime.datetime, datetime.datetime] = (NOW - DAY, NOW + DAY)
    chain: Callable[[], list[x509.Certificate]] = list

    def write(self, folder: Path) -> Identity:
        own = Issuer("client", is_authority=False)
        attributes = [x509.NameAttribute(oid, text) for oid, text in self.subject]
        extensions: Extensions = []
        if self.names:
            extensions.append((x509.SubjectAlternativeName(self.names), False))
        subject = x509.Name(attributes) if attributes else own.subject
        leaf = _sign(subject, own.key, self.by or own, extensions, self.valid)
        pem = serialization.Encoding.PEM
        chain = [leaf, *self.chain()]
        (folder / "card.pem").write_bytes(b"".join(one.public_bytes(pem) for one in chain))
        (folder / "card-key.pem").write_bytes(
            own.key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Identity(folder / "card.pem", folder / "card-key.pem")


@asynccontextmanager
async def trusting(folder: Path, auth: str = OFFERED) -> AsyncIterator[Service]:
    """A server that believes what `OURS` says of clients."""
    pem = OURS.certificate().public_bytes(serialization.Encoding.PEM)
    (folder / "clients.pem").write_bytes(pem)
    async with serving(folder, tls=f'authorities = "{folder}/clients.pem"', auth=auth) as service:
        yield service


async def shown(service: Service, card: Card | None, listener: str = "c2s") -> Client:
    """A client with TLS that has shown its certificate and has been offered what there is."""
    port = service.server.listeners.ports[listener]
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    service.peers.append(client)
    identity = card.write(service.folder) if card else None
    authorities = service.folder / "ca.pem"
    client.context = client_context(ClientTls(VERONA, authorities=authorities, identity=identity))
    await (client.start_tls() if listener == "c2s" else client.shake_hands())
    await client.open(VERONA)
    return client


ROMEOS = Card([address(str(ROMEO))], by=OURS)
BOTH = Card([address(str(ROMEO)), address(str(JULIET))], by=OURS)


@pytest.mark.parametrize(
    ("card", "authzid", "owner"),
    [
        (ROMEOS, "", ROMEO),
        (ROMEOS, str(ROMEO), ROMEO),
        (BOTH, str(JULIET), JULIET),
        (Card([address("ROMEO@Verona.LIT")], by=OURS), "", ROMEO),
        (Card([address(str(ROMEO)), address("romeo@mantua.lit")], by=OURS), "", ROMEO),
        (Card([address(str(ROMEO)), x509.DNSName("mantua.lit")], by=OURS), "", ROMEO),
    ],
    ids=["one", "one by name", "one of two", "in capitals", "one that is ours", "among others"],
)
async def test_the_owner_logs_in(tmp_path: Path, card: Card, authzid: str, owner: JID) -> None:
    """XEP-0178 §3: the certificate's address, and where there are several the one asked for."""
    async with trusting(tmp_path) as service:
        client = await shown(service, card)
        assert "EXTERNAL" in client.mechanisms
        answer = await client.auth("EXTERNAL", authzid.encode() or "=")
        assert answer.name.tag == "success", answer
        await client.open(VERONA)
        bound = await client.bind("garden")
        (jid,) = [e.text for child in bound.elements for e in child.elements]
        assert jid == f"{owner}/garden"


async def test_direct_tls_is_as_good(tmp_path: Path) -> None:
    async with trusting(tmp_path) as service:
        client = await shown(service, ROMEOS, "c2s-tls")
        assert (await client.auth("EXTERNAL", "=")).name.tag == "success"


NOT_OURS = {
    "no certificate": None,
    "self-signed": Card([address(str(ROMEO))]),
    "another issuer of the same name": Card([address(str(ROMEO))], by=THEIRS),
    "that issuer's chain, too": Card(
        [address(str(ROMEO))], by=THEIRS, chain=lambda: [THEIRS.certificate()]
    ),
    "expired": Card([address(str(ROMEO))], by=OURS, valid=(NOW - 2 * DAY, NOW - DAY)),
    "not yet valid": Card([address(str(ROMEO))], by=OURS, valid=(NOW + DAY, NOW + 2 * DAY)),
    "of another host": Card([address("romeo@mantua.lit")], by=OURS),
    "of a host below": Card([address("romeo@x.verona.lit")], by=OURS),
    "of the host itself": Card([address(VERONA)], by=OURS),
    "in the common name": Card(subject=[(NameOID.COMMON_NAME, str(ROMEO))], by=OURS),
    "in a unit that looks like a name": Card(
        subject=[(NameOID.ORGANIZATIONAL_UNIT_NAME, f"x,CN={ROMEO}")], by=OURS
    ),
    "as an e-mail address": Card([x509.RFC822Name(str(ROMEO))], by=OURS),
    "as a URI": Card([x509.UniformResourceIdentifier(f"xmpp:{ROMEO}")], by=OURS),
    "as a string of another type": Card([address(str(ROMEO), IA5)], by=OURS),
    "with a wildcard for a name": Card([address("*@verona.lit@verona.lit")], by=OURS),
    "with a NUL": Card([address(f"{ROMEO}\0@mantua.lit")], by=OURS),
    "empty": Card([address("")], by=OURS),
    "one of a thousand": Card(
        [address(str(ROMEO)), *(x509.DNSName(f"a{n}.lit") for n in range(1000))], by=OURS
    ),
}


@pytest.mark.parametrize("card", NOT_OURS.values(), ids=NOT_OURS)
async def test_who_proves_nothing_is_not_offered_it(tmp_path: Path, card: Card | None) -> None:
    """And who tries all the same is refused, and may log in otherwise."""
    async with trusting(tmp_path) as service:
        client = await shown(service, card)
        assert client.mechanisms == ("SCRAM-SHA-256",)
        for authzid in ("=", str(ROMEO).encode()):
            assert condition(await client.auth("EXTERNAL", authzid)) == "invalid-mechanism"
        assert (await client.scram("juliet")).name.tag == "success"


async def test_an_issuer_has_to_be_an_authority(tmp_path: Path) -> None:
    """Whoever has a certificate of ours cannot make others."""
    pretender = Issuer("somebody", is_authority=False)
    card = Card([address(str(ROMEO))], by=pretender, chain=lambda: [pretender.certificate(OURS)])
    async with trusting(tmp_path) as service:
        client = await shown(service, card)
        assert client.mechanisms == ("SCRAM-SHA-256",)


@pytest.mark.parametrize(
    ("card", "authzid", "expected"),
    [
        (BOTH, "=", "invalid-authzid"),
        (BOTH, b"mallory@verona.lit", "invalid-authzid"),
        (ROMEOS, str(JULIET).encode(), "invalid-authzid"),
        (ROMEOS, b"romeo@verona.lit/garden", "invalid-authzid"),
        (ROMEOS, b"romeo", "invalid-authzid"),
        (ROMEOS, b"\xff", "malformed-request"),
        (ROMEOS, b"a" * 5000, "malformed-request"),
        (Card([address("nobody@verona.lit")], by=OURS), "=", "not-authorized"),
    ],
    ids=["which of both", "neither", "other", "full", "local", "no text", "long", "no account"],
)
async def test_who_asks_for_what_is_not_theirs_is_refused(
    tmp_path: Path, card: Card, authzid: bytes | str, expected: str
) -> None:
    async with trusting(tmp_path) as service:
        client = await shown(service, card)
        assert condition(await client.auth("EXTERNAL", authzid)) == expected


async def test_a_disabled_account_stays_closed(tmp_path: Path) -> None:
    async with trusting(tmp_path) as service:
        await service.server.accounts.disable(ROMEO)
        client = await shown(service, ROMEOS)
        assert condition(await client.auth("EXTERNAL", "=")) == "account-disabled"


async def test_nothing_is_asked_of_clients_unless_it_is_wanted(tmp_path: Path) -> None:
    async with trusting(tmp_path, auth='mechanisms = ["SCRAM-SHA-256"]') as service:
        client = await shown(service, ROMEOS)
        assert client.mechanisms == ("SCRAM-SHA-256",)
        assert condition(await client.auth("EXTERNAL", "=")) == "invalid-mechanism"


async def test_a_reload_takes_another_issuer(tmp_path: Path) -> None:
    async with trusting(tmp_path) as service:
        client = await shown(service, ROMEOS)
        pem = THEIRS.certificate().public_bytes(serialization.Encoding.PEM)
        (tmp_path / "clients.pem").write_bytes(pem)
        await service.server.commands.run("reload")
        assert (await client.auth("EXTERNAL", "=")).name.tag == "success"  # it was proven before
        assert "EXTERNAL" not in (await shown(service, ROMEOS)).mechanisms
        theirs = Card([address(str(ROMEO))], by=THEIRS)
        assert "EXTERNAL" in (await shown(service, theirs)).mechanisms
