"""``python -m bench.client``: each figure from fresh processes, which take turns.

One JSON object a line on standard output, a table at the end on standard error.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from statistics import median
from tempfile import TemporaryDirectory

SIDES = ("pyrite", "slixmpp")
SCENARIOS = {  # name -> what its figure is
    "import": "import of the client, ms",
    "import-chat": "import of what a chat program needs, ms",
    "write": "a message made and written, µs",
    "receive": "a message received and handled, µs",
    "roster-time": "a roster of 5,000, ms",
    "roster-memory": "memory of a roster of 5,000, KB",
    "room-time": "joining a room of 1,000, ms",
    "room-memory": "memory of a room of 3,500, KB",
}
PLUGINS = "0030 0045 0054 0084 0085 0092 0115 0184 0191 0199 0280 0308 0313 0363".split()
IMPORTS = {  # scenario -> side -> a program; in "chat" the same features on both sides
    "import": {"pyrite": "from pyrite.client.api import Client", "slixmpp": "import slixmpp"},
    "import-chat": {
        "pyrite": "from pyrite.client.api import Archive, Avatars, Blocking, Carbons, Chats, "
        "Client, Disco, Muc, Ping, Receipts, Roster, Upload, VCards, Version",
        "slixmpp": "import slixmpp\nme = slixmpp.ClientXMPP('romeo@bench.example', '')\n"
        f"for number in {PLUGINS}: me.register_plugin('xep_' + number)",
    },
}
LIMIT = 120.0  # seconds for one process


def main() -> None:
    made = argparse.ArgumentParser("python -m bench.client", description=__doc__)
    made.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    made.add_argument("--repeat", type=int, default=5, help="processes, of which the median counts")
    options = made.parse_args()
    rows = []
    for scenario in options.scenario:
        found: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(options.repeat):
            for side in SIDES:
                found[side].append(one(side, scenario))
        figures = {side: round(median(values), 2) for side, values in found.items()}
        print(
            json.dumps({"scenario": scenario, "what": SCENARIOS[scenario], **figures}), flush=True
        )
        rows.append((SCENARIOS[scenario], figures))
    print("\n| | pyrite | slixmpp | ratio |\n| --- | --: | --: | --: |", file=sys.stderr)
    for what, figures in rows:
        ours, theirs = figures["pyrite"], figures["slixmpp"]
        print(f"| {what} | {ours:,.1f} | {theirs:,.1f} | {ours / theirs:.2f} |", file=sys.stderr)


def one(side: str, scenario: str) -> float:
    """The figure of one process."""
    if scenario in IMPORTS:
        return imported(IMPORTS[scenario][side])
    words = [sys.executable, "-m", f"bench.client.{side}", scenario]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=LIMIT)
    return float(done.stdout)


def imported(program: str) -> float:
    """Milliseconds of the processor, without Python's own start.

    Compiled before, as whatever is installed is.
    """
    with TemporaryDirectory() as compiled:
        started(program, compiled)
        return (started(program, compiled) - started("pass", compiled)) * 1000


def started(program: str, compiled: str) -> float:
    env = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LIMIT, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


main()
