"""Sockets: connections that carry bytes and events, TLS, listeners, certificates."""
