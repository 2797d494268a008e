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
ROOM, NICK = "hall@rooms.bench.example", "romeo"
MESSAGES, CONTACTS = 10_000, 5_000
OCCUPANTS, CROWD = 1_000, 3_500  # of a room whose time is taken, and whose memory
CHUNK = 16 * 1024  # octets in one read

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' id='1'"
    b" from='bench.example' xmlns:stream='http://etherx.jabber.org/streams'>"
)
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


def entered(occupants: int) -> bytes:
    """What who comes in is told: who is there, with what their clients say of themselves."""
    there = "".join(
        f"<presence from='{ROOM}/occupant{n}' to='{JID}'><show>away</show>"
        f"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example'"
        f" ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><x xmlns='http://jabber.org/protocol/muc#user'>"
        f"<item affiliation='member' role='participant' jid='person{n}@bench.example/phone'/></x>"
        f"</presence>"
        for n in range(occupants - 1)
    )
    return (
        f"{there}{_myself('')}<message from='{ROOM}' to='{JID}' type='groupchat' id='s1'>"
        f"<subject>A hall in Capulet's house</subject></message>"
    ).encode()


def left() -> bytes:
    return _myself("type='unavailable'").encode()


def _myself(type: str) -> str:
    return (
        f"<presence from='{ROOM}/{NICK}' to='{JID}' {type}>"
        f"<x xmlns='http://jabber.org/protocol/muc#user'>"
        f"<item affiliation='member' role='participant'/><status code='110'/></x></presence>"
    )


def room(id: str) -> bytes:
    """What the room can do."""
    return (
        f"<iq type='result' from='{ROOM}' to='{JID}' id='{id}'>"
        f"<query xmlns='http://jabber.org/protocol/disco#info'>"
        f"<identity category='conference' type='text'/>"
        f"<feature var='http://jabber.org/protocol/muc'/></query></iq>"
    ).encode()


class Net:
    """A transport that answers from the record. `give` takes what comes in."""

    def __init__(
        self, loop: AbstractEventLoop, give: Callable[[bytes], None], occupants: int = OCCUPANTS
    ) -> None:
        self._loop, self._give = loop, give
        self._asked: tuple[tuple[re.Pattern[bytes], Callable[[str], bytes]], ...] = (
            (re.compile(rb"<iq[^>]*>\s*<query[^>]*jabber:iq:roster"), roster),
            (re.compile(rb"<iq[^>]*>\s*<query[^>]*disco#info"), room),
            (re.compile(rb"<presence[^>]*type=.unavailable[^>]*>"), lambda _: left()),
            (re.compile(rb"<presence[^>]*hall@[^>]*>.*protocol/muc[\"']"), self._entered),
        )
        self._occupants = occupants
        self._waiting: deque[bytes] = deque()
        self._is_paused = self._is_reading = False

    def write(self, data: bytes) -> None:
        for asked, answer in self._asked:
            if found := asked.search(data):
                id = _ID.search(found[0])
                self.say(answer(id[1].decode() if id else ""))

    def _entered(self, _: str) -> bytes:
        return entered(self._occupants)

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
