"""What the operating system says a process tree has used."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")  # the unit of utime and stime in /proc/<pid>/stat, per second
SCHED = 2  # CPUCLOCK_SCHED of the kernel's per-process clock ids: nanoseconds, all threads


def tree(pid: int) -> Iterator[int]:
    """The process and its living descendants."""
    yield pid
    for task in _list(PROC / str(pid) / "task"):
        for child in _read(task / "children").split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time that the tree has used so far."""
    return sum(_cpu(each) for each in tree(pid))


def memory_kb(pid: int) -> float:
    """The tree's memory that is backed by no file.

    Code is left out: its share in a process changes when others on the machine come and go.

    Raises PermissionError for another user's process unless we are root.
    """
    return sum(_anonymous(each) for each in tree(pid))


@dataclass(frozen=True)
class Use:
    """What happened between two readings."""

    seconds: float  # on the wall
    server_cpu: float  # seconds
    load_cpu: float  # seconds, of this process: the load generator
    machine_cpu: float = 0.0  # seconds, of all that runs, the two included

    @property
    def others(self) -> float:
        """Cores that everybody else used: what makes figures of that time doubtful."""
        return max(0.0, self.machine_cpu - self.server_cpu - self.load_cpu) / self.seconds

    def server_us(self, count: int) -> float:
        """Microseconds of the server's CPU for each of `count`."""
        return self.server_cpu * 1e6 / max(count, 1)

    def load_us(self, count: int) -> float:
        """Microseconds of the load generator's own CPU for each of `count`."""
        return self.load_cpu * 1e6 / max(count, 1)


@contextmanager
def on_one_core(pid: int) -> Iterator[None]:
    """The tree on one core, and this process, the load, on the others, where there are some.

    Servers with threads are as fast as the system spreads them over cores, which is different each
    time; what a message costs "on one core" is not.
    """
    first, *rest = cores = sorted(os.sched_getaffinity(0))
    if rest:
        for each in tree(pid):
            for thread in _list(PROC / str(each) / "task"):
                with suppress(ProcessLookupError):  # it ended just now
                    os.sched_setaffinity(int(thread.name), {first})
        os.sched_setaffinity(0, rest)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def start(pid: int) -> Callable[[], Use]:
    """Start measuring; calling what is returned gives the use since then."""
    begin = _readings(pid)

    def stop() -> Use:
        return Use(*(now - before for now, before in zip(_readings(pid), begin, strict=True)))

    return stop


def _readings(pid: int) -> tuple[float, float, float, float]:
    machine = machine_cpu(_read(PROC / "stat"))
    return time.monotonic(), cpu_seconds(pid), time.process_time(), machine


def machine_cpu(stat: str) -> float:
    """Seconds that all cores were busy, or taken from us, by the first line of /proc/stat."""
    user, nice, system, _idle, _wait, *rest = map(int, stat.splitlines()[0].split()[1:9])
    return (user + nice + system + sum(rest)) / TICK


def _cpu(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | SCHED)
    except OSError:
        return stat_cpu(_read(PROC / str(pid) / "stat"))


def stat_cpu(stat: str) -> float:
    """Seconds of user and system time in a line of /proc/<pid>/stat; none in an empty one."""
    fields = stat.rpartition(")")[2].split()  # the command before it may hold spaces
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def _anonymous(pid: int) -> float:
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return float(line.split()[1])
    return 0.0


def _list(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except (FileNotFoundError, ProcessLookupError):  # it ends just now
        return []


def _read(path: Path) -> str:
    """The text of a file of /proc; none when its process has gone."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
