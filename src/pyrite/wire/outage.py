"""Service outage status: what is wrong with a server, told where it need not run itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from ..core.frozen import frozen
from ..core.values import read_datetime
from . import Spec
from .disco import Info

SPEC = Spec("XEP-0455", "0.4.0", "Service Outage Status")
NS = "urn:xmpp:sos:0"


@frozen
class Outage:
    """What the page tells (§2.2)."""

    planned: bool
    beginning: datetime
    expected_end: datetime | None
    message: Mapping[str, str]  # language, or "default" -> words


def addresses(info: Info) -> tuple[str, ...]:
    """The URLs of the pages of a server, to be remembered while all is well (§2.1)."""
    form = info.form(NS)
    return form.values("external-status-addresses") if form is not None else ()


def read(data: bytes | str) -> Outage | None:
    """What the page tells; ``None``: nothing is wrong. Raises `ValueError` for what is no page."""
    try:
        told = json.loads(data)
        return _outage(told) if told else None
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no status: {error!r}") from None


def _outage(told: Mapping[str, object]) -> Outage:
    end = told.get("expected_end")
    words = told.get("message", {})
    if not isinstance(words, dict):
        raise TypeError("message")
    return Outage(
        told["planned"] is True,
        read_datetime(str(told["beginning"])),
        None if end is None else read_datetime(str(end)),
        {str(language): str(text) for language, text in words.items()},
    )
