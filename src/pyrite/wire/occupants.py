"""Anonymous unique occupant identifiers: the same person again, without saying who."""

from __future__ import annotations

from ..core.errors import StanzaError
from ..core.payload import attr, payload
from ..core.stanza import Stanza
from . import Spec

SPEC = Spec("XEP-0421", "1.0.1", "Anonymous unique occupant identifiers for MUCs")
NS = "urn:xmpp:occupant-id:0"


@payload(NS, "occupant-id")
class OccupantId:
    """What a room calls somebody, whatever the nick; to be believed if the room has the feature."""

    id: str = attr()


def id_of(stanza: Stanza) -> str | None:
    """The identifier in `stanza`, where there is exactly one that can be read (§4)."""
    found = [e for e in stanza.payloads if e.name == (NS, "occupant-id")]
    try:
        told = stanza.get(OccupantId)
    except StanzaError:
        return None
    return told.id if told is not None and len(found) == 1 else None
