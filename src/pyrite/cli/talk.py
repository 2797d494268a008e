"""What can be said in the shell, and how what comes is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from ..client.app import Client
from ..client.errors import ClientError
from ..client.feature import Feature, MessageReceived, PresenceReceived
from ..client.mod.archive import Archive
from ..client.mod.carbons import Carbons
from ..client.mod.commands import Commands, Running
from ..client.mod.disco import Disco
from ..client.mod.roster import Roster
from ..client.state import Closed, Online, Reset, Suspended
from ..core.errors import StanzaError, StreamError
from ..core.jid import JID, JIDError
from ..core.stanza import NS, Iq, Message, Presence, read
from ..core.xml import parse, write
from ..wire.dataforms import Form
from ..wire.version import Version

FEATURES: Sequence[type[Feature]] = (Archive, Carbons, Commands, Disco, Roster)
SHOWN = 20  # messages of an archive

Say = Callable[[str], None]


class Talk:
    """One session with a user. `say` prints a line."""

    def __init__(self, client: Client, say: Say) -> None:
        self.client, self._print = client, say
        client.on(MessageReceived)(self._message)
        client.on(PresenceReceived)(self._presence)
        client.on(Online)(self._state)
        client.on(Suspended)(self._state)
        client.on(Reset)(self._state)
        client.on(Closed)(self._state)
        self._words: dict[str, tuple[str, Callable[[str], Awaitable[None]]]] = {
            "archive": ("archive [JID]      the last messages, with somebody", self._archive),
            "command": ("command JID [NODE] list commands, or run one", self._command),
            "help": ("help               this list", self._help),
            "info": ("info [JID]         what somebody is and can do", self._info),
            "items": ("items [JID]        what belongs to somebody", self._items),
            "raw": ("raw XML            send a stanza as it is written", self._raw),
            "roster": ("roster             your contacts", self._roster),
            "send": ("send JID TEXT      a message", self._send),
            "version": ("version [JID]      which software somebody runs", self._version),
        }

    async def do(self, line: str) -> bool:
        """Do what `line` says; False if it says goodbye."""
        word, _, rest = line.strip().partition(" ")
        if word in ("quit", "exit"):
            return False
        if not word:
            return True
        if word not in self._words:
            self._say(f'there is no "{word}"; try: help')
            return True
        try:
            await self._words[word][1](rest.strip())
        except (StanzaError, StreamError, ClientError, JIDError, ValueError) as error:
            self._say(f"refused: {error}")
        except TimeoutError:
            self._say("no answer in time")
        return True

    def _say(self, line: str) -> None:
        """Print nothing that a terminal would obey: others have written most of it."""
        self._print("".join(c if c.isprintable() else " " for c in line))

    def _at(self, text: str) -> JID:
        return JID.parse(text) if text else JID(None, self.client.jid.domain)

    # --- what is asked ---------------------------------------------------------------

    async def _help(self, _: str) -> None:
        for text, _do in self._words.values():
            self._say(f"  {text}")
        self._say("  quit               the end")

    async def _info(self, text: str) -> None:
        info = await self.client[Disco].info(self._at(text))
        for one in info.identities:
            self._say(f"  {one.category}/{one.type} {one.name or ''}".rstrip())
        for var in sorted(info.vars):
            self._say(f"  {var}")

    async def _items(self, text: str) -> None:
        for item in await self.client[Disco].items(self._at(text)):
            self._say(f"  {item.jid} {item.node or ''} {item.name or ''}".rstrip())

    async def _roster(self, _: str) -> None:
        roster = self.client[Roster]
        for item in roster:
            mark = "*" if roster.is_there(item.jid) else " "
            self._say(f"{mark} {item.jid} {item.name or ''} ({item.subscription})")

    async def _send(self, text: str) -> None:
        to, _, words = text.partition(" ")
        if not words:
            raise ValueError("send JID TEXT")
        await (await self.client.send(to, words)).written

    async def _archive(self, text: str) -> None:
        with_ = JID.parse(text) if text else None
        query = self.client[Archive].query(with_, page=SHOWN, newest_first=True)
        found = []
        async for one in query:
            found.append(one)
            if len(found) == SHOWN:
                break
        for one in reversed(found):
            self._say(f"  {one.stamp:%Y-%m-%d %H:%M} {_line(one.message)}")

    async def _version(self, text: str) -> None:
        told = await self.client.request(Version(), self._at(text), expect=Version)
        self._say(f"  {told.name or '?'} {told.version or ''} {told.os or ''}".rstrip())

    async def _raw(self, text: str) -> None:
        stanza = read(parse(text, NS))
        if isinstance(stanza, Message):
            await self.client.send(stanza)
        elif isinstance(stanza, Presence):
            await self.client.send_presence(stanza)
        elif isinstance(stanza, Iq) and stanza.type in ("get", "set"):
            for payload in stanza.payloads[:1]:
                kind: Literal["get", "set"] = "get" if stanza.type == "get" else "set"
                answer = await self.client.request(payload, stanza.to, type=kind)
                self._say(f"  {write(answer.to_element(), NS)}")
        else:
            raise ValueError("a message, a presence, or an iq that asks")

    async def _command(self, text: str) -> None:
        """Without a node, all that there are; a form is answered as ``var=value var=value``."""
        to, _, rest = text.partition(" ")
        node, *answers = rest.split() or [""]
        if not node:
            for item in await self.client[Commands].list(self._at(to)):
                self._say(f"  {item.node or ''} {item.name or ''}".rstrip())
            return
        values = dict(answer.split("=", 1) for answer in answers)
        async with self.client[Commands].run(self._at(to), node) as command:
            self._show(command)
            if command.status == "executing" and values:
                await command.execute(values)
                self._show(command)

    def _show(self, command: Running) -> None:
        for note in command.notes:
            self._say(f"  {note.text}")
        self._form(command.form)
        self._say(f"  ({command.status})")

    def _form(self, form: Form | None) -> None:
        if form is None:
            return
        for line in filter(None, (form.title, *form.instructions)):
            self._say(f"  {line}")
        for field in form.fields:
            if field.type != "hidden":
                need = " (required)" if field.required else ""
                kept = ", ".join(field.values)
                self._say(f"  {field.var or ''} = {kept} {field.label or ''}{need}")
        for item in form.items:
            self._say("  " + "  ".join(field.value for field in item.fields))

    # --- what comes ------------------------------------------------------------------

    def _message(self, event: MessageReceived) -> None:
        if line := _line(event.message):
            self._say(line)

    def _presence(self, event: PresenceReceived) -> None:
        presence = event.presence
        if presence.sender is not None and presence.sender != self.client.jid:
            self._say(f"{presence.sender} is {presence.type or 'available'}")

    def _state(self, state: Online | Suspended | Reset | Closed) -> None:
        if isinstance(state, Suspended):
            self._say("the connection broke; trying again")
        elif isinstance(state, Online) and state.is_resumed:
            self._say("connected again")
        elif isinstance(state, Reset):
            self._say("connected again, with a new session")
        elif isinstance(state, Closed) and state.cause is not None:
            self._say(f"it is over: {state.cause}")


def _line(message: Message) -> str:
    if message.error is not None:
        return f"{message.sender}: refused: {message.error}"
    return f"{message.sender}: {message.body}" if message.body else ""
