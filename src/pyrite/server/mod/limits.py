"""Tells a client how large its stanzas may be, and how long it may be silent (XEP-0478)."""

from __future__ import annotations

from ...core.negotiate import Phase
from ...core.payload import constant
from ...core.xml import Element
from ...wire import limits
from ..module import Module, offering
from ..settings import Limits as Settings


class Limits(Module):
    """The limits of the server's settings, in each phase those that hold in it (§4)."""

    spec = limits.SPEC

    @property
    def _settings(self) -> Settings:
        return self.host.server.settings.limits

    @offering(Phase.PLAIN)
    @offering(Phase.SECURE)
    def before_authentication(self, _secure: bool) -> Element:
        # not as a `Size`, which shows itself with a unit
        return constant(limits.Limits(int(self._settings.before_authentication().octets)))

    @offering(Phase.AUTHENTICATED)
    def after_authentication(self, _secure: bool) -> Element:
        """With the silence after which a client is asked whether it is there (§3.1)."""
        octets = int(self._settings.after_authentication().octets)
        return constant(limits.Limits(octets, max(1, int(self._settings.ping_after))))
