"""Messages: what people say, and what it is about."""

from __future__ import annotations

from ..core.payload import attr, lang, name_of, payload, text
from ..core.stanza import NS, Message
from ..core.xml import LANG
from . import Spec

SPEC = Spec("RFC 6121", "2011-03", "XMPP: Instant Messaging and Presence, §5 messages")

TYPES = frozenset({"chat", "error", "groupchat", "headline", "normal"})


@payload(NS, "body")
class Body:
    """The words, one body for each language (§5.2.3)."""

    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "subject")
class Subject:
    """What it is about, one for each language (§5.2.4)."""

    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "thread")
class Thread:
    """Which conversation it belongs to, and from which that came (§5.2.5)."""

    id: str = text(default="")
    parent: str | None = attr(default=None)


_BODY = name_of(Body)


def kind(message: Message) -> str:
    """The type; ``normal`` where it is absent or not known (§5.2.2)."""
    return message.type if message.type in TYPES else "normal"


def body(message: Message, *languages: str) -> str | None:
    """The words in the first of `languages` that there is, else the first; ``None``: no body."""
    bodies = [Body(e.text, e.attrs.get(LANG)) for e in message.payloads if e.name == _BODY]
    for wanted in languages:
        for one in bodies:
            if (one.lang or message.lang or "").lower() == wanted.lower():
                return one.text
    return bodies[0].text if bodies else None


def has_body(message: Message) -> bool:
    """Whether there are words, in whatever language."""
    return any(element.name == _BODY for element in message.payloads)
