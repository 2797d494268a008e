"""Shows users which clients have access to their accounts, and shuts clients out (XEP-0494).

A client that tells its id when it logs in (XEP-0388 §2.3) is remembered; one that does not is in
the list as long as it is connected.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...wire import clients
from ..auth import LOGIN
from ..commands import CommandError, command
from ..module import At, Module, Request, request
from ..session import Session
from ..store.clients import Client

UNRESTRICTED = clients.Permission("unrestricted")


@dataclass(frozen=True, slots=True)
class ClientShown:
    """A client that has access to an account: by the password, by a token, or by being here."""

    id: str
    software: str
    device: str
    address: str
    first_seen: datetime
    last_seen: datetime
    connected: bool
    password: bool
    token: bool


class Clients(Module):
    """The clients of each account, for who owns it."""

    spec = clients.SPEC
    features = (clients.NS,)

    @request("get", clients.List, at=At.OWN)
    async def told(self, _: clients.List, request: Request) -> clients.Clients:
        """Those that have been seen and can come again, and those that are here (§3.1)."""
        account, now = request.to, self.clock.now()
        known = await self.host.server.clients.list(account)
        here = self._by_client(account)
        remembered = [self._known(account, one, here.pop(one.id, []), now) for one in known]
        strangers = [session for sessions in here.values() for session in sessions]
        listed = [one for one in remembered if one is not None]
        return clients.Clients((*listed, *(self._connected(one, now) for one in strangers)))

    @request("set", clients.Revoke, at=At.OWN)
    async def revoke(self, wanted: clients.Revoke, request: Request) -> None:
        """End a client's tokens and sessions, unless it can come again all the same (§3.2)."""
        account = request.to
        for client in await self.host.server.clients.list(account):
            if self._reference(account, client.id) == wanted.id:
                return await self._shut_out(account, client)
        for session in self.host.sessions.of(account).values():
            if self._reference(account, session.jid) == wanted.id:
                raise clients.knows_password()
        raise StanzaError("item-not-found", "no such client")

    async def _shut_out(self, account: JID, client: Client) -> None:
        if client.password:
            raise clients.knows_password()
        await self._end(account, client)

    async def _end(self, account: JID, client: Client) -> None:
        await self.host.server.clients.forget(account, client.id)
        gone = StreamError("not-authorized", "the client was shut out")
        for session in self._by_client(account).get(client.id, ()):
            # soon: who shuts out itself is to hear that it is done
            asyncio.get_running_loop().call_soon(session.end, gone)

    # --- for an operator -------------------------------------------------------------

    @command(role="host-admin")
    async def client_list(self, jid: JID) -> list[ClientShown]:
        """List the clients that are remembered of an account."""
        here, now = self._by_client(jid.bare), self.clock.now()
        return [
            ClientShown(
                self._reference(jid.bare, one.id),
                one.software or "",
                one.device or "",
                one.address or "",
                one.first_seen,
                one.last_seen,
                connected=one.id in here,
                password=one.password,
                token=any(expires > now for expires in one.tokens),
            )
            for one in await self.host.server.clients.list(self._own(jid))
        ]

    @command(role="host-admin")
    async def client_revoke(self, jid: JID, id: str) -> None:
        """End a client's tokens and sessions. One that knows the password can come again."""
        for one in await self.host.server.clients.list(self._own(jid)):
            if self._reference(jid.bare, one.id) == id:
                return await self._end(jid.bare, one)
        raise CommandError(f"{jid.bare} has no client {id}")

    def _own(self, jid: JID) -> JID:
        """The account that an operator names, if it is of this host."""
        if jid.local is None or jid.domain != self.host.domain:
            raise CommandError(f"{jid} is no account of {self.host.domain}")
        return jid.bare

    # ---------------------------------------------------------------------------------

    def _by_client(self, account: JID) -> dict[str | None, list[Session]]:
        """The account's sessions by the id of their client."""
        found: dict[str | None, list[Session]] = {}
        for session in self.host.sessions.of(account).values():
            login = session[LOGIN]
            found.setdefault(login.client if login else None, []).append(session)
        return found

    def _known(
        self, account: JID, client: Client, here: list[Session], now: datetime
    ) -> clients.Client | None:
        """A client that is remembered; ``None`` if it has no access any more."""
        has_token = any(expires > now for expires in client.tokens)
        if not (here or has_token or client.password):
            return None
        return clients.Client(
            connected=bool(here),
            id=self._reference(account, client.id),
            type="session",
            first_seen=client.first_seen,
            last_seen=now if here else client.last_seen,
            auth=clients.Auth(password=client.password, fast=has_token),
            permission=UNRESTRICTED,
            agent=clients.UserAgent(client.software, device=client.device),
        )

    def _connected(self, session: Session, now: datetime) -> clients.Client:
        login = session[LOGIN]  # None of one that nobody saw come: it may know the password
        return clients.Client(
            connected=True,
            id=self._reference(session.jid.bare, session.jid),
            type="session",
            first_seen=session.began,
            last_seen=now,
            auth=clients.Auth(password=login is None or login.by_password),
            permission=UNRESTRICTED,
            agent=None,
        )

    def _reference(self, account: JID, client: object) -> str:
        return self.host.server.clients.reference(account, str(client))
