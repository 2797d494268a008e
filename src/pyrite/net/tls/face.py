"""What both back ends give: a context for settings, a session for a connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum

CHUNK = 4096  # octets handed to the library at once: what its buffers grow to, and keep

EXPORTER_LABEL = b"EXPORTER-Channel-Binding"  # RFC 9266 §2
EXPORTER_SIZE = 32


class Backend(Enum):
    PYOPENSSL = "pyopenssl"
    STDLIB = "stdlib"


class TlsError(Exception):
    """The peer broke TLS, or is not who it should be; or files cannot be loaded."""


class TlsSession(ABC):
    """One connection's TLS. Never waits, knows no socket."""

    __slots__ = ("handshake_done", "is_over", "news")

    def __init__(self) -> None:
        self.handshake_done = False
        self.is_over = False  # the peer has sent close_notify: nothing more will come
        self.news = True  # something other than plaintext came: look at `take` and the above

    def receive(self, data: bytes) -> bytes:
        """Ciphertext of the peer's; gives the plaintext in it.

        `news` is set when there may be something to `take`, or one of `handshake_done` and
        `is_over` has changed. Raises TlsError; the alert for the peer is then in `take`.
        """
        if len(data) <= CHUNK:
            return self._decrypt(data)
        return b"".join([self._decrypt(piece) for piece in _pieces(data)])

    def send(self, plaintext: bytes) -> bytes:
        """Gives the ciphertext to write, with all that waited in `take` before it.

        Raises TlsError before `handshake_done`, and when the session has failed.
        """
        if not self.handshake_done:
            raise TlsError("nothing can be sent before the handshake is done")
        if len(plaintext) <= CHUNK:
            return self._encrypt(plaintext)
        return b"".join([self._encrypt(piece) for piece in _pieces(plaintext)])

    @abstractmethod
    def take(self) -> bytes:
        """Ciphertext that has to be written: of the handshake, an alert, close_notify."""

    @abstractmethod
    def close(self) -> None:
        """Say that we send no more; close_notify is in `take`. Never raises."""

    @property
    @abstractmethod
    def version(self) -> str:
        """As "TLSv1.3"."""

    @property
    @abstractmethod
    def cipher(self) -> str:
        """OpenSSL's name of the cipher suite, "" before there is one."""

    @property
    @abstractmethod
    def group(self) -> str:
        """Name of the key exchange, as "X25519MLKEM768"; "" when the back end does not know."""

    @property
    @abstractmethod
    def alpn(self) -> str:
        """The protocol agreed on, or ""."""

    @property
    @abstractmethod
    def server_name(self) -> str:
        """The host that the client asked for, or ""."""

    @property
    @abstractmethod
    def peer_certificate(self) -> bytes | None:
        """DER, once the handshake is done."""

    @property
    @abstractmethod
    def peer_is_trusted(self) -> bool:
        """Whether a chain from the peer's certificate to an authority of ours was verified.

        Says nothing about whom the certificate is for.
        """

    @abstractmethod
    def channel_bindings(self) -> dict[str, bytes]:
        """By type (RFC 5929, RFC 9266), only those that are safe on this session."""

    @abstractmethod
    def _decrypt(self, data: bytes) -> bytes:
        """As `receive`, for at most CHUNK octets."""

    @abstractmethod
    def _encrypt(self, plaintext: bytes) -> bytes:
        """As `send`, for at most CHUNK octets."""


class TlsContext(ABC):
    """Makes sessions. One context serves one event loop: its sessions share a buffer."""

    @abstractmethod
    def session(self) -> TlsSession: ...

    @abstractmethod
    def reload(self) -> None:
        """Read certificates and keys again, for new sessions; live ones keep theirs.

        Raises TlsError, and then everything stays as it is.
        """


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
