"""JSON containers: JSON within XML, that a receiver knows as such."""

from __future__ import annotations

import json
from typing import Any

from ..core.errors import StanzaError
from ..core.payload import payload, text
from . import Spec

SPEC = Spec("XEP-0335", "0.1.1", "JSON Containers")
NS = "urn:xmpp:json:0"


@payload(NS, "json")
class Json:
    """The text, which need not be JSON until somebody has read it (§4)."""

    text: str = text(default="")

    def value(self) -> Any:
        """Raises `StanzaError` ``bad-request`` for what is no JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise StanzaError("bad-request", f"no JSON: {error}") from None
