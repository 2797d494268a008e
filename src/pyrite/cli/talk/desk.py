"""What the words of the shell share: the client, the screen, and what was seen so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from ...client.app import Client
from ...core.jid import JID
from ...core.stanza import NS, Message, Stanza
from ...core.xml import write
from ...kit.hooks import Stage

KNOWN = 1000  # addresses, and as many nodes, that can be completed

Say = Callable[[str], None]
Do = Callable[[str], Awaitable[None]]
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Word:
    """Something to be said in the shell."""

    name: str
    arguments: str
    help: str
    do: Do


def word(arguments: str, help: str) -> Callable[[W], W]:
    """Let the decorated method be a word of the shell; it is called with what stands behind it."""

    def remember(method: W) -> W:
        method.__dict__["word"] = arguments, help
        return method

    return remember


class Seeing(Client):
    """A client whose stanzas can be looked at as they come and go."""

    look: Callable[[str, Stanza], None] | None = None

    async def receive(self, stanza: Stanza) -> None:
        if self.look is not None:
            self.look("<", stanza)
        await super().receive(stanza)


class Desk:
    """One session with a user. `say` prints a line."""

    def __init__(self, client: Client, say: Say) -> None:
        self.client, self._print = client, say
        self.known: dict[str, None] = {}
        self.nodes: dict[tuple[str, str], None] = {}  # (whose, which)
        self._shows_xml = False
        client.sending.add(Stage.RECORD, self._goes)
        if isinstance(client, Seeing):
            client.look = self._look

    def show(self, line: str) -> None:
        """Print nothing that a terminal would obey: others have written most of it."""
        self._print("".join(c if c.isprintable() else " " for c in line))

    def at(self, text: str) -> JID:
        """Who is meant; nobody in particular is our server."""
        return JID.parse(text) if text else self.server

    @property
    def server(self) -> JID:
        return JID(None, self.client.jid.domain)

    def note(self, jid: JID, node: str | None = None) -> None:
        """Remember it, to complete it."""
        if len(self.known) < KNOWN:
            self.known[str(jid)] = None
        if node and len(self.nodes) < KNOWN:
            self.nodes[str(jid), node] = None

    def show_xml(self, is_shown: bool) -> None:
        """Whether every stanza is shown as it is."""
        self._shows_xml = is_shown

    def _goes(self, stanza: Stanza) -> None:
        self._look(">", stanza)

    def _look(self, way: str, stanza: Stanza) -> None:
        if self._shows_xml:
            self.show(f"{way} {write(stanza.to_element(), NS)}")


class Words:
    """Some words of the shell that belong together."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.client, self.show = desk, desk.client, desk.show

    def each(self) -> Iterator[Word]:
        """Those that are marked, in their order."""
        for name, member in vars(type(self)).items():
            if (told := getattr(member, "word", None)) is not None:
                arguments, help = told
                yield Word(name, arguments, help, getattr(self, name))

    async def close(self) -> None:
        """The user has gone."""


def line_of(message: Message) -> str:
    """A message as it is shown; nothing for one without words."""
    if message.error is not None:
        return f"{message.sender}: refused: {message.error}"
    return f"{message.sender}: {message.body}" if message.body else ""
