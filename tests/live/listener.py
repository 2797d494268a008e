"""Somebody between a client and its server, who has a certificate that both believe."""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.interop.servers import VERONA

from .acceptors import Acceptor

Change = Callable[[bytes], bytes]

OFFER = b"</stream:features>"  # the end of it
LIMIT = 60.0  # seconds for all that a client has to say


def without(*words: str) -> Change:
    """Takes these out of the mechanisms, and of the types of channel binding."""
    listed = "|".join(map(re.escape, words))
    gone = (
        rf"<mechanism>(?:{listed})</mechanism>",
        rf"<channel-binding type=['\"](?:{listed})['\"]/>",
        "<sasl-channel-binding[^>]*></sasl-channel-binding>",
    )

    def changed(features: bytes) -> bytes:
        for pattern in gone:
            features = re.sub(pattern.encode(), b"", features)
        return features

    return changed


@contextmanager
def in_between(acceptor: Acceptor, change: Change = bytes) -> Iterator[int]:
    """The port where he waits. What the server offers goes through `change`."""
    told = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    acceptor.authority.issue_cert(VERONA).configure_cert(told)
    trusted = ssl.create_default_context(cafile=str(acceptor.ca))

    def meet() -> None:
        with suppress(OSError):
            while True:
                came, _ = listening.accept()
                went = socket.create_connection(("127.0.0.1", acceptor.c2s_tls), LIMIT)
                came.settimeout(LIMIT)
                with (
                    told.wrap_socket(came, server_side=True) as client,
                    trusted.wrap_socket(went, server_hostname=VERONA) as server,
                    suppress(OSError),
                ):
                    _carry(client, server, change)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=meet)
        thread.start()
        try:
            yield port
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(LIMIT)


def _carry(client: ssl.SSLSocket, server: ssl.SSLSocket, change: Change) -> None:
    """Until either has no more to say."""
    for end in (client, server):
        end.setblocking(False)
    offer: bytes | None = b""
    while ready := select.select([client, server], [], [], LIMIT)[0]:
        for source in ready:
            try:
                data = source.recv(65536)
                while source.pending():  # which no `select` sees
                    data += source.recv(65536)
            except ssl.SSLWantReadError:
                continue  # TLS has had something to say for itself
            if not data:
                return
            if source is client:
                server.sendall(data)
                continue
            if offer is not None:
                offer += data
                if OFFER not in offer:
                    continue
                data, offer = change(offer), None
            client.sendall(data)
