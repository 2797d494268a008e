"""Tells others that the program shows styled text (XEP-0393)."""

from __future__ import annotations

from ...wire import styling
from ..feature import Feature


class Styling(Feature):
    """For programs that show `Said.blocks`: this says so, and has nothing else to do (§4)."""

    spec = styling.SPEC
    features = (styling.NS,)
