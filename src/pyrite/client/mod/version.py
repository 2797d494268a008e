"""Which software others run, and which this is (XEP-0092)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.jid import JID
from ...wire import version
from ..feature import Feature, Request, serves

if TYPE_CHECKING:
    from ..entity import Entity


class Version(Feature):
    """`own` is what everybody is told who asks; a program puts its own name there."""

    spec = version.SPEC
    features = (version.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self.own = version.Version("Pyrite", "")

    async def ask(self, jid: JID | str | None = None) -> version.Version:
        """What runs at `jid`, or our server. Raises `StanzaError`."""
        to = jid if jid is not None else JID(None, self.client.jid.domain)
        return await self.client.request(version.Version(), to, expect=version.Version)

    @serves("get", version.Version)
    def answer(self, _: Request[version.Version]) -> version.Version:
        return self.own
