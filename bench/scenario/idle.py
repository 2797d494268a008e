"""Memory per session that is logged in, has its roster and is available, and says nothing."""

import asyncio

from .. import measure
from ..load.client import Target, login_all
from ..plan import Plan
from ..record import Record


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """What the plan's sessions add to a server that has some already."""
    warm, users = target.users[: plan.warm_sessions], target.users[plan.warm_sessions :]
    kept = await login_all(target, warm, transport, plan.features)
    await asyncio.sleep(plan.settle)
    before = measure.memory_kb(target.pid)
    clients = await login_all(target, users[: plan.sessions], transport, plan.features)
    await asyncio.sleep(plan.settle)
    after = measure.memory_kb(target.pid)
    for client in (*kept, *clients):  # all are still there, or the figure means nothing
        await client.sync()
    return Record(
        "idle",
        target.name,
        target.version,
        transport,
        kb_per_session=(after - before) / len(clients),
        messages=len(clients),
        base_kb=before,
    )
