"""Reads everything that the server would read, and starts nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from .call import load
from .failure import USAGE, Failure


def check(*, config: Path | None = None) -> None:
    """Read the settings, start nothing, and say what is wrong, a line for each mistake.

    What a server would start with, but clients may not accept, is said too, and is no mistake.

    Parameters
    ----------
    config
        The settings of the server.
    """
    from ..kit.clock import SystemClock
    from ..kit.config import ConfigError, Reading
    from ..net.certificates import doubts
    from ..net.tls import Identity, ServerTls, TlsError, server_context

    settings = load(config)
    certificate, key = settings.tls.certificate, settings.tls.key
    if certificate is None or key is None:
        return
    identity, authorities = Identity(certificate, key), settings.tls.authorities
    try:
        server_context(ServerTls(identity, asks_certificate=True, authorities=authorities))
    except TlsError as error:
        blamed = {"key": key, "authorities": authorities}
        found = (name for name, file in blamed.items() if str(error).startswith(f"{file}: "))
        reading = Reading(settings.file)
        reading.mistake(("tls", next(found, "certificate")), str(error))
        try:
            reading.finish()
        except ConfigError as mistakes:
            raise Failure(str(mistakes), USAGE) from None
    for doubt in doubts(identity, list(settings.host), SystemClock().now()):
        print(f"clients may refuse the certificate: {doubt}", file=sys.stderr)
