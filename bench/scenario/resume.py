"""CPU per resumed session, and how soon all are back: as after a network that was gone."""

import asyncio
import time

from .. import measure
from ..load.client import Target, login_all
from ..load.resume import Resumable, resume_all, write_to
from ..plan import Plan
from ..record import Record

FEATURES = ("sm",)


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """All connections break, a message comes for each session, and all are resumed."""
    features = [name for name in plan.features if name != "sm"]
    users = target.users[: plan.sessions + 1]
    author, *clients = await login_all(target, users, transport, features)
    sessions = [
        Resumable(target, user, transport, client)
        for user, client in zip(users[1:], clients, strict=True)
    ]
    for each in sessions:
        await each.enable()
    await asyncio.gather(*(each.cut() for each in sessions))
    await write_to(author, sessions)
    begin, use = time.monotonic(), measure.start(target.pid)
    await resume_all(sessions, plan.resumes_at_once)
    back, used = time.monotonic() - begin, use()
    return Record(
        "resume",
        target.name,
        target.version,
        transport,
        cpu_ms_per_resume=used.server_us(len(sessions)) / 1000,
        back_s=back,
        messages=len(sessions),
        per_second=len(sessions) / back,
        load_cpu_us=used.load_us(len(sessions)),
        others=used.others,
        seconds=used.seconds,
    )
