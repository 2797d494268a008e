"""Keeps messages for users who are away, and hands them over (RFC 6121 §8.5, XEP-0160, XEP-0013).

Whoever comes with a priority of 0 or more gets all that waits. A client that asks for a list of
it first gets only what it asks for, and has to say what can go.

A client whose connection has broken, and whose session waits for it, is away as well: what comes
for it is in the session, and in the store too until the client has it.
"""

from .module import Offline, OfflineSettings

__all__ = ["Offline", "OfflineSettings"]
