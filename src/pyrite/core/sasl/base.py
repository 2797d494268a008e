"""What all SASL mechanisms share: the steps of an exchange and the faces of both sides.

A mechanism does no I/O. The server side asks the owner of the accounts by returning a question:

    step = mechanism.step(data)
    while not isinstance(step, Challenge | Proven):
        step = step.answer(...)      # NeedKeys: the account's `Keys`; NeedPassword: is it right;
                                     # NeedTokens: what the client was given
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TypeAlias

from ..errors import SaslError
from ..frozen import frozen
from .keys import Keys
from .prep import PrepError, saslprep

MAX_MESSAGE = 8192  # octets of one message after base64, either way
MAX_NAME = 1023  # octets of a user name: what a localpart may have (RFC 7622 §3.3)
MAX_AUTHZID = 3071  # octets of a JID (RFC 7622 §3.1)
MAX_PASSWORD = 1024  # octets


class UntrustedServer(SaslError):
    """The server has not proven that it knows the password, or someone changed what it said.

    Only a client raises it. It is an attack or a broken server, never a mistyped password.
    """

    def __init__(self, text: str) -> None:
        super().__init__("aborted", text)


@frozen
class Challenge:
    """Send `data` and give the answer to `ServerMechanism.step`."""

    data: bytes


@frozen
class Proven:
    """The client is `username`; it wants to act as `authzid` (empty: as itself).

    `data` goes out with the success. `username` is prepared by SASLprep, but is no localpart
    yet; with EXTERNAL it is the chosen identity, and with ANONYMOUS it is empty. `token` is the
    one that was proven, where one was.
    """

    username: str
    authzid: str = ""
    data: bytes | None = None
    token: bytes | None = field(default=None, repr=False)


@frozen
class NeedKeys:
    """Which keys has `username` for `mechanism`? Always answer: `fake_keys` for a stranger."""

    mechanism: str
    username: str
    authzid: str
    answer: Callable[[Keys], Step] = field(repr=False)


@frozen
class NeedPassword:
    """Is `password` that of `username`? Both are prepared by SASLprep."""

    username: str
    authzid: str
    password: str = field(repr=False)
    answer: Callable[[bool], Step] = field(repr=False)


@frozen
class NeedTokens:
    """Which tokens for `mechanism` may the client of `username` have? As many for a stranger."""

    mechanism: str
    username: str
    answer: Callable[[Sequence[bytes]], Step] = field(repr=False)


Step: TypeAlias = Challenge | NeedKeys | NeedPassword | NeedTokens | Proven


@frozen
class Offer:
    """What the server has advertised on this stream, and what its mechanisms work with."""

    domain: str
    mechanisms: tuple[str, ...]
    nonce: Callable[[], str]  # a fresh unguessable one: printable ASCII without a comma
    bindings: Mapping[str, bytes] = field(default_factory=dict)  # type -> data of this TLS channel
    identities: tuple[str, ...] = ()  # the verified JIDs of the client's certificate
    tokens: tuple[str, ...] = ()  # the mechanisms that take a token (XEP-0484)
    confirms: bool = True  # SCRAM repeats the offer in a way that nobody can forge (XEP-0474)

    @property
    def binds(self) -> bool:
        """A mechanism with channel binding is offered."""
        return any(name.endswith("-PLUS") for name in self.mechanisms)


class ServerMechanism(ABC):
    """The server's side of one exchange. After a `SaslError` it is over."""

    @abstractmethod
    def step(self, data: bytes | None) -> Step:
        """What follows from the client's `data`; None is an absent initial response.

        Raises `SaslError` for anything that does not lead to a proof.
        """


@frozen
class Credentials:
    """What a client may use. `certificate`: one was shown in the TLS handshake."""

    username: str = ""
    password: str = field(default="", repr=False)
    authzid: str = ""
    certificate: bool = False


class ClientMechanism(ABC):
    """The client's side of one exchange: `start`, any number of `step`, `finish` on success."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def start(self) -> bytes | None:
        """The initial response; None where the server speaks first."""

    def step(self, challenge: bytes) -> bytes:
        """The answer to `challenge`. May take long (password hashing): seconds at most."""
        raise UntrustedServer(f"{self.name} knows no challenge here")

    def finish(self, data: bytes | None) -> None:
        """Checks the data of the server's success; raises `UntrustedServer`."""
        if data:
            raise UntrustedServer(f"{self.name} has no data with success")

    def refused(self, error: SaslError) -> SaslError:
        """The server's refusal, with what it has said about it before."""
        return error


def decode(data: bytes) -> str:
    """A message's text; raises `SaslError` if it is too long or not UTF-8."""
    if len(data) > MAX_MESSAGE:
        raise SaslError("malformed-request", f"more than {MAX_MESSAGE} octets")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SaslError("malformed-request", "not UTF-8") from None


def limited(text: str, limit: int) -> str:
    """`text` itself; raises `SaslError` if it has more than `limit` octets."""
    if len(text.encode()) > limit:
        raise SaslError("malformed-request", f"more than {limit} octets")
    return text


def prepared_name(username: str) -> str:
    """A user name as SASLprep leaves it; raises `SaslError`."""
    try:
        name = saslprep(limited(username, MAX_NAME))
    except PrepError as error:
        raise SaslError("not-authorized", str(error)) from None
    if not name:
        raise SaslError("not-authorized", "the user name is empty")
    return name
