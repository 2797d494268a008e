"""What others are and can do, and what we can (XEP-0030, XEP-0115)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.jid import JID
from ...core.stanza import Presence
from ...kit.cache import Cache
from ...kit.hooks import Stage
from ...wire import caps, disco
from ...wire.rsm import ResultSet
from ..feature import Feature, PresenceReceived, Request, on, sending, serves

if TYPE_CHECKING:
    from ..entity import Entity

KNOWN = 1000  # hashes, and entities, that are remembered
MOST_ITEMS = 10_000  # of one entity that are listed
NODE = "https://pyrite.example/client"
IDENTITY = disco.Identity("client", "pc", "Pyrite")


class Disco(Feature):
    """Service discovery, both ways. What a hash in a presence says is verified before it is
    believed, and then of everybody with the same hash."""

    spec = disco.SPEC
    features = (disco.NS_INFO, disco.NS_ITEMS, caps.NS)
    identity = IDENTITY

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._verified: Cache[tuple[str, str], disco.Info] = Cache(KNOWN)  # (hash, ver) -> what
        self._caps: Cache[JID, caps.Caps] = Cache(KNOWN)  # full JID -> what its presence said
        self._asked: Cache[JID, disco.Info] = Cache(KNOWN)  # in this session

    async def begin(self) -> None:
        """What servers were asked in an older session may have changed."""
        self._asked = Cache(KNOWN)
        self._caps = Cache(KNOWN)

    # --- asking ----------------------------------------------------------------------

    async def info(self, jid: JID | str, node: str | None = None) -> disco.Info:
        """What `jid` is and can do, as it says now. Raises `StanzaError`."""
        return await self.client.request(disco.Info(node), jid, expect=disco.Info)

    async def known(self, jid: JID | str) -> disco.Info:
        """The same from memory, where we have been told: by itself, or by its hash."""
        jid = JID.parse(jid) if isinstance(jid, str) else jid
        told = self._caps.get(jid)
        if told is not None and told.is_verifiable:
            return await self._by_hash(jid, told)
        info = self._asked.get(jid)
        if info is None:
            info = await self.info(jid)
            self._asked.put(jid, info)
        return info

    def recalled(self, jid: JID) -> disco.Info | None:
        """The same as far as it is in memory, without asking anybody."""
        told = self._caps.get(jid)
        if told is not None and told.is_verifiable:
            found = self._verified.get((told.hash or "", told.ver))
            if found is not None:
                return found
        return self._asked.get(jid)

    async def supports(self, jid: JID | str, *features: str) -> bool:
        """Whether `jid` can do all of `features`; raises `StanzaError` where it will not say."""
        return set(features) <= (await self.known(jid)).vars

    async def items(self, jid: JID | str, node: str | None = None) -> list[disco.Item]:
        """What belongs to `jid`, all pages of it. Raises `StanzaError`."""
        found: list[disco.Item] = []
        page: ResultSet | None = None
        while len(found) < MOST_ITEMS:
            answer = await self.client.request(
                disco.Items(node, page=page), jid, expect=disco.Items
            )
            found += answer.items
            last = answer.page.last if answer.page is not None else None
            if not answer.items or not last:
                break
            page = ResultSet(after=last)
        return found[:MOST_ITEMS]

    async def find(self, feature: str, at: JID | str | None = None) -> JID | None:
        """The server, or the first of its services, that can do `feature`."""
        domain = JID.parse(at) if isinstance(at, str) else at
        domain = domain or JID(None, self.client.jid.domain)
        if await self.supports(domain, feature):
            return domain
        for item in await self.items(domain):
            if item.node is None and await self._has(item.jid, feature):
                return item.jid
        return None

    async def _has(self, jid: JID, feature: str) -> bool:
        try:
            return await self.supports(jid, feature)
        except (StanzaError, TimeoutError):  # one service that is ill is not all of them
            return False

    async def _by_hash(self, jid: JID, told: caps.Caps) -> disco.Info:
        key = told.hash or "", told.ver
        info = self._verified.get(key)
        if info is None:
            info = await self.info(jid, told.disco_node)
            if caps.verify(told, info):
                self._verified.put(key, info)
            else:
                self.client.forged["caps"] += 1  # true of itself at most
        return info

    # --- answering -------------------------------------------------------------------

    @property
    def own(self) -> disco.Info:
        """What we say of ourselves."""
        return disco.info([self.identity], self.client.features)

    @serves("get", disco.Info)
    def tell(self, request: Request[disco.Info]) -> disco.Info:
        """What we can do; also at the node that our hash names (XEP-0115 §6.2)."""
        found = self.client.described(request.payload.node, request.sender)
        if found is not None:
            return found
        own = self.own
        return disco.Info(request.payload.node, own.identities, own.features)

    @serves("get", disco.Items)
    def list(self, request: Request[disco.Items]) -> disco.Items:
        """What our features have at that node, for who asks; else nothing belongs to a client."""
        node = request.payload.node
        return disco.Items(node, tuple(self.client.shown(node, request.sender)))

    @sending(Stage.REWRITE, Presence)
    def hash(self, presence: Presence) -> Presence | None:
        """Our hash in what tells that we are here (XEP-0115 §4)."""
        if presence.type is not None:
            return None
        own = caps.Caps(NODE, caps.ver(self.own), "sha-1")
        return presence.strip(caps.Caps).add(own)

    @on(PresenceReceived)
    def heard(self, event: PresenceReceived) -> None:
        """Remember the hash of who is there."""
        presence = event.presence
        if presence.sender is None or presence.sender.resource is None:
            return
        told = presence.child(*_CAPS)
        if presence.type is None and told is not None:
            found = presence.get(caps.Caps)
            if found is not None:
                self._caps.put(presence.sender, found)
        elif presence.type == "unavailable":
            self._caps.pop(presence.sender)


_CAPS = (caps.NS, "c")
