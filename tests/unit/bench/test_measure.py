"""What the operating system is asked about processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from bench import measure

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sum(range(3_000_000));"
    "print('done', flush=True); sys.stdin.read()"], stdin=subprocess.PIPE)
child.wait()
"""


@pytest.fixture
def parent() -> Iterator[int]:
    """A process whose child has used some time, and lives."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        child = list(measure.tree(process.pid))[1]
        yield process.pid
        os.kill(child, 9)


def test_a_tree_has_its_children(parent: int) -> None:
    pids = list(measure.tree(parent))
    assert pids[0] == parent
    assert len(pids) == 2
    assert measure.cpu_seconds(parent) > measure.cpu_seconds(pids[1]) > 0.01
    assert measure.memory_kb(parent) > measure.memory_kb(pids[1]) > 1000


def test_our_own_time_is_the_process_clock() -> None:
    own = measure._cpu(os.getpid())  # without the servers that other tests have running
    assert own == pytest.approx(time.process_time(), abs=0.05)


def busy() -> measure.Use:
    """What we and our children use while we work for a moment."""
    stop = measure.start(os.getpid())
    begin = time.process_time()
    while time.process_time() < begin + 0.02:
        pass
    return stop()


def test_use_between_two_readings() -> None:
    # of which one is without the servers that other tests have running
    used = min((busy() for _ in range(10)), key=lambda used: abs(used.server_cpu - used.load_cpu))
    assert used.server_cpu == pytest.approx(used.load_cpu, rel=0.2)
    assert used.server_us(100) == pytest.approx(used.server_cpu * 10_000)
    assert used.load_us(0) == used.load_cpu * 1e6


@pytest.mark.parametrize(
    ("line", "ticks"),
    [
        ("42 (beam.smp) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 7 7 20 0 1 0", 200),
        ("42 (a (strange) name) R 1 42 42 0 -1 4194560 9 0 0 0 3 4 7 7 20 0 1 0", 7),
        ("", 0),
    ],
)
def test_cpu_of_a_stat_line(line: str, ticks: int) -> None:
    assert measure.stat_cpu(line) * measure.TICK == pytest.approx(ticks)


def test_what_everybody_else_uses() -> None:
    before = measure.machine_cpu("cpu  100 10 50 9000 30 1 2 3 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
    assert before * measure.TICK == pytest.approx(166)
    assert measure.Use(10.0, 4.0, 1.0, 7.0).others == pytest.approx(0.2)
    assert measure.Use(10.0, 4.0, 1.0, 4.9).others == 0
