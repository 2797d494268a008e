"""Gajim on a virtual display: it logs in and talks with slixmpp. D-Bus plays its user."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from .people import PASSWORD, Cast, attribute, befriend, child
from .programs import give_away, unprivileged
from .servers import Server

START = 120.0  # seconds until it has started and logged in, on a machine that is busy
PREPARE = """
import sys
from gajim.common import configpaths
folder, local, domain, password, port, kind = sys.argv[1:]
configpaths.set_config_root(folder)
configpaths.init()
configpaths.create_paths()
from gajim.common.settings import Settings
settings = Settings()
settings.init()
settings.set_app_setting("use_keyring", False)
settings.set_app_setting("remote_control", True)
settings.add_account("romeo")
for name, value in {
    "account_label": "romeo", "name": local, "hostname": domain, "resource": "gajim",
    "password": password, "savepass": True, "active": True, "autoconnect": True,
    "use_custom_host": True, "custom_host": "127.0.0.1", "custom_port": int(port),
    "custom_type": kind,
}.items():
    settings.set_account_setting("romeo", name, value)
settings.save()
"""
SCREEN = ("-screen", "0", "1280x1024x24", "-nolisten", "tcp")
SESSION = 'echo "$DBUS_SESSION_BUS_ADDRESS" >"$0"; exec "$@"'


async def test_gajim(cast: Cast, home: Path) -> None:
    juliet = await cast.enter("juliet/balcony", plugins=["xep_0184"])
    romeo = await cast.enter("romeo")
    await befriend(romeo, juliet)
    await romeo.leave()
    await juliet.presence("unavailable", romeo.full)
    prepare(home / "gajim", romeo.bare, cast.server)
    async with gajim(home):
        seen = await juliet.presence(patience=START)
        assert seen.get_from().bare == romeo.bare

        await remote("send_chat_message", juliet.bare, "But soft, what light", "romeo", home=home)
        heard = await juliet.message("But soft, what light")
        assert heard.get_from() == seen.get_from()

        answer = heard.reply("through yonder window breaks?")
        answer["request_receipt"] = True
        answer.send()
        receipt = await juliet.hear(lambda s: child(s, "urn:xmpp:receipts", "received") is not None)
        received = child(receipt, "urn:xmpp:receipts", "received")
        assert received is not None
        assert received.get("id") == answer["id"]
        assert attribute(receipt, "from") == str(seen.get_from())


def prepare(folder: Path, jid: str, server: Server) -> None:
    """An account with its password, and the server's certificate trusted."""
    local, domain = jid.split("@")
    values = [str(folder), local, domain, PASSWORD, str(server.c2s), "START TLS"]
    words = unprivileged("/usr/bin/python3", "-c", PREPARE, *values)
    subprocess.run(words, check=True, timeout=START, capture_output=True)
    trusted = folder / "cert_store" / "server"
    trusted.write_text(server.certificate.read_text())
    give_away(trusted)


@asynccontextmanager
async def display(log: IO[bytes]) -> AsyncIterator[str]:
    """The name of a display of its own; not by `xvfb-run`, which misses a start that is quick."""
    running = await asyncio.create_subprocess_exec(
        *unprivileged("Xvfb", "-displayfd", "1", *SCREEN),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    assert running.stdout
    try:
        async with asyncio.timeout(START):
            number = await running.stdout.readline()
        assert number, "Xvfb has ended"
        yield f":{int(number)}"
    finally:
        running.terminate()
        await running.wait()


@asynccontextmanager
async def gajim(home: Path) -> AsyncIterator[None]:
    """Gajim runs, in a D-Bus session and on a display of its own."""
    bus = home / "run" / "bus"
    program = ["gajim", "--config-path", str(home / "gajim")]
    words = unprivileged("dbus-run-session", "--", "sh", "-c", SESSION, str(bus), *program)
    with (home / "gajim.log").open("wb") as log:
        async with display(log) as name:
            running = await asyncio.create_subprocess_exec(
                *words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "DISPLAY": name, "NO_AT_BRIDGE": "1", "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
            try:
                yield
            except AssertionError as error:
                error.add_note((home / "gajim.log").read_text(errors="replace"))
                raise
            finally:
                os.killpg(running.pid, signal.SIGKILL)
                await running.wait()


async def remote(*words: str, home: Path) -> None:
    """Tell the running Gajim to do something. It listens a few seconds after its start."""
    address = (home / "run" / "bus").read_text().strip()
    async with asyncio.timeout(START):
        status = 1
        while status:
            told = await asyncio.create_subprocess_exec(
                *unprivileged("gajim-remote", *words),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": address},
            )
            status = await told.wait()
