"""CPU per delivered message: pairs of clients, a fixed number of messages under way."""

import asyncio

from .. import measure
from ..load.chat import Chat, check
from ..load.client import Target, login_all
from ..plan import Plan
from ..record import Record


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """As many messages under way as the plan says: several share one read and one write."""
    return await _chat("chat", target, plan, transport, plan.window)


async def run_single(target: Target, plan: Plan, transport: str) -> Record:
    """One message under way from each client: nothing is gained by handling several at once."""
    return await _chat("chat-single", target, plan, transport, 1)


async def _chat(name: str, target: Target, plan: Plan, transport: str, window: int) -> Record:
    """Chat for the plan's seconds after the warm-up."""
    clients = await login_all(target, target.users[: plan.clients], transport, plan.features)
    await check(clients)
    chat = Chat(clients, window)
    chat.start()
    await asyncio.sleep(plan.warm_up)
    before, use = chat.received, measure.start(target.pid)
    await asyncio.sleep(plan.seconds)
    used, count = use(), chat.received - before
    await chat.stop()
    return Record(
        name,
        target.name,
        target.version,
        transport,
        cpu_us_per_message=used.server_us(count),
        messages=count,
        per_second=count / used.seconds,
        load_cpu_us=used.load_us(count),
        lost=chat.lost,
        others=used.others,
        seconds=used.seconds,
        tls=clients[0].stream.cipher or None,
    )
