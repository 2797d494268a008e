"""What a host offers to a channel, and the exchanges that come of it."""

from __future__ import annotations

import hmac
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ...core.errors import SaslError
from ...core.jid import JID, JIDError, prepare_local
from ...core.sasl import (
    BINDINGS,
    HASHES,
    STRENGTH,
    TOKEN_MECHANISMS,
    Challenge,
    NeedKeys,
    NeedPassword,
    NeedTokens,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    base_name,
    by_strength,
    server,
)
from ...kit.clock import Clock
from ...kit.ids import Ids
from ...kit.meter import Meter
from ..store.clients import Token
from .backend import Backend, BackendDown
from .channel import Caller, Channel, Success
from .clients import Clients, Held, Issued, mechanisms_for
from .limits import Limits
from .settings import AuthSettings

if TYPE_CHECKING:
    from ..accounts import Accounts

log = logging.getLogger(__name__)

T = TypeVar("T")

NOBODY = Caller()


class Authenticator:
    """One host's way to find out who is there.

    `settings` may be replaced while it runs; it holds for exchanges that begin later. Hosts of
    one server share `limits`, or an attacker would get a fresh set with each.
    """

    def __init__(
        self,
        domain: str,
        accounts: Accounts,
        settings: AuthSettings,
        clock: Clock,
        *,
        backend: Backend | None = None,
        clients: Clients | None = None,
        limits: Limits | None = None,
        ids: Ids | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.domain = domain
        self.settings = settings
        self.backend: Backend = backend or accounts.backend
        self.clients, self.changes = clients, accounts.changes
        self.limits = limits or Limits(settings, clock)
        self.ids = ids or Ids()
        self.attempts = (meter or Meter()).counters(
            "authentications", "Attempts to log in, by how they ended.", "mechanism", "result"
        )

    def mechanisms(self, channel: Channel) -> tuple[str, ...]:
        """What this channel is offered, the strongest first."""
        return tuple(n for n in by_strength(self.settings.mechanisms) if self._fits(n, channel))

    def binding_types(self, channel: Channel) -> tuple[str, ...]:
        """What to advertise by XEP-0440, the strongest first; nothing without a mechanism."""
        if not any(name.endswith("-PLUS") for name in self.mechanisms(channel)):
            return ()
        known = [name for name in BINDINGS if name in channel.bindings]
        return (*known, *(name for name in channel.bindings if name not in known))

    def token_mechanisms(self, channel: Channel) -> tuple[str, ...]:
        """What takes a token on this channel, the strongest first (XEP-0484 §3.1)."""
        has_tokens = self.clients is not None and self.settings.tokens
        return mechanisms_for(channel) if has_tokens else ()

    def exchange(self, channel: Channel, caller: Caller = NOBODY) -> Exchange:
        """One attempt of the client behind `channel`, which is `caller` by its own words."""
        return Exchange(self, channel, caller)

    def owned(self, channel: Channel) -> tuple[str, ...]:
        """The identities of the client's certificate that are accounts of this host."""
        return tuple(text for text in channel.certificate_identities if self._is_ours(text))

    def needs_encryption(self, mechanism: str) -> bool:
        """`mechanism` is one that only an encrypted channel is offered."""
        encrypted = Channel(True, {"any": b""}, certificate_identities=(f"any@{self.domain}",))
        return mechanism in self.mechanisms(encrypted)

    def _fits(self, name: str, channel: Channel) -> bool:
        if name == "ANONYMOUS":
            return True
        if base_name(name) not in self.backend.mechanisms:
            return False
        if name.endswith("-PLUS"):
            return channel.secure and bool(channel.bindings)
        if name == "PLAIN":
            return channel.secure or self.settings.plain_without_tls
        if name == "EXTERNAL":
            return channel.secure and bool(self.owned(channel))
        return True

    def _is_ours(self, identity: str) -> bool:
        try:
            jid = JID.parse(identity)
        except JIDError:
            return False
        return jid.domain == self.domain and jid.local is not None


class Exchange:
    """One authentication, from ``<auth/>`` to success or `SaslError`, which ends it."""

    def __init__(self, host: Authenticator, channel: Channel, caller: Caller) -> None:
        self._host, self._channel, self._caller = host, channel, caller
        self._mark = host.changes.mark()
        tokens = host.token_mechanisms(channel)
        self._offered_tokens = tokens if caller.client is not None else ()
        types = host.binding_types(channel)
        self._offer = Offer(
            host.domain,
            host.mechanisms(channel),
            host.ids,
            {name: channel.bindings[name] for name in types},
            host.owned(channel),
            self._offered_tokens if caller.is_token else (),
            confirms=host.settings.confirm_offer,
        )
        self._name = ""
        self._mechanism: ServerMechanism | None = None
        self._claimed: JID | None = None  # who the client says it is
        self._account: JID | None = None  # whose password is being proven
        self._held: Sequence[Held] = ()  # the tokens that may be proven

    async def start(self, mechanism: str, initial: bytes | None) -> Challenge | Success:
        """Begin with `mechanism`; `initial` is None where the client sent no response yet."""
        return await self._told(self._begin(mechanism, initial))

    async def respond(self, data: bytes) -> Challenge | Success:
        """Go on after a challenge."""
        return await self._told(self._go_on(data))

    async def enter(self, success: Success) -> Issued | None:
        """Let the client in, and give it a token if it is to have one. Raises `SaslError`."""
        if self._host.clients is None:
            return None
        try:
            work = self._host.clients.enter(
                success, self._caller, self._channel, self._offered_tokens
            )
            return await work
        except BackendDown as error:
            raise self._unable(error) from None

    def abort(self) -> None:
        """The client gave up, or has gone. Nothing that comes after it is listened to."""
        self._mechanism = None

    async def _told(self, work: Awaitable[Challenge | Success]) -> Challenge | Success:
        """What `work` gives. How the attempt ended is counted, and logged."""
        try:
            step = await work
        except SaslError as error:
            self._tell("log-in failed", error.condition, error.text)
            raise
        if isinstance(step, Success):
            self._claimed = step.jid
            self._tell("logged in", "ok")
        return step

    def _tell(self, event: str, result: str, reason: str = "") -> None:
        """Always these fields, in this order: programs read them."""
        name = self._name if self._name in (*STRENGTH, *TOKEN_MECHANISMS) else "other"
        self._host.attempts[name, result].value += 1
        fields = {
            "address": self._channel.address,
            "host": self._host.domain,
            "account": self._claimed or "-",
            "mechanism": name,
            "result": result,
        }
        log.info(event, extra={**fields, "reason": reason} if reason else fields)

    async def _begin(self, mechanism: str, initial: bytes | None) -> Challenge | Success:
        if self._name:
            raise SaslError("malformed-request", "the exchange has begun")
        self._name = mechanism or "none"
        offer = self._offer
        if mechanism in offer.tokens:  # which names its binding itself, advertised or not
            offer = replace(offer, bindings=self._channel.bindings)
        elif mechanism not in offer.mechanisms:
            raise self._refusal(mechanism)
        self._mechanism = server(mechanism, offer)
        return await self._go_on(initial)

    def _refusal(self, mechanism: str) -> SaslError:
        if not self._channel.secure and self._host.needs_encryption(mechanism):
            return SaslError("encryption-required", f"{mechanism} needs TLS")
        if mechanism in (*HASHES, "DIGEST-MD5", "PLAIN") and self._is_weaker(mechanism):
            return SaslError("mechanism-too-weak", "a stronger one is offered")
        return SaslError("invalid-mechanism", "not offered")

    def _is_weaker(self, mechanism: str) -> bool:
        offered = [STRENGTH.index(name) for name in self._offer.mechanisms if name != "ANONYMOUS"]
        return bool(offered) and STRENGTH.index(mechanism) > max(offered)

    async def _go_on(self, data: bytes | None) -> Challenge | Success:
        mechanism, self._mechanism = self._mechanism, None  # comes back only with a challenge
        if mechanism is None:
            raise SaslError("malformed-request", "no exchange is going on")
        try:
            step = await self._answered(self._judged(partial(mechanism.step, data)))
            if isinstance(step, Challenge):
                self._mechanism = mechanism
                return step
            return await self._admitted(step)
        except BackendDown as error:
            raise self._unable(error) from None

    def _unable(self, error: BackendDown) -> SaslError:
        log.warning("cannot authenticate at %s: %s", self._host.domain, error)
        return SaslError("temporary-auth-failure")

    async def _answered(self, step: Step) -> Challenge | Proven:
        while not isinstance(step, Challenge | Proven):
            authzid = "" if isinstance(step, NeedTokens) else step.authzid
            account = self._identified(step.username, authzid)
            if isinstance(step, NeedPassword):
                step = await self._checked(step, account)
                continue
            self._host.limits.check(account, self._channel.address)
            if isinstance(step, NeedKeys):
                keys = await self._host.backend.keys(account, step.mechanism)
                answer = partial(step.answer, keys)
            else:
                answer = partial(step.answer, await self._tokens(step, account))
            self._account = account
            step = self._judged(answer)
        return step

    async def _tokens(self, step: NeedTokens, account: JID) -> list[bytes]:
        """The secrets of the tokens that the client of `account` may have."""
        clients, client = self._host.clients, self._caller.client
        if clients is None or client is None:
            raise SaslError("invalid-mechanism", "not offered")
        self._held = await clients.held(account, client, step.mechanism)
        return [held.secret for held in self._held]

    async def _checked(self, step: NeedPassword, account: JID) -> Step:
        with self._host.limits.guessing(account, self._channel.address):
            is_right = await self._host.backend.check(account, step.password)
        self._account = account
        return self._judged(partial(step.answer, is_right))

    def _judged(self, prove: Callable[[], Step]) -> Step:
        """The next step; what fails once an account is named is a guess, and counted."""
        if self._account is None:
            return prove()
        self._host.limits.check(self._account, self._channel.address)
        try:
            return prove()
        except SaslError:
            self._host.limits.failed(self._account, self._channel.address)
            raise

    def _identified(self, username: str, authzid: str) -> JID:
        """The account of `username`; the client may act as nobody else (RFC 6120 §6.3.8)."""
        try:
            account = JID.parse(f"{prepare_local(username)}@{self._host.domain}")
        except JIDError:
            raise SaslError("not-authorized") from None  # nobody can be called that
        self._claimed = account
        self._check_authzid(authzid, account)
        return account

    def _check_authzid(self, authzid: str, account: JID) -> None:
        if self._caller.sender not in (None, account):  # XEP-0388 §4.4
            raise SaslError("invalid-authzid", "the stream is opened in somebody else's name")
        if not authzid:
            return
        try:
            wanted = JID.parse(authzid)
        except JIDError:
            raise SaslError("invalid-authzid", "not an XMPP address") from None
        if wanted != account:
            raise SaslError("invalid-authzid", "nobody may act as somebody else")

    async def _admitted(self, proven: Proven) -> Success:
        if self._name == "ANONYMOUS":
            guest = uuid.UUID(bytes=self._host.ids.octets(16), version=4)
            return Success(JID(str(guest), self._host.domain), None, self._name)
        if self._account is None:
            self._account = JID.parse(proven.username)  # EXTERNAL has chosen one of `owned`
            self._check_authzid("", self._account)
        else:
            self._host.limits.passed(self._account, self._channel.address)
        token = self._used(proven.token) if proven.token is not None else None
        await self._host.backend.admit(self._account)
        if self._host.changes.is_void(self._account, self._mark):
            raise SaslError("not-authorized", "changed meanwhile")
        return Success(self._account, proven.data, self._name, token, self._mark)

    def _used(self, secret: bytes) -> Token:
        """The token that was proven, if it may be used. Raises `SaslError`."""
        for held in self._held:
            if held.kept is not None and hmac.compare_digest(held.secret, secret):
                clients = self._host.clients
                if clients is not None:
                    clients.check(held.kept, self._caller.count)
                return held.kept
        raise SaslError("not-authorized")
