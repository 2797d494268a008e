"""Services of our server, found by what they can do (XEP-0030)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import StanzaError
from ..core.jid import JID
from ..wire import disco

if TYPE_CHECKING:
    from .entity import Entity

MOST = 50  # services that are asked


async def services(client: Entity, feature: str) -> list[tuple[JID, disco.Info]]:
    """Those of our server's services, itself included, that can do `feature`.

    One that is ill or will not say is passed over.
    """
    domain = JID(None, client.jid.domain)
    try:
        listed = await client.request(disco.Items(), domain, expect=disco.Items)
        there = [domain, *(item.jid for item in listed.items if item.node is None)]
    except StanzaError:
        there = [domain]
    found = []
    for jid in tuple(dict.fromkeys(there))[:MOST]:
        try:
            info = await client.request(disco.Info(), jid, expect=disco.Info)
        except (StanzaError, TimeoutError):
            continue
        if feature in info.vars:
            found.append((jid, info))
    return found
