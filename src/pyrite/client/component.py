"""A component: a domain of its own, behind somebody's server (XEP-0114)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..core.errors import SaslError, StreamError
from ..core.jid import JID
from ..core.stanza import Stanza
from ..core.xml import Element, Name
from ..kit.clock import Clock
from ..net.connection import connect
from ..net.dns import Target
from ..wire import component
from .entity import TIMEOUT, Entity
from .errors import AuthenticationFailed, ConnectionFailed
from .feature import Feature
from .keeper import Backoff, Entered
from .link import LinkEnded, TcpLink
from .login import Resumable, Session
from .receipt import Receipt

WITHIN = 30.0  # seconds for a connection to be made
LOCAL = Target("127.0.0.1", 5347)  # where most servers wait for components by default


class Component(Entity):
    """A domain, and every address at it. It has the face of a `Client`.

        async with Component("echo.example.net", secret) as echo:
            async for event in echo.messages("chat"):
                await echo.send(event.reply(event.body))

    What is sent comes from the domain, or from the address at it that is given as `sender`.
    Entering raises `ConnectionFailed`, `AuthenticationFailed`, `StreamError` or `TimeoutError`.
    """

    def __init__(
        self,
        domain: JID | str,
        secret: str,
        *,
        at: Target = LOCAL,
        features: Sequence[type[Feature]] = (),
        backoff: Backoff | None = None,
        timeout: float = TIMEOUT,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        jid = JID.parse(domain) if isinstance(domain, str) else domain
        self._secret, self._at = secret, at
        self._reach = self._connect  # a server in memory is reached otherwise
        super().__init__(jid, features, backoff, timeout, clock, chance)

    async def log_in(self, old: Resumable | None) -> Entered:
        """See `Entity.log_in`; there is nothing to resume."""
        link = TcpLink(None, content=component.NS)
        await self._reach(link)
        link.start()
        try:
            await self._shake_hands(link)
        except BaseException:
            link.abort()
            await link.ended()
            raise
        return Session(self.jid, Element(Name(component.NS, "features")), "handshake"), link

    async def _connect(self, link: TcpLink) -> None:
        try:
            await connect(link.connection, self._at.host, self._at.port, within=WITHIN)
        except OSError as error:
            raise ConnectionFailed(f"{self._at.host}:{self._at.port}: {error}", (error,)) from None

    async def _shake_hands(self, link: TcpLink) -> None:
        try:
            id = await link.open_as_component(str(self.jid))
            link.send(component.handshake(id, self._secret))
            answer = await link.next()
        except StreamError as error:
            if error.condition != "not-authorized":
                raise
            raise AuthenticationFailed(SaslError("not-authorized", error.text)) from None
        except LinkEnded:  # COMPAT: some say nothing to a wrong secret
            raise AuthenticationFailed(SaslError("not-authorized", "the server hung up")) from None
        if answer.name.tag != "handshake":
            raise StreamError("bad-format", f"{answer.name.tag} in place of the handshake")

    async def _put(self, stanza: Stanza, receipt: Receipt | None) -> None:
        """Whatever a component sends has a sender at its domain (§3)."""
        if stanza.sender is None:
            stanza = stanza.routed(sender=self.jid)
        elif stanza.sender.domain != self.jid.domain:
            raise ValueError(f"{stanza.sender} is not at {self.jid.domain}")
        await super()._put(stanza, receipt)
