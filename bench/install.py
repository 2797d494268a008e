"""Debian's packages of the peers: installed when missing, and never started by themselves."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")  # asked by every package before it starts a daemon
NEVER = "#!/bin/sh\nexit 101\n"
QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


def command(packages: Sequence[str]) -> list[str]:
    """What installs them."""
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def install(packages: Sequence[str]) -> bool:
    """Install them, as root; whether that worked."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    with _nothing_starts():
        for words in (["apt-get", "update", "-q"], command(packages)):
            done = subprocess.run(
                words, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False
            )
    return done.returncode == 0


@contextmanager
def _nothing_starts() -> Iterator[None]:
    if POLICY.exists():
        yield
        return
    POLICY.write_text(NEVER)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
