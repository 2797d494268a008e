"""One line of the results, and how two compare."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .stats import median, spread

FIGURES = (
    "cpu_us_per_message",
    "messages",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "kb_per_session",
    "cpu_ms_per_login",
    "of_scram",
    "cpu_ms_per_resume",
    "back_s",
    "cpu_ms_per_page",
    "per_second",
    "load_cpu_us",
    "others",
    "lost",
    "base_kb",
    "slope_kb_per_minute",
    "growth_kb",
    "seconds",
)
LEAD = {  # by scenario: the figure that is compared; less is better
    "chat": "cpu_us_per_message",
    "chat-single": "cpu_us_per_message",
    "chat-archive": "cpu_us_per_message",
    "login": "cpu_ms_per_login",
    "login-fast": "cpu_ms_per_login",
    "resume": "cpu_ms_per_resume",
    "paging": "cpu_ms_per_page",
    "paging-large": "cpu_ms_per_page",
    "idle": "kb_per_session",
    "latency": "p99_ms",
    "presence": "cpu_us_per_message",
    "soak": "slope_kb_per_minute",
}


@dataclass(frozen=True)
class Record:
    """What one scenario gave on one server. A figure that it does not measure is None."""

    scenario: str
    server: str
    version: str
    transport: str
    cpu_us_per_message: float | None = None  # of the server, for each stanza received
    messages: int | None = None  # stanzas (logins, sessions, pages) that were counted
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    kb_per_session: float | None = None
    cpu_ms_per_login: float | None = None
    of_scram: float | None = None  # a login's CPU, divided by that of one by SCRAM
    cpu_ms_per_resume: float | None = None
    back_s: float | None = None  # seconds until all sessions were resumed
    cpu_ms_per_page: float | None = None
    per_second: float | None = None  # messages, logins
    load_cpu_us: float | None = None  # of the load generator, for each message or login
    others: float | None = None  # cores that neither the server nor the load generator used
    lost: int | None = None
    base_kb: float | None = None  # the server's memory before the sessions or the load
    slope_kb_per_minute: float | None = None
    growth_kb: float | None = None
    tls: str | None = None
    mechanism: str | None = None
    features: tuple[str, ...] = ()
    seconds: float | None = None
    repeat: int = 1
    spread: float | None = None  # of the leading figure over the repeats
    ratio: dict[str, float] = field(default_factory=dict)  # to each peer, and to the better
    date: str = ""
    machine: str = ""

    @property
    def lead(self) -> float | None:
        """The figure that is compared."""
        value: float | None = getattr(self, LEAD[self.scenario])
        return value

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps({key: _short(value) for key, value in asdict(self).items()})


def merged(records: Sequence[Record]) -> Record:
    """Several runs of the same as one: the median of each figure."""
    if len(records) == 1:
        return records[0]
    figures = {name: _median(records, name) for name in FIGURES}
    leads = [record.lead for record in records if record.lead is not None]
    return replace(
        records[0], **figures, repeat=len(records), spread=spread(leads) if leads else None
    )


def compared(record: Record, peers: Sequence[Record]) -> Record:
    """With its ratio to each peer of the same scenario and transport, and to the better one."""
    mine = record.lead
    theirs = {
        peer.server: peer.lead
        for peer in peers
        if (peer.scenario, peer.transport) == (record.scenario, record.transport)
        and peer.server != record.server
        and peer.lead
    }
    if mine is None or not theirs:
        return record
    ratio = {name: mine / lead for name, lead in theirs.items() if lead}
    return replace(record, ratio={**ratio, "better": max(ratio.values())})


def _median(records: Sequence[Record], name: str) -> Any:
    """Of one figure; an integer where the figure is a count."""
    values = [value for record in records if (value := getattr(record, name)) is not None]
    if not values:
        return None
    return int(median(values)) if isinstance(values[0], int) else median(values)


def _short(value: object) -> object:
    """Numbers with the digits that mean something."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    return value
