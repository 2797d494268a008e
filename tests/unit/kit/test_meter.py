"""Numbers, and how Prometheus sees them."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pyrite.kit.meter import MAX_CHILDREN, OTHER, Meter, Part


def rendered(meter: Meter) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Sample name and labels -> value, as another program reads them."""
    families = text_string_to_metric_families(meter.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_and_gauges() -> None:
    meter = Meter("pyrite_")
    meter.counter("messages", "Messages delivered.").value += 3
    meter.gauge("sessions", "Sessions.").value = 7
    meter.gauge("waiting", "Asked for.", lambda: 2.5)
    assert rendered(meter) == {
        ("pyrite_messages_total", ()): 3,
        ("pyrite_sessions", ()): 7,
        ("pyrite_waiting", ()): 2.5,
    }


def test_labels() -> None:
    meter = Meter()
    refused = meter.counters("refused", "Refused.", "condition")
    refused["bad-request"].value += 1
    refused['"\n\\'].value += 2
    meter.gauges("open", "Open.", "listener")["c2s"].value = 4
    assert rendered(meter) == {
        ("refused_total", (("condition", "bad-request"),)): 1,
        ("refused_total", (("condition", '"\n\\'),)): 2,
        ("open", (("listener", "c2s"),)): 4,
    }


def test_timers_are_histograms() -> None:
    meter = Meter()
    timer = meter.timer("login", "Logins.", bounds=(0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        timer.observe(seconds)
    meter.timers("query", "Queries.", "kind")["read"].observe(0.2)
    numbers = rendered(meter)
    assert numbers["login_bucket", (("le", "0.1"),)] == 2
    assert numbers["login_bucket", (("le", "1.0"),)] == 3
    assert numbers["login_bucket", (("le", "+Inf"),)] == 4
    assert numbers["login_count", ()] == 4
    assert numbers["login_sum", ()] == pytest.approx(7.65)
    assert numbers["query_count", (("kind", "read"),)] == 1
    assert (timer.quantile(0.5), timer.quantile(0.75), timer.quantile(1)) == (
        0.1,
        1.0,
        float("inf"),
    )


def test_a_reload_keeps_the_numbers() -> None:
    meter = Meter()
    meter.counter("messages", "Messages.").value += 1
    assert meter.counter("messages", "Messages.").value == 1
    meter.gauge("g", "G.", lambda: 1)
    meter.gauge("g", "G.", lambda: 2)
    assert rendered(meter)["g", ()] == 2
    with pytest.raises(ValueError, match="messages"):
        meter.gauge("messages", "Something else.")
    with pytest.raises(ValueError, match="messages"):
        meter.counters("messages", "Something else.", "label")
    meter.remove("g")
    assert [one.name for one in meter] == ["messages"]


def test_labels_that_a_peer_chooses_are_bounded() -> None:
    family = Meter().counters("tags", "Tags.", "tag")
    for number in range(MAX_CHILDREN + 50):
        family[str(number)].value += 1
    children = dict(family.items())
    assert len(children) == MAX_CHILDREN + 1
    assert children[OTHER].value == 50


def test_samples_are_for_people() -> None:
    meter = Meter()
    meter.counters("refused", "Refused.", "condition")["gone"].value = 2
    meter.timer("login", "Logins.", bounds=(0.1, 1.0)).observe(0.5)
    assert [(s.name, s.label, s.value) for s in meter.samples()] == [
        ("refused", 'condition="gone"', 2),
        ("login_count", None, 1),
        ("login_sum", None, 0.5),
        ("login_p50", None, 1.0),
        ("login_p99", None, 1.0),
    ]


def test_several_labels() -> None:
    meter = Meter()
    refused = meter.counters("refused", "Refused.", "kind", "condition")
    refused["iq", "gone"].value += 2
    assert rendered(meter) == {("refused_total", (("condition", "gone"), ("kind", "iq"))): 2}
    assert [sample.label for sample in meter.samples()] == ['kind="iq",condition="gone"']
    for number in range(MAX_CHILDREN + 50):
        refused["iq", str(number)].value += 1
    assert dict(refused.items())[OTHER, OTHER].value == 51


def test_a_part_takes_its_numbers_along() -> None:
    meter = Meter()
    parts = [Part(meter, "motd", "host", host) for host in ("verona.lit", "mantua.lit")]
    for number, part in enumerate(parts, 1):
        part.counter("shown", "Shown.").value += number
        part.gauge("waiting", "Waiting.", lambda number=number: number)
        part.counters("refused", "Refused.", "why")["late"].value += number
        part.timer("seconds", "Seconds.", bounds=(1.0,)).observe(number)
    assert rendered(meter)["motd_refused_total", (("host", "verona.lit"), ("why", "late"))] == 1
    assert rendered(meter)["motd_waiting", (("host", "mantua.lit"),)] == 2
    parts[0].close()
    hosts = {dict(labels)["host"] for _, labels in rendered(meter)}
    assert hosts == {"mantua.lit"}
    parts[1].close()
    assert list(meter) == []
    parts[0].counter("shown", "Shown.").value += 1
    assert rendered(meter) == {("motd_shown_total", (("host", "verona.lit"),)): 1}


def test_a_part_does_not_lose_what_another_counts() -> None:
    meter = Meter()
    one, other = (Part(meter, "motd", "host", host) for host in ("a", "b"))
    one.counters("refused", "Refused.", "why")
    refused = other.counters("refused", "Refused.", "why")
    one.close()
    refused["late"].value += 1
    assert rendered(meter) == {("motd_refused_total", (("host", "b"), ("why", "late"))): 1}
