"""Small things such as pictures, which are asked for by their hash (XEP-0231)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...core.payload import decode
from ...core.stanza import Message
from ...core.xml import Name
from ...kit.cache import Cache
from ...wire import bob
from ..feature import Feature, MessageReceived, Request, on, serves

if TYPE_CHECKING:
    from ..entity import Entity

MOST = 64 * 1024  # octets of one of somebody else's, unless the program says so
KEPT = 200  # of others', until others are needed more
OFFERED = 1000  # of ours; then the longest unused is forgotten
LIFE = 86400.0  # seconds that one is kept, whatever its sender says
OF_MESSAGE = 10  # that come with one message and are looked at

NAME = Name(bob.NS, "data")
SCHEME = "cid:"


@frozen
class Bit:
    """Some octets, and of which kind they are (a media type)."""

    data: bytes
    type: str


class Bob(Feature):
    """Bits of binary: ours, for others to ask for, and theirs, which are kept for a while.

    What comes is what its name says, or it is refused: the name is its hash.
    """

    spec = bob.SPEC
    features = (bob.NS,)

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._ours: Cache[str, bob.Data] = Cache(OFFERED)
        #: (the name, and whose it is where the name is no hash) -> it, and until when
        self._theirs: Cache[tuple[str, JID | None], tuple[Bit, float]] = Cache(
            KEPT, LIFE, client.clock.monotonic
        )

    # --- ours ------------------------------------------------------------------------

    def offer(self, data: bytes, type: str, *, max_age: int | None = None) -> str:
        """Let others ask for `data`; by this name, which goes into a message as ``cid:NAME``.

        `max_age`: seconds for which they should keep it. Raises ValueError for more than 8192
        octets, which are for other ways.
        """
        if len(data) > bob.MOST:
            raise ValueError(f"{len(data)} octets, and {bob.MOST} are allowed")
        name = bob.cid(data)
        self._ours.put(name, bob.Data(name, type, max_age, data))
        return name

    def withdraw(self, name: str) -> None:
        """Nobody is to have it any more."""
        self._ours.pop(name)

    @serves("get", bob.Data)
    def asked(self, request: Request[bob.Data]) -> bob.Data:
        """Somebody wants one of ours (§2.3)."""
        found = self._ours.get(request.payload.cid or "")
        if found is None:
            raise StanzaError("item-not-found", "no such thing")
        return found

    # --- theirs ----------------------------------------------------------------------

    async def fetch(self, name: str, of: JID | str, *, most: int = MOST) -> Bit:
        """What has this name, or ``cid:`` and this name: kept here, or asked of `of` (full JID).

        Raises `StanzaError`: ``item-not-found`` if there is no such thing, ``not-acceptable`` if
        what comes is something else, or has more than `most` octets.
        """
        name, of = name.removeprefix(SCHEME), JID.parse(of) if isinstance(of, str) else of
        kept = self.kept(name, of)
        if kept is not None:
            return kept
        answer = await self.client.request(bob.Data(name), of, expect=bob.Data)
        if answer.cid not in (None, name) or not answer.data or len(answer.data) > most:
            raise StanzaError("not-acceptable", "another thing, or none, or a large one")
        if bob.is_hash(name) and not bob.is_of(name, answer.data):
            raise StanzaError("not-acceptable", "it has not the hash that it is asked for by")
        return self._keep(name, answer, of)

    def kept(self, name: str, of: JID | None = None) -> Bit | None:
        """What has this name, as far as it is here; `of` counts where the name is no hash."""
        key = self._key(name.removeprefix(SCHEME), of)
        found = self._theirs.get(key)
        if found is None:
            return None
        bit, end = found
        if end <= self.client.clock.monotonic():
            self._theirs.pop(key)
            return None
        return bit

    @on(MessageReceived)
    def came(self, event: MessageReceived) -> None:
        """Keep what comes with a message, if it is what it says (§2.1)."""
        for one in _carried(event.message):
            sender = event.message.sender
            if not one.data or one.cid is None or sender is None or len(one.data) > MOST:
                continue
            if bob.is_of(one.cid, one.data):
                self._keep(one.cid, one, sender)
            else:
                self.client.forged["bob"] += 1

    def _keep(self, name: str, one: bob.Data, of: JID) -> Bit:
        bit = Bit(one.data, one.type or "application/octet-stream")
        if one.max_age != 0:
            end = self.client.clock.monotonic() + (LIFE if one.max_age is None else one.max_age)
            self._theirs.put(self._key(name, of), (bit, end))
        return bit

    def _key(self, name: str, of: JID | None) -> tuple[str, JID | None]:
        """A hash is the same from everybody, and any other name its sender's alone (§2.4)."""
        return name, None if bob.is_hash(name) else of


def _carried(message: Message) -> list[bob.Data]:
    found = []
    for element in [one for one in message.payloads if one.name == NAME][:OF_MESSAGE]:
        try:
            found.append(decode(bob.Data, element))
        except StanzaError:  # what cannot be read is not kept
            continue
    return found
