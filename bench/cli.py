"""The words of ``python -m bench``."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from . import install
from .load.scram import HASHES
from .load.stream import LoadError
from .plan import Plan
from .process import ServerError
from .record import Record
from .run import machine, note, run
from .scenario import SCENARIOS
from .servers import SERVERS
from .servers.prosody import EXTRA
from .table import budget, table

DONE, FAILED, WRONG, STOPPED = 0, 1, 2, 130
DEFAULTS = Plan()


def main(words: Sequence[str]) -> int:
    """Run what the words ask for; the exit code."""
    options = parser().parse_args(words)
    if not _complete(options.server):
        return WRONG
    code = FAILED
    try:
        code = uvloop.run(_main(options))
    except* (ServerError, LoadError) as group:
        note(f"failed: {_first(group)}")
    except* asyncio.CancelledError:
        note("stopped")
        code = STOPPED
    return code


def parser() -> argparse.ArgumentParser:
    """The options, which say what they mean."""
    made = argparse.ArgumentParser(
        "python -m bench",
        description="The same load on Pyrite, Prosody and ejabberd. One JSON object a line on"
        " standard output, a table on standard error at the end.",
    )
    usual = [name for name, each in SCENARIOS.items() if each.by_default]
    made.add_argument(
        "--scenario", nargs="+", choices=SCENARIOS, default=usual, help="all but soak by default"
    )
    made.add_argument("--server", nargs="+", choices=SERVERS, default=list(SERVERS))
    made.add_argument("--transport", nargs="+", choices=("plain", "tls"), default=("plain", "tls"))
    made.add_argument("--repeat", type=int, default=1, help="runs, of which the median counts")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the lines there")
    made.add_argument(
        "--check", action="store_true", help="exit 1 when a budget of Pyrite's is missed"
    )
    _plan_options(made)
    return made


def _plan_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--seconds", type=float, default=DEFAULTS.seconds, help="of each load")
    made.add_argument("--minutes", type=float, default=DEFAULTS.minutes, help="of the soak")
    made.add_argument("--clients", type=int, default=DEFAULTS.clients, help="that chat, in pairs")
    made.add_argument(
        "--window", type=int, default=DEFAULTS.window, help="messages each client has under way"
    )
    made.add_argument("--sessions", type=int, default=DEFAULTS.sessions, help="that are idle")
    made.add_argument("--contacts", type=int, default=DEFAULTS.contacts, help="of one presence")
    made.add_argument(
        "--archived",
        type=int,
        default=DEFAULTS.archived_before,
        help="messages in the large archive",
    )
    made.add_argument(
        "--mechanism", choices=(*HASHES, "PLAIN"), default=DEFAULTS.mechanism, help="of all logins"
    )
    made.add_argument(
        "--with",
        nargs="+",
        choices=EXTRA,
        default=(),
        dest="features",
        help="on in the peers, and enabled by the clients where that is needed",
    )


def plan(options: argparse.Namespace) -> Plan:
    """The sizes that the options ask for. Raises SystemExit for an odd number of clients."""
    if options.clients < 2 or options.clients % 2:
        parser().error("--clients: they chat in pairs")
    return Plan(
        seconds=options.seconds,
        minutes=options.minutes,
        clients=options.clients,
        window=options.window,
        sessions=options.sessions,
        contacts=options.contacts,
        archived_before=options.archived,
        mechanism=options.mechanism,
        features=tuple(options.features),
    )


async def _main(options: argparse.Namespace) -> int:
    _stop_on_signals()
    note(machine())
    records: list[Record] = []
    with ExitStack() as stack:
        outputs = [sys.stdout]
        if options.json:
            outputs.append(stack.enter_context(options.json.open("w")))
        async for several in run(
            options.scenario, options.server, options.transport, plan(options), options.repeat
        ):
            records += several
            for output in outputs:
                print(*(record.line() for record in several), sep="\n", file=output, flush=True)
    return _conclude(records, options.check)


def _conclude(records: Sequence[Record], check: bool) -> int:
    verdicts = budget(records, "pyrite")
    note(f"\n{table(records)}\n")
    for _, sentence in verdicts:
        note(sentence)
    return FAILED if check and not all(kept for kept, _ in verdicts) else DONE


def _stop_on_signals() -> None:
    """Both ways to be asked to stop end the servers first."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, task.cancel)


def _complete(servers: Iterable[str]) -> bool:
    """Whether all servers are installed, now if not before."""
    wanted = sorted({SERVERS[name].package for name in servers if SERVERS[name].missing()})
    if packages := [package for package in wanted if package]:
        note(f"installing {' '.join(packages)}")
        install.install(packages)
    for name in servers:
        for program in SERVERS[name].missing():
            package = SERVERS[name].package
            how = f": {' '.join(install.command([package]))}" if package else ""
            note(f"{name}: {program} is missing{how}")
    return not any(SERVERS[name].missing() for name in servers)


def _first(error: BaseException) -> BaseException:
    """The first of what a group holds, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
