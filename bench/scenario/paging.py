"""CPU and latency per page of an archive, read from both ends and for one contact."""

import time
from array import array
from collections.abc import Sequence

from .. import measure
from ..load import mam
from ..load.client import Client, Target, login, login_all
from ..plan import Plan
from ..record import Record
from ..stats import quantile

FEATURES = ("archive",)
CONTACTS = 10  # to whom the archive's owner has written in turn
LAST_PAGE = "<before/>"


class Reader:
    """Reads pages in turn: forwards, backwards, and forwards those of one contact."""

    def __init__(self, client: Client, size: int, peers: Sequence[str]) -> None:
        self.took = array("d")  # seconds
        self.pages = 0
        self._client, self._size, self._peers = client, size, peers
        self._forwards = self._of_peer = ""
        self._backwards = LAST_PAGE

    async def run(self, seconds: float) -> None:
        """Read for so long; from the other end again where an archive is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._forwards = await self._read(self._forwards)
            self._backwards = await self._read(self._backwards, is_back=True)
            self._of_peer = await self._read(self._of_peer, self._peers[0])

    async def _read(self, place: str, peer: str = "", *, is_back: bool = False) -> str:
        """A page; gives the place of the next one."""
        begin = time.monotonic()
        page = await mam.page(self._client, self._size, place, peer)
        self.took.append(time.monotonic() - begin)
        if page.is_complete or not page.ids:
            return LAST_PAGE if is_back else ""
        return f"<before>{page.ids[0]}</before>" if is_back else f"<after>{page.ids[-1]}</after>"


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """An archive that comes from messages, so each server's is as it makes it itself."""
    users = target.users[: CONTACTS + 1]
    owner, *contacts = await login_all(target, users, transport, plan.features)
    await mam.fill(owner, contacts, plan.archived)
    return await _measure("paging", target, plan, transport, owner, [c.bare for c in contacts])


async def run_large(target: Target, plan: Plan, transport: str) -> Record:
    """A large archive, which was there when the server started."""
    owner = await login(target, target.users[-1], transport)
    peers = [f"{user}@{target.domain}" for user in target.users[:CONTACTS]]
    return await _measure("paging-large", target, plan, transport, owner, peers)


async def _measure(
    name: str, target: Target, plan: Plan, transport: str, owner: Client, peers: Sequence[str]
) -> Record:
    reader = Reader(owner, plan.page, peers)
    await reader.run(plan.warm_up)
    reader.took = array("d")
    use = measure.start(target.pid)
    await reader.run(plan.seconds)
    used, took = use(), sorted(reader.took)
    return Record(
        name,
        target.name,
        target.version,
        transport,
        cpu_ms_per_page=used.server_us(len(took)) / 1000,
        messages=len(took),
        per_second=len(took) / used.seconds,
        p50_ms=quantile(took, 0.5) * 1000,
        p95_ms=quantile(took, 0.95) * 1000,
        load_cpu_us=used.load_us(len(took)),
        others=used.others,
        seconds=used.seconds,
    )
