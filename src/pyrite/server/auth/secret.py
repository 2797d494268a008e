"""The server's own secret, which outlives restarts."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "auth.secret"
SIZE = 32  # octets


def secret_in(folder: Path) -> bytes:
    """The secret kept in `folder`, made at the first call. Raises `OSError`."""
    path = folder / NAME
    if not path.exists():
        _make(path)
    secret = path.read_bytes()
    if len(secret) < SIZE:
        raise OSError(f"{path} has less than {SIZE} octets; delete it to get a new one")
    return secret


def _make(path: Path) -> None:
    # whole or not at all, and readable by nobody else, also if two do it at once
    draft = path.with_name(f"{NAME}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(SIZE))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.unlink(draft)
