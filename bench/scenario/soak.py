"""Whether memory grows: minutes of chat at full speed while other clients come and go."""

import asyncio
import itertools
import sys
from collections.abc import Iterator

from .. import measure
from ..load import client
from ..load.chat import Chat
from ..load.client import Target, login_all
from ..plan import Plan
from ..record import Record
from ..stats import slope

START = 0.4  # the share of the time after which growth counts: by then everybody has been there
PAUSE = 0.1  # seconds between two logins of the clients that come and go


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """Load for the plan's minutes, memory read every few seconds."""
    users = target.users
    clients = await login_all(target, users[: plan.clients], transport, plan.features)
    chat = Chat(clients, plan.window)
    use = measure.start(target.pid)
    chat.start()
    async with asyncio.TaskGroup() as tasks:
        visits = tasks.create_task(
            _visits(target, itertools.cycle(users[plan.clients :]), transport)
        )
        samples = await _watch(target, plan)
        visits.cancel()
    used, count = use(), chat.received
    await chat.stop()
    late = [point for point in samples if point[0] >= START * samples[-1][0]]
    per_minute = slope(late) * 60
    return Record(
        "soak",
        target.name,
        target.version,
        transport,
        cpu_us_per_message=used.server_us(count),
        messages=count,
        per_second=count / used.seconds,
        load_cpu_us=used.load_us(count),
        lost=chat.lost,
        base_kb=late[0][1],
        slope_kb_per_minute=per_minute,
        growth_kb=per_minute * (late[-1][0] - late[0][0]) / 60,
        others=used.others,
        seconds=used.seconds,
    )


async def _watch(target: Target, plan: Plan) -> list[tuple[float, float]]:
    """Seconds since the start and KB of memory, for the whole time."""
    loop = asyncio.get_running_loop()
    begin, samples = loop.time(), list[tuple[float, float]]()
    while (passed := loop.time() - begin) < plan.minutes * 60:
        samples.append((passed, measure.memory_kb(target.pid)))
        print(f"{passed:6.0f} s  {samples[-1][1]:10.0f} KB", file=sys.stderr, flush=True)
        await asyncio.sleep(plan.sample)
    return samples


async def _visits(target: Target, users: Iterator[str], transport: str) -> None:
    while True:
        visitor = await client.login(target, next(users), transport)
        await visitor.settle()
        await visitor.leave()
        await asyncio.sleep(PAUSE)
