"""How long a message takes at a steady rate, from its sending to its receipt."""

from .. import measure
from ..load.chat import Paced
from ..load.client import Target, login_all
from ..plan import Plan
from ..record import Record
from ..stats import quantile


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """Send at the plan's rate for its seconds after the warm-up."""
    clients = await login_all(target, target.users[: plan.clients], transport, plan.features)
    paced = Paced(clients, plan.rate)
    await paced.run(plan.warm_up)
    paced.forget()
    use = measure.start(target.pid)
    await paced.run(plan.seconds)
    used = use()
    await paced.drain()
    took = sorted(paced.latencies)
    return Record(
        "latency",
        target.name,
        target.version,
        transport,
        cpu_us_per_message=used.server_us(len(took)),
        messages=len(took),
        per_second=len(took) / used.seconds,
        p50_ms=quantile(took, 0.5) / 1e6,
        p99_ms=quantile(took, 0.99) / 1e6,
        load_cpu_us=used.load_us(len(took)),
        lost=paced.sent - paced.received,
        others=used.others,
        seconds=used.seconds,
    )
