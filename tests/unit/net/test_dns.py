"""Service records, in the order in which they are tried."""

import random

import pytest

from pyrite.net.dns import DnsError, Record, Target, targets


class Zone:
    """Names and their records; nothing else is known."""

    def __init__(self, **records: list[Record]) -> None:
        self._records = {f"_{name}._tcp.verona.lit": found for name, found in records.items()}
        self.asked: list[str] = []

    async def records(self, name: str) -> list[Record]:
        self.asked.append(name)
        return self._records.get(name, [])

    async def addresses(self, host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        raise DnsError(host)


async def test_both_kinds_are_one_list() -> None:
    """XEP-0368 §3: by priority, whichever kind it is."""
    zone = Zone(
        **{
            "xmpp-client": [Record(10, 1, "b.lit", 5222), Record(30, 1, "d.lit", 5222)],
            "xmpps-client": [Record(5, 1, "a.lit", 5223), Record(20, 1, "c.lit", 443)],
        }
    )
    assert await targets("verona.lit", resolver=zone) == [
        Target("a.lit", 5223, direct=True),
        Target("b.lit", 5222),
        Target("c.lit", 443, direct=True),
        Target("d.lit", 5222),
    ]


async def test_weight_is_a_matter_of_chance() -> None:
    """RFC 2782: the heavier more often first, the others too."""
    records = [Record(1, 90, "heavy.lit", 5222), Record(1, 10, "light.lit", 5222)]
    zone = Zone(**{"xmpp-client": records})
    chance = random.Random(1)
    firsts = [
        (await targets("verona.lit", resolver=zone, chance=chance))[0].host for _ in range(1000)
    ]
    assert 850 < firsts.count("heavy.lit") < 950


async def test_without_records_it_is_the_domain() -> None:
    assert await targets("verona.lit", resolver=Zone()) == [Target("verona.lit", 5222)]
    assert await targets("verona.lit", "server", resolver=Zone()) == [Target("verona.lit", 5269)]


async def test_no_service_is_an_answer() -> None:
    """RFC 6120 §3.2.1: a lone dot is no host."""
    zone = Zone(**{"xmpp-client": [Record(0, 0, ".", 0)]})
    with pytest.raises(DnsError, match="no client service"):
        await targets("verona.lit", resolver=zone)
    zone = Zone(
        **{
            "xmpp-client": [Record(0, 0, ".", 0)],
            "xmpps-client": [Record(1, 1, "a.lit", 5223)],
        }
    )
    assert await targets("verona.lit", resolver=zone) == [Target("a.lit", 5223, direct=True)]


@pytest.mark.parametrize("domain", ["127.0.0.1", "[::1]"])
async def test_an_address_is_not_looked_up(domain: str) -> None:
    zone = Zone()
    assert await targets(domain, resolver=zone) == [Target(domain.strip("[]"), 5222)]
    assert zone.asked == []


async def test_a_name_in_other_letters_is_asked_for_in_ascii() -> None:
    zone = Zone()
    await targets("zürich.lit", resolver=zone)
    assert zone.asked[0] == "_xmpp-client._tcp.xn--zrich-kva.lit"
    await targets("straße.lit", resolver=zone)
    assert zone.asked[2] == "_xmpp-client._tcp.xn--strae-oqa.lit"  # not strasse.lit


async def test_a_name_that_the_name_system_cannot_have() -> None:
    zone = Zone()
    with pytest.raises(DnsError, match="no name of a host"):
        await targets("zü_rich.lit", resolver=zone)
    assert zone.asked == []
