"""How much load a run makes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The sizes of all scenarios; the defaults are those of the published figures."""

    seconds: float = 5.0  # that each load is measured
    warm_up: float = 2.0  # seconds of the same load before
    clients: int = 100  # in pairs
    window: int = 8  # messages that each client has under way
    logins_at_once: int = 10
    sessions: int = 1000  # idle
    warm_sessions: int = 500  # before those; by then heaps and caches have their size
    settle: float = 25.0  # seconds of silence after which an idle server's memory is read
    rate: int = 2000  # messages a second, for latency
    contacts: int = 500  # subscribers of one presence
    resumes_at_once: int = 100
    archived: int = 5000  # messages in the archive that is read
    archived_before: int = 100_000  # in the one that was there at the start
    page: int = 50  # messages that are read at once
    minutes: float = 10.0  # of the soak
    sample: float = 5.0  # seconds between two readings of memory in the soak
    mechanism: str = "SCRAM-SHA-1"
    features: tuple[str, ...] = ()  # beyond plain instant messaging

    @property
    def accounts(self) -> int:
        """How many accounts the scenarios need."""
        return max(self.clients, self.sessions + self.warm_sessions, self.contacts + 1)
