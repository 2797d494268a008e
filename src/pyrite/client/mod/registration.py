"""New accounts, new passwords, and the end of an account (XEP-0077)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...core.negotiate import NS_TLS
from ...core.stanza import Iq, read
from ...kit.ids import Ids
from ...wire import invitations, registration, tls
from ...wire.dataforms import Value
from ..account import Account, Trust
from ..app import Client
from ..connector import Connector, Tcp, reached
from ..errors import SessionClosed, SessionReset
from ..feature import Feature, on
from ..link import Link
from ..state import Closed

if TYPE_CHECKING:
    from ..entity import Entity

CONNECTING = 60.0  # seconds that reaching a server may take
STEPS = 100  # elements that may come before an answer
GRACE = 5.0  # seconds that the server has to say goodbye

#: How a server ends the streams of an account that is gone (§3.2).
_GONE = frozenset({"not-authorized", "conflict", "reset"})


class Host:
    """A server that we have no account on yet. `question` is what it asks of new users.

    That may be a form, or an address in `question.redirect` where accounts are made by hand.
    """

    def __init__(self, domain: str, link: Link) -> None:
        self.domain, self.question = domain, registration.Registration()
        self._link, self._ids = link, Ids()

    async def ask(self, invitation: str | None = None) -> None:
        """Read what it asks. Raises `StanzaError`: ``service-unavailable`` for closed doors,
        ``item-not-found`` for an invitation that is not good."""
        if invitation is not None:
            await self._request("set", invitations.Preauth(invitation))
        answer = await self._request("get", registration.Registration())
        found = answer.get(registration.Registration)
        if found is None:
            raise StanzaError("undefined-condition", "the server does not say what it asks")
        self.question = found

    async def register(
        self, username: str, password: str, fields: Mapping[str, Value] | None = None
    ) -> JID:
        """Make an account, with what else the server asks in `fields`; its address.

        Raises `StanzaError`: ``conflict`` for a name that is taken, ``not-acceptable`` for
        fields that are missing, here or there; `JIDError` for a name that cannot be.
        """
        jid = JID.parse(f"{username}@{self.domain}")
        answers: dict[str, Value] = {"username": username, "password": password}
        await self._request(
            "set", registration.answered(self.question, answers | dict(fields or {}))
        )
        return jid

    async def _request(self, type: str, payload: object) -> Iq:
        request = Iq(type, JID(None, self.domain), id=self._ids()).add(payload)
        self._link.send(request.to_element())
        for _ in range(STEPS):
            answer = read(await self._link.next())
            if isinstance(answer, Iq) and answer.id == request.id:
                if answer.error is not None:
                    raise answer.error
                return answer
        raise StreamError("policy-violation", "much is said, but nothing is answered")


@asynccontextmanager
async def registering(
    domain: str,
    *,
    invitation: str | None = None,
    trust: Trust | None = None,
    connector: Connector | None = None,
) -> AsyncIterator[Host]:
    """A connection to make an account with; then log in with a `Client`.

    `invitation` is the token of one, which some servers want to see (XEP-0445). Raises as
    entering a `Client` does, and `StanzaError` where nobody may register.
    """
    account = Account(JID(None, domain), trust=trust or Trust())
    link = await reached(connector or Tcp(), account, CONNECTING)
    try:
        await _secure(link, account)
        host = Host(account.jid.domain, link)
        await host.ask(invitation)
        yield host
        await _part(link)
    finally:
        link.abort()


async def _part(link: Link) -> None:
    """Say goodbye, so that the server does not wait for more."""
    link.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await link.ended()


async def _secure(link: Link, account: Account) -> None:
    """A stream that nobody reads along, unless that is fine."""
    domain, lang = account.jid.domain, account.lang
    features = await link.open(domain, lang)
    if not link.is_secure and features.child(NS_TLS, "starttls") is not None:
        link.send(tls.StartTls())
        if (await link.next()).name != (NS_TLS, "proceed"):
            raise StreamError("policy-violation", "the server refuses to encrypt")
        await link.start_tls()
        await link.open(domain, lang)
    if not link.is_secure and account.trust.encrypted:
        raise StreamError("policy-violation", "the server offers no encryption")


class Registration(Feature):
    """What the owner of an account can do with it."""

    spec = registration.SPEC

    def __init__(self, client: Entity) -> None:
        super().__init__(client)
        self._end: Exception | None = None

    async def known(self) -> registration.Registration:
        """What the server knows of the user. Raises `StanzaError`."""
        domain = JID(None, self.client.jid.domain)
        return await self.client.request(
            registration.Registration(), domain, expect=registration.Registration
        )

    async def change_password(self, password: str) -> None:
        """From now on, also for this client when it logs in again. Raises `StanzaError`."""
        own = self.client.jid
        payload = registration.Registration(username=own.local, password=password)
        await self.client.request(payload, JID(None, own.domain), type="set")
        if isinstance(self.client, Client):
            self.client.account = replace(self.client.account, password=password)

    async def cancel(self) -> None:
        """Delete the account, with all that the server has of it. Raises `StanzaError`.

        The server ends the session, perhaps before it answers (§3.2).
        """
        payload = registration.Registration(remove=True)
        try:
            await self.client.request(payload, JID(None, self.client.jid.domain), type="set")
        except (SessionReset, SessionClosed):
            if not isinstance(self._end, StreamError) or self._end.condition not in _GONE:
                raise
        self.client.knows_end = True

    @on(Closed)
    def over(self, event: Closed) -> None:
        """Why there is no session any more."""
        self._end = event.cause
