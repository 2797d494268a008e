"""CPU per login: connect, TLS, authentication, binding, and the end of the stream."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable

from .. import measure
from ..load import client
from ..load.client import Client, Target
from ..plan import Plan
from ..record import Record
from ..stats import quantile

Enter = Callable[[], Awaitable[Client]]


class Storm:
    """Clients that log in, several at once, and leave as soon as they are in."""

    def __init__(self, enter: Enter) -> None:
        self.took: list[float] = []  # seconds that each login took
        self._enter = enter

    async def run(self, at_once: int, seconds: float) -> None:
        """Log in again and again for so long, and wait until all have left."""
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:

            async def worker() -> None:
                while time.monotonic() < end:
                    tasks.create_task((await self._login()).leave())

            for _ in range(at_once):
                tasks.create_task(worker())

    async def _login(self) -> Client:
        begin = time.monotonic()
        session = await self._enter()
        self.took.append(time.monotonic() - begin)
        return session


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """By the mechanism of the plan."""
    users = itertools.cycle(target.users[: plan.clients])
    numbers = itertools.count()

    async def enter() -> Client:
        resource = f"bench{next(numbers)}"  # the last one may not have left yet
        return await client.login(target, next(users), transport, resource)

    return await measured("login", target, plan, transport, enter)


async def measured(name: str, target: Target, plan: Plan, transport: str, enter: Enter) -> Record:
    """Log in for the plan's seconds after the warm-up."""
    await Storm(enter).run(plan.logins_at_once, plan.warm_up)
    storm, use = Storm(enter), measure.start(target.pid)
    await storm.run(plan.logins_at_once, plan.seconds)
    used, count = use(), len(storm.took)
    took = sorted(storm.took)
    return Record(
        name,
        target.name,
        target.version,
        transport,
        cpu_ms_per_login=used.server_us(count) / 1000,
        messages=count,
        per_second=count / used.seconds,
        p50_ms=quantile(took, 0.5) * 1000,
        p99_ms=quantile(took, 0.99) * 1000,
        load_cpu_us=used.load_us(count),
        others=used.others,
        seconds=used.seconds,
    )
