"""Software information: what an entity runs, told along with service discovery."""

from __future__ import annotations

from dataclasses import dataclass

from . import Spec
from .dataforms import Field, Form, result
from .disco import Info

SPEC = Spec("XEP-0232", "0.3", "Software Information")
NS = "urn:xmpp:dataforms:softwareinfo"


@dataclass(frozen=True, slots=True)
class Software:
    """What is told; what is not is empty (§2)."""

    software: str = ""
    software_version: str = ""
    os: str = ""
    os_version: str = ""


def form(software: Software) -> Form:
    """What to add to one's own information, without what is empty (§2)."""
    values = {name: getattr(software, name) for name in Software.__slots__}
    fields = [
        Field(name, "text-single", values=(value,)) for name, value in values.items() if value
    ]
    return result(NS, *fields)


def software(info: Info) -> Software | None:
    """What `info` tells of it; ``None``: nothing."""
    told = info.form(NS)
    if told is None:
        return None
    return Software(**{name: told.value(name) for name in Software.__slots__})
