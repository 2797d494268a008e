"""Keeps what was learnt of accounts in files that nobody else can read."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from ..core.frozen import frozen
from ..core.jid import JID
from .account import Memory, Token

log = logging.getLogger(__name__)

PRIVATE = 0o600


@frozen
class FileStore:
    """One file for each account in `folder`, which is made if need be. For one program at a time.

    A file is replaced as a whole, and is on disk when `save` returns: a token that the server
    counts is never older than what it was used for.
    """

    folder: Path

    async def load(self, account: JID) -> Memory | None:
        return await asyncio.to_thread(self._load, account)

    async def save(self, account: JID, memory: Memory) -> None:
        await asyncio.to_thread(self._save, account, memory)

    def _file(self, account: JID) -> Path:
        return self.folder / f"{sha256(str(account.bare).encode()).hexdigest()[:32]}.json"

    def _load(self, account: JID) -> Memory | None:
        file = self._file(account)
        try:
            return _read(file.read_text())
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            log.warning("not understood, and begun anew: %s: %s", file, error)
            return None

    def _save(self, account: JID, memory: Memory) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._file(account)
        fresh = file.with_name(f"{file.name}.{uuid4().hex}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(descriptor, "w") as text:
                text.write(_written(account, memory))
                text.flush()
                os.fsync(text.fileno())
            fresh.replace(file)
        except BaseException:
            with suppress(OSError):
                fresh.unlink()
            raise
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _written(account: JID, memory: Memory) -> str:
    token = memory.token
    kept: dict[str, object] = {
        "account": str(account.bare),
        "device": memory.device,
        "mechanism": memory.mechanism,
    }
    if token is not None:
        kept["token"] = {
            "mechanism": token.mechanism,
            "secret": token.secret,
            "expires": token.expires.isoformat(),
            "count": token.count,
        }
    return json.dumps(kept, indent=1)


def _read(text: str) -> Memory:
    """Raises ValueError, KeyError or TypeError for what `_written` has not made."""
    kept = json.loads(text)
    token = kept.get("token")
    return Memory(
        str(kept["device"]),
        None
        if token is None
        else Token(
            str(token["mechanism"]),
            str(token["secret"]),
            datetime.fromisoformat(token["expires"]),
            int(token["count"]),
        ),
        str(kept["mechanism"]),
    )
