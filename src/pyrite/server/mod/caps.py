"""Knows what clients can do by a hash in their presence, and has such a hash itself (XEP-0115)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from msgspec import Meta

from ...core.errors import StanzaError
from ...core.negotiate import Phase
from ...core.payload import constant
from ...core.stanza import Iq, Presence
from ...core.xml import Element, write
from ...kit.cache import Cache
from ...kit.config import Table
from ...wire import caps, disco
from ..capabilities import CAPABILITIES
from ..module import Module, Request, node, offering, on
from ..presence import PresenceChanged, SessionAvailable, SessionUnavailable
from ..session import Key, Session

NODE = "urn:x-pyrite:server"  # whose software this is
HASH = "sha-1"  # the one that every client knows (§8.1)

MAX_ANSWER = 16 * 1024  # characters of a client's answer; a longer one is not believed

#: The hash that a session's client announced last.
ANNOUNCED: Key[caps.Caps | None] = Key("caps", default=None)


class CapsSettings(Table):
    """What is remembered of the software that clients run."""

    kept: Annotated[int, Meta(ge=1)] = 500
    """How many different clients' capabilities are remembered."""


class Caps(Module):
    """Asks once for what a hash stands for, and believes an answer only if the hash proves it.

    Else one client could say for all others of its kind what they can do (§8.3).
    """

    spec = caps.SPEC
    features = (caps.NS,)
    Settings = CapsSettings

    async def start(self) -> None:
        self._known: Cache[tuple[str, str], disco.Info] = Cache(self.settings.kept)
        self._told: list[object] = []  # what the hash below is of
        self._hash = ""

    # --- the server's own ------------------------------------------------------------

    @offering(Phase.AUTHENTICATED)
    def offer(self, _secure: bool) -> Element:
        """So that a client need not ask at every login (§6.3)."""
        return constant(caps.Caps(NODE, self._ver(), HASH))

    @node(NODE)
    async def own(self, request: Request) -> tuple[disco.Info, disco.Items]:
        """What the server's hash stands for, while it is this one (§6.2)."""
        if request.iq.payloads[0].attrs.get("node") != f"{NODE}#{self._ver()}":
            raise StanzaError("item-not-found")
        return self.host.info(), disco.Items()

    def _ver(self) -> str:
        """By what is loaded now; made anew when that has changed."""
        told: list[object] = [
            (module.features, *module.forms()) for module in self.host.modules.values()
        ]
        if told != self._told:
            self._told, self._hash = told, caps.ver(self.host.info(), HASH)
        return self._hash

    # --- the clients' ----------------------------------------------------------------

    @on(SessionAvailable)
    def appeared(self, event: SessionAvailable) -> None:
        if event.session.presence is not None:
            self._announced(event.session, event.session.presence)

    @on(PresenceChanged)
    def changed(self, event: PresenceChanged) -> None:
        self._announced(event.session, event.presence)

    @on(SessionUnavailable)
    def left(self, event: SessionUnavailable) -> None:
        event.session[ANNOUNCED] = event.session[CAPABILITIES] = None

    def _announced(self, session: Session, presence: Presence) -> None:
        """Take note of a new hash, and ask for what it stands for if nobody told yet (§5.4)."""
        found = _caps_in(presence)
        if found is None or found == session[ANNOUNCED] or found.hash is None:
            return
        session[ANNOUNCED] = found
        session[CAPABILITIES] = known = self._known.get((found.hash, found.ver))
        if known is None:
            query = disco.Info(found.disco_node)
            iq = Iq("get", session.jid, self.host.jid, self.host.server.ids()).add(query)
            session.ask(iq, partial(self._answered, session, found))

    def _answered(self, session: Session, asked: caps.Caps, iq: Iq) -> None:
        """Believe a proven answer of everybody, one that cannot be proven of this client alone."""
        info = _info_in(iq)
        if info is None or session[ANNOUNCED] != asked or asked.hash is None:
            return
        if caps.verify(asked, info):
            self._known.put((asked.hash, asked.ver), info)
        elif asked.is_verifiable:
            return
        session[CAPABILITIES] = info


def _caps_in(presence: Presence) -> caps.Caps | None:
    try:
        return presence.get(caps.Caps)
    except StanzaError:
        return None


def _info_in(iq: Iq) -> disco.Info | None:
    """What a client answered; ``None`` for a refusal, a mistake or a flood."""
    try:
        info = iq.get(disco.Info) if iq.type == "result" else None
    except StanzaError:
        return None
    is_long = sum(len(write(payload)) for payload in iq.payloads) > MAX_ANSWER
    return None if is_long else info
