"""Extensible SASL Profile: authentication, and whatever a stream is to be afterwards, at once."""

from __future__ import annotations

import re

from ..core.errors import SASL_CONDITIONS, SaslError
from ..core.jid import JID
from ..core.payload import anything, attr, child, child_text, child_texts, children, payload, text
from ..core.sasl import decode_base64, encode_base64
from ..core.xml import Element, Name
from . import Spec
from . import sasl as sasl1
from .upgrade import Upgrade

SPEC = Spec("XEP-0388", "1.0.4", "Extensible SASL Profile")
NS = "urn:xmpp:sasl:2"

MAX_DESCRIPTION = 128  # characters of a client's words about itself that are listened to

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


@payload(NS, "inline")
class Inline:
    """What can be asked for together with the authentication (§2.1)."""

    features: tuple[Element, ...] = anything(default=())


@payload(NS, "authentication")
class Authentication:
    """The stream feature: the mechanisms, best first, and all that goes with them (§2.1)."""

    mechanisms: tuple[str, ...] = child_texts("mechanism", default=())
    inline: Inline | None = child(default=None)
    upgrades: tuple[Upgrade, ...] = children(default=())


@payload(NS, "user-agent")
class UserAgent:
    """The client's word on itself, for its account alone (§2.3). Its `id` is one installation's."""

    id: str | None = attr(default=None)
    software: str | None = child_text(default=None)
    device: str | None = child_text(default=None)


@payload(NS, "authenticate")
class Authenticate:
    """Begin with `mechanism`; `wishes` are for when it has succeeded (§2.3)."""

    mechanism: str = attr(default="")
    initial: str | None = child_text("initial-response", default=None)
    user_agent: UserAgent | None = child(default=None)
    upgrades: tuple[Upgrade, ...] = children(default=())
    wishes: tuple[Element, ...] = anything(default=())


@payload(NS, "challenge")
class Challenge:
    """The server's next message (§2.5)."""

    encoded: str = text(default="")


@payload(NS, "response")
class Response:
    """The client's next message (§2.5)."""

    encoded: str = text(default="")


@payload(NS, "abort")
class Abort:
    """The client gives up this exchange (§4.5)."""

    text: str | None = child_text(default=None)
    more: tuple[Element, ...] = anything(default=())


@payload(NS, "success")
class Success:
    """The end: who the client is now, and what came of its wishes (§2.6.1)."""

    additional: str | None = child_text("additional-data", default=None)
    identifier: JID | None = child_text("authorization-identifier", default=None)
    results: tuple[Element, ...] = anything(default=())


@payload(NS, "failure")
class Failure:
    """The server ends this exchange; `error` says why (§2.6.2)."""

    conditions: tuple[Element, ...] = anything(default=())
    text: str | None = child_text(default=None)

    @property
    def error(self) -> SaslError:
        """What went wrong; ``not-authorized`` where the condition is none that is defined."""
        known = (e.name.tag for e in self.conditions if e.name.ns == sasl1.NS)
        condition = next((tag for tag in known if tag in SASL_CONDITIONS), "not-authorized")
        return SaslError(condition, self.text or "")


@payload(NS, "tasks")
class Tasks:
    """By name; the client chooses one (§2.6.3)."""

    names: tuple[str, ...] = child_texts("task", default=())


@payload(NS, "continue")
class Continue:
    """The client has proven who it is, and something is left to do (§2.6.3)."""

    additional: str | None = child_text("additional-data", default=None)
    tasks: Tasks = child(default=Tasks())
    text: str | None = child_text(default=None)


@payload(NS, "next")
class Next:
    """The client begins a task (§2.6.3)."""

    task: str = attr(default="")
    data: tuple[Element, ...] = anything(default=())


@payload(NS, "task-data")
class TaskData:
    """What either side says in a task (§2.6.3)."""

    data: tuple[Element, ...] = anything(default=())


def failure(error: SaslError) -> Failure:
    """`error` as the server tells it."""
    return Failure((Element(Name(sasl1.NS, error.condition)),), error.text or None)


def unpack(encoded: str) -> bytes:
    """The octets of a SASL message; an empty element is an empty message (§2.2).

    White space, which nobody should send, is no harm. Raises `SaslError` ``incorrect-encoding``.
    """
    text = "".join(encoded.split())
    if text == "=":  # that was SASL in RFC 6120
        raise SaslError("incorrect-encoding", "not base64")
    return decode_base64(text)


def pack(data: bytes | None) -> str | None:
    """A SASL message as text; ``None`` is no message, and no element (§2.2)."""
    if data is None:
        return None
    return encode_base64(data) if data else ""


def client_id(agent: UserAgent | None) -> str | None:
    """The id of the client's installation, in lower case; ``None`` if it does not tell.

    Raises `SaslError` ``malformed-request`` for what is no UUID (§2.3).
    """
    if agent is None or agent.id is None:
        return None
    if not _UUID(agent.id.lower()):
        raise SaslError("malformed-request", "the id of a user agent is a UUID")
    return agent.id.lower()


def described(words: str | None) -> str | None:
    """A client's words about itself, on one line and not too long; ``None`` for none."""
    line = " ".join((words or "").split())[:MAX_DESCRIPTION]
    return line or None
