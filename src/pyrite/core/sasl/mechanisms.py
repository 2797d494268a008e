"""The table of mechanisms, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from ..errors import SaslError
from ..frozen import frozen
from .anonymous import AnonymousClient, AnonymousServer
from .base import ClientMechanism, Credentials, Offer, ServerMechanism, UntrustedServer
from .digest_md5 import DigestClient, DigestServer
from .external import ExternalClient, ExternalServer
from .ht import HtServer
from .keys import HASHES
from .plain import PlainClient, PlainServer
from .prep import PrepError, saslprep
from .scram_client import ScramClient, Seen
from .scram_server import ScramServer

#: From strongest to weakest.
STRENGTH = (
    "EXTERNAL",
    *(f"{name}-PLUS" for name in HASHES),
    *HASHES,
    "DIGEST-MD5",
    "PLAIN",
    "ANONYMOUS",
)

#: What a client uses unless told otherwise: none that a listener learns a password from.
SAFE = ("EXTERNAL", *(f"{name}-PLUS" for name in HASHES), *HASHES, "PLAIN")

#: From strongest to weakest. tls-unique is none with TLS 1.3 (RFC 9266 §3).
BINDINGS = ("tls-exporter", "tls-unique", "tls-server-end-point")

SHOWN = 200  # characters of what a server offers, in an error for people

_SERVERS: dict[str, Callable[[Offer], ServerMechanism]] = {
    "EXTERNAL": ExternalServer,
    "DIGEST-MD5": DigestServer,
    "PLAIN": lambda offer: PlainServer(),
    "ANONYMOUS": lambda offer: AnonymousServer(),
}


def by_strength(names: Iterable[str]) -> tuple[str, ...]:
    """The known mechanisms of `names`, each once, the strongest first."""
    given = set(names)
    return tuple(name for name in STRENGTH if name in given)


def server(name: str, offer: Offer) -> ServerMechanism:
    """The server's side of a mechanism; raises `SaslError` for one that is not offered."""
    if name in offer.tokens:
        return HtServer(name, offer)
    if name not in offer.mechanisms or name not in STRENGTH:
        raise SaslError("invalid-mechanism", "not offered")
    build = _SERVERS.get(name)
    return build(offer) if build else ScramServer(name, offer)


@frozen
class Advertised:
    """What a client has been offered: by whom, what, and over what channel.

    `types` are those of XEP-0440, `bindings` what our side of the TLS channel can give. `newer`:
    by SASL2, where an offer that says half of it is an attack and nothing else.
    """

    domain: str
    mechanisms: tuple[str, ...]
    types: tuple[str, ...] = ()
    bindings: Mapping[str, bytes] | None = None
    secure: bool = True
    newer: bool = False


def choose(
    advertised: Advertised,
    credentials: Credentials,
    nonce: str,
    allowed: Collection[str] = SAFE,
) -> ClientMechanism:
    """The strongest mechanism that both sides can and `allowed` lets us use.

    `nonce` is fresh and unguessable. A client that has once used SCRAM with this account leaves
    PLAIN out of `allowed` from then on (XEP-0474 §5). Raises `SaslError` ``invalid-mechanism``
    where nothing fits, ``malformed-request`` for credentials that cannot be sent; `UntrustedServer`
    for an offer that no server makes.
    """
    binding = choose_binding(advertised)
    usable = _usable(advertised, credentials, binding)
    for name in by_strength(advertised.mechanisms):
        if name in allowed and name in usable:
            _check_sanity(name, advertised)
            return _client(name, advertised, _prepared(credentials), nonce, binding)
    raise SaslError("invalid-mechanism", _nothing_fits(advertised, credentials))


def _nothing_fits(advertised: Advertised, credentials: Credentials) -> str:
    offered = ", ".join(advertised.mechanisms)[:SHOWN] or "nothing"
    lack = "" if credentials.password else "; we have no password"
    return f"no mechanism that both sides can use: the server offers {offered}{lack}"


def choose_binding(advertised: Advertised) -> str:
    """The strongest binding type that both sides have; empty for none."""
    ours = advertised.bindings or {}
    theirs = advertised.types or ("tls-unique",)  # what is meant without a word (RFC 5802 §6.1)
    known = [name for name in BINDINGS if name in ours and name in theirs]
    return known[0] if known else next((name for name in ours if name in theirs), "")


def _check_sanity(name: str, advertised: Advertised) -> None:
    """The rules of XEP-0440 §4, for what proves a password; else there is nothing to protect."""
    if name in ("EXTERNAL", "ANONYMOUS") or not advertised.bindings:
        return
    is_plus, types, newer = _plus(advertised), advertised.types, advertised.newer
    if is_plus and not types and newer:
        raise UntrustedServer("a mechanism with channel binding, but no types of it")
    if types and not is_plus and (newer or name != "PLAIN"):
        # COMPAT: Prosody 13, which names types whatever it asks for passwords
        raise UntrustedServer("channel binding types without a mechanism for them")


def _plus(advertised: Advertised) -> bool:
    return any(name.endswith("-PLUS") for name in advertised.mechanisms)


def _usable(advertised: Advertised, credentials: Credentials, binding: str) -> set[str]:
    usable = {"ANONYMOUS"}
    if credentials.certificate:
        usable.add("EXTERNAL")
    if credentials.username and credentials.password:
        usable |= {*HASHES, "DIGEST-MD5"}
        usable |= {f"{name}-PLUS" for name in HASHES if binding}
        usable |= {"PLAIN"} if advertised.secure else set()
    return usable


def _prepared(credentials: Credentials) -> Credentials:
    try:
        username, password = saslprep(credentials.username), saslprep(credentials.password)
    except PrepError as error:
        raise SaslError("malformed-request", str(error)) from None
    if bool(username) != bool(credentials.username) or bool(password) != bool(credentials.password):
        raise SaslError("malformed-request", "nothing is left of the user name or password")
    return replace(credentials, username=username, password=password)


def _client(
    name: str, advertised: Advertised, credentials: Credentials, nonce: str, binding: str
) -> ClientMechanism:
    match name:
        case "EXTERNAL":
            return ExternalClient(credentials)
        case "PLAIN":
            return PlainClient(credentials)
        case "ANONYMOUS":
            return AnonymousClient()
        case "DIGEST-MD5":
            return DigestClient(credentials, advertised.domain, nonce)
    return ScramClient(name, credentials, nonce, _seen(name, advertised, binding))


def _seen(name: str, advertised: Advertised, binding: str) -> Seen:
    told = (advertised.mechanisms, advertised.types)
    ours = advertised.bindings or {}
    if name.endswith("-PLUS"):
        return Seen(*told, f"p={binding}", ours[binding])
    if ours and not _plus(advertised):
        return Seen(*told, "y")  # we can, the server seems not to: it will object if it can
    is_odd = bool(ours and advertised.types) and "tls-server-end-point" not in advertised.types
    return Seen(*told, "n", demand=is_odd and not binding)
