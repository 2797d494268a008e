"""What is counted and timed: plain numbers on the hot path, Prometheus when it is asked.

delivered = meter.counter("messages_delivered", "Messages handed to a session.")
delivered.value += 1                              # 0.04 µs: a name, not a dictionary

refused = meter.counters("stanzas_refused", "Stanzas refused.", "kind", "condition")
refused["iq", "bad-request"].value += 1           # keep `refused["…"]` where it is hot

A part of a program that comes and goes declares what it counts in a `Part`, and takes it along.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as PrometheusMetric

SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
"""Upper bounds of a timer's classes."""

MAX_CHILDREN = 200  # of one family; labels that a peer may choose must not fill the memory
OTHER = "other"  # the label of all children beyond that


class Counter:
    """A number that only grows: add to `value`, or give a function that reads it elsewhere."""

    __slots__ = ("read", "value")

    def __init__(self, read: Callable[[], float] | None = None) -> None:
        self.value: float = 0
        self.read = read

    def current(self) -> float:
        return self.read() if self.read else self.value


class Gauge:
    """A number that goes up and down: set `value`, or give a function that reads it."""

    __slots__ = ("read", "value")

    def __init__(self, read: Callable[[], float] | None = None) -> None:
        self.value: float = 0
        self.read = read

    def current(self) -> float:
        return self.read() if self.read else self.value


class Histogram:
    """How many observations fell into each class, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one observation, in seconds for a timer."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, part: float) -> float:
        """The upper bound of the class in which this part (0 to 1) of the observations ends."""
        wanted, seen = part * self.count, 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return bound
        return float("inf")


T = TypeVar("T")
Value = str | tuple[str, ...]  # of one label, or of several in their order
M = TypeVar("M", bound=Counter | Gauge | Histogram)
Kind = type[Counter] | type[Gauge] | type[Histogram]


class Family(Generic[M]):
    """One metric for each value of a label, or of several, made when it is first asked for."""

    __slots__ = ("_children", "_make", "labels")

    def __init__(self, labels: tuple[str, ...], make: Callable[[], M]) -> None:
        self.labels, self._make = labels, make
        self._children: dict[Value, M] = {}

    def __getitem__(self, value: Value) -> M:
        child = self._children.get(value)
        if child is None:
            if len(self._children) >= MAX_CHILDREN:
                value = OTHER if len(self.labels) == 1 else (OTHER,) * len(self.labels)
            child = self._children.setdefault(value, self._make())
        return child

    def items(self) -> Iterable[tuple[Value, M]]:
        return list(self._children.items())

    def drop(self, first: str) -> None:
        """Forget all metrics whose first label is `first`."""
        for value in list(self._children):
            if _values(value)[0] == first:
                del self._children[value]


class Branch(Generic[M]):
    """Those metrics of a family that have one first label; asked for by the second."""

    __slots__ = ("_family", "_first")

    def __init__(self, family: Family[M], first: str) -> None:
        self._family, self._first = family, first

    def __getitem__(self, value: str) -> M:
        return self._family[self._first, value]


class Declared(NamedTuple):
    """A metric as it was declared."""

    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...]
    metric: Counter | Gauge | Histogram | Family[Any]

    def children(self) -> list[tuple[tuple[str, ...], Any]]:
        """The labels' values and the metric; one pair without values if it has no label."""
        if isinstance(self.metric, Family):
            return [(_values(value), metric) for value, metric in self.metric.items()]
        return [((), self.metric)]


class Sample(NamedTuple):
    """One number, as commands show it."""

    name: str
    label: str | None  # as ``kind="iq",condition="bad-request"``
    value: float


class Meter:
    """All metrics of a process. Names are given `prefix`, as Prometheus wants them."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._declared: dict[str, Declared] = {}
        self._holders: dict[str, int] = {}  # metric of parts -> how many of them have it

    def __iter__(self) -> Iterator[Declared]:
        return iter(list(self._declared.values()))

    def counter(self, name: str, doc: str, read: Callable[[], float] | None = None) -> Counter:
        """Declare a counter; the same one again if it is known, so that a reload keeps it.

        `read`, if given, is asked whenever the number is wanted. Raises ValueError, as all of
        these, if the name is taken by something else.
        """
        counter = self._declare(name, Counter, doc, (), Counter)
        counter.read = read or counter.read
        return counter

    def counters(self, name: str, doc: str, *labels: str) -> Family[Counter]:
        """Declare counters that differ in labels."""
        return self._declare(name, Counter, doc, labels, lambda: Family(labels, Counter))

    def gauge(self, name: str, doc: str, read: Callable[[], float] | None = None) -> Gauge:
        """Declare a gauge; `read`, if given, is asked whenever the number is wanted."""
        gauge = self._declare(name, Gauge, doc, (), Gauge)
        gauge.read = read or gauge.read
        return gauge

    def gauges(self, name: str, doc: str, *labels: str) -> Family[Gauge]:
        """Declare gauges that differ in labels."""
        return self._declare(name, Gauge, doc, labels, lambda: Family(labels, Gauge))

    def timer(self, name: str, doc: str, bounds: tuple[float, ...] = SECONDS) -> Histogram:
        """Declare a histogram of seconds (or of what `bounds` are in)."""
        return self._declare(name, Histogram, doc, (), lambda: Histogram(bounds))

    def timers(
        self, name: str, doc: str, *labels: str, bounds: tuple[float, ...] = SECONDS
    ) -> Family[Histogram]:
        """Declare histograms that differ in labels."""
        family = lambda: Family(labels, lambda: Histogram(bounds))  # noqa: E731
        return self._declare(name, Histogram, doc, labels, family)

    def remove(self, name: str) -> None:
        """Forget a metric, as when the one that a gauge reads from goes."""
        self._declared.pop(name, None)

    def hold(self, name: str) -> None:
        """Another part has the metric `name`."""
        self._holders[name] = self._holders.get(name, 0) + 1

    def release(self, name: str) -> None:
        """A part that has held `name` goes; the metric goes with the last of them."""
        self._holders[name] -= 1
        if not self._holders[name]:
            del self._holders[name]
            self.remove(name)

    def samples(self) -> list[Sample]:
        """Every number now; a histogram gives its count, sum and quantiles."""
        return [
            Sample(one.name + suffix, _shown(one.labels, values), number)
            for one in self
            for values, metric in one.children()
            for suffix, number in _numbers(metric)
        ]

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[PrometheusMetric]:
        """What prometheus-client asks of a collector."""
        for one in self:
            yield _to_prometheus(self.prefix, one)

    def describe(self) -> list[PrometheusMetric]:
        """Nothing: names are checked when they are declared."""
        return []

    def _declare(
        self, name: str, kind: Kind, doc: str, labels: tuple[str, ...], make: Callable[[], T]
    ) -> T:
        known = self._declared.get(name)
        if known is None:
            known = self._declared[name] = Declared(name, kind, doc, labels, cast(Any, make()))
        elif (known.kind, known.labels) != (kind, labels):
            raise ValueError(f"two metrics are called {name}")
        return cast(T, known.metric)


class Part:
    """The metrics of a part that comes and goes, as a module does on one host.

    Their names begin with the part's, and they all have `label` with `value`, by which the same
    part elsewhere is told apart. `close` takes them out of the meter.
    """

    def __init__(self, meter: Meter, name: str, label: str, value: str) -> None:
        self._meter, self._label, self._value = meter, label, value
        self._prefix = f"{name}_"
        self._families: dict[str, Family[Any]] = {}

    def counter(self, name: str, doc: str, read: Callable[[], float] | None = None) -> Counter:
        """Declare a counter, as `Meter.counter`."""
        counter = self._held(name, self._meter.counters, doc)[self._value]
        counter.read = read
        return counter

    def counters(self, name: str, doc: str, label: str) -> Branch[Counter]:
        """Declare counters that differ in a label besides."""
        return Branch(self._held(name, self._meter.counters, doc, label), self._value)

    def gauge(self, name: str, doc: str, read: Callable[[], float] | None = None) -> Gauge:
        """Declare a gauge, as `Meter.gauge`."""
        gauge = self._held(name, self._meter.gauges, doc)[self._value]
        gauge.read = read
        return gauge

    def timer(self, name: str, doc: str, bounds: tuple[float, ...] = SECONDS) -> Histogram:
        """Declare a histogram, as `Meter.timer`."""
        return self._held(name, self._meter.timers, doc, bounds=bounds)[self._value]

    def close(self) -> None:
        """Take all that was declared out of the meter."""
        for name, family in self._families.items():
            family.drop(self._value)
            self._meter.release(name)
        self._families.clear()

    def _held(
        self, name: str, declare: Callable[..., Family[M]], doc: str, *labels: str, **more: Any
    ) -> Family[M]:
        full = self._prefix + name
        family = declare(full, doc, self._label, *labels, **more)
        if full not in self._families:
            self._families[full] = family
            self._meter.hold(full)
        return family


def _values(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _shown(labels: tuple[str, ...], values: tuple[str, ...]) -> str | None:
    pairs = zip(labels, values, strict=True)
    return ",".join(f'{label}="{value}"' for label, value in pairs) or None


def _numbers(metric: Counter | Gauge | Histogram) -> list[tuple[str, float]]:
    if isinstance(metric, Counter | Gauge):
        return [("", metric.current())]
    quantiles = [(f"_p{part:g}", metric.quantile(part / 100)) for part in (50, 99)]
    return [("_count", metric.count), ("_sum", metric.sum), *(quantiles if metric.count else [])]


def _to_prometheus(prefix: str, declared: Declared) -> PrometheusMetric:
    from prometheus_client.metrics_core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    kinds = {
        Counter: CounterMetricFamily,
        Gauge: GaugeMetricFamily,
        Histogram: HistogramMetricFamily,
    }
    make, labels = kinds[declared.kind], declared.labels
    family: Any = make(prefix + declared.name, declared.doc, labels=labels)
    for values, metric in declared.children():
        if isinstance(metric, Histogram):
            family.add_metric(values, _cumulated(metric), metric.sum)
        else:
            family.add_metric(values, metric.current())
    return cast("PrometheusMetric", family)


def _cumulated(histogram: Histogram) -> list[tuple[str, float]]:
    """Prometheus counts in each class all that is below its bound."""
    total, classes = 0, []
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        total += count
        classes.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return classes
