"""Nested roster groups: groups within groups, by what separates their names."""

from __future__ import annotations

from ..core.payload import payload, text
from . import Spec

SPEC = Spec("XEP-0083", "1.0", "Nested Roster Groups")
NS = "roster:delimiter"


@payload(NS, "roster")
class Delimiter:
    """In private storage: what separates the names (§2)."""

    text: str = text(default="")

    def parts(self, group: str) -> tuple[str, ...]:
        """The groups that `group` is within, from the outermost, and its own name (§3.2)."""
        return tuple(group.split(self.text)) if self.text else (group,)
