"""Log-ins by XEP-0388, as a client does them that is in a hurry."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from pyrite.core.payload import decode
from pyrite.core.sasl import Advertised, Credentials, HtClient, choose
from pyrite.core.xml import Element
from pyrite.wire import bind2, fast, sasl2

from .peer import PASSWORD
from .service import NS_STREAMS, VERONA, Client

NS, NS_BIND, NS_FAST = sasl2.NS, bind2.NS, fast.NS
PHONE, TABLET = "d4565fa7-4d72-4749-b3d3-740edbf87770", "11111111-2222-4333-8444-555555555555"

EXPR, ENDP, NONE = "HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"
SHA = "SCRAM-SHA-256"
BIND = f"<bind xmlns='{NS_BIND}'><tag>test</tag></bind>"
IS_TOKEN = f"<fast xmlns='{NS_FAST}'/>"


def bind(*wishes: str, tag: str = "test") -> str:
    return f"<bind xmlns='{NS_BIND}'><tag>{tag}</tag>{''.join(wishes)}</bind>"


def want(mechanism: str = EXPR) -> str:
    return f"<request-token xmlns='{NS_FAST}' mechanism='{mechanism}'/>"


def agent(id: str | None = PHONE) -> str:
    told = "<software>Test</software><device>desk</device>"
    return f"<user-agent id='{id}'>{told}</user-agent>" if id else ""


def authenticate(
    mechanism: str, initial: bytes | str | None, *inside: str, id: str | None = PHONE
) -> str:
    text = b64encode(initial).decode() if isinstance(initial, bytes) else initial
    first = "" if text is None else f"<initial-response>{text}</initial-response>"
    return (
        f"<authenticate xmlns='{NS}' mechanism='{mechanism}'>{first}{agent(id)}"
        f"{''.join(inside)}</authenticate>"
    )


def plain(name: str = "romeo", password: str = PASSWORD, authzid: str = "") -> bytes:
    return f"{authzid}\0{name}\0{password}".encode()


def respond(data: bytes) -> str:
    return f"<response xmlns='{NS}'>{b64encode(data).decode()}</response>"


def header(sender: str = "", to: str = VERONA) -> str:
    own = f" from='{sender}'" if sender else ""
    return (
        f"<?xml version='1.0'?><stream:stream to='{to}'{own} version='1.0' xmlns='jabber:client'"
        f" xmlns:stream='{NS_STREAMS}'>"
    )


@dataclass
class Entered:
    """What came of a log-in. `asked`: how often the client had to wait for the server."""

    success: sasl2.Success
    features: Element | None
    asked: int

    results: dict[str, Element] = field(init=False)  # by tag

    def __post_init__(self) -> None:
        self.results = {element.name.tag: element for element in self.success.results}

    @property
    def token(self) -> str:
        """The token that the client was given; empty for none."""
        found = self.results.get("token")
        return decode(fast.Token, found).token if found else ""

    @property
    def bound(self) -> tuple[Element, ...]:
        return decode(bind2.Bound, self.results["bound"]).results


def offered(client: Client) -> sasl2.Authentication | None:
    """By the features that came last."""
    found = client.features.child(NS, "authentication")
    return decode(sasl2.Authentication, found) if found else None


async def enter(
    client: Client,
    *inside: str,
    name: str = "romeo",
    password: str = PASSWORD,
    mechanism: str = f"{SHA}-PLUS",
    id: str | None = PHONE,
) -> Entered:
    """A whole log-in by password. Fails the test if it fails."""
    told = offered(client)
    assert told
    advertised = Advertised(VERONA, told.mechanisms, client.bindings, client.own_bindings)
    ours = choose(advertised, Credentials(name, password), "fresh-and-unguessable", [mechanism])
    answer = await client.ask(authenticate(mechanism, ours.start(), *inside, id=id))
    asked = 1
    while answer.name.tag == "challenge":
        data = sasl2.unpack(decode(sasl2.Challenge, answer).encoded)
        answer = await client.ask(respond(ours.step(data)))
        asked += 1
    entered = await finish(client, answer, asked)
    said = entered.success.additional
    ours.finish(None if said is None else sasl2.unpack(said))
    return entered


async def come(
    client: Client,
    token: str,
    *inside: str,
    name: str = "romeo",
    mechanism: str = EXPR,
    id: str | None = PHONE,
    fast: str = IS_TOKEN,
) -> Entered:
    """A whole log-in by token. Fails the test if it fails."""
    ours = HtClient(mechanism, name, token, client.own_bindings)
    answer = await client.ask(authenticate(mechanism, ours.start(), fast, *inside, id=id))
    entered = await finish(client, answer, 1)
    ours.finish(sasl2.unpack(entered.success.additional or ""))
    return entered


async def finish(client: Client, answer: Element, asked: int) -> Entered:
    assert answer.name == (NS, "success"), answer
    success = decode(sasl2.Success, answer)
    is_resumed = any(element.name.tag == "resumed" for element in success.results)
    entered = Entered(success, None if is_resumed else await client.element(), asked)
    assert is_resumed or (entered.features and entered.features.name == (NS_STREAMS, "features"))
    return entered


async def refused(
    client: Client,
    token: str,
    *inside: str,
    name: str = "romeo",
    mechanism: str = EXPR,
    id: str | None = PHONE,
    fast: str = IS_TOKEN,
) -> str:
    """The condition that a log-in by token fails with."""
    ours = HtClient(mechanism, name, token, client.own_bindings)
    return failure(await client.ask(authenticate(mechanism, ours.start(), fast, *inside, id=id)))


def failure(answer: Element) -> str:
    """The condition of a failure. Fails the test for anything else."""
    assert answer.name == (NS, "failure"), answer
    return decode(sasl2.Failure, answer).error.condition
