"""The scenarios, by name: each puts one load on one running server and gives a record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..load.client import PLAIN, TLS, Target
from ..plan import Plan
from ..record import Record
from . import chat, idle, latency, login, presence, soak


@dataclass(frozen=True)
class Scenario:
    """What is measured, over which transports."""

    name: str
    run: Callable[[Target, Plan, str], Awaitable[Record]]
    transports: tuple[str, ...] = (PLAIN, TLS)
    by_default: bool = True
    together: bool = False  # on all servers at once: it waits more than it works


SCENARIOS = {
    each.name: each
    for each in (
        Scenario("chat", chat.run),
        Scenario("chat-single", chat.run_single),
        Scenario("login", login.run),
        Scenario("idle", idle.run, together=True),
        Scenario("latency", latency.run),
        Scenario("presence", presence.run, (PLAIN,)),
        Scenario("soak", soak.run, (PLAIN,), by_default=False),
    )
}
