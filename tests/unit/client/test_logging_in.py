"""Every way to be let in, and what is remembered of it."""

import asyncio
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import pytest
import trustme
from tests.attack.test_external import BOTH, ROMEOS, trusting
from tests.peer import PASSWORD, PATIENCE
from tests.service import JULIET, ROMEO, VERONA, Service, serving, until

from pyrite.client.account import Account, Memory, Token, TokenStore, Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.errors import AuthenticationFailed, TlsError
from pyrite.client.filestore import FileStore
from pyrite.client.link import Link
from pyrite.client.mod.archive import Archive, PositionStore, VolatilePositions
from pyrite.core.jid import JID
from pyrite.net.dns import Target
from pyrite.wire.ping import Ping


class Noting:
    """By TCP, noting the names of the elements that are sent before there is a session."""

    def __init__(self, service: Service, *, direct: bool = False) -> None:
        port = service.server.listeners.ports["c2s-tls" if direct else "c2s"]
        self.inner = Tcp([Target("127.0.0.1", port, direct)])
        self.sent: list[str] = []

    async def connect(self, account: Account) -> Link:
        link = await self.inner.connect(account)
        send = link.send

        def noted(*payloads: object) -> None:
            self.sent.extend(type(payload).__name__ for payload in payloads)
            send(*payloads)

        link.send = noted  # type: ignore[method-assign]
        return link


def client(
    service: Service,
    account: Account,
    tokens: TokenStore | None = None,
    *,
    direct: bool = False,
    read: PositionStore | None = None,
) -> tuple[Client, Noting]:
    if account.trust == Trust():
        account = replace(account, trust=Trust(authorities=service.folder / "ca.pem"))
    way = Noting(service, direct=direct)
    me = Client(account.jid, account=account, connector=way, tokens=tokens)
    if read is not None:
        me[Archive].remember(read)
    return me, way


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def entered(me: Client) -> str:
    """The mechanism that it came in by; it works."""
    async with asyncio.timeout(PATIENCE), me:
        await me.request(Ping())
        assert me._keeper.session is not None
        return me._keeper.session.mechanism


async def refused(me: Client) -> AuthenticationFailed:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(AuthenticationFailed) as failed:
            async with me:
                pass
    return failed.value


async def test_the_second_time_takes_one_round_trip(tmp_path: Path) -> None:
    """XEP-0484: after the features one element goes, and one comes.

    For who knows how far it has read: else what waits for it would be cleared (XEP-0386 §3.2).
    """
    store, read = FileStore(tmp_path / "kept"), VolatilePositions()
    async with serving(tmp_path) as service:
        me, way = client(service, Account(ROMEO, PASSWORD), store, direct=True, read=read)
        async with me, asyncio.timeout(PATIENCE):
            await until(lambda: ROMEO in read)
        assert way.sent[:2] == ["Authenticate", "Response"]
        me, way = client(service, Account(ROMEO), store, direct=True, read=read)  # no password
        assert (await entered(me)).startswith("HT-")
        assert way.sent == ["Authenticate"]
        kept = await store.load(ROMEO)
        assert kept is not None
        assert kept.token is not None
        assert kept.token.count == 1


async def test_a_token_that_was_taken_back(tmp_path: Path) -> None:
    """Then it is the password; and if that is wrong, it is told."""
    store = FileStore(tmp_path / "kept")
    async with serving(tmp_path) as service:
        await entered(client(service, Account(ROMEO, PASSWORD), store)[0])
        known = await store.load(ROMEO)
        assert known is not None
        assert known.token is not None
        stale = replace(known, token=replace(known.token, secret="not any more"))
        await store.save(ROMEO, stale)
        me, way = client(service, Account(ROMEO, PASSWORD), store)
        assert (await entered(me)).startswith("SCRAM-")
        assert way.sent.count("Authenticate") == 2
        fresh = await store.load(ROMEO)
        assert fresh is not None
        assert fresh.token is not None
        assert fresh.token.secret != "not any more"
        await store.save(ROMEO, stale)
        error = await refused(client(service, Account(ROMEO, "wrong"), store)[0])
        assert error.condition == "not-authorized"
        assert error.is_final
        forgotten = await store.load(ROMEO)
        assert forgotten is not None
        assert forgotten.token is None


async def test_a_server_that_hides_what_it_knew(tmp_path: Path) -> None:
    """XEP-0474 §5: who has proven to know our password is never told it from then on."""
    store = FileStore(tmp_path / "kept")
    async with serving(tmp_path) as service:
        await entered(client(service, Account(ROMEO, PASSWORD), store)[0])
    await forget_token(store)
    async with serving(tmp_path / "other", auth='mechanisms = ["PLAIN"]') as service:
        me, way = client(service, Account(ROMEO, PASSWORD), store)
        assert (await refused(me)).condition == "invalid-mechanism"
        assert "Auth" not in way.sent
        assert "Authenticate" not in way.sent
        assert await entered(client(service, Account(ROMEO, PASSWORD))[0]) == "PLAIN"


async def test_a_certificate_does_not_make_it_forget(tmp_path: Path) -> None:
    """Who has proven the password, and then came without it, is not asked to say it either."""
    store = FileStore(tmp_path / "kept")
    async with trusting(tmp_path) as service:
        await entered(client(service, Account(ROMEO, PASSWORD), store)[0])
        trust = Trust(authorities=service.folder / "ca.pem", identity=ROMEOS.write(service.folder))
        await forget_token(store)
        with_card = Account(ROMEO, PASSWORD, trust=trust)
        assert await entered(client(service, with_card, store)[0]) == "EXTERNAL"
    await forget_token(store)
    async with serving(tmp_path / "other", auth='mechanisms = ["PLAIN"]') as service:
        me, way = client(service, Account(ROMEO, PASSWORD), store)
        assert (await refused(me)).condition == "invalid-mechanism"
        assert "Authenticate" not in way.sent


async def forget_token(store: TokenStore) -> None:
    known = await store.load(ROMEO)
    assert known is not None
    await store.save(ROMEO, replace(known, token=None))


async def test_files_are_nobody_elses(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "a" / "b")
    assert await store.load(ROMEO) is None
    token = Token("HT-SHA-256-EXPR", "s3cret", datetime.now(UTC) + timedelta(days=1), 7)
    memory = Memory("device", token, "SCRAM-SHA-256")
    await store.save(ROMEO, memory)
    await store.save(JULIET, Memory("other"))
    assert await store.load(ROMEO) == memory
    assert await store.load(JULIET) == Memory("other")
    written = files(tmp_path / "a" / "b")
    assert len(written) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in written} == {0o600}
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert "s3cret" not in repr(memory)


async def test_a_file_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.save(ROMEO, Memory("first"))
    (file,) = files(tmp_path)
    file.unlink()
    file.mkdir()  # so that nothing can take its place
    with pytest.raises(OSError, match="irectory"):
        await store.save(ROMEO, Memory("second"))
    assert files(tmp_path) == [file]


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("card", [ROMEOS, BOTH], ids=["one address", "several"])
async def test_a_certificate_in_place_of_a_password(
    tmp_path: Path, card: object, direct: bool
) -> None:
    async with trusting(tmp_path) as service:
        identity = card.write(service.folder)  # type: ignore[attr-defined]
        trust = Trust(authorities=service.folder / "ca.pem", identity=identity)
        me, _ = client(service, Account(ROMEO, trust=trust), direct=direct)
        assert await entered(me) == "EXTERNAL"
        assert me.jid.bare == ROMEO


async def test_a_guest(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='mechanisms = ["ANONYMOUS"]') as service:
        me, _ = client(service, Account(JID(None, VERONA)))
        assert await entered(me) == "ANONYMOUS"
        assert me.jid.local
        assert me.jid.domain == VERONA


async def test_an_old_mechanism_only_on_request(tmp_path: Path) -> None:
    async with serving(tmp_path, auth='mechanisms = ["DIGEST-MD5"]') as service:
        await service.server.accounts.set_password(ROMEO, PASSWORD)  # which it keeps for it now
        error = await refused(client(service, Account(ROMEO, PASSWORD))[0])
        assert error.condition == "invalid-mechanism"
        me, _ = client(service, Account(ROMEO, PASSWORD, allowed=("DIGEST-MD5",)))
        assert await entered(me) == "DIGEST-MD5"


@pytest.mark.parametrize("direct", [False, True])
async def test_the_one_certificate_that_is_expected(tmp_path: Path, direct: bool) -> None:
    async with serving(tmp_path) as service:
        first = (service.folder / "cert.pem").read_text().split("-----END")[0]
        der = PEM_cert_to_DER_cert(f"{first}-----END CERTIFICATE-----\n")
        pin = sha256(der).hexdigest()
        me, _ = client(service, Account(ROMEO, PASSWORD, trust=Trust(pin=pin)), direct=direct)
        assert await entered(me)
        wrong = Trust(pin="00" * 32)
        me, _ = client(service, Account(ROMEO, PASSWORD, trust=wrong), direct=direct)
        with pytest.raises(TlsError, match=pin):
            await entered(me)


@pytest.mark.parametrize("direct", [False, True])
async def test_a_certificate_for_another_domain(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, direct: bool
) -> None:
    """Its issuer is trusted; what counts is the account's domain, not the host (RFC 6125)."""
    async with serving(tmp_path, more="") as service:
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        issued = authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        issued.private_key_pem.write_to_path(tmp_path / "key.pem")
        (tmp_path / "cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
        await service.server.reload(service.server.settings)
        assert "clients may refuse the certificate" in caplog.text
        caplog.clear()
        me, way = client(service, Account(ROMEO, PASSWORD), direct=direct)
        with pytest.raises(TlsError, match=r"not for verona\.lit"):
            await entered(me)
        assert way.sent in ([], ["StartTls"])
