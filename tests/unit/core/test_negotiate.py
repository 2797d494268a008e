"""What may be said when, for both sides: the whole of each table."""

from __future__ import annotations

from typing import Any

import pytest

from pyrite.core.errors import StreamError
from pyrite.core.negotiate import (
    RECEIVING,
    Act,
    Authenticate,
    Bind,
    Phase,
    StartTls,
    admit,
    choose,
    features,
)
from pyrite.core.stanza import NS
from pyrite.core.xml import Element, parse

TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
SASL2 = "urn:xmpp:sasl:2"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"

SAID = {
    "starttls": f"<starttls xmlns='{TLS}'/>",
    "proceed": f"<proceed xmlns='{TLS}'/>",
    "auth": f"<auth xmlns='{SASL}'/>",
    "response": f"<response xmlns='{SASL}'/>",
    "abort": f"<abort xmlns='{SASL}'/>",
    "authenticate": f"<authenticate xmlns='{SASL2}'/>",
    "answer": f"<response xmlns='{SASL2}'/>",
    "abandon": f"<abort xmlns='{SASL2}'/>",
    "next": f"<next xmlns='{SASL2}'/>",
    "task-data": f"<task-data xmlns='{SASL2}'/>",
    "success": f"<success xmlns='{SASL2}'/>",
    "bind": f"<iq type='set'><bind xmlns='{BIND}'/></iq>",
    "register": "<iq type='get'><query xmlns='jabber:iq:register'/></iq>",
    "roster": "<iq type='get'><query xmlns='jabber:iq:roster'/></iq>",
    "hidden bind": f"<iq type='set'><x xmlns='u'/><bind xmlns='{BIND}'/></iq>",
    "empty iq": "<iq type='get'/>",
    "message": "<message/>",
    "presence": "<presence/>",
    "other": "<other xmlns='urn:x'/>",
    "old session": "<message xmlns='jabber:server'/>",
    "enable": "<enable xmlns='urn:xmpp:sm:3'/>",
    "resume": "<resume xmlns='urn:xmpp:sm:3'/>",
    "features": "<features xmlns='http://etherx.jabber.org/streams'/>",
    "compress": "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
}

N, U = "not-authorized", "unsupported-stanza-type"
A = Act
#: What each means in the phases PLAIN, SECURE, ASKED, AUTHENTICATED and BOUND; and in CHALLENGED,
#: CONTINUED and TASK, where that is not as little as in ASKED.
MEANS: dict[str, tuple[Act | str, ...]] = {
    "starttls": (A.STARTTLS, A.REFUSE_TLS, N, A.REFUSE_TLS, N),
    "proceed": (N, N, N, N, N),
    "auth": (A.AUTH, A.AUTH, N, N, N),
    "response": (N, N, A.RESPONSE, N, N),
    "abort": (N, N, A.ABORT, N, N),
    "authenticate": (N, A.AUTHENTICATE, N, N, N),
    "answer": (N, N, N, N, N, A.ANSWER, N, N),
    "abandon": (N, N, N, N, N, A.ABANDON, A.ABANDON, A.ABANDON),
    "next": (N, N, N, N, N, N, A.NEXT, N),
    "task-data": (N, N, N, N, N, N, N, A.TASK_DATA),
    "success": (N, N, N, N, N),
    "bind": (N, N, N, A.BIND, A.STANZA),
    "register": (A.REGISTER, A.REGISTER, N, N, A.STANZA),
    "roster": (N, N, N, N, A.STANZA),
    "hidden bind": (N, N, N, N, A.STANZA),
    "empty iq": (N, N, N, N, A.STANZA),
    "message": (N, N, N, N, A.STANZA),
    "presence": (N, N, N, N, A.STANZA),
    "other": (U, U, U, A.EARLY, U),
    "old session": (U, U, U, A.EARLY, U),
    "enable": (A.EARLY, A.EARLY, U, A.EARLY, U),
    "resume": (A.EARLY, A.EARLY, U, A.EARLY, U),
    "features": (U, U, U, U, U),
    "compress": (U, U, U, A.EARLY, U),
}


def means(said: str) -> tuple[Act | str, ...]:
    """For each phase."""
    told = MEANS[said]
    nothing = told[2] if isinstance(told[2], str) else N
    return told + (nothing,) * (len(Phase) - len(told))


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("phase", list(Phase), ids=str)
def test_what_is_meant(phase: Phase, said: str) -> None:
    """RFC 6120 §4.3, §4.9.3.12, §4.9.3.24."""
    element = parse(SAID[said], NS)
    meant = means(said)[list(Phase).index(phase)]
    if isinstance(meant, Act):
        assert admit(phase, element) is meant
        return
    with pytest.raises(StreamError) as caught:
        admit(phase, element)
    assert caught.value.condition == meant


def test_all_of_the_table_is_tried() -> None:
    tried = {(p, m) for said in MEANS for p, m in zip(Phase, means(said), strict=True)}
    assert {(phase, act) for (phase, _, _), act in RECEIVING.items()} <= tried


# --- the initiating side ---------------------------------------------------------------

STARTTLS = f"<starttls xmlns='{TLS}'/>"
MECHANISMS = (
    f"<mechanisms xmlns='{SASL}'><mechanism>A</mechanism><mechanism>B</mechanism></mechanisms>"
)
BINDINGS = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='x'/></sasl-channel-binding>"  # noqa: E501
OFFERED_BIND = f"<bind xmlns='{BIND}'/>"


def offered(*offers: str) -> Element:
    return features([parse(offer) for offer in offers])


CHOICES: list[tuple[Phase, tuple[str, ...], dict[str, Any], object]] = [
    (Phase.PLAIN, (STARTTLS, MECHANISMS), {}, StartTls()),
    (Phase.PLAIN, (STARTTLS,), {"must_encrypt": False}, StartTls()),
    (Phase.PLAIN, (MECHANISMS,), {}, "policy-violation"),
    (Phase.PLAIN, (), {}, "policy-violation"),
    (Phase.PLAIN, (MECHANISMS,), {"must_encrypt": False}, Authenticate(("A", "B"))),
    (Phase.SECURE, (MECHANISMS,), {}, Authenticate(("A", "B"))),
    (Phase.SECURE, (MECHANISMS, BINDINGS), {}, Authenticate(("A", "B"), ("x",))),
    (Phase.SECURE, (STARTTLS, OFFERED_BIND), {}, "unsupported-feature"),
    (Phase.AUTHENTICATED, (OFFERED_BIND, MECHANISMS), {}, Bind()),
    (Phase.AUTHENTICATED, (MECHANISMS,), {}, "unsupported-feature"),
    (Phase.BOUND, (OFFERED_BIND,), {}, "unsupported-feature"),
]


@pytest.mark.parametrize(("phase", "offers", "options", "chosen"), CHOICES)
def test_what_is_chosen(
    phase: Phase, offers: tuple[str, ...], options: dict[str, Any], chosen: object
) -> None:
    """§4.3.5; a server that offers no encryption gets no password (§5.3.1)."""
    if not isinstance(chosen, str):
        assert choose(phase, offered(*offers), **options) == chosen
        return
    with pytest.raises(StreamError) as caught:
        choose(phase, offered(*offers), **options)
    assert caught.value.condition == chosen
