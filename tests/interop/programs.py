"""Programs that refuse to run as root run as nobody."""

import os
from pathlib import Path

NOBODY = 65534


def unprivileged(*words: str) -> list[str]:
    """The words that run a program without root's rights."""
    if os.getuid():
        return list(words)
    drop = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *drop, "--", *words]


def give_away(path: Path) -> None:
    """Let a program of `unprivileged` read and write here."""
    if not os.getuid():
        os.chown(path, NOBODY, NOBODY)
