"""Makes accounts for those who ask, changes passwords, and ends accounts (XEP-0077)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ...core.errors import StanzaError
from ...core.jid import JID, JIDError, prepare_local
from ...core.negotiate import Phase
from ...core.payload import encode
from ...core.xml import Element
from ...kit.config import HOUR, Duration, Table, Wrong
from ...kit.rate import Buckets, Limit
from ...net.listener import network
from ...wire import registration
from ..accounts import AccountError
from ..module import Module, Request, offering, request


class RegistrationSettings(Table):
    """How accounts are made and changed over XMPP; whether, says the host's `registration`."""

    instructions: str = "Choose a name and a password."
    """What a person is told who registers."""
    attempts: Annotated[int, Meta(ge=1)] = 5
    """How often one address may try to register (IPv6: a /64) in each `period`."""
    period: Duration = Duration(HOUR)
    """The time in which `attempts` are counted."""
    change_password: bool = True
    """Let users change their password."""
    cancel: bool = True
    """Let users delete their account."""

    def __post_init__(self) -> None:
        if self.period <= 0:
            raise Wrong("expected more than 0s", "period")


class Registration(Module):
    """In-band registration, before log-in for newcomers and after it for users."""

    spec = registration.SPEC
    features = (registration.NS,)
    Settings = RegistrationSettings

    async def start(self) -> None:
        limit = Limit(self.settings.attempts / self.settings.period, self.settings.attempts)
        self._attempts: Buckets[str] = Buckets(limit)
        self._registered = self.meter.counter("accounts", "Accounts made over XMPP.")
        self._question = registration.question(self.settings.instructions)

    @property
    def _is_open(self) -> bool:
        return bool(self.host.settings.registration == "open")

    @offering(Phase.PLAIN)
    @offering(Phase.SECURE)
    def offer(self, secure: bool) -> Element | None:
        """Only where it would be let in (§8)."""
        must_encrypt = self.host.server.settings.tls.required
        if not self._is_open or (must_encrypt and not secure):
            return None
        return encode(registration.Feature())

    @request("get", registration.Registration)
    def ask(self, _: registration.Registration, request: Request) -> registration.Registration:
        """What a newcomer has to say, or what a user has said (§3.1)."""
        if not self._is_newcomer(request):
            user = self._user(request)
            return registration.Registration(registered=True, username=user.local, password="")
        if not self._is_open:
            raise StanzaError("service-unavailable", "there is no registration here")
        return self._question

    @request("set", registration.Registration)
    async def change(self, query: registration.Registration, request: Request) -> None:
        """Register, or change the password, or delete the account (§3.1, §3.2, §3.3)."""
        is_newcomer = self._is_newcomer(request)
        wish = registration.request_of(query)
        if wish == "cancel":
            return
        try:
            if is_newcomer:
                await self._register(query, wish, request.address)
            elif wish == "remove":
                await self._delete(self._user(request))
            else:
                await self._change_password(query, self._user(request))
        except AccountError as error:
            raise StanzaError(error.condition, error.text) from None

    async def _register(self, query: registration.Registration, wish: str, address: str) -> None:
        if wish != "register":
            raise StanzaError("unexpected-request", "there is no account to remove")
        if not self._is_open:
            raise StanzaError("not-allowed", "there is no registration here")
        if not self._attempts.take(network(address), self.clock.monotonic()):
            self.log.info("registration refused", extra={"address": address})
            raise StanzaError("not-acceptable", "too many attempts", type="wait")
        username, password = registration.credentials(query, self._question.form)
        account = self._named(username)
        await self.host.accounts.register(account, password)
        self._registered.value += 1
        self.log.info("account registered", extra={"address": address, "account": account})

    async def _change_password(self, query: registration.Registration, user: JID) -> None:
        """Of one's own account alone, and never to nothing (§3.3)."""
        if not self.settings.change_password:
            raise StanzaError("not-allowed", "passwords are not changed here")
        try:
            username, password = registration.credentials(query, self._question.form)
        except StanzaError:
            raise StanzaError("bad-request", "the name, and a new password") from None
        if self._named(username) != user:
            raise StanzaError("not-allowed", "that is somebody else's name")
        await self.host.accounts.change_password(user, password)

    async def _delete(self, user: JID) -> None:
        """Delete the account of who asks (§3.2)."""
        if not self.settings.cancel:
            raise StanzaError("not-allowed", "accounts are not deleted here")
        await self.host.server.delete_account(user)

    def _is_newcomer(self, request: Request) -> bool:
        """Whether it comes before log-in: nobody sends then, in the host's own name."""
        return request.session is None and request.sender == self.host.jid

    def _user(self, request: Request) -> JID:
        """The account that asks. Raises `StanzaError` for whoever has none at this host."""
        if request.session is None or request.sender.domain != self.host.domain:
            raise StanzaError("service-unavailable", "no account of this server")
        return request.sender.bare

    def _named(self, username: str) -> JID:
        try:
            return JID(prepare_local(username), self.host.domain)
        except JIDError as error:
            raise StanzaError("not-acceptable", str(error)) from None
