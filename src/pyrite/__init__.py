"""An open XMPP suite: server, client library and tools over one protocol core."""

__version__ = "0.1.0"
