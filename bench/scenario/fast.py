"""CPU per login with a token, in one round trip, beside logins by SCRAM on the same server."""

import itertools
from dataclasses import replace

from ..load.client import Client, Target
from ..load.fast import Device
from ..plan import Plan
from ..record import Record
from . import login


async def run(target: Target, plan: Plan, transport: str) -> Record:
    """First by SCRAM, then by tokens; `of_scram` is the second's CPU divided by the first's."""
    by_scram = await login.run(target, plan, transport)
    devices = [Device(target, user, transport) for user in target.users[: plan.clients]]
    for device in devices:
        await (await device.login()).leave()
    turns = itertools.cycle(devices)

    async def enter() -> Client:
        return await next(turns).login()

    by_token = await login.measured("login-fast", target, plan, transport, enter)
    before, after = by_scram.cpu_ms_per_login, by_token.cpu_ms_per_login
    return replace(by_token, of_scram=after / before if before and after else None)
