"""What may be said when, until a stream carries stanzas: one table for each side.

RFC 6120 §4.3: TLS, then authentication, then a resource. The receiving side asks `admit`
what an element means in the phase it is in; the initiating side asks `choose` what to do
about the features it was offered. Neither does it: that is for who owns the socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from .errors import StreamError
from .frozen import frozen
from .stanza import NS
from .stream import NS_STREAM
from .xml import Element, Name

NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NS_SASL2 = "urn:xmpp:sasl:2"
NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
NS_ACKS = "urn:xmpp:sm:3"
NS_REGISTER = "jabber:iq:register"
NS_PREAUTH = "urn:xmpp:pars:0"
NS_REGISTER_FEATURE = "http://jabber.org/features/iq-register"

FEATURES = Name(NS_STREAM, "features")

#: How far a stream has come. ASKED is SECURE with an authentication under way, CHALLENGED the same
#: by XEP-0388; CONTINUED has proven enough, and has a task left; TASK is at it.
Phase = Enum("Phase", "PLAIN SECURE ASKED AUTHENTICATED BOUND CHALLENGED CONTINUED TASK")

#: What the receiving side is asked for. EARLY is a feature's own element, before any session.
Act = Enum(
    "Act",
    "STARTTLS REFUSE_TLS AUTH RESPONSE ABORT BIND EARLY REGISTER STANZA"
    " AUTHENTICATE ANSWER ABANDON NEXT TASK_DATA",
)

_STARTTLS, _AUTH = Name(NS_TLS, "starttls"), Name(NS_SASL, "auth")
_RESPONSE, _ABORT = Name(NS_SASL, "response"), Name(NS_SASL, "abort")
_ENABLE, _RESUME = Name(NS_ACKS, "enable"), Name(NS_ACKS, "resume")
_AUTHENTICATE, _ABANDON = Name(NS_SASL2, "authenticate"), Name(NS_SASL2, "abort")
_IQ, _MESSAGE, _PRESENCE = Name(NS, "iq"), Name(NS, "message"), Name(NS, "presence")
_STANZAS = frozenset((_IQ, _MESSAGE, _PRESENCE))

#: (phase, element, namespace of an IQ's payload) -> what it asks for. ``None``: any.
RECEIVING: dict[tuple[Phase, Name, str | None], Act] = {
    (Phase.PLAIN, _STARTTLS, None): Act.STARTTLS,
    (Phase.PLAIN, _AUTH, None): Act.AUTH,
    (Phase.PLAIN, _ENABLE, None): Act.EARLY,
    (Phase.PLAIN, _RESUME, None): Act.EARLY,
    (Phase.PLAIN, _IQ, NS_REGISTER): Act.REGISTER,
    (Phase.PLAIN, _IQ, NS_PREAUTH): Act.REGISTER,
    (Phase.SECURE, _STARTTLS, None): Act.REFUSE_TLS,
    (Phase.SECURE, _AUTH, None): Act.AUTH,
    (Phase.SECURE, _AUTHENTICATE, None): Act.AUTHENTICATE,  # never before TLS (XEP-0388 §3)
    (Phase.CHALLENGED, Name(NS_SASL2, "response"), None): Act.ANSWER,
    (Phase.CHALLENGED, _ABANDON, None): Act.ABANDON,
    (Phase.CONTINUED, Name(NS_SASL2, "next"), None): Act.NEXT,
    (Phase.CONTINUED, _ABANDON, None): Act.ABANDON,
    (Phase.TASK, Name(NS_SASL2, "task-data"), None): Act.TASK_DATA,
    (Phase.TASK, _ABANDON, None): Act.ABANDON,
    (Phase.SECURE, _ENABLE, None): Act.EARLY,  # to be refused, which ends no stream
    (Phase.SECURE, _RESUME, None): Act.EARLY,
    (Phase.SECURE, _IQ, NS_REGISTER): Act.REGISTER,
    (Phase.SECURE, _IQ, NS_PREAUTH): Act.REGISTER,
    (Phase.ASKED, _RESPONSE, None): Act.RESPONSE,
    (Phase.ASKED, _ABORT, None): Act.ABORT,
    (Phase.AUTHENTICATED, _STARTTLS, None): Act.REFUSE_TLS,
    (Phase.AUTHENTICATED, _IQ, NS_BIND): Act.BIND,
    (Phase.BOUND, _IQ, None): Act.STANZA,
    (Phase.BOUND, _MESSAGE, None): Act.STANZA,
    (Phase.BOUND, _PRESENCE, None): Act.STANZA,
}


def admit(phase: Phase, element: Element) -> Act:
    """What the peer asks for with `element` in `phase`.

    Raises `StreamError`: ``not-authorized`` for what comes before its time (§4.9.3.12, §7.1),
    ``unsupported-stanza-type`` for what has no time (§4.9.3.24).
    """
    name = element.name
    act = RECEIVING.get((phase, name, None))
    if act is None and name == _IQ:
        payload = next(element.elements, None)
        act = RECEIVING.get((phase, name, payload.name.ns)) if payload else None
    if act is not None:
        return act
    if name in _STANZAS or name.ns in (NS_SASL, NS_SASL2, NS_TLS):
        raise StreamError("not-authorized", f"{name.tag} may not be sent now")
    if phase is Phase.AUTHENTICATED and name.ns != NS_STREAM:
        return Act.EARLY
    raise StreamError("unsupported-stanza-type", name.tag[:64])


def features(offers: Sequence[Element]) -> Element:
    """``<stream:features/>`` (§4.3.2)."""
    return Element(FEATURES, children=tuple(offers))


# --- the initiating side ----------------------------------------------------------------


@frozen
class StartTls:
    """Send ``<starttls/>`` and await ``<proceed/>``."""


@frozen
class Authenticate:
    """Choose one of these mechanisms; `bindings` as XEP-0440 announces, empty if it does not."""

    mechanisms: tuple[str, ...]
    bindings: tuple[str, ...] = ()


@frozen
class Bind:
    """Ask for a resource (§7)."""


NextStep = StartTls | Authenticate | Bind


def choose(phase: Phase, offered: Element, *, must_encrypt: bool = True) -> NextStep:
    """What to do about the features `offered` in `phase` (§4.3.5).

    Raises `StreamError`: ``policy-violation`` where TLS is wanted and not offered,
    ``unsupported-feature`` where nothing offered leads on.
    """
    match phase:
        case Phase.PLAIN if offered.child(*_STARTTLS):
            return StartTls()
        case Phase.PLAIN if must_encrypt:
            raise StreamError("policy-violation", "the server offers no encryption")
        case Phase.PLAIN | Phase.SECURE:
            return _authenticate(offered)
        case Phase.AUTHENTICATED if offered.child(NS_BIND, "bind"):
            return Bind()
    raise StreamError("unsupported-feature", "nothing offered leads on from here")


NS_CHANNEL_BINDING = "urn:xmpp:sasl-cb:0"


def _authenticate(offered: Element) -> Authenticate:
    listed = offered.child(NS_SASL, "mechanisms")
    if listed is None:
        raise StreamError("unsupported-feature", "the server offers no authentication")
    mechanisms = tuple(e.text for e in listed.elements if e.name.tag == "mechanism")
    binding = offered.child(NS_CHANNEL_BINDING, "sasl-channel-binding")
    types = tuple(e.attrs.get("type", "") for e in binding.elements) if binding else ()
    return Authenticate(mechanisms, types)
