"""Writes docs/reference/ from what the code declares."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from pyrite.cli.reference import write  # noqa: E402 - the package is beside us

if __name__ == "__main__":
    write(ROOT / "docs" / "reference")
