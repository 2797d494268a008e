"""CPU per delivered presence: one client that all others have subscribed to."""

from .. import measure
from ..load.client import Target, login_all
from ..load.presence import Audience, befriend
from ..plan import Plan
from ..record import Record


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """Toggle presence for the plan's seconds after the warm-up."""
    users = target.users[: plan.contacts + 1]
    client, *contacts = await login_all(target, users, transport, plan.features)
    await befriend(client, contacts)
    audience = Audience(client, contacts)
    await audience.run(plan.warm_up)
    before, use = audience.received, measure.start(target.pid)
    await audience.run(plan.seconds)
    used, count = use(), audience.received - before
    return Record(
        "presence",
        target.name,
        target.version,
        transport,
        cpu_us_per_message=used.server_us(count),
        messages=count,
        per_second=count / used.seconds,
        load_cpu_us=used.load_us(count),
        others=used.others,
        seconds=used.seconds,
    )
