"""The load generator: a minimal XMPP client that shares no code with what it judges."""
