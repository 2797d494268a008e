"""DIGEST-MD5 (RFC 2831), historic since RFC 6331: for clients that know nothing better.

The server keeps what is as good as the password for this one realm, so it is off by default.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from functools import partial

from ..errors import SaslError
from .base import (
    MAX_AUTHZID,
    MAX_MESSAGE,
    Challenge,
    ClientMechanism,
    Credentials,
    NeedKeys,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    UntrustedServer,
    limited,
    prepared_name,
)
from .keys import Keys

NAME = "DIGEST-MD5"
COUNT = "00000001"  # each nonce is for one authentication

_DIRECTIVE = re.compile(
    r'[ \t]*([A-Za-z0-9-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;=]+))[ \t]*(?:,|\Z)',
    re.DOTALL,
)


def derive(username: str, realm: str, password: str) -> Keys:
    """The keys of `password` for this mechanism (RFC 2831 §2.1.2.1)."""
    secret = _md5(b":".join(map(_latin, (username, realm, password))))
    return Keys(NAME, realm.encode(), 1, secret, b"")


class DigestServer(ServerMechanism):
    """Challenge, response, the server's own proof, and an empty response."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._nonce = offer.nonce()
        self._next: Callable[[bytes | None], Step] = self._start

    def step(self, data: bytes | None) -> Step:
        follows, self._next = self._next, _over
        return follows(data)

    def _start(self, data: bytes | None) -> Step:
        if data is not None:
            raise SaslError("malformed-request", "the server speaks first")
        self._next = self._response
        challenge = f'realm="{self._offer.domain}",nonce="{self._nonce}",qop="auth"'
        return Challenge(f"{challenge},charset=utf-8,algorithm=md5-sess".encode())

    def _response(self, data: bytes | None) -> Step:
        said = directives(data or b"")
        self._check_answer(said)
        username = prepared_name(said["username"])
        authzid = limited(said.get("authzid", ""), MAX_AUTHZID)
        return NeedKeys(NAME, username, authzid, partial(self._check, said, username))

    def _check_answer(self, said: Mapping[str, str]) -> None:
        if not {"username", "nonce", "cnonce", "nc", "digest-uri", "response"} <= said.keys():
            raise SaslError("malformed-request", "a directive is missing")
        domain = self._offer.domain
        answered = (said["nonce"], said["nc"], said.get("qop", "auth"), said.get("realm"))
        if answered != (self._nonce, COUNT, "auth", domain):
            raise SaslError("not-authorized", "an answer to another challenge")
        if said["digest-uri"].lower() != f"xmpp/{domain}":
            raise SaslError("not-authorized", "meant for another service")

    def _check(self, said: Mapping[str, str], username: str, keys: Keys) -> Step:
        expected = digest(keys.stored_key, said, "AUTHENTICATE")
        if not hmac.compare_digest(said["response"].encode(), expected.encode()):
            raise SaslError("not-authorized")
        self._next = partial(_finish, Proven(username, said.get("authzid", "")))
        return Challenge(f"rspauth={digest(keys.stored_key, said, '')}".encode())


class DigestClient(ClientMechanism):
    """Answers one challenge, and checks the server's proof."""

    def __init__(self, credentials: Credentials, domain: str, nonce: str) -> None:
        super().__init__(NAME)
        self._credentials, self._domain, self._nonce = credentials, domain, nonce
        self._expected = ""
        self._is_verified = False

    def start(self) -> None:
        return None

    def step(self, challenge: bytes) -> bytes:
        try:
            said = directives(challenge)
        except SaslError as error:
            raise UntrustedServer(error.text) from None
        if not self._expected:
            return self._respond(said)
        self._verify(said)
        return b""

    def finish(self, data: bytes | None) -> None:
        if data:
            self.step(data)
        if not self._is_verified:
            raise UntrustedServer("the server has not proven that it knows the password")

    def _respond(self, said: Mapping[str, str]) -> bytes:
        qops = [qop.strip() for qop in said.get("qop", "auth").split(",")]
        if not said.get("nonce") or said.get("algorithm") != "md5-sess" or "auth" not in qops:
            raise UntrustedServer("not a challenge that can be answered")
        ours = self._credentials
        answer = {
            "username": ours.username,
            "realm": said.get("realm", self._domain),
            "nonce": said["nonce"],
            "cnonce": self._nonce,
            "nc": COUNT,
            "qop": "auth",
            "digest-uri": f"xmpp/{self._domain}",
            "charset": "utf-8",
        }
        if ours.authzid:
            answer["authzid"] = ours.authzid
        key = derive(ours.username, answer["realm"], ours.password).stored_key
        self._expected = digest(key, answer, "")
        answer["response"] = digest(key, answer, "AUTHENTICATE")
        return ",".join(f"{name}={_quote(name, value)}" for name, value in answer.items()).encode()

    def _verify(self, said: Mapping[str, str]) -> None:
        claimed = said.get("rspauth", "")
        if not hmac.compare_digest(claimed.encode(), self._expected.encode()):
            raise UntrustedServer("the server does not know the password")
        self._is_verified = True


def directives(data: bytes) -> dict[str, str]:
    """The directives of a message by their names; raises `SaslError` for wrong syntax."""
    if len(data) > MAX_MESSAGE:
        raise SaslError("malformed-request", f"more than {MAX_MESSAGE} octets")
    text, found, at = _text(data), dict[str, str](), 0
    while at < len(text):
        match = _DIRECTIVE.match(text, at)
        if match is None or match[1].lower() in found:
            raise SaslError("malformed-request", "not a DIGEST-MD5 message")
        quoted = match[2]
        found[match[1].lower()] = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = match.end()
    return found


def digest(key: bytes, said: Mapping[str, str], method: str) -> str:
    """The response of the client ("AUTHENTICATE") or the server (""), by RFC 2831 §2.1.2.1."""
    begin = [key, said["nonce"].encode(), said["cnonce"].encode()]
    if said.get("authzid"):
        begin.append(said["authzid"].encode())
    session = _md5(b":".join(begin)).hex()
    target = _md5(f"{method}:{said['digest-uri']}".encode()).hex()
    parts = (session, said["nonce"], said["nc"], said["cnonce"], "auth", target)
    return _md5(":".join(parts).encode()).hex()


def _text(data: bytes) -> str:
    if b"charset=utf-8" not in data.lower():
        return data.decode("latin-1")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SaslError("malformed-request", "not UTF-8") from None


def _quote(name: str, value: str) -> str:
    if name in ("nc", "qop", "charset", "response"):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _latin(text: str) -> bytes:
    # RFC 2831 §2.1.2.1: what fits into ISO 8859-1 is hashed as that
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _finish(proven: Proven, data: bytes | None) -> Step:
    if data:
        raise SaslError("malformed-request", "nothing was left to say")
    return proven


def _over(data: bytes | None) -> Step:
    raise SaslError("malformed-request", "the exchange is over")
