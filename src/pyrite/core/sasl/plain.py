"""PLAIN (RFC 4616): name and password as they are. Only inside TLS."""

from __future__ import annotations

from functools import partial

from ..errors import SaslError
from .base import (
    MAX_AUTHZID,
    MAX_PASSWORD,
    Challenge,
    ClientMechanism,
    Credentials,
    NeedPassword,
    Proven,
    ServerMechanism,
    Step,
    decode,
    limited,
    prepared_name,
)
from .prep import PrepError, saslprep


class PlainServer(ServerMechanism):
    """One message, and a question to who can check a password."""

    def step(self, data: bytes | None) -> Step:
        if data is None:
            return Challenge(b"")
        authzid, username, password = _split(decode(data))
        name = prepared_name(username)
        limited(authzid, MAX_AUTHZID)
        return NeedPassword(name, authzid, _prepared(password), partial(_result, name, authzid))


class PlainClient(ClientMechanism):
    """Says the password. Whoever chooses it makes sure that only the server hears it."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__("PLAIN")
        self._credentials = credentials

    def start(self) -> bytes:
        said = self._credentials
        return "\0".join((said.authzid, said.username, said.password)).encode()


def _split(text: str) -> tuple[str, str, str]:
    parts = text.split("\0")
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise SaslError("malformed-request", "not a PLAIN message")
    return parts[0], parts[1], parts[2]


def _prepared(password: str) -> str:
    # no account has such a password, so there is nothing to hide in the answer's time
    if len(password.encode()) > MAX_PASSWORD:
        raise SaslError("not-authorized")
    try:
        prepared = saslprep(password)
    except PrepError:
        raise SaslError("not-authorized") from None
    if not prepared:
        raise SaslError("not-authorized")
    return prepared


def _result(username: str, authzid: str, is_right: bool) -> Step:
    if not is_right:
        raise SaslError("not-authorized")
    return Proven(username, authzid)
