"""One run: every scenario on every server, and what comes of it."""

import asyncio
import platform
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from .plan import Plan
from .process import directory
from .record import Record, compared, merged
from .scenario import SCENARIOS, Scenario
from .servers import SERVERS, Server

STARTED = time.monotonic()


async def run(
    scenarios: Sequence[str],
    servers: Sequence[str],
    transports: Sequence[str],
    plan: Plan,
    repeat: int,
) -> AsyncIterator[list[Record]]:
    """The records of each scenario and transport, as soon as all servers have done it.

    Servers take turns, so that a machine that changes its pace does so for all; each
    scenario gets a server that has just started. Raises ServerError and LoadError.
    """
    async with AsyncExitStack() as stack:
        prepared = []
        for name in servers:
            home = stack.enter_context(directory(SERVERS[name].owner))
            prepared.append(SERVERS[name](home, plan))
            await prepared[-1].prepare()
        for scenario in map(SCENARIOS.__getitem__, scenarios):
            taking = [each for each in prepared if each.name in (scenario.servers or SERVERS)]
            if scenario.has_archive:
                for server in taking:
                    _step(f"{server.name}: an archive of {plan.archived_before} messages")
                    await server.archive(server.users[-1], plan.archived_before)
            for transport in (each for each in scenario.transports if each in transports):
                if taking:
                    yield await _turns(scenario, transport, taking, plan, repeat)


async def _turns(
    scenario: Scenario, transport: str, servers: Sequence[Server], plan: Plan, repeat: int
) -> list[Record]:
    taken: dict[str, list[Record]] = {server.name: [] for server in servers}
    plan = replace(plan, features=tuple(dict.fromkeys((*plan.features, *scenario.features))))

    async def once(server: Server) -> None:
        async with server.running(plan.features) as target:
            _step(f"{scenario.name} {transport}: {server.name}, process {target.pid}")
            taken[server.name].append(await scenario.run(target, plan, transport))

    for _ in range(1 if scenario.once else repeat):
        for turn in [servers] if scenario.together else [[server] for server in servers]:
            async with asyncio.TaskGroup() as tasks:
                for server in turn:
                    tasks.create_task(once(server))
    records = [_described(merged(each), plan) for each in taken.values()]
    peers = [record for record in records if SERVERS[record.server].package]
    return [compared(record, peers) for record in records]


def _described(record: Record, plan: Plan) -> Record:
    return replace(
        record,
        mechanism=plan.mechanism,
        features=plan.features,
        date=datetime.now(UTC).date().isoformat(),
        machine=machine(),
    )


def machine() -> str:
    """Processor, cores, kernel and Python."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.machine()
    return f"{model} x{len(models)}, Linux {platform.release()}, Python {platform.python_version()}"


def note(text: str) -> None:
    """Tell whoever watches what happens."""
    print(text, file=sys.stderr, flush=True)


def _step(text: str) -> None:
    """The same, with the seconds since the start."""
    note(f"{time.monotonic() - STARTED:5.0f} s  {text}")
