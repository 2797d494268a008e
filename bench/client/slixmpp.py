"""slixmpp's side of a figure, with the plug-ins that the scenario needs alone."""

import asyncio
import sys
import time
from typing import Any

from slixmpp import ClientXMPP
from slixmpp.jid import JID

from . import recorded


def client(occupants: int = recorded.OCCUPANTS) -> tuple[Any, recorded.Net]:
    """One that is in a session from the beginning."""
    xmpp: Any = ClientXMPP(recorded.JID, "")
    net = recorded.Net(asyncio.get_running_loop(), xmpp.data_received, occupants)
    xmpp._run_out_filters = asyncio.ensure_future(xmpp.run_filters())
    xmpp.connection_made(net)
    xmpp.data_received(recorded.HEADER)
    xmpp.boundjid = JID(recorded.JID)
    xmpp._set_session_start(None)
    return xmpp, net


async def write() -> float:
    xmpp, _ = client()
    begin = time.process_time()
    for number in range(recorded.MESSAGES):
        body = "What is said is neither long nor short."
        message = xmpp.make_message(mto="juliet@bench.example", mbody=body, mtype="chat")
        message["id"] = f"m{number}"
        str(message).encode()
    return (time.process_time() - begin) / recorded.MESSAGES * 1e6


async def receive() -> float:
    xmpp, net = client()
    done, octets, count = asyncio.Event(), recorded.messages(), 0

    async def handle(message: Any) -> None:
        nonlocal count
        if message["body"] and message["from"] is not None:
            count += 1
            if count == recorded.MESSAGES:
                done.set()

    xmpp.add_event_handler("message", handle)
    begin = time.process_time()
    net.say(octets)
    await done.wait()
    return (time.process_time() - begin) / recorded.MESSAGES * 1e6


async def roster(*, in_memory: bool) -> float:
    xmpp, _ = client()
    await asyncio.sleep(0)
    before, begin = recorded.memory(), time.process_time()
    await xmpp.get_roster()
    while len(xmpp.client_roster) < recorded.CONTACTS:  # noqa: ASYNC110
        await asyncio.sleep(0)
    took = time.process_time() - begin
    return recorded.memory() - before if in_memory else took * 1000


async def room(occupants: int, *, in_memory: bool) -> float:
    xmpp, _ = client(occupants)
    xmpp.register_plugin("xep_0045")
    muc = xmpp.plugin["xep_0045"]
    await asyncio.sleep(0)
    before, begin = recorded.memory(), time.process_time()
    await muc.join_muc_wait(JID(recorded.ROOM), recorded.NICK)
    took = time.process_time() - begin
    assert len(muc.get_roster(JID(recorded.ROOM))) == occupants
    return recorded.memory() - before if in_memory else took * 1000


async def main(scenario: str) -> float:
    match scenario:
        case "write":
            return await write()
        case "receive":
            return await receive()
        case "room-time":
            return await room(recorded.OCCUPANTS, in_memory=False)
        case "room-memory":
            return await room(recorded.CROWD, in_memory=True)
        case _:
            return await roster(in_memory=scenario == "roster-memory")


print(asyncio.run(main(sys.argv[1])))
