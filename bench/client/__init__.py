"""The client library beside slixmpp: the same recorded octets for both, in memory."""
