"""What an account will have, out of the way until all of it has been looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import msgspec

from ...core.jid import JID
from ..store.portable import AnyThing, Thing

IN_MEMORY = 1 << 20  # octets; what is more is in a file without a name, which ends with us

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_DECODER = msgspec.json.Decoder(AnyThing, dec_hook=lambda kind, value: _read(kind, value))


class Spool:
    """The things of one account in the order in which they came, as often as they are wanted."""

    def __init__(self, folder: Path) -> None:
        self._file = SpooledTemporaryFile(IN_MEMORY, "w+b", dir=str(folder))  # noqa: SIM115
        self.counts: Counter[str] = Counter()  # by `word`

    def add(self, thing: Thing) -> None:
        self._file.write(_ENCODER.encode(thing) + b"\n")
        self.counts[thing.word] += 1

    def __iter__(self) -> Iterator[Thing]:
        self._file.seek(0)
        for line in self._file:
            yield _DECODER.decode(line)

    def close(self) -> None:
        self._file.close()


def _read(kind: type[Any], value: Any) -> Any:
    if kind is JID:
        return JID.parse(value)
    raise NotImplementedError(kind)
