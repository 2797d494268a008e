"""OpenSSL's own functions below pyOpenSSL, for the path that every record takes.

pyOpenSSL's `send` and `recv` spend 60 % of a small record's time around the C function. What is
used here is private to pyOpenSSL, so it is looked for when the program starts; where it is not
found, `is_available` is False and the public methods do the work, slower.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

Buffer = tuple[Any, Any]  # C memory, and the view that gives bytes of it

SIZE = 4096 + 512  # one chunk as a record


class _Raw:
    """The functions, by name; each takes and gives what OpenSSL's manual says."""

    __slots__ = (
        *("bio_read", "bio_write", "get_error", "is_available", "ssl_read", "ssl_write"),
        *("WANT_READ", "_clear", "_ffi", "_in_memory", "_lib", "_new_bio", "_set_bios"),
    )

    def __init__(self) -> None:
        try:
            self._load()
            self.is_available = self._works()
        except (AttributeError, TypeError, KeyError, ImportError):
            self.is_available = False

    def _load(self) -> None:
        from OpenSSL._util import ffi, lib

        self._ffi, self._lib = ffi, lib
        self.bio_read, self.bio_write = lib.BIO_read, lib.BIO_write
        self.ssl_read, self.ssl_write = lib.SSL_read, lib.SSL_write
        self._clear = lib.ERR_clear_error
        self._set_bios, self._new_bio, self._in_memory = lib.SSL_set_bio, lib.BIO_new, lib.BIO_s_mem
        self.get_error, self.WANT_READ = lib.SSL_get_error, lib.SSL_ERROR_WANT_READ

    def _works(self) -> bool:
        """Write an octet into a connection's input and see that reading asks for more."""
        connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        ssl, into, out = self.pointers(connection)
        memory, _ = self._new()
        self.forget_handshake(connection)
        return bool(
            self.bio_write(into, b"\x16", 1) == 1
            and self.bio_read(into, memory, SIZE) == 1
            and self.bio_read(out, memory, SIZE) <= 0
            and self.get_error(ssl, 1) == 0
        )

    def pointers(self, connection: Any) -> tuple[Any, Any, Any]:
        """The SSL object, the BIO into it and the one out of it. They live with `connection`."""
        return connection._ssl, connection._into_ssl, connection._from_ssl

    def renew_bios(self, connection: Any) -> None:
        """Give `connection` new BIOs for its empty ones, which keep the memory of a handshake.

        Raises MemoryError, and then everything stays as it is.
        """
        into, out = self._new_bio(self._in_memory()), self._new_bio(self._in_memory())
        if self._ffi.NULL in (into, out):
            raise MemoryError("no BIO")
        self._set_bios(connection._ssl, into, out)  # frees the old ones
        connection._into_ssl, connection._from_ssl = into, out

    def forget_handshake(self, connection: Any) -> None:
        """Let go of what finds and serves `connection` in callbacks, all of the handshake."""
        del connection._reverse_mapping[connection._ssl]
        connection._alpn_select_callback_args = None

    def clear_errors(self) -> None:
        """Empty OpenSSL's queue of errors: what is left there is taken for another session's."""
        if self.is_available:
            self._clear()

    def buffer(self) -> Buffer | None:
        return self._new() if self.is_available else None

    def _new(self) -> Buffer:
        memory = self._ffi.new("char[]", SIZE)
        return memory, self._ffi.buffer(memory)

    def has_extended_master_secret(self, connection: Any) -> bool:
        """RFC 7627 was negotiated; False where it cannot be known."""
        if not self.is_available:
            return False
        ask = getattr(self._lib, "SSL_get_extms_support", None)
        return ask is not None and bool(ask(connection._ssl) == 1)


RAW = _Raw()
