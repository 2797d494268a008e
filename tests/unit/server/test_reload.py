"""Settings that change while the server runs: what takes effect, for whom, and what does not."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path

import pytest
import trustme
from tests.peer import PATIENCE

from pyrite.core.jid import JID
from pyrite.kit import log as kit_log
from pyrite.net.certificates import fingerprint
from pyrite.server.commands import CommandError, encode
from pyrite.server.mod import ping
from pyrite.server.module import ModuleError

from ...service import BENVOLIO, JULIET, MANTUA, ROMEO, VERONA, Client, Service, serving

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


def rewrite(service: Service, *changes: tuple[str, str], more: str = "") -> None:
    file = service.folder / "pyrite.toml"
    text = file.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text + more)


async def reload(service: Service) -> dict[str, str]:
    """Setting -> when it applies."""
    told = encode(await service.server.commands.run("reload"))
    return {one["setting"]: one["applies"] for one in told}


def shown(client: Client) -> str:
    """The certificate that a client sees."""
    assert client.tls is not None
    assert client.tls.peer_certificate is not None
    return fingerprint(client.tls.peer_certificate)


# --- modules -----------------------------------------------------------------------------


async def test_modules_whose_settings_differ_begin_anew(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        hosts = service.server.hosts
        before = {domain: dict(host.modules) for domain, host in hosts.items()}
        rewrite(service, more="[modules.offline]\ncount = 7\n")
        assert await reload(service) == {"modules.offline": "now"}
        for domain, host in hosts.items():
            changed = {n for n, module in host.modules.items() if module is not before[domain][n]}
            assert changed == {"offline"}
            assert host.modules["offline"].settings.count == 7
        assert await reload(service) == {}


async def test_modules_of_a_host_come_and_go(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online(ROMEO)
        rewrite(service, (f'[host."{VERONA}"]\n', f'[host."{VERONA}"]\nmodules = ["ping"]\n'))
        assert await reload(service) == {f'host."{VERONA}".modules': "now"}
        assert list(service.server.hosts[VERONA].modules) == ["ping"]
        await romeo.is_served()
        answer = await romeo.ask("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
        assert answer.attrs["type"] == "error"


async def test_who_refuses_new_settings_goes_on_with_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, clear=True) as service:
        host = service.server.hosts[VERONA]
        before = host.modules["offline"].settings
        kind = type(host.modules["offline"])
        start = kind.start

        async def picky(self: kind) -> None:  # type: ignore[valid-type]
            if self.settings.count == 7:
                raise ModuleError("seven is too few")
            await start(self)

        monkeypatch.setattr(kind, "start", picky)
        rewrite(service, more="[modules.offline]\ncount = 7\n")
        with pytest.raises(CommandError) as caught:
            await reload(service)
        assert str(caught.value).splitlines()[:3] == [
            "all but this was done:",
            f"offline is not loaded on {VERONA}: seven is too few",
            "offline goes on as it was",
        ]
        assert host.modules["offline"].settings == before


async def test_who_cannot_come_is_named_and_the_others_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(self: ping.Ping) -> None:
        raise RuntimeError("a bug")

    async with serving(tmp_path, clear=True, host='modules = ["disco"]') as service:
        monkeypatch.setattr(ping.Ping, "start", broken)
        rewrite(service, ('["disco"]', '["disco", "ping", "time"]'))
        with pytest.raises(CommandError, match=r"ping is not loaded on verona\.lit: Runtime"):
            await reload(service)
        assert list(service.server.hosts[VERONA].modules) == ["disco", "time"]
        monkeypatch.undo()
        assert await reload(service) == {}
        assert list(service.server.hosts[VERONA].modules) == ["disco", "time", "ping"]
    caplog.clear()


# --- hosts -------------------------------------------------------------------------------


async def test_a_new_host_is_served_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online(ROMEO)
        rewrite(service, more='[host."padua.lit"]\n')
        assert await reload(service) == {'host."padua.lit"': "now"}
        nurse = JID.parse("nurse@padua.lit")
        await service.server.commands.run(
            "account-add", {"jid": str(nurse), "password": "a rose by any other name"}
        )
        there = await service.online(f"{nurse}/cell", available=True)
        await romeo.send(f"<message to='{nurse}/cell' type='chat'><body>hi</body></message>")
        (message,) = await there.barrier() or [await there.element()]
        assert message.attrs["from"].startswith(str(ROMEO))
    caplog.clear()  # the certificate is not for it, which the operator may be told


async def test_clients_of_a_host_that_goes_are_told(tmp_path: Path) -> None:
    """Also those that are not bound yet; what waits for them is kept."""
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online(ROMEO)
        there = await service.online(BENVOLIO, available=True)
        early = await service.connect()
        await early.open(MANTUA)
        memory = await service.server.bind(BENVOLIO, "memory")
        await romeo.send(f"<message to='{memory.jid}' type='chat'><body>kept</body></message>")
        await romeo.is_served()
        assert len(memory.queue) == 1
        rewrite(service, (f'[host."{MANTUA}"]\n', ""))
        assert await reload(service) == {f'host."{MANTUA}"': "now"}
        await there.ends_with("host-gone")
        await early.ends_with("host-gone")
        assert memory.ended is not None
        assert list(service.server.sessions.at(MANTUA)) == []
        assert await service.server.stores.offline.count(BENVOLIO) == 1
        await romeo.is_served()
        late = await service.connect()
        await late.opening(
            f"<stream:stream xmlns='jabber:client' to='{MANTUA}' version='1.0'"
            " xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        await late.rest()

        rewrite(service, more=f'[host."{MANTUA}"]\n')
        await reload(service)
        again = await service.online(BENVOLIO)
        await again.send("<presence/>")
        bodies = [e.text for one in await again.barrier() for e in one.elements if e.text]
        assert "kept" in bodies


# --- the rest ----------------------------------------------------------------------------


async def test_authentication_and_limits(tmp_path: Path) -> None:
    limits = "sessions-per-account = 2"
    async with serving(tmp_path, auth='mechanisms = ["PLAIN"]', limits=limits) as service:
        early = await service.secured()
        assert early.mechanisms == ("PLAIN",)
        session = await service.server.bind(JULIET, "b")
        rewrite(
            service,
            ('["PLAIN"]', '["SCRAM-SHA-256"]'),
            (limits, "sessions-per-account = 1\nsend-queue = 3"),
        )
        assert set(await reload(service)) == {
            "auth.mechanisms",
            "limits.send-queue",
            "limits.sessions-per-account",
        }
        assert session.limits.send_queue == 3
        assert (await service.secured()).mechanisms == ("SCRAM-SHA-256",)
        assert (await early.plain("romeo")).name.tag == "failure"


async def test_a_certificate_that_is_replaced(tmp_path: Path) -> None:
    """By a reload, by other names in the settings, or found by looking: for new ones alone."""
    async with serving(tmp_path) as service:
        live = await service.secured()
        await live.plain("romeo")
        await live.open(VERONA)
        await live.bind("garden")
        seen = [shown(live)]
        for way in ("reload", "sweep", "settings"):
            if way == "settings":
                rewrite(service, ("/cert.pem", "/cert2.pem"), ("/key.pem", "/key2.pem"))
            number = "2" if way == "settings" else ""
            certify(tmp_path, number)
            await (service.sweep() if way == "sweep" else reload(service))
            assert shown(await service.secured()) not in seen
            seen.append(shown(await service.secured()))
            assert shown(await direct(service)) == seen[-1]
        assert shown(live) == seen[0]
        await live.is_served()


def certify(folder: Path, number: str = "") -> None:
    """Another certificate, by another authority."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    issued = authority.issue_cert(VERONA, MANTUA, key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_pem.write_to_path(folder / f"key{number}.pem")
    (folder / f"cert{number}.pem").write_bytes(
        b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    )


async def direct(service: Service) -> Client:
    return await service.connect_direct("xmpp-client")


async def test_a_certificate_that_cannot_be_used_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as service:
        before = shown(await service.secured())
        rewrite(service, more="[modules.offline]\ncount = 7\n")
        (tmp_path / "key.pem").write_text("no key")
        with pytest.raises(CommandError, match=r"nothing was changed:\n.*key\.pem"):
            await reload(service)
        assert service.server.hosts[VERONA].modules["offline"].settings.count != 7
        await service.sweep()
        assert "certificate not reloaded" in caplog.text
        caplog.clear()
        assert shown(await service.secured()) == before


async def test_wrong_settings_change_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        before = service.server.settings
        lines = (tmp_path / "pyrite.toml").read_text().count("\n")
        rewrite(service, more="[limits2]\n[modules.offline]\ncount = 0\n")
        with pytest.raises(CommandError) as caught:
            await reload(service)
        told = str(caught.value).splitlines()
        assert told[0] == "nothing was changed:"
        file = tmp_path / "pyrite.toml"
        assert told[1].startswith(f"{file}:{lines + 1}: limits2: unknown key")
        assert told[2].startswith(f"{file}:{lines + 3}: modules.offline.count: expected")
        assert service.server.settings is before


async def test_what_needs_a_start_is_said_until_there_is_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        before = service.server.settings
        rewrite(
            service,
            ('c2s = "127.0.0.1:0"', 'c2s = "127.0.0.1:5222"'),
            ("[limits]", "[limits]\nconnections = 5\nattempts = 2"),
            (f'data = "{tmp_path}/data"', f'data = "{tmp_path}/other"\nstore.url = "sqlite:///x"'),
        )
        keys = ("data", "limits.connections", "listen.c2s", "store.url")
        later = dict.fromkeys(keys, "at the next start")
        assert await reload(service) == {**later, "limits.attempts": "now"}
        now = service.server.settings
        assert (now.data, now.listen, now.store) == (before.data, before.listen, before.store)
        assert (now.limits.connections, now.limits.attempts) == (before.limits.connections, 2)
        assert await reload(service) == later
        assert not (tmp_path / "other").exists()


async def test_the_log_is_as_the_file_says_again(tmp_path: Path) -> None:
    """Levels that a command has set hold until the next reload."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        async with serving(tmp_path) as service:
            kit_log.setup("info", stream=io.StringIO())
            router = logging.getLogger("pyrite.server.router")
            await service.server.commands.run("log-level", {"level": "debug"})
            assert router.isEnabledFor(logging.DEBUG)
            await reload(service)
            assert not router.isEnabledFor(logging.DEBUG)
            rewrite(service, more='[log.levels]\n"pyrite.server.router" = "debug"\n')
            assert await reload(service) == {'log.levels."pyrite.server.router"': "now"}
            assert router.isEnabledFor(logging.DEBUG)
            assert not logging.getLogger("pyrite.server.app").isEnabledFor(logging.DEBUG)
            kit_log.setup("info", stream=io.StringIO())
    finally:
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)
        root.setLevel(level)


async def test_two_reloads_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        rewrite(service, more="[modules.offline]\ncount = 7\n")
        first = asyncio.create_task(service.server.commands.run("reload"))
        second = asyncio.create_task(
            service.server.commands.run("module-unload", {"name": "ping", "host": VERONA})
        )
        third = asyncio.create_task(service.server.commands.run("reload"))
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(first, second, third)
        assert service.server.hosts[VERONA].modules["offline"].settings.count == 7
        assert "ping" in service.server.hosts[VERONA].modules
