"""``pyrite demo``: it shows itself working, stops cleanly, and finds its data again."""

import asyncio
import re
import signal
import ssl
from pathlib import Path

from slixmpp import ClientXMPP

from .people import PATIENCE
from .servers import START, STOP, Pyrite


class Demo:
    """The program, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    @classmethod
    async def start(cls, folder: Path) -> "Demo":
        words = [*Pyrite.program(), "demo", "--folder", str(folder)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=pipe)
        return cls(process)

    async def until(self, text: str) -> None:
        assert self._process.stdout
        async with asyncio.timeout(START):
            while text not in self.said:
                line = await self._process.stdout.readline()
                assert line, self.said + (await self._process.communicate())[1].decode()
                self.said += line.decode()

    async def stop(self) -> str:
        """Ctrl-C; what it says on standard error. It must end well."""
        self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP):
            rest, errors = await self._process.communicate()
        self.said += rest.decode()
        assert self._process.returncode == 0, errors.decode()
        return errors.decode()


async def test_demo(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = await Demo.start(folder)
    await first.until("Ctrl-C stops it")
    accounts = dict(re.findall(r"^  (\S+@localhost) +(\S+)$", first.said, re.MULTILINE))
    assert len(accounts) >= 2
    assert first.said.count(" sees: ") == 5
    assert (folder / "passwords").stat().st_mode & 0o777 == 0o600
    await log_in(first.said, *next(iter(accounts.items())))
    assert await first.stop() == ""

    second = await Demo.start(folder)
    await second.until("Ctrl-C stops it")
    assert "from last time" in second.said
    assert not set(accounts.values()) & set(second.said.split()), "passwords are shown once"
    await log_in(second.said, *next(iter(accounts.items())))
    assert await second.stop() == ""


async def test_it_stops_whenever_it_is_told(tmp_path: Path) -> None:
    demo = await Demo.start(tmp_path / "demo")
    await demo.until("log in and talk")
    assert await demo.stop() == ""


async def log_in(said: str, jid: str, password: str) -> None:
    """As its words say, with somebody else's client."""
    match = re.search(r"STARTTLS\) +127\.0\.0\.1:(\d+)", said)
    assert match
    client = ClientXMPP(jid, password)
    client.ssl_context = ssl.create_default_context()
    client.ssl_context.check_hostname = False
    client.ssl_context.verify_mode = ssl.CERT_NONE
    client.enable_direct_tls = False
    client.connect("127.0.0.1", int(match[1]))
    await client.wait_until("session_start", PATIENCE)
    await client.disconnect()
