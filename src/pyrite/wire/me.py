"""The /me command: what somebody does, in the third person."""

from __future__ import annotations

from . import Spec

SPEC = Spec("XEP-0245", "1.0", "The /me Command")

_COMMAND = "/me "  # the space belongs to it, and nothing stands before it (§2)


def action(body: str | None) -> str | None:
    """What the writer of `body` does, such as ``shrugs``; ``None`` if it is plain speech (§2)."""
    return body[len(_COMMAND) :] if body is not None and body.startswith(_COMMAND) else None


def shown(body: str, nick: str) -> str:
    """`body` as it is shown: the nick in place of the command (§2)."""
    done = action(body)
    return body if done is None else f"* {nick} {done}"
