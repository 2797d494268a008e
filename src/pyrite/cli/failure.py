"""How the command line fails, and with which exit code."""

from __future__ import annotations

FAILED = 1  # it was tried and failed
USAGE = 2  # the words or the settings are wrong


class Failure(Exception):
    """The text says why; `code` is the exit code."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


def reason(error: BaseException) -> str:
    """What the system refused, without the number that it has for it."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
