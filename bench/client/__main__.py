"""``python -m bench.client``: each figure from fresh processes, which take turns.

One JSON object a line on standard output, a table at the end on standard error.
"""

import argparse
import json
import subprocess
import sys
import time
from statistics import median

SIDES = ("pyrite", "slixmpp")
SCENARIOS = {  # name -> what its figure is
    "import": "import of what a program needs, ms",
    "write": "a message made and written, µs",
    "receive": "a message received and handled, µs",
    "roster-time": "a roster of 5,000, ms",
    "roster-memory": "memory of a roster of 5,000, KB",
}
IMPORTS = {"pyrite": "import pyrite.client.app", "slixmpp": "import slixmpp"}
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
                found[side].append(imported(side) if scenario == "import" else one(side, scenario))
        figures = {side: round(median(values), 2) for side, values in found.items()}
        print(
            json.dumps({"scenario": scenario, "what": SCENARIOS[scenario], **figures}), flush=True
        )
        rows.append((SCENARIOS[scenario], figures))
    print("\n| | pyrite | slixmpp | ratio |\n| --- | --: | --: | --: |", file=sys.stderr)
    for what, figures in rows:
        ours, theirs = figures["pyrite"], figures["slixmpp"]
        print(f"| {what} | {ours:,.1f} | {theirs:,.1f} | {ours / theirs:.2f} |", file=sys.stderr)


def imported(side: str) -> float:
    """Milliseconds, without Python's own start."""
    return (started(IMPORTS[side]) - started("pass")) * 1000


def started(program: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LIMIT)
    return time.perf_counter() - begin


def one(side: str, scenario: str) -> float:
    words = [sys.executable, "-m", f"bench.client.{side}", scenario]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=LIMIT)
    return float(done.stdout)


main()
