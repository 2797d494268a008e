"""``python -m bench.client``: each figure from fresh processes, which take turns.

One JSON object a line on standard output, a table at the end on standard error; ``--page`` puts
that table into a page of the docs. Times are the processor's: both sides do the same in memory,
and wait for nothing. Whatever else the machine does can only add, so the least counts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from ..report import filled
from ..run import machine, note

SIDES = ("pyrite", "slixmpp")
SCENARIOS = {  # name -> what its figure is
    "import": "import of the client, ms",
    "import-chat": "import of what a chat program needs, ms",
    "write": "a message made and written, µs",
    "receive": "a message received and handled, µs",
    "roster-time": "a roster of 5,000 read, ms",
    "roster-memory": "memory of a roster of 5,000, KB",
    "room-time": "a room of 1,000 joined, ms",
    "room-memory": "memory of a room of 3,500, KB",
}
PLUGINS = "0030 0045 0054 0084 0085 0092 0115 0184 0191 0199 0280 0308 0313 0363".split()
IMPORTS = {  # scenario -> side -> a program; for "chat" the same features on both sides
    "import": {"pyrite": "from pyrite.client.api import Client", "slixmpp": "import slixmpp"},
    "import-chat": {
        "pyrite": "from pyrite.client.api import Archive, Avatars, Blocking, Carbons, Chats, "
        "Client, Disco, Muc, Ping, Receipts, Roster, Upload, VCards, Version",
        "slixmpp": "import slixmpp\nme = slixmpp.ClientXMPP('romeo@bench.example', '')\n"
        f"for number in {PLUGINS}: me.register_plugin('xep_' + number)",
    },
}
LIMIT = 120.0  # seconds for one process

Figures = dict[str, float]  # by side


def main() -> None:
    made = argparse.ArgumentParser("python -m bench.client", description=__doc__)
    made.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    made.add_argument("--repeat", type=int, default=5, help="processes: the quietest counts")
    made.add_argument("--page", type=Path, help="of the docs, to put the table into")
    options = made.parse_args()
    if options.repeat < 2:
        made.error("--repeat: the first process of an import compiles")
    with TemporaryDirectory() as compiled:
        rows = [(name, measured(name, options.repeat, compiled)) for name in options.scenario]
    shown = table(rows)
    note(f"\n{shown}")
    if options.page is not None:
        day = datetime.now(UTC).date().isoformat()
        how = f"{day}, {machine()}; the quietest of {options.repeat} processes."
        options.page.write_text(filled(options.page.read_text(), f"{shown}\n\n{how}"))


def measured(scenario: str, repeat: int, compiled: str) -> Figures:
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    start = []  # of Python itself
    for _ in range(repeat):
        for side in SIDES:
            found[side].append(one(side, scenario, compiled))
        start.append(started("pass", compiled) if scenario in IMPORTS else 0.0)
    figures = {side: round(min(values) - min(start), 2) for side, values in found.items()}
    line = {"scenario": scenario, "what": SCENARIOS[scenario], **figures}
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return figures


def table(rows: Sequence[tuple[str, Figures]]) -> str:
    """In Markdown."""
    names = (f"{side.capitalize() if side == 'pyrite' else side} {version(side)}" for side in SIDES)
    lines = [f"|  | {' | '.join(names)} | ratio |", "| --- | --: | --: | --: |"]
    for scenario, figures in rows:
        ours, theirs = (figures[side] for side in SIDES)
        digits = 0 if scenario.endswith("memory") else 1
        cells = f"{ours:,.{digits}f} | {theirs:,.{digits}f} | {ours / theirs:.2f}"
        lines.append(f"| {SCENARIOS[scenario]} | {cells} |")
    return "\n".join(lines)


def one(side: str, scenario: str, compiled: str) -> float:
    """The figure of one process."""
    if scenario in IMPORTS:
        return started(IMPORTS[scenario][side], compiled)
    words = [sys.executable, "-m", f"bench.client.{side}", scenario]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=LIMIT)
    return float(done.stdout)


def started(program: str, compiled: str) -> float:
    """Milliseconds of the processor. What is imported is compiled in a folder, as when installed:
    it is by the first process, which is not the quietest then."""
    env = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LIMIT, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds * 1000


if __name__ == "__main__":
    main()
