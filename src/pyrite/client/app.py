"""The client: one account's session with its server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from ..core.jid import JID
from ..core.stanza import Presence
from ..kit.clock import Clock
from ..wire import carbons
from .account import Account, TokenStore, Trust, VolatileStore
from .connector import Connector, Tcp
from .entity import TIMEOUT, Entity
from .feature import Feature
from .keeper import Backoff, Entered
from .login import LogIn, Resumable, load, new_memory
from .watch import PATIENCE


class Client(Entity):
    """One account's session with its server. Use it on one event loop, as a context manager.

        async with Client("romeo@example.net", password) as me:
            await me.send("juliet@example.com", "But soft!")

    Entering raises `AuthenticationFailed`, `TlsError`, `DnsError`, `ConnectionFailed`,
    `StreamError` or `TimeoutError`. A handler that raises ends the block with what it raised.
    Where going on is of no use (another program took the resource, the password has changed)
    loops come to their end, and the block raises the reason, unless the program listens for
    `Closed`, as by `lifecycle`.
    """

    def __init__(
        self,
        jid: JID | str,
        password: str | None = None,
        *,
        account: Account | None = None,
        trust: Trust | None = None,
        connector: Connector | None = None,
        tokens: TokenStore | None = None,
        features: Sequence[type[Feature]] = (),
        available: bool = True,
        backoff: Backoff | None = None,
        timeout: float = TIMEOUT,
        patience: float | None = PATIENCE,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """`account`, of the same address, says more than `password` and `trust` do, and is given
        in their place. `available`: say so at once.

        `patience`: seconds for which a server may say nothing at all while it owes us an
        acknowledgement; then the connection is dead, and another one is made. None: for ever.
        """
        jid = JID.parse(jid) if isinstance(jid, str) else jid
        if account is not None:
            if password is not None or trust is not None:
                raise ValueError("an account has its own password and trust: say them there")
            if account.jid.bare != jid.bare:
                raise ValueError(f"the account is that of {account.jid.bare}, not of {jid.bare}")
        self.account = account or Account(jid, password, trust=trust or Trust())
        self._connector, self._tokens = connector or Tcp(), tokens or VolatileStore()
        super().__init__(jid, features, backoff, timeout, clock, chance, patience)
        self.presence = Presence() if available else None

    async def log_in(self, old: Resumable | None) -> Entered:
        """See `Entity.log_in`. What is learnt for the next time is kept."""
        link = await self._connector.connect(self.account)
        try:
            await asyncio.to_thread(load)
            name = self.account.jid.bare
            memory = await self._tokens.load(name) or new_memory()
            copies = carbons.NS in self.features
            fetches = [await feature.fetches_missed() for feature in self._features.values()]
            login = LogIn(
                self.account, link, memory, self.ids, old, carbons=copies, fetches=any(fetches)
            )
            try:
                session = await login.run()
            finally:
                if login.memory != memory:
                    await self._tokens.save(name, login.memory)
        except BaseException:
            link.abort()
            await link.ended()
            raise
        return session, link

    async def settle(self) -> None:
        """A new session has begun: let every feature begin, then say that we are here."""
        await super().settle()
        if self.presence is not None:
            await self.send_presence(self.presence)
