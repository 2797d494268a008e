"""The pages that are made of the code say what it says."""

import subprocess
import sys
from collections import Counter

from tools.site import KINDS, count_of_xeps, specifications, specifications_of_client, table


def test_how_much_a_program_can_speak() -> None:
    """More than the library of this language that has most had when this was written: 131."""
    assert count_of_xeps() > 180


def test_each_has_a_place() -> None:
    found = Counter(kind for _, kind, where in specifications_of_client() if where)
    assert set(found) == set(KINDS)
    assert min(found.values()) > 10


def test_each_is_named_once_for_a_program() -> None:
    told = [(spec.number, spec.title) for spec, *_ in specifications_of_client()]
    assert len(told) == len(set(told))


def test_what_servers_do_not_do_is_not_told_of_ours() -> None:
    """Payloads alone are no feature of a server."""
    numbers = {spec.number for spec, _ in specifications()}
    assert "XEP-0198" in numbers
    assert not numbers & {"XEP-0369", "XEP-0384", "XEP-0379", "XEP-0256", "XEP-0079"}


def test_a_table_is_in_order() -> None:
    lines = table(specifications_of_client()).splitlines()
    assert lines == sorted(lines)


#: Payloads that are part of the interface, and those that others are made of.
LOADED = {"activity", "forward", "geoloc", "mood", "subscription", "tune", "upgrade"}


def test_a_payload_costs_nothing_before_it_is_imported() -> None:
    """Of what has no feature, a program that uses all that there is loads nothing."""
    every = (
        "import sys\nfrom pyrite.client import api\n"
        "for name in api.__all__: getattr(api, name)\n"
        "print(*(m for m in sys.modules if m.startswith('pyrite.wire.')))"
    )
    done = subprocess.run([sys.executable, "-c", every], capture_output=True, text=True, check=True)
    told = {where for _, kind, where in specifications_of_client() if kind == "payload"}
    files = {place.strip("`") for where in told for place in where.split(", ")}
    assert len(files) > 50
    assert files & set(done.stdout.split()) <= {f"pyrite.wire.{name}" for name in LOADED}
