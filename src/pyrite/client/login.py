"""From a connection to a session: the newest way that the server offers (RFC 6120, XEP-0388)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeVar

from ..core.errors import SaslError, StanzaError, StreamError
from ..core.frozen import frozen
from ..core.jid import JID
from ..core.negotiate import NS_TLS
from ..core.payload import decode, encode, name_of
from ..core.sasl import (
    STRENGTH,
    TOKEN_MECHANISMS,
    Advertised,
    ClientMechanism,
    Credentials,
    HtClient,
    UntrustedServer,
)
from ..core.sasl import choose as choose_mechanism
from ..core.stanza import Iq, read
from ..core.xml import Element, Name
from ..kit.ids import Ids
from ..wire import acks, bind, bind2, carbons, fast, sasl, sasl2, tls
from .account import Account, Memory, Token
from .errors import AuthenticationFailed, ResumeUnanswered
from .link import Link

P = TypeVar("P")
T = TypeVar("T")


@frozen
class Resumable:
    """A session that the server may still have (XEP-0198 §5)."""

    id: str
    handled: int  # of the server's stanzas


@frozen
class Session:
    """What a log-in has led to."""

    jid: JID  # full
    features: Element  # of the stream, as last offered
    mechanism: str
    resumed: acks.Resumed | None = None  # the old session goes on
    failed: acks.Failed | None = None  # it does not; `h` of what had arrived, if known
    enabled: acks.Enabled | None = None  # the new session is acknowledged
    with_carbons: bool = False


class LogIn:
    """One log-in on one link. `memory` is what is kept; read it again afterwards."""

    def __init__(
        self,
        account: Account,
        link: Link,
        memory: Memory,
        ids: Ids,
        old: Resumable | None,
        *,
        carbons: bool = False,
        fetches: bool = False,
    ) -> None:
        """`carbons`: ask for copies along with the log-in, where the server knows how.

        `fetches`: what was missed is asked of the archive. Only then may the address be bound along
        with the log-in, for that clears what waits in offline storage (XEP-0386 §3.2).
        """
        self._fetches = fetches
        self.account, self.link, self.memory = account, link, memory
        self._ids, self._old = ids, old
        self._resource = account.jid.resource
        self._asked = ""  # the mechanism that a token was asked for
        self._wants_carbons, self._with_carbons = carbons, False

    async def run(self) -> Session:
        """Log in. Raises `AuthenticationFailed`, `UntrustedServer`, `StreamError`, `TlsError`,
        `LinkEnded`, and `TimeoutError`."""
        features = await self._open()
        if not self.link.is_secure and features.child(NS_TLS, "starttls") is not None:
            await self._start_tls()
            features = await self._open()
        if not self.link.is_secure and self.account.trust.encrypted:
            raise StreamError("policy-violation", "the server offers no encryption")
        try:
            offered = features.child(sasl2.NS, "authentication")
            if offered is not None and self.link.is_secure:
                return await self._newer(decode(sasl2.Authentication, offered), features)
            return await self._older(features)
        except UntrustedServer:
            raise
        except SaslError as error:
            raise AuthenticationFailed(error) from None
        except StanzaError as error:
            raise StreamError("bad-format", str(error)) from None

    async def _open(self) -> Element:
        """Begin a stream, and say who it is for, but to nobody else (RFC 6120 §4.7.1)."""
        account = self.account
        is_told = self.link.is_secure and not account.is_anonymous
        sender = str(account.jid.bare) if is_told else ""
        return await self.link.open(account.jid.domain, account.lang, sender)

    async def _start_tls(self) -> None:
        self.link.send(tls.StartTls())
        answer = await self.link.next()
        if answer.name.ns != NS_TLS or answer.name.tag != "proceed":
            raise StreamError("policy-violation", "the server refuses to encrypt")
        await self.link.start_tls()

    # --- choosing --------------------------------------------------------------------

    def _advertised(
        self, mechanisms: Sequence[str], features: Element, *, newer: bool = False
    ) -> Advertised:
        listed = features.child(sasl.NS_BINDINGS, "sasl-channel-binding")
        types = decode(sasl.Bindings, listed).types if listed is not None else ()
        link = self.link
        domain, names = self.account.jid.domain, tuple(mechanisms)
        return Advertised(domain, names, types, link.bindings, link.is_secure, newer)

    def _chosen(self, offer: Advertised) -> ClientMechanism:
        """The strongest; and none that is weaker than one that has worked (XEP-0474 §5)."""
        for make in self.account.mechanisms:
            if (own := make(offer)) is not None:
                return own
        account = self.account
        allowed = ("ANONYMOUS",) if account.is_anonymous else account.allowed
        known = self.memory.mechanism
        if known in STRENGTH and known != "EXTERNAL":
            floor = STRENGTH.index("SCRAM-SHA-1" if known.startswith("SCRAM") else known)
            allowed = [name for name in STRENGTH[: floor + 1] if name in allowed]
        has_certificate = account.trust.identity is not None
        is_external = has_certificate and "EXTERNAL" in offer.mechanisms and "EXTERNAL" in allowed
        credentials = Credentials(
            account.jid.local or "",
            account.password or "",
            str(account.jid.bare) if is_external else "",  # it may have several (XEP-0178 §3)
            has_certificate,
        )
        return choose_mechanism(offer, credentials, self._ids(), allowed)

    def _remember(self, mechanism: str) -> None:
        """It has worked. Who needs no password this time may be asked for it the next time."""
        is_known = self.memory.mechanism in STRENGTH
        if not is_known or (mechanism in STRENGTH and mechanism != "EXTERNAL"):
            self.memory = replace(self.memory, mechanism=mechanism)

    # --- SASL as in RFC 6120, then binding -------------------------------------------

    async def _older(self, features: Element) -> Session:
        listed = features.child(sasl.NS, "mechanisms")
        if listed is None:
            raise StreamError("unsupported-feature", "the server offers no authentication")
        names = decode(sasl.Mechanisms, listed).names
        mechanism = self._chosen(self._advertised(names, features))
        self.link.send(sasl.Auth(mechanism.name, sasl.pack(await _away(mechanism.start))))
        while (answer := await self.link.next()).name.tag == "challenge":
            challenge = sasl.unpack(decode(sasl.Challenge, answer).encoded) or b""
            response = await _away(mechanism.step, challenge)
            self.link.send(sasl.Response(sasl.pack(response)))
        if answer.name != (sasl.NS, "success"):
            raise mechanism.refused(decode(sasl.Failure, answer).error)
        mechanism.finish(sasl.unpack(decode(sasl.Success, answer).encoded))
        self._remember(mechanism.name)
        return await self._session(await self._open(), mechanism.name)

    async def _session(self, features: Element, mechanism: str) -> Session:
        """Resume, or else bind, and ask for acknowledgements."""
        has_acks = features.child(acks.NS, "sm") is not None
        failed: acks.Failed | None = None
        if has_acks and self._old is not None:
            self.link.send(acks.Resume(self._old.id, self._old.handled))
            answer = await self._resumption()
            if answer.name == (acks.NS, "resumed"):
                resumed = decode(acks.Resumed, answer)
                return Session(self.account.jid, features, mechanism, resumed=resumed)
            failed = decode(acks.Failed, answer)
        jid = await self._bind()
        enabled = await self._enable() if has_acks else None
        return Session(jid, features, mechanism, failed=failed, enabled=enabled)

    async def _resumption(self) -> Element:
        try:
            return await self.link.next()
        except TimeoutError:
            raise _unanswered() from None

    async def _bind(self) -> JID:
        request = Iq("set", id=self._ids()).add(bind.Bind(resource=self._resource))
        self.link.send(request.to_element())
        answer = read(await self.link.next())
        if answer.error is not None:
            raise answer.error
        bound = answer.get(bind.Bind)
        if answer.id != request.id or bound is None or bound.jid is None:
            raise StreamError("bad-format", "the server gave no address")
        return bound.jid

    async def _enable(self) -> acks.Enabled | None:
        self.link.send(acks.Enable(resume=True))
        answer = await self.link.next()
        return decode(acks.Enabled, answer) if answer.name == (acks.NS, "enabled") else None

    # --- SASL2, with all that it can do at once --------------------------------------

    async def _newer(self, offered: sasl2.Authentication, features: Element) -> Session:
        inline = {e.name.ns: e for e in offered.inline.features} if offered.inline else {}
        advertised = self._advertised(offered.mechanisms, features, newer=True)
        token, mechanism = self._with_token(inline, advertised)
        if mechanism is None:
            mechanism = self._chosen(advertised)
        wishes = [encode(one) for one in self._wishes(inline, advertised, token)]
        agent = sasl2.UserAgent(
            self.memory.device, self.account.software, self.account.device or None
        )
        initial = sasl2.pack(await _away(mechanism.start))
        self.link.send(sasl2.Authenticate(mechanism.name, initial, agent, wishes=tuple(wishes)))
        try:
            success = await self._exchange(mechanism)
        except UntrustedServer:
            raise
        except SaslError:
            if token is None:
                raise
            self.memory = replace(self.memory, token=None)  # it is used up: the password, then
            return await self._newer(offered, features)
        except TimeoutError:
            if self._old is None or acks.NS not in inline:
                raise
            raise _unanswered() from None
        if token is None:
            self._remember(mechanism.name)
        return await self._begun(success, features, mechanism.name)

    async def _exchange(self, mechanism: ClientMechanism) -> sasl2.Success:
        while True:
            answer = await self.link.next()
            match answer.name.tag if answer.name.ns == sasl2.NS else "":
                case "challenge":
                    challenge = sasl2.unpack(decode(sasl2.Challenge, answer).encoded)
                    response = await _away(mechanism.step, challenge)
                    self.link.send(sasl2.Response(sasl2.pack(response) or ""))
                case "success":
                    success = decode(sasl2.Success, answer)
                    data = success.additional
                    mechanism.finish(None if data is None else sasl2.unpack(data))
                    return success
                case "failure":
                    raise mechanism.refused(decode(sasl2.Failure, answer).error)
                case "continue":
                    raise SaslError("aborted", "the server wants more than a password")
                case _:
                    raise StreamError("bad-format", f"{answer.name.tag} in an authentication")

    def _with_token(
        self, inline: dict[str, Element], offer: Advertised
    ) -> tuple[Token | None, ClientMechanism | None]:
        """The mechanism for the token that we have, if the server would take it."""
        token, offered = self.memory.token, inline.get(fast.NS)
        if token is None or offered is None or self.account.is_anonymous:
            return None, None
        if token.mechanism not in decode(fast.Fast, offered).mechanisms:
            return None, None
        binding = TOKEN_MECHANISMS.get(token.mechanism, "?")
        if binding and binding not in (offer.bindings or {}):
            return None, None
        username = self.account.jid.local or ""
        return token, HtClient(token.mechanism, username, token.secret, offer.bindings or {})

    def _wishes(
        self, inline: dict[str, Element], offer: Advertised, token: Token | None
    ) -> list[Any]:
        """What is asked for together with the log-in."""
        wishes: list[Any] = []
        if token is not None:
            count = token.count + 1
            self.memory = replace(self.memory, token=replace(token, count=count))
            wishes.append(fast.Fast(count=count))
        elif fast.NS in inline and not self.account.is_anonymous:
            names = decode(fast.Fast, inline[fast.NS]).mechanisms
            if name := _best_token(names, offer):
                self._asked = name
                wishes.append(fast.RequestToken(name))
        if self._old is not None and acks.NS in inline:
            wishes.append(acks.Resume(self._old.id, self._old.handled))
        if bind2.NS in inline and self._fetches:
            wishes.append(self._binding(decode(bind2.Bind, inline[bind2.NS])))
        return wishes

    def _binding(self, offered: bind2.Bind) -> bind2.Bind:
        known = {one.var for one in offered.inline.features} if offered.inline else set()
        if not self._wants_carbons:
            known.discard(carbons.NS)
        wanted = ((acks.NS, acks.Enable(resume=True)), (carbons.NS, carbons.Enable()))
        wishes = tuple(encode(wish) for ns, wish in wanted if ns in known)
        self._with_carbons = carbons.NS in known
        tag = self._resource or self.account.software
        return bind2.Bind(tag=tag, wishes=wishes)

    async def _begun(self, success: sasl2.Success, features: Element, mechanism: str) -> Session:
        """What came of the wishes; by the older way what is left to do (XEP-0386 §3.3)."""
        results = {element.name: element for element in success.results}
        if (given := _find(results, fast.Token)) is not None:
            kept = self.memory.token
            kind = kept.mechanism if kept else self._asked
            self.memory = replace(self.memory, token=Token(kind, given.token, given.expiry))
        if (resumed := _find(results, acks.Resumed)) is not None:
            return Session(self.account.jid, features, mechanism, resumed=resumed)
        failed = _find(results, acks.Failed)
        bound = _find(results, bind2.Bound)
        if bound is None:
            self._old = None if failed is not None else self._old
            again = await self.link.next()  # features, without a new stream (XEP-0388 §2.6.1)
            session = await self._session(again, mechanism)
            return replace(session, failed=session.failed or failed)
        if success.identifier is None or success.identifier.resource is None:
            raise StreamError("bad-format", "the server gave no address")
        told = {element.name: element for element in bound.results}
        return Session(
            success.identifier,
            features,
            mechanism,
            failed=failed,
            enabled=_find(told, acks.Enabled),
            with_carbons=self._with_carbons,
        )


def load() -> None:
    """Import what a session may need at any time, and no program needs before; 10 ms.

    Away from the loop, then: else the first address beyond ASCII would hold it.
    """
    for name in ("uuid", "pyrite.core.international"):
        import_module(name)


def new_memory() -> Memory:
    """Of an account that was never used on this device."""
    from uuid import uuid4

    return Memory(str(uuid4()))


def _best_token(names: Collection[str], offer: Advertised) -> str:
    """The strongest of the mechanisms with a token that this channel can do; empty for none."""
    bindings = {"", *(offer.bindings or {})}
    usable = (name for name, binding in TOKEN_MECHANISMS.items() if binding in bindings)
    return next((name for name in usable if name in names), "")


def _unanswered() -> ResumeUnanswered:
    return ResumeUnanswered("the server does not answer who resumes")


def _find(elements: Mapping[Name, Element], cls: type[P]) -> P | None:
    element = elements.get(name_of(cls))
    return None if element is None else decode(cls, element)


async def _away(function: Callable[..., T], *args: Any) -> T:
    """Run it in a thread: to prove a password takes longer than a turn of the loop may."""
    return await asyncio.to_thread(function, *args)
