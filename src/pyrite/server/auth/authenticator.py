"""What a host offers to a channel, and the exchanges that come of it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ...core.errors import SaslError
from ...core.jid import JID, JIDError, prepare_local
from ...core.sasl import (
    BINDINGS,
    HASHES,
    STRENGTH,
    Challenge,
    NeedKeys,
    NeedPassword,
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
from .backend import Backend, BackendDown
from .channel import Channel, Success
from .limits import Limits
from .settings import AuthSettings

if TYPE_CHECKING:
    from ..accounts import Accounts

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        limits: Limits | None = None,
        ids: Ids | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.domain = domain
        self.settings = settings
        self.backend: Backend = backend or accounts.backend
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

    def exchange(self, channel: Channel) -> Exchange:
        """One attempt of the client behind `channel`."""
        return Exchange(self, channel)

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

    def __init__(self, host: Authenticator, channel: Channel) -> None:
        self._host, self._channel = host, channel
        types = host.binding_types(channel)
        self._offer = Offer(
            host.domain,
            host.mechanisms(channel),
            host.ids,
            {name: channel.bindings[name] for name in types},
            host.owned(channel),
            confirms=host.settings.confirm_offer,
        )
        self._name = ""
        self._mechanism: ServerMechanism | None = None
        self._claimed: JID | None = None  # who the client says it is
        self._account: JID | None = None  # whose password is being proven

    async def start(self, mechanism: str, initial: bytes | None) -> Challenge | Success:
        """Begin with `mechanism`; `initial` is None where the client sent no response yet."""
        return await self._told(self._begin(mechanism, initial))

    async def respond(self, data: bytes) -> Challenge | Success:
        """Go on after a challenge."""
        return await self._told(self._go_on(data))

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
        name = self._name if self._name in STRENGTH else "other"
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
        if mechanism not in self._offer.mechanisms:
            raise self._refusal(mechanism)
        self._mechanism = server(mechanism, self._offer)
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
            log.warning("cannot authenticate at %s: %s", self._host.domain, error)
            raise SaslError("temporary-auth-failure") from None

    async def _answered(self, step: Step) -> Challenge | Proven:
        while isinstance(step, NeedKeys | NeedPassword):
            account = self._identified(step)
            if isinstance(step, NeedKeys):
                self._host.limits.check(account, self._channel.address)
                keys = await self._host.backend.keys(account, step.mechanism)
                self._account = account
                step = self._judged(partial(step.answer, keys))
            else:
                step = await self._checked(step, account)
        return step

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

    def _identified(self, step: NeedKeys | NeedPassword) -> JID:
        """The account that `step` is about; the client may act as nobody else (RFC 6120 §6.3.8)."""
        try:
            account = JID.parse(f"{prepare_local(step.username)}@{self._host.domain}")
        except JIDError:
            raise SaslError("not-authorized") from None  # nobody can be called that
        self._claimed = account
        self._check_authzid(step.authzid, account)
        return account

    def _check_authzid(self, authzid: str, account: JID) -> None:
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
        else:
            self._host.limits.passed(self._account, self._channel.address)
        await self._host.backend.admit(self._account)
        return Success(self._account, proven.data, self._name)
