"""CPU per delivered message: pairs of clients, a fixed number of messages under way."""

import asyncio

from .. import measure
from ..load.chat import Chat, check
from ..load.client import Target, login_all
from ..plan import Plan
from ..record import Record


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """Chat for the plan's seconds after the warm-up."""
    clients = await login_all(target, target.users[: plan.clients], transport, plan.features)
    await check(clients)
    chat = Chat(clients, plan.window)
    chat.start()
    await asyncio.sleep(plan.warm_up)
    before, use = chat.received, measure.start(target.pid)
    await asyncio.sleep(plan.seconds)
    used, count = use(), chat.received - before
    await chat.stop()
    return Record(
        "chat",
        target.name,
        target.version,
        transport,
        cpu_us_per_message=used.server_us(count),
        messages=count,
        per_second=count / used.seconds,
        load_cpu_us=used.load_us(count),
        lost=chat.lost,
        seconds=used.seconds,
        tls=clients[0].stream.cipher or None,
    )
