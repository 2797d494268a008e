"""Lets old clients ask for the session that they have already (RFC 3921 §3)."""

from __future__ import annotations

from ...core.errors import StanzaError
from ...core.negotiate import Phase
from ...core.payload import constant
from ...core.xml import Element
from ...wire import bind, session
from ..module import Module, Request, offering, request


class Session(Module):
    """A request that once did something, and a feature that says it need not be made."""

    spec = session.SPEC

    @offering(Phase.AUTHENTICATED)
    def offer(self, _secure: bool) -> Element:
        return constant(session.Session(optional=True))

    @request("set", session.Session)
    def begin(self, _: session.Session, __: Request) -> None:
        """Binding a resource has begun it."""

    @request("set", bind.Bind)
    def bind_another(self, _: bind.Bind, __: Request) -> None:
        """A stream has one resource (RFC 6120 §7.6.2.2)."""
        raise StanzaError("not-allowed", "this stream is bound already")
