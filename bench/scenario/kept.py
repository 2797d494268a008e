"""CPU per message that is archived for both sides and acknowledged to its sender, on one core."""

import asyncio

from .. import measure
from ..load import mam
from ..load.acks import enable
from ..load.chat import check
from ..load.client import Target, login_all
from ..load.kept import KeptChat
from ..load.stream import LoadError
from ..plan import Plan
from ..record import Record
from ..stats import quantile

FEATURES = ("archive", "sm")


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """Messages are counted when the server has acknowledged them; `p50_ms` is how long it took."""
    with measure.on_one_core(target.pid):
        return await _run(target, plan, transport)


async def _run(target: Target, plan: Plan, transport: str) -> Record:
    features = [name for name in plan.features if name != "sm"]
    clients = await login_all(target, target.users[: plan.clients], transport, features)
    await check(clients)
    for client in clients:
        await enable(client.stream)  # here, so that what is acknowledged is what is chatted
    chat = KeptChat(clients, plan.window)
    chat.start()
    await asyncio.sleep(plan.warm_up)
    before, use = chat.acknowledged, measure.start(target.pid)
    del chat.took[:]
    await asyncio.sleep(plan.seconds)
    used, count, took = use(), chat.acknowledged - before, sorted(chat.took)
    await chat.stop()
    clients[0].stream.buffered()
    if not (await mam.page(clients[0], 1)).ids:
        raise LoadError(f"{target.name}: nothing is in the archive")
    return Record(
        "chat-archive",
        target.name,
        target.version,
        transport,
        cpu_us_per_message=used.server_us(count),
        messages=count,
        per_second=count / used.seconds,
        p50_ms=quantile(took, 0.5) * 1000,
        p99_ms=quantile(took, 0.99) * 1000,
        load_cpu_us=used.load_us(count),
        lost=chat.lost,
        others=used.others,
        seconds=used.seconds,
        tls=clients[0].stream.cipher or None,
    )
