"""Pre-authenticated roster subscription: who has a link from somebody becomes a contact at once."""

from __future__ import annotations

from urllib.parse import quote

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.stanza import Presence
from . import Spec
from .invitations import MAX_TOKEN, Preauth

SPEC = Spec("XEP-0379", "0.3.3", "Pre-Authenticated Roster Subscription")


def contact_uri(jid: JID, token: str, name: str | None = None) -> str:
    """What somebody opens who is to be a contact of `jid`, who knows the token (XEP-0379 §3.2)."""
    given = f";name={quote(name, safe='')}" if name else ""
    return f"xmpp:{quote(str(jid), safe='@')}?roster;preauth={quote(token, safe='')}{given}"


def token_of(request: Presence) -> str | None:
    """What somebody shows who wants to be a contact, to be looked for among one's own tokens; they
    count once (XEP-0379 §5.2). ``None``: nothing."""
    if request.type != "subscribe":
        return None
    try:
        shown = request.get(Preauth)
    except StanzaError:
        return None
    return shown.token if shown is not None and 0 < len(shown.token) <= MAX_TOKEN else None
