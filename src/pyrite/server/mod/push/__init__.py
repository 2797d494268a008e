"""Wakes devices whose client is not connected when a message waits for it (XEP-0357)."""

from .module import Push

__all__ = ["Push"]
