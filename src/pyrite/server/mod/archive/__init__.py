"""Keeps what accounts say and hear, and gives it to them again (XEP-0313).

Nobody who is online waits for the disk: a message is written while it is delivered, and counts
as handled once both its copies are written (`server/debts.py`).
"""

from .module import Archive, ArchiveSettings

__all__ = ["Archive", "ArchiveSettings"]
