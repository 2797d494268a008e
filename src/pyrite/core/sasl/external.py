"""EXTERNAL (RFC 4422 Appendix A, XEP-0178): the TLS certificate has proven who it is."""

from __future__ import annotations

from ..errors import SaslError
from ..jid import JID, JIDError
from .base import (
    MAX_AUTHZID,
    ClientMechanism,
    Credentials,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    decode,
    limited,
)


class ExternalServer(ServerMechanism):
    """Gives that identity of the certificate which the client asks for, or its only one."""

    def __init__(self, offer: Offer) -> None:
        self._identities = offer.identities

    def step(self, data: bytes | None) -> Step:
        authzid = limited(decode(data or b""), MAX_AUTHZID)
        chosen = choose_identity(authzid, self._identities)
        return Proven(str(chosen), authzid)


class ExternalClient(ClientMechanism):
    """Names an identity only where the certificate has several (XEP-0178 §3)."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__("EXTERNAL")
        self._authzid = credentials.authzid

    def start(self) -> bytes:
        return self._authzid.encode()


def choose_identity(authzid: str, identities: tuple[str, ...]) -> JID:
    """The bare JID that `authzid` asks for among `identities`, or the only one if it is empty.

    Raises `SaslError` ``invalid-authzid``, or ``not-authorized`` where there is no identity.
    """
    owned = {jid for text in identities if (jid := _bare(text)) is not None}
    if not owned:
        raise SaslError("not-authorized", "the certificate names no XMPP address")
    if not authzid and len(owned) == 1:
        return owned.pop()
    wanted = _bare(authzid)
    if wanted is None or wanted not in owned:
        raise SaslError("invalid-authzid", "name one of the certificate's addresses")
    return wanted


def _bare(text: str) -> JID | None:
    try:
        jid = JID.parse(text)
    except JIDError:
        return None
    return jid if jid.resource is None else None
