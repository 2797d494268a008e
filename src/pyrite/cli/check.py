"""Reads everything that the server would read, and starts nothing."""

from __future__ import annotations

from pathlib import Path

from .call import load
from .failure import USAGE, Failure


def check(*, config: Path | None = None) -> None:
    """Read the settings, start nothing, and say what is wrong, a line for each mistake.

    Parameters
    ----------
    config
        The settings of the server.
    """
    from ..kit.config import Mistake
    from ..net.tls import Identity, ServerTls, TlsError, server_context

    settings = load(config)
    certificate, key = settings.tls.certificate, settings.tls.key
    if certificate and key:
        identity, authorities = Identity(certificate, key), settings.tls.authorities
        try:
            server_context(ServerTls(identity, asks_certificate=True, authorities=authorities))
        except TlsError as error:
            mistake = Mistake(str(settings.file), 0, "tls.certificate", str(error))
            raise Failure(str(mistake), USAGE) from None
