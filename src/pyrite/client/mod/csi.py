"""Lets the server know whether anybody looks at this client (XEP-0352)."""

from __future__ import annotations

from ...wire import csi
from ..feature import Feature, on
from ..state import Online


class Csi(Feature):
    """What the program last said holds from one connection to the next, which begins active."""

    spec = csi.SPEC
    is_active = True

    @property
    def is_supported(self) -> bool:
        """Whether the server wants to know; else it is not told."""
        offered = self.client.offered
        return offered is not None and csi.is_offered(offered)

    def active(self) -> None:
        """Somebody looks: what the server has kept back comes now."""
        self._say(is_active=True)

    def inactive(self) -> None:
        """Nobody looks: what can wait may do so."""
        self._say(is_active=False)

    def _say(self, *, is_active: bool) -> None:
        if is_active is not self.is_active:
            self.is_active = is_active
            self._tell()

    def _tell(self) -> None:
        if self.is_supported:
            self.client.put_nonza(csi.Active() if self.is_active else csi.Inactive())

    @on(Online)
    def again(self, _: Online) -> None:
        """Another connection, and be it of the same session (§5.2)."""
        if not self.is_active:
            self._tell()
