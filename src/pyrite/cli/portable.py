"""Accounts carried out and brought in as files, whether or not the server runs (XEP-0227)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Annotated, Any

from cyclopts import Parameter

from .call import Where, call, show
from .failure import FAILED, USAGE, Failure, reason

HERE = Where()
STDIN = "standard input"

Output = Annotated[
    Path | None, Parameter(help="A new file, for its owner alone; else standard output.")
]


def export(jid: str, /, *, output: Output = None, where: Where = HERE) -> None:
    """Write all that is kept for an account, in the format of XEP-0227.

    It holds what proves the password, so keep the file from others.
    """
    _export("account-export", output, where, jid=jid)


def export_host(domain: str, /, *, output: Output = None, where: Where = HERE) -> None:
    """Write all accounts of a host with all that they have, in the format of XEP-0227.

    It holds what proves their passwords, so keep the file from others.
    """
    _export("host-export", output, where, host=domain)


def import_(
    *files: Path, host: str | None = None, replace: bool = False, where: Where = HERE
) -> int:
    """Make accounts of files in the format of XEP-0227, each with all that it has or not at all.

    Prints a line about each account, and what of it could not be kept. Exits with 1 unless all
    were imported.

    Parameters
    ----------
    files
        The files; without any, standard input.
    host
        Only accounts of this domain, and the domain of a file that names none.
    replace
        Put them in the place of accounts that there are, with all that those have.
    """
    if not files and sys.stdin.isatty():
        raise Failure("which files?", USAGE)
    return max(_import(file, host, replace, where) for file in files or (None,))


def compact(*, where: Where = HERE) -> None:
    """Write the store anew: what was deleted leaves no trace in its file, which gets smaller."""
    show(call("store-compact", where), where)


def _export(command: str, output: Path | None, where: Where, **args: Any) -> None:
    with _made(output) as file:
        result = call(command, where, file=_Writer(file), **args)
        file.flush()
    for line in result["left_out"]:
        print(f"left out: {line}", file=sys.stderr)
    if output is not None:
        show(result, where)


@contextmanager
def _made(output: Path | None) -> Iterator[IO[bytes]]:
    """A new file that nobody else may read, and that is not left half written."""
    if output is None:
        yield sys.stdout.buffer
        return
    try:
        number = os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(reason(error)) from None
    try:
        with open(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(number)
    except BaseException:
        output.unlink(missing_ok=True)
        raise


def _import(path: Path | None, host: str | None, replace: bool, where: Where) -> int:
    name = STDIN if path is None else str(path)
    try:
        with nullcontext(sys.stdin.buffer) if path is None else path.open("rb") as file:
            reader = _Reader(file, where)
            result = call("account-import", where, file=reader, host=host, replace=replace)
    except OSError as error:
        raise Failure(reason(error)) from None
    except Failure as failure:
        raise Failure(f"{name}: {failure}", failure.code) from None
    if where.json:
        print(json.dumps({"file": name, **result}, ensure_ascii=False))
    else:
        print(_summary(name, result))
    return FAILED if result["refused"] else 0


def _summary(name: str, result: dict[str, Any]) -> str:
    from ..kit.log import safe

    words = f"{name}: {result['imported']} imported, {result['refused']} refused"
    if result["incomplete"]:
        words += f", {result['incomplete']} of the imported without all that they had"
    outside = [f"\n  left out: {what} ({n})" for what, n in result["outside"].items()]
    return safe(words) + "".join(outside)


class _Writer:
    """Where an export goes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, _: int, /) -> bytes:
        return b""

    def write(self, text: str, /) -> None:
        self._file.write(text.encode())


class _Reader:
    """What is imported; what is said about it is printed."""

    def __init__(self, file: IO[bytes], where: Where) -> None:
        self._file, self._where = file, where

    def read(self, most: int, /) -> bytes:
        return self._file.read(most)

    def write(self, text: str, /) -> None:
        for line in text.splitlines():
            print(line if self._where.json else _told(json.loads(line)), flush=True)


def _told(outcome: dict[str, Any]) -> str:
    """What became of an account, in lines."""
    from ..kit.log import safe

    if not outcome["done"]:
        return safe(f"{outcome['jid']}: refused: {outcome['why']}")
    kept = [f"{count} {word}" for word, count in outcome["kept"].items()]
    mechanisms = outcome["mechanisms"] or ("no password",)
    lines = [f"{outcome['jid']}: imported: {', '.join((*kept, *mechanisms))}"]
    for what, count in outcome["left_out"].items():
        lines.append(f"  left out: {what}" + (f" ({count} times)" if count > 1 else ""))
    return "\n".join(map(safe, lines))
