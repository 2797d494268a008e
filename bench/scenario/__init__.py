"""The scenarios, by name: each puts one load on one running server and gives a record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..load.client import PLAIN, TLS, Target
from ..plan import Plan
from ..record import Record
from . import chat, fast, idle, kept, latency, login, paging, presence, resume, soak

OURS = ("pyrite",)  # the peers have no FAST, and no way to be given an archive


@dataclass(frozen=True)
class Scenario:
    """What is measured, over which transports."""

    name: str
    run: Callable[[Target, Plan, str], Awaitable[Record]]
    transports: tuple[str, ...] = (PLAIN, TLS)
    by_default: bool = True
    together: bool = False  # on all servers at once: it waits more than it works
    once: bool = False  # its figures hardly differ, and it takes long: more runs tell no more
    features: tuple[str, ...] = ()  # on in any case
    servers: tuple[str, ...] | None = None  # those that can do it; all
    has_archive: bool = False  # a large one before the server starts


SCENARIOS = {
    each.name: each
    for each in (
        Scenario("chat", chat.run),
        Scenario("chat-single", chat.run_single),
        Scenario("chat-archive", kept.run, features=kept.FEATURES),
        Scenario("login", login.run),
        Scenario("login-fast", fast.run, (TLS,), servers=OURS),
        Scenario("resume", resume.run, features=resume.FEATURES),
        Scenario("idle", idle.run, together=True, once=True),
        Scenario("latency", latency.run),
        Scenario("presence", presence.run, (PLAIN,)),
        Scenario("paging", paging.run, (PLAIN,), once=True, features=paging.FEATURES),
        Scenario(
            "paging-large",
            paging.run_large,
            (PLAIN,),
            features=paging.FEATURES,
            servers=OURS,
            has_archive=True,
        ),
        Scenario("soak", soak.run, (PLAIN,), by_default=False),
    )
}
