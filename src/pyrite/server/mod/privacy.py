"""Lets clients keep ordered lists of who may reach the user, and how (XEP-0016)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ...core.errors import StanzaError
from ...core.stanza import Iq
from ...kit.config import Table
from ...wire import privacy
from ..module import At, Module, Request, on, request
from ..privacy import ACTIVE, ListChanged
from ..session import Key, Session

#: Whether a session has ever asked about lists.
AWARE = Key("privacy lists", default=False)


class PrivacySettings(Table):
    """How many lists an account may have, and how long."""

    lists: Annotated[int, Meta(ge=1)] = 20
    """Lists of one account."""
    rules: Annotated[int, Meta(ge=1, le=privacy.MAX_ITEMS)] = 200
    """Rules of one list, those not counted that block an address and stand first."""


class Privacy(Module):
    """Privacy lists; `server/privacy` keeps them, and keeps stanzas away."""

    spec = privacy.SPEC
    features = (privacy.NS,)
    Settings = PrivacySettings

    async def start(self) -> None:
        self._lists = self.host.server.privacy
        self._unguard = self._lists.guard(self.host)

    async def stop(self) -> None:
        self._unguard()

    @request("get", privacy.Query, at=At.OWN)
    async def show(self, query: privacy.Query, request: Request) -> privacy.Query:
        """The names of all lists, or one list (§2.3)."""
        session = _aware(request)
        name = privacy.check_get(query)
        if name is not None:
            found = await self._lists.find(request.to, name)
            return privacy.Query(lists=(privacy.List(found.name, found.items),))
        names = await self._lists.names(request.to)
        active = session[ACTIVE]
        return privacy.Query(
            privacy.Active(active.name) if active else None,
            privacy.Default(names.default) if names.default else None,
            tuple(map(privacy.List, names.names)),
        )

    @request("set", privacy.Query, at=At.OWN)
    async def change(self, query: privacy.Query, request: Request) -> None:
        """Choose a list, or edit or remove one (§2.4 to §2.8)."""
        session = _aware(request)
        match privacy.check_set(query):
            case privacy.Active(name):
                await self._lists.activate(session, name)
            case privacy.Default(name):
                await self._lists.set_default(session, name)
            case privacy.List(name, ()):
                await self._lists.remove(session, name)
            case privacy.List() as given:
                await self._lists.put(session, given, self.settings.lists, self.settings.rules)

    @on(ListChanged)
    def push(self, event: ListChanged) -> None:
        """Tell every client the name of a list that changed (§2.2); of a block, who knows lists."""
        value = privacy.Query(lists=(privacy.List(event.name),))
        for session in self.host.sessions.of(event.owner).values():
            if session[AWARE] or not event.by_blocking:
                iq = Iq("set", session.jid, None, self.host.server.ids()).add(value)
                session.send(iq)  # its answer says nothing


def _aware(request: Request) -> Session:
    if request.session is None:
        raise StanzaError("service-unavailable")
    request.session[AWARE] = True
    return request.session
