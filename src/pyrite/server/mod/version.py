"""Tells which software this is (XEP-0092)."""

from __future__ import annotations

import platform

from ... import __version__
from ...kit.config import Table
from ...wire import version
from ..module import At, Module, Request, request

NAME = "Pyrite"


class VersionSettings(Table):
    """What the server tells of itself to anyone who asks."""

    system: bool = False
    """Tell the name of the operating system too, which helps nobody so much as an attacker."""


class Version(Module):
    """The server's name and version, and its operating system if that is allowed (§6)."""

    spec = version.SPEC
    features = (version.NS,)
    Settings = VersionSettings

    @request("get", version.Version, at=At.HOST)
    def answer(self, _: version.Version, __: Request) -> version.Version:
        os = platform.system() if self.settings.system else None
        return version.Version(NAME, __version__, os)
