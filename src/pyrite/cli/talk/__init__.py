"""What can be said in the shell, and how what comes is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...client.app import Client
from ...client.errors import ClientError
from ...client.feature import Feature
from ...client.mod.roster import Roster
from ...client.state import Closed, Online, Reset, State, Suspended
from ...core.errors import StanzaError, StreamError
from ...core.jid import JIDError
from . import looking, orders, people, rooms
from .desk import Desk, Say, Seeing, Word, Words

__all__ = ["FEATURES", "Say", "Seeing", "Talk"]

FEATURES: Sequence[type[Feature]] = tuple(
    dict.fromkeys(looking.FEATURES + people.FEATURES + rooms.FEATURES + orders.FEATURES)
)
GROUPS: Sequence[type[Words]] = (looking.Looking, people.People, rooms.Rooms, orders.Orders)


class Talk:
    """One session with a user. `say` prints a line."""

    def __init__(self, client: Client, say: Say) -> None:
        self.client = client
        self._desk = Desk(client, say)
        self._groups = [group(self._desk) for group in GROUPS]
        self.words: dict[str, Word] = {
            word.name: word for group in self._groups for word in group.each()
        }
        client.on(Online)(self._state)
        client.on(Suspended)(self._state)
        client.on(Reset)(self._state)
        client.on(Closed)(self._state)

    async def do(self, line: str) -> bool:
        """Do what `line` says; False if it says goodbye."""
        name, _, rest = line.strip().partition(" ")
        if name in ("quit", "exit"):
            return False
        if name in ("help", "?"):
            self._help(rest.strip())
        elif name and name not in self.words:
            self._desk.show(f'there is no "{name}"; try: help')
        elif name:
            await self._try(self.words[name], rest.strip())
        return True

    async def _try(self, word: Word, rest: str) -> None:
        try:
            await word.do(rest)
        except (StanzaError, StreamError, ClientError, JIDError, ValueError, OSError) as error:
            if not isinstance(error, TimeoutError):
                self._desk.show(f"refused: {error}")
                return
            self._desk.show("no answer in time")

    async def close(self) -> None:
        """The user goes: leave rooms, and let commands be."""
        for group in self._groups:
            await group.close()

    def _help(self, name: str) -> None:
        """All words, or one."""
        for group in self._groups:
            for word in group.each():
                shown = f"{word.name} {word.arguments}".rstrip()
                if name in ("", word.name):
                    self._desk.show(f"  {shown:36} {word.help}")
        if not name:
            self._desk.show(f"  {'help [WORD]':36} this list")
            self._desk.show(f"  {'quit':36} the end")

    def complete(self, line: str) -> list[str]:
        """What the last word of `line` may become."""
        before, _, begun = line.rpartition(" ")
        if not before.strip():
            return _beginning(begun, sorted((*self.words, "help", "quit")))
        first, *more = before.split()
        if first == "help":
            return _beginning(begun, sorted(self.words))
        if more and first in ("command", "items", "info", "node"):
            nodes = (node for jid, node in self._desk.nodes if jid == more[-1])
            return _beginning(begun, sorted(nodes))
        own = (str(self._desk.server), str(self.client.jid.bare))
        contacts = (str(item.jid) for item in self.client[Roster])
        return _beginning(begun, sorted({*self._desk.known, *own, *contacts}))

    def _state(self, state: State) -> None:
        if isinstance(state, Suspended):
            self._desk.show("the connection broke; trying again")
        elif isinstance(state, Online) and state.is_resumed:
            self._desk.show("connected again")
        elif isinstance(state, Reset):
            self._desk.show("connected again, with a new session")
            for message in state.lost:
                self._desk.show(f"it is not known whether {message.to} got: {message.body}")
        elif isinstance(state, Closed) and state.cause is not None:
            self._desk.show(f"it is over: {state.cause}")


def _beginning(begun: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(begun)]
