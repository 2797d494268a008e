"""What a server says, recorded: octets for whoever is measured."""

import gc
import re
import sys
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

JID = "romeo@bench.example/home"
MESSAGES, CONTACTS = 10_000, 5_000
CHUNK = 16 * 1024  # octets in one read

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' id='1'"
    b" from='bench.example' xmlns:stream='http://etherx.jabber.org/streams'>"
)
_QUERY = re.compile(rb"<iq[^>]*?>\s*<query[^>]*jabber:iq:roster")
_ID = re.compile(rb"\bid=[\"']([^\"']+)")


def messages() -> bytes:
    """From a hundred people, with what clients add to each."""
    return b"".join(
        f"<message from='friend{n % 100}@bench.example/phone' to='{JID}' type='chat' id='m{n}'>"
        f"<body>What is said, the {n}th time, is neither long nor short.</body>"
        f"<active xmlns='http://jabber.org/protocol/chatstates'/>"
        f"<origin-id xmlns='urn:xmpp:sid:0' id='o{n}'/></message>".encode()
        for n in range(MESSAGES)
    )


def roster(id: str) -> bytes:
    items = "".join(
        f"<item jid='contact{n}@bench.example' name='Contact {n}' subscription='both'>"
        f"<group>Group {n % 20}</group></item>"
        for n in range(CONTACTS)
    )
    return (
        f"<iq type='result' to='{JID}' id='{id}'><query xmlns='jabber:iq:roster'>"
        f"{items}</query></iq>"
    ).encode()


class Net:
    """A transport that answers from the record. `give` takes what comes in."""

    def __init__(self, loop: AbstractEventLoop, give: Callable[[bytes], None]) -> None:
        self._loop, self._give = loop, give
        self._waiting: deque[bytes] = deque()
        self._is_paused = self._is_reading = False

    def write(self, data: bytes) -> None:
        if _QUERY.search(data):
            id = _ID.search(data[data.rindex(b"<iq") :])
            self.say(roster(id[1].decode() if id else ""))

    def say(self, data: bytes) -> None:
        """In reads of `CHUNK`, each in a turn of its own."""
        self._waiting.extend(data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._is_paused and not self._is_reading:
            self._is_reading = True
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        self._is_reading = False
        if self._waiting and not self._is_paused:
            self._give(self._waiting.popleft())
            self._schedule()

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        self._schedule()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def _nothing(self, *_: Any, **__: Any) -> None:
        """What matters on a net alone."""

    close = abort = write_eof = _nothing
    set_write_buffer_limits = _nothing


def memory() -> float:
    """KB that this process has for itself, now that rubbish is gone."""
    gc.collect()
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return float(line.split()[1])
    sys.exit("this system does not say how much memory a process has")
