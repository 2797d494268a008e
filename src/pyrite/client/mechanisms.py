"""Mechanisms that an account is given: `Account(jid, mechanisms=[oauth(token), kerberos()])`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from ..core.errors import SaslError
from ..core.jid import JID
from ..core.sasl import Advertised, ClientMechanism
from ..core.sasl.gssapi import Context, GssapiClient
from ..core.sasl.oauth import OAuthClient
from .account import Mechanism

PASSING = frozenset(  # what another ticket or another minute may cure, by MIT's numbers of it
    code & 0xFFFFFFFF
    for code in (
        -1765328352,  # the ticket has expired
        -1765328230,  # the realm's center has no address
        -1765328228,  # it does not answer
    )
)


def oauth(account: JID, token: Callable[[], str]) -> Mechanism:
    """Log in with a bearer token (RFC 7628). `token` is called in a thread, for each log-in."""

    def made(offer: Advertised) -> ClientMechanism | None:
        if "OAUTHBEARER" not in offer.mechanisms or not offer.secure:
            return None
        return OAuthClient(str(account.bare), token)

    return made


def kerberos(host: str = "", begin: Callable[[str], Context] | None = None) -> Mechanism:
    """Log in with the ticket of who runs the program (RFC 4752), for ``xmpp@host``.

    `host` is the server's, as its key distribution center knows it; by default the domain. Needs
    ``pyrite[kerberos]``. `begin` makes a context by another library.
    """

    def made(offer: Advertised) -> ClientMechanism | None:
        if "GSSAPI" not in offer.mechanisms:
            return None
        name = f"xmpp@{host or offer.domain}"
        return GssapiClient(lambda: (begin or _begin)(name))

    return made


def _begin(service: str) -> Context:
    """A context of the gssapi library's. Raises `SaslError` in its words."""
    try:
        library: Any = import_module("gssapi")
    except ImportError as error:
        raise SaslError("aborted", f"Kerberos needs pyrite[kerberos]: {error}") from None
    return _Context(library, service)


class _Context:
    """One of MIT's or Heimdal's, and of no other mechanism than Kerberos (RFC 4752 §1)."""

    def __init__(self, library: Any, service: str) -> None:
        self._error: type[Exception] = library.exceptions.GSSError
        self._context = self._told(lambda: _initiated(library, service))

    @property
    def complete(self) -> bool:
        return bool(self._context.complete)

    def step(self, token: bytes | None) -> bytes | None:
        return cast("bytes | None", self._told(lambda: self._context.step(token)))

    def wrap(self, message: bytes) -> bytes:
        return bytes(self._told(lambda: self._context.wrap(message, False)).message)

    def unwrap(self, message: bytes) -> bytes:
        return bytes(self._told(lambda: self._context.unwrap(message)).message)

    def _told(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except self._error as error:
            raise _refusal(error) from None


def _initiated(library: Any, service: str) -> Any:
    flags = library.RequirementFlag
    needs = flags.mutual_authentication | flags.integrity | flags.out_of_sequence_detection
    name = library.Name(service, library.NameType.hostbased_service)
    kerberos = library.MechType.kerberos
    return library.SecurityContext(name=name, usage="initiate", flags=needs, mech=kerberos)


def _refusal(error: Any) -> SaslError:
    """In the words of Kerberos, where it has some; else in those of the interface before it."""
    passes = error.min_code in PASSING
    words = error.get_all_statuses(error.min_code, False) if error.min_code else [str(error)]
    condition = "temporary-auth-failure" if passes else "not-authorized"
    return SaslError(condition, f"Kerberos: {'; '.join(words)}")
