"""Logging in (RFC 6120 §5 to §7): every way that slixmpp knows."""

import asyncio
import base64
import hashlib
import re
import ssl

import pytest
from cryptography import x509
from scramp import ScramClient
from slixmpp.exceptions import IqError

from .people import PASSWORD, PATIENCE, Cast, Refused, attribute, settle
from .servers import MANTUA, VERONA, Server


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
async def test_comes_in_over_tls(cast: Cast, direct: bool) -> None:
    romeo = await cast.enter("romeo", direct=direct)
    assert romeo.client.transport
    secured = romeo.client.transport.get_extra_info("ssl_object")
    assert secured.version() == "TLSv1.3"
    await romeo.ping()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "PLAIN"])
async def test_logs_in(cast: Cast, mechanism: str) -> None:
    await cast.enter("romeo", mechanism=mechanism)


@pytest.mark.lacking("it offers SHA-1 or SHA-256, as configured, and not both")
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_logs_in_by_newer_hashes(cast: Cast, mechanism: str) -> None:
    await cast.enter("romeo", mechanism=mechanism)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_logs_in_by_what_the_client_likes_best(cast: Cast, version: ssl.TLSVersion) -> None:
    """slixmpp wants to bind the channel where it can."""
    romeo = cast.person(cast.account("romeo"))
    romeo.client.ssl_context.maximum_version = version
    await romeo.log_in(mechanism=None)


async def test_wrong_password_and_unknown_account_look_the_same(cast: Cast) -> None:
    """RFC 6120 §6.5.10: nobody learns which accounts exist."""
    known = cast.person(cast.account("romeo"), password="a rose")
    unknown = cast.person(f"nobody@{VERONA}", password="a rose")
    for person, mechanism in ((known, "SCRAM-SHA-1"), (unknown, "SCRAM-SHA-1"), (known, "PLAIN")):
        with pytest.raises(Refused, match="not-authorized"):
            await person.log_in(mechanism=mechanism)


async def test_nothing_is_offered_before_tls(cast: Cast) -> None:
    """RFC 6120 §5.4.1: where TLS is required, no mechanism is offered without it."""
    line = await RawLine.open(cast.server, VERONA)
    features = await line.read("</stream:features>")
    assert "<required" in features
    assert "urn:ietf:params:xml:ns:xmpp-sasl" not in features
    line.close()


@pytest.mark.lacking("it has no tls-server-end-point, and Python's ssl no other binding")
async def test_binds_the_channel(cast: Cast) -> None:
    """SCRAM-SHA-256-PLUS over ``tls-server-end-point``, with another's SCRAM and TLS."""
    jid = cast.account("romeo")
    line = await RawLine.open(cast.server, VERONA, direct=True)
    features = await line.read("</stream:features>")
    assert "SCRAM-SHA-256-PLUS" in features
    certificate = x509.load_der_x509_certificate(line.peer_certificate())
    binding = hashlib.sha256(line.peer_certificate()).digest()
    assert certificate.signature_hash_algorithm
    assert certificate.signature_hash_algorithm.name == "sha256"
    scram = ScramClient(
        ["SCRAM-SHA-256-PLUS"],
        jid.split("@")[0],
        PASSWORD,
        channel_binding=("tls-server-end-point", binding),
    )
    line.sasl("auth", scram.get_client_first(), " mechanism='SCRAM-SHA-256-PLUS'")
    scram.set_server_first(line.said(await line.read("</challenge>")))
    line.sasl("response", scram.get_client_final())
    scram.set_server_final(line.said(await line.read("</success>")))
    line.close()


async def test_two_resources_and_one_chosen_by_the_server(cast: Cast) -> None:
    """RFC 6120 §7.6, §7.7."""
    orchard = await cast.enter("romeo/orchard")
    garden = await cast.again(orchard, "garden")
    any_other = await cast.again(orchard)
    names = {person.full for person in (orchard, garden, any_other)}
    assert names >= {f"{orchard.bare}/orchard", f"{orchard.bare}/garden"}
    assert len(names) == 3
    await settle(orchard, garden, any_other)


async def test_a_resource_taken_twice_ends_the_older_session(cast: Cast) -> None:
    """RFC 6120 §7.7.2.2, the policy that it recommends."""
    older = await cast.enter("romeo/orchard")
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    older.client.add_event_handler("stream_error", lambda e: ended.set_result(e["condition"]))
    newer = await cast.again(older, "orchard")
    assert await asyncio.wait_for(ended, PATIENCE) == "conflict"
    assert newer.full == f"{newer.bare}/orchard"
    await newer.ping()


async def test_unicode_addresses(cast: Cast) -> None:
    """RFC 7622: accounts and resources in any script; letters are lower case."""
    julia = await cast.enter("ジュリエット/バルコニー")
    romeo = await cast.enter("ROMÉO/Übergabe")
    assert romeo.bare.startswith("roméo-")
    assert romeo.full.endswith("/Übergabe")
    romeo.say(julia.full, "こんにちは")
    assert attribute(await julia.message("こんにちは"), "from") == romeo.full


async def test_virtual_hosts_are_apart(cast: Cast) -> None:
    """An account of one domain is none of another, though the name is the same."""
    verona = cast.account("romeo", VERONA, "of Verona")
    mantua = cast.account("romeo", MANTUA, "of Mantua")
    with pytest.raises(Refused, match="not-authorized"):
        await cast.person(mantua, password="of Verona").log_in()
    one = await cast.person(verona, password="of Verona").log_in()
    other = await cast.person(mantua, password="of Mantua").log_in()
    one.say(other.bare, "news?")
    got = await other.message("news?")
    assert attribute(got, "from") == one.full
    await settle(one, other)


async def test_a_domain_that_is_not_served(cast: Cast) -> None:
    """RFC 6120 §4.9.3.6."""
    line = await RawLine.open(cast.server, "paris.example")
    assert "host-unknown" in await line.read("</stream:stream>")
    line.close()


async def test_a_big_stanza_ends_the_stream(cast: Cast) -> None:
    """RFC 6120 §13.12; the limit is announced (XEP-0478) and is at least 10,000 octets."""
    romeo = await cast.enter("romeo")
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    romeo.client.add_event_handler("stream_error", lambda e: ended.set_result(e["condition"]))
    romeo.say(romeo.full, "x" * 9_000)
    await romeo.message()
    romeo.say(romeo.full, "x" * 600_000)
    assert await asyncio.wait_for(ended, PATIENCE) == "policy-violation"


@pytest.mark.lacking("it does not know XEP-0478")
async def test_limits_are_announced(cast: Cast) -> None:
    romeo = await cast.enter("romeo")
    assert romeo.client.limits.max_bytes
    assert romeo.client.limits.max_bytes >= 10_000


async def test_an_old_session_request_is_answered(cast: Cast) -> None:
    """RFC 3921 §3, which clients of that time still send."""
    romeo = await cast.enter("romeo")
    result = await romeo.ask("set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>")
    assert result["type"] == "result"


async def test_an_unknown_request_is_refused(cast: Cast) -> None:
    """RFC 6120 §8.2.3: each request is answered, and once."""
    romeo = await cast.enter("romeo")
    for to in (None, VERONA, romeo.bare):
        with pytest.raises(IqError, match="service-unavailable"):
            await romeo.ask("get", "<query xmlns='urn:example:nothing'/>", to)


class RawLine:
    """A stream by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, server: Server, domain: str, *, direct: bool = False) -> "RawLine":
        context = ssl.create_default_context(cafile=str(server.ca)) if direct else None
        port = server.c2s_tls if direct else server.c2s
        name = domain if direct else None
        line = cls(
            *await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        )
        line.write(
            f"<stream:stream xmlns='jabber:client' to='{domain}' version='1.0'"
            " xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        return line

    def write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def read(self, end: str) -> str:
        """Everything up to `end`."""
        return (await asyncio.wait_for(self._reader.readuntil(end.encode()), PATIENCE)).decode()

    def sasl(self, name: str, text: str, attributes: str = "") -> None:
        encoded = base64.b64encode(text.encode()).decode()
        ns = "urn:ietf:params:xml:ns:xmpp-sasl"
        self.write(f"<{name} xmlns='{ns}'{attributes}>{encoded}</{name}>")

    @staticmethod
    def said(xml: str) -> str:
        match = re.search(r">([^<>]+)</(?:challenge|success)>", xml)
        assert match, xml
        return base64.b64decode(match[1]).decode()

    def peer_certificate(self) -> bytes:
        der = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(der, bytes)
        return der

    def close(self) -> None:
        self._writer.transport.abort()
