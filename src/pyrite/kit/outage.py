"""What fails although nothing is wrong with us."""

from __future__ import annotations


class Outage(Exception):
    """What we depend on does not do its work: it is told in one line, and is no bug."""

    passes = False  # whether it may work later, for who tries again
