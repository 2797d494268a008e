"""Clients' connections: from a socket to a session, and back (RFC 6120)."""

from .connection import ClientConnection

__all__ = ["ClientConnection"]
