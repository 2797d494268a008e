"""TLS in memory: both back ends, each against the other."""

import datetime
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from pyrite.net import certificates
from pyrite.net.tls import (
    Backend,
    ClientTls,
    Identity,
    ServerTls,
    TlsContext,
    TlsError,
    client_context,
    server_context,
)
from pyrite.net.tls import openssl as openssl_backend

from .ends import BACKENDS, PAIR_IDS, PAIRS, Files, Wire, shake_hands

NOW = datetime.datetime.now(datetime.UTC)
PYOPENSSL, STDLIB = Backend.PYOPENSSL, Backend.STDLIB
each_pair = pytest.mark.parametrize(("server", "client"), PAIRS, ids=PAIR_IDS)
each_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture(scope="session")
def verona(files: Files) -> Identity:
    return files.issue("verona.example", "*.wild.example")


@pytest.fixture(scope="session")
def alone(files: Files) -> Identity:
    """Self-signed."""
    identity = Identity(files.folder / "alone.crt", files.folder / "alone.key")
    certificates.ensure(identity, ["alone.example"], NOW)
    return identity


def serve(identity: Identity, backend: Backend, **options: Any) -> TlsContext:
    return server_context(ServerTls(identity, **options), backend)


def trusting(files: Files, backend: Backend, domain: str, **options: Any) -> TlsContext:
    settings = ClientTls(domain, authorities=files.authorities, **options)
    return client_context(settings, backend)


@each_pair
def test_bytes_go_both_ways(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    wire = shake_hands(serve(verona, server), trusting(files, client, "verona.example"))
    assert wire.server.handshake_done
    assert wire.client.handshake_done
    for size in (1, 200, 4096, 4097, 16384, 100_000):
        plaintext = bytes(range(256)) * (size // 256 + 1)
        assert wire.say(wire.client, plaintext) == plaintext
        assert wire.say(wire.server, plaintext) == plaintext
    assert wire.server.version == wire.client.version == "TLSv1.3"
    assert wire.server.cipher == wire.client.cipher != ""
    assert wire.client.peer_is_trusted
    assert not wire.server.peer_is_trusted
    assert wire.server.peer_certificate is None
    assert wire.server.server_name == "verona.example"


def test_the_key_exchange_is_hybrid_where_both_can(files: Files, verona: Identity) -> None:
    wire = shake_hands(serve(verona, PYOPENSSL), trusting(files, PYOPENSSL, "verona.example"))
    assert wire.server.group == wire.client.group == "X25519MLKEM768"


@each_pair
def test_any_cut_of_the_handshake_and_of_records_is_fine(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    contexts = serve(verona, server), trusting(files, client, "verona.example")
    for piece in (1, 7, 100):
        wire = shake_hands(*contexts, piece=piece)
        assert wire.say(wire.client, b"wherefore" * 1000) == b"wherefore" * 1000
        assert wire.say(wire.server, b"art thou") == b"art thou"


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 3000), max_size=12), data=st.binary(max_size=9000))
@pytest.mark.parametrize("backend", BACKENDS)
def test_records_cut_anywhere(
    files: Files, verona: Identity, backend: Backend, cuts: list[int], data: bytes
) -> None:
    wire = shake_hands(serve(verona, backend), trusting(files, STDLIB, "verona.example"))
    ciphertext = wire.client.send(data) + wire.client.send(data) if data else b""
    got, start = b"", 0
    for cut in (*cuts, len(ciphertext)):
        got += wire.server.receive(ciphertext[start : start + cut])
        start += cut
    assert got == data + data


@each_pair
def test_both_ends_know_when_the_other_ends(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    wire = shake_hands(serve(verona, server), trusting(files, client, "verona.example"))
    wire.client.news = wire.server.news = False
    ciphertext = wire.client.send(b"last words")
    wire.client.close()
    assert wire.server.receive(ciphertext + wire.client.take()) == b"last words"
    assert wire.server.is_over
    assert wire.server.news
    assert not wire.client.is_over
    wire.server.close()
    wire.client.receive(wire.server.take())
    assert wire.client.is_over


# Protocols by ALPN


@each_pair
def test_a_protocol_is_agreed_on(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    wire = shake_hands(
        serve(verona, server, alpn=("xmpp-client", "xmpp-server")),
        trusting(files, client, "verona.example", alpn=("xmpp-server",)),
    )
    assert wire.server.alpn == wire.client.alpn == "xmpp-server"


@each_pair
def test_who_knows_no_alpn_is_served(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    wire = shake_hands(
        serve(verona, server, alpn=("xmpp-client",)), trusting(files, client, "verona.example")
    )
    assert wire.server.alpn == wire.client.alpn == ""


@pytest.mark.parametrize("client", BACKENDS)
def test_a_browser_is_refused_and_others_are_not(
    files: Files, verona: Identity, client: Backend
) -> None:
    server = serve(verona, PYOPENSSL, alpn=("xmpp-client",))
    live = shake_hands(server, trusting(files, client, "verona.example"))
    browser = trusting(files, client, "verona.example", alpn=("h2", "http/1.1"))
    wire = Wire(server.session(), browser.session())
    with pytest.raises(TlsError, match="no protocol of ours"):
        wire.carry()
    with pytest.raises(TlsError, match="no application protocol"):
        wire.client.receive(wire.server.take())
    assert live.say(live.client, b"still here") == b"still here"
    assert live.server.receive(b"") == b""


# Certificates by name


@each_pair
def test_each_host_has_its_certificate(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    mantua = files.issue("mantua.example")
    contexts = serve(verona, server, hosts={"Mantua.example": mantua})
    for name in ("mantua.example", "MANTUA.example", "verona.example", "x.wild.example"):
        wire = shake_hands(contexts, trusting(files, client, name, alpn=("a",)))
        assert wire.client.handshake_done
        assert wire.say(wire.server, b"hello") == b"hello"
        ours, theirs = wire.server.channel_bindings(), wire.client.channel_bindings()
        assert ours["tls-server-end-point"] == theirs["tls-server-end-point"]


@each_pair
def test_a_certificate_for_another_is_refused(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    with pytest.raises(TlsError, match="not for mantua"):
        shake_hands(serve(verona, server), trusting(files, client, "mantua.example"))


@each_backend
def test_a_common_name_never_counts(files: Files, backend: Backend) -> None:
    identity = files.issue("other.example", common_name="cn.example", file="cn")
    with pytest.raises(TlsError, match=r"not for cn\.example"):
        shake_hands(serve(identity, backend), trusting(files, backend, "cn.example"))


@each_pair
def test_nobody_is_trusted_without_an_issuer(
    files: Files, alone: Identity, server: Backend, client: Backend
) -> None:
    with pytest.raises(TlsError, match=r"certificate verify failed: .*(issuer|self|itself)"):
        shake_hands(serve(alone, server), trusting(files, client, "alone.example"))


@each_pair
def test_a_pin_stands_for_an_issuer(
    files: Files, alone: Identity, verona: Identity, server: Backend, client: Backend
) -> None:
    (described,) = certificates.read_chain(alone.certificate)
    pin = described.fingerprint.upper()
    pinned = client_context(
        ClientTls("whoever.example", pin=":".join(pin[i : i + 2] for i in range(0, 64, 2))), client
    )
    assert shake_hands(serve(alone, server), pinned).client.handshake_done
    with pytest.raises(TlsError, match="not the one expected"):
        shake_hands(serve(verona, server), pinned)


@each_pair
def test_the_lenient_accept_anyone(
    files: Files, alone: Identity, verona: Identity, server: Backend, client: Backend
) -> None:
    lenient = trusting(files, client, "nobody.example", is_lenient=True)
    assert not shake_hands(serve(alone, server), lenient).client.peer_is_trusted
    wire = shake_hands(serve(verona, server), lenient)
    assert wire.client.handshake_done
    assert wire.client.peer_is_trusted is (client is PYOPENSSL)


@each_backend
def test_our_own_certificate_names_the_service(alone: Identity, backend: Backend) -> None:
    """It is made with SRV-IDs, and is its own authority."""
    settings = ClientTls("alone.example", "xmpp-client", authorities=alone.certificate)
    wire = shake_hands(serve(alone, backend), client_context(settings, backend))
    assert wire.client.peer_is_trusted


# Clients' certificates


@pytest.mark.parametrize("client", BACKENDS)
def test_a_client_of_any_issuer_is_accepted(
    files: Files, verona: Identity, alone: Identity, client: Backend
) -> None:
    server = serve(verona, PYOPENSSL, asks_certificate=True, authorities=files.authorities)
    romeo = files.issue("romeo@verona.example", file="romeo")
    for identity, is_trusted in ((alone, False), (romeo, True), (verona, True)):
        wire = shake_hands(server, trusting(files, client, "verona.example", identity=identity))
        wire.say(wire.client, b"x")  # its certificate comes with the end of its handshake
        assert wire.server.peer_certificate is not None
        shown = certificates.read(wire.server.peer_certificate)
        assert shown == certificates.read_chain(identity.certificate)[0]
        assert wire.server.peer_is_trusted is is_trusted
        assert wire.say(wire.server, b"welcome") == b"welcome"
        assert wire.server.receive(b"") == b""
    nobody = shake_hands(server, trusting(files, client, "verona.example"))
    assert nobody.server.handshake_done
    assert nobody.server.peer_certificate is None
    assert not nobody.server.peer_is_trusted


@pytest.mark.parametrize("client", BACKENDS)
def test_the_standard_library_accepts_known_issuers(
    files: Files, verona: Identity, client: Backend
) -> None:
    server = serve(verona, STDLIB, asks_certificate=True, authorities=files.authorities)
    romeo = files.issue("romeo@verona.example", file="romeo")
    wire = shake_hands(server, trusting(files, client, "verona.example", identity=romeo))
    assert wire.server.peer_is_trusted


# Channel bindings


@each_pair
def test_channel_bindings_are_equal_on_both_ends(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    wire = shake_hands(serve(verona, server), trusting(files, client, "verona.example"))
    ours, theirs = wire.server.channel_bindings(), wire.client.channel_bindings()
    for name in ours.keys() & theirs.keys():
        assert ours[name] == theirs[name]
    assert ("tls-exporter" in ours) is (server is PYOPENSSL)
    assert ("tls-exporter" in theirs) is (client is PYOPENSSL)
    assert len(ours.get("tls-exporter", b"x" * 32)) == 32
    assert "tls-unique" not in ours | theirs
    der = wire.client.peer_certificate
    assert der is not None
    assert theirs["tls-server-end-point"] == hashlib.sha256(der).digest()


def test_each_connection_has_another_exporter(files: Files, verona: Identity) -> None:
    contexts = serve(verona, PYOPENSSL), trusting(files, PYOPENSSL, "verona.example")
    seen = {shake_hands(*contexts).server.channel_bindings()["tls-exporter"] for _ in range(3)}
    assert len(seen) == 3


def test_there_are_none_before_the_handshake(files: Files, verona: Identity) -> None:
    for backend in BACKENDS:
        session = serve(verona, backend).session()
        assert session.channel_bindings() == {}
        assert not session.peer_is_trusted
        assert session.peer_certificate is None
        with pytest.raises(TlsError, match="before the handshake"):
            session.send(b"early")


# Versions


def _of_version(version: int, *, secret: bool = True) -> SSL.Connection:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    return connection


def _talk(connection: SSL.Connection, context: TlsContext) -> Any:
    session = context.session()
    for _ in range(5):
        with suppress(SSL.WantReadError):
            connection.do_handshake()
        with suppress(SSL.WantReadError):
            session.receive(connection.bio_read(65536))
        if data := session.take():
            connection.bio_write(data)
    return session


@each_backend
@pytest.mark.parametrize("version", [SSL.TLS1_VERSION, SSL.TLS1_1_VERSION])
def test_old_versions_are_refused(verona: Identity, backend: Backend, version: int) -> None:
    with pytest.raises(TlsError, match=r"version|protocol"):
        _talk(_of_version(version), serve(verona, backend))


@each_backend
def test_tls_1_2_has_forward_secrecy_and_no_renegotiation(
    verona: Identity, backend: Backend
) -> None:
    connection = _of_version(SSL.TLS1_2_VERSION)
    session = _talk(connection, serve(verona, backend))
    assert session.handshake_done
    assert session.version == "TLSv1.2"
    assert session.cipher.startswith("ECDHE-")
    if backend is PYOPENSSL:  # the extended master secret makes it safe
        ours = session.channel_bindings()["tls-exporter"]
        label = b"EXPORTER-Channel-Binding"
        assert ours == connection.export_keying_material(label, 32, b"")
    connection.renegotiate()
    with pytest.raises((SSL.WantReadError, SSL.Error)):
        connection.do_handshake()
    session.receive(connection.bio_read(65536))
    connection.bio_write(session.take())
    with pytest.raises(SSL.Error, match="no renegotiation"):
        connection.do_handshake()


# Rubbish


@each_backend
@settings(max_examples=40, deadline=None)
@given(rubbish=st.binary(min_size=1, max_size=400))
def test_rubbish_is_an_error_or_not_enough(
    verona: Identity, backend: Backend, rubbish: bytes
) -> None:
    session = serve(verona, backend).session()
    with suppress(TlsError):  # and nothing else
        session.receive(rubbish)
    session.take()
    session.close()
    assert not session.handshake_done


@each_backend
@pytest.mark.parametrize(
    "rubbish",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
        pytest.param(b"<?xml version='1.0'?><stream:stream>", id="xmpp"),
        pytest.param(b"\x80\x2e\x01\x00\x02" + bytes(43), id="ssl2"),
        pytest.param(b"\x16\x03\x01\xff\xff" + bytes(100), id="too long"),
        pytest.param(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", id="empty hello"),
    ],
)
def test_what_is_no_hello_is_refused(verona: Identity, backend: Backend, rubbish: bytes) -> None:
    session = serve(verona, backend).session()
    with pytest.raises(TlsError) as refusal:
        session.receive(rubbish)
    assert "Error" not in str(refusal.value)


@each_pair
def test_a_forged_record_ends_one_session_only(
    files: Files, verona: Identity, server: Backend, client: Backend
) -> None:
    contexts = serve(verona, server), trusting(files, client, "verona.example")
    wire, other = shake_hands(*contexts), shake_hands(*contexts)
    ciphertext = bytearray(wire.client.send(b"a message"))
    ciphertext[-1] ^= 1
    with pytest.raises(TlsError, match=r"(?i)mac|decrypt"):
        wire.server.receive(bytes(ciphertext))
    assert wire.server.take()  # the alert
    with pytest.raises(TlsError):
        wire.server.receive(wire.client.send(b"again"))
    assert other.say(other.client, b"unharmed") == b"unharmed"
    assert other.server.receive(b"") == b""
    assert not other.server.is_over


# Files


@each_pair
def test_reloaded_for_new_sessions_only(files: Files, server: Backend, client: Backend) -> None:
    identity = files.issue("renewed.example")
    context = serve(identity, server)
    trust = trusting(files, client, "renewed.example")
    before = shake_hands(context, trust)
    files.issue("renewed.example")
    context.reload()
    after = shake_hands(context, trust)
    assert before.client.peer_certificate != after.client.peer_certificate
    assert before.say(before.client, b"goes on") == b"goes on"
    assert after.say(after.server, b"begins") == b"begins"
    ours, theirs = before.server.channel_bindings(), before.client.channel_bindings()
    assert ours["tls-server-end-point"] == theirs["tls-server-end-point"]


@each_pair
def test_a_bad_reload_changes_nothing(files: Files, server: Backend, client: Backend) -> None:
    identity = files.issue("kept.example")
    context = serve(identity, server)
    identity.certificate.write_text("no certificate")
    with pytest.raises(TlsError, match=r"kept\.example\.crt"):
        context.reload()
    assert shake_hands(context, trusting(files, client, "kept.example")).client.handshake_done


@each_backend
def test_files_that_do_not_fit_are_refused(files: Files, backend: Backend, tmp_path: Path) -> None:
    one, other = files.issue("one.example"), files.issue("other.example")
    for certificate, key in (
        (one.certificate, other.key),
        (tmp_path / "missing.crt", one.key),
        (one.certificate, tmp_path / "missing.key"),
    ):
        with pytest.raises(TlsError, match=r"\.(crt|key)"):
            serve(Identity(certificate, key), backend)
    with pytest.raises(TlsError, match=r"missing\.pem"):
        client_context(ClientTls("x.example", authorities=tmp_path / "missing.pem"), backend)


# Without pyOpenSSL's private parts


def test_the_public_methods_do_the_same(
    files: Files, verona: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert openssl_backend.SESSION is openssl_backend.RawSession  # found in this version
    monkeypatch.setattr(openssl_backend, "SESSION", openssl_backend.OpenSSLSession)
    wire = shake_hands(serve(verona, PYOPENSSL), trusting(files, PYOPENSSL, "verona.example"))
    plaintext = b"The brightness of her cheek" * 1000
    assert wire.say(wire.client, plaintext) == plaintext
    assert wire.say(wire.server, plaintext) == plaintext
    wire.client.close()
    wire.server.receive(wire.client.take())
    assert wire.server.is_over


@each_pair
def test_no_bytes_are_fine_at_any_time(
    files: Files, verona: Identity, server: Backend, client: Backend, monkeypatch: Any
) -> None:
    for session in (openssl_backend.RawSession, openssl_backend.OpenSSLSession):
        monkeypatch.setattr(openssl_backend, "SESSION", session)
        wire = Wire(serve(verona, server).session(), trusting(files, client, "localhost").session())
        for end in (wire.server, wire.client):
            assert end.receive(b"") == b""
        wire = shake_hands(serve(verona, server), trusting(files, client, "verona.example"))
        for end in (wire.server, wire.client):
            assert end.receive(b"") == b""
            assert end.send(b"") == b""
