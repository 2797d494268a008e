"""Makes accounts for those who ask, changes passwords, and ends accounts (XEP-0077)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from ....core.errors import StanzaError
from ....core.jid import JID, JIDError, prepare_local
from ....core.negotiate import Phase
from ....core.payload import encode
from ....core.xml import Element
from ....kit.config import HOUR, WEEK, Duration, Table, Wrong
from ....kit.rate import Buckets, Limit
from ....net.listener import network
from ....wire import invitations, registration
from ...accounts import AccountError
from ...commands import CommandError, command
from ...module import At, Module, Request, offering, request
from ...store.roster import Edit, Item
from .invitations import Invitation, Invitations

INVITATION = "invitation"  # the note that a newcomer has shown one


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
    invitation: Duration = Duration(WEEK)
    """How long an invitation is good, unless it says something else."""

    def __post_init__(self) -> None:
        for name, value in (("period", self.period), ("invitation", self.invitation)):
            if value <= 0:
                raise Wrong("expected more than 0s", name)


@dataclass(frozen=True, slots=True)
class InvitationMade:
    """What to give to who is invited. The token is not shown again."""

    uri: str
    token: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class InvitationShown:
    """An invitation that is still good."""

    id: str
    name: str
    contact: str
    uses: int
    expires: datetime


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
        self._invitations = Invitations(self.host.jid, self.values, self.clock, self.host.ids)
        self._using = asyncio.Lock()  # held by who registers with an invitation

    @property
    def _is_open(self) -> bool:
        return bool(self.host.settings.registration == "open")

    @property
    def _is_closed(self) -> bool:
        return bool(self.host.settings.registration == "closed")

    @offering(Phase.PLAIN)
    @offering(Phase.SECURE)
    def offer(self, secure: bool) -> Element | None:
        """Only where it would be let in (§8)."""
        return encode(registration.Feature()) if self._lets_in(secure) else None

    @offering(Phase.PLAIN)
    @offering(Phase.SECURE)
    def offer_to_invited(self, secure: bool) -> Element | None:
        """Who holds an invitation may show it (XEP-0445 §3)."""
        return encode(invitations.Feature()) if self._lets_in(secure) else None

    def _lets_in(self, secure: bool) -> bool:
        return not self._is_closed and (secure or not self.host.server.settings.tls.required)

    @request("set", invitations.Preauth, at=At.HOST)
    async def show(self, shown: invitations.Preauth, request: Request) -> None:
        """Look at an invitation; it is used up by registering alone (XEP-0445 §4)."""
        if not self._is_newcomer(request) or self._is_closed:
            raise StanzaError("service-unavailable", "there is no registration here")
        self._spend(request.address)
        known = len(shown.token) <= invitations.MAX_TOKEN
        id = await self._invitations.shown(shown.token) if known else None
        if id is None:
            raise StanzaError("item-not-found", "the invitation is not good, or no more")
        request.notes[INVITATION] = id

    @request("get", registration.Registration)
    def ask(self, _: registration.Registration, request: Request) -> registration.Registration:
        """What a newcomer has to say, or what a user has said (§3.1)."""
        if not self._is_newcomer(request):
            user = self._user(request)
            return registration.Registration(registered=True, username=user.local, password="")
        if self._is_closed or not (self._is_open or INVITATION in request.notes):
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
                await self._register(query, wish, request)
            elif wish == "remove":
                await self._delete(self._user(request))
            else:
                await self._change_password(query, self._user(request))
        except AccountError as error:
            raise StanzaError(error.condition, error.text) from None

    async def _register(
        self, query: registration.Registration, wish: str, request: Request
    ) -> None:
        if wish != "register":
            raise StanzaError("unexpected-request", "there is no account to remove")
        if self._is_closed:
            raise StanzaError("not-allowed", "there is no registration here")
        id = request.notes.get(INVITATION)
        if id is None and not self._is_open:
            raise StanzaError("not-allowed", "an account is for who was invited")
        self._spend(request.address)
        username, password = registration.credentials(query, self._question.form)
        account = self._named(username)
        if await self._invitations.reserves(account.local or "", id):
            raise StanzaError("conflict", "the name is meant for somebody else")
        if id is None:
            await self.host.accounts.register(account, password)
        else:
            await self._register_invited(account, password, id)
        self._registered.value += 1
        fields = {"address": request.address, "account": account}
        self.log.info("account registered", extra=fields)

    async def _register_invited(self, account: JID, password: str, id: str) -> None:
        """One after the other: an invitation brings no more than it says."""
        async with self._using:
            invitation = await self._invitations.find(id)
            if invitation is None:
                raise StanzaError("not-allowed", "the invitation has been used")
            if invitation.name and invitation.name != account.local:
                raise StanzaError("not-acceptable", f"the invitation is for {invitation.name}")
            if invitation.name:  # an operator has chosen it
                await self.host.accounts.create(account, password)
            else:
                await self.host.accounts.register(account, password)
            await self._invitations.use(id, invitation)
        await self._introduce(account, invitation)

    async def _introduce(self, account: JID, invitation: Invitation) -> None:
        """The new account and who invited it see each other (XEP-0401 §4.3)."""
        contact = JID.parse(invitation.contact) if invitation.contact else None
        if contact is None or not await self.host.accounts.exists(contact):
            return
        pairs = ((account, contact), (contact, account))
        await self.host.rosters.edit(
            *(Edit(one, other, _befriended(other)) for one, other in pairs)
        )

    def _spend(self, address: str) -> None:
        """Count an attempt. Raises `StanzaError` when there were too many (XEP-0077 §7)."""
        if not self._attempts.take(network(address), self.clock.monotonic()):
            self.log.info("registration refused", extra={"address": address})
            raise StanzaError("not-acceptable", "too many attempts", type="wait")

    # --- invitations, for an operator ------------------------------------------------

    @command(role="host-admin")
    async def invitation_create(
        self,
        name: str = "",
        contact: JID | None = None,
        uses: Annotated[int, Meta(ge=1, le=10_000)] = 1,
        valid: Duration | None = None,
    ) -> InvitationMade:
        """Invite somebody to make an account, of this `name` or of any.

        `contact` is an account of the host that the new one is to have in its roster. It is good
        for `valid`, and for so many `uses`.
        """
        if self._is_closed:
            raise CommandError(f"registration is closed at {self.host.domain}")
        named, known = self._meant(name), str(contact.bare) if contact else ""
        if contact and (contact.domain != self.host.domain or not await self._has(contact.bare)):
            raise CommandError(f"{contact.bare} is no account of {self.host.domain}")
        if named and await self._has(named):
            raise CommandError(f"{named} exists already")
        local = named.local or "" if named else ""
        seconds = valid if valid is not None else self.settings.invitation
        try:
            token, expires = await self._invitations.add(
                local, known, 1 if local else uses, seconds
            )
        except OverflowError as error:
            raise CommandError(str(error)) from None
        return InvitationMade(invitations.uri(named or self.host.jid, token), token, expires)

    @command(role="host-admin")
    async def invitation_list(self) -> list[InvitationShown]:
        """List the invitations that are still good."""
        return [
            InvitationShown(kept.id, one.name, one.contact, one.uses, _time(one.expires))
            for kept in await self._invitations.list()
            for one in (kept.invitation,)
        ]

    @command(role="host-admin")
    async def invitation_revoke(self, id: str) -> None:
        """Take an invitation back."""
        if not await self._invitations.remove(id):
            raise CommandError(f"there is no invitation {id}")

    def _meant(self, name: str) -> JID | None:
        try:
            return self._named(name) if name else None
        except StanzaError as error:
            raise CommandError(error.text) from None

    async def _has(self, account: JID) -> bool:
        return await self.host.accounts.exists(account)

    # --- users -----------------------------------------------------------------------

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


def _befriended(contact: JID) -> Callable[[Item | None], Item]:
    """The change by which `contact` is in a roster, and both see each other."""
    return lambda item: replace(
        item or Item(contact), subscription="both", ask=False, request=None, listed=True
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
