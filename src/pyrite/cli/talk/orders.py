"""Words for who gives orders: commands of others, step by step, and stanzas as they are written."""

from __future__ import annotations

import shlex
from contextlib import AsyncExitStack, suppress
from typing import Literal

from ...client.errors import ClientError
from ...client.mod.commands import Commands, Running
from ...core.errors import StanzaError
from ...core.stanza import NS, Iq, Message, Presence, read
from ...core.xml import parse, write
from ...wire.dataforms import Form
from .desk import Desk, Words, word

FEATURES = (Commands,)


class Orders(Words):
    """Commands (XEP-0050), one at a time, and raw XML."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._running: tuple[Running, AsyncExitStack] | None = None

    @word("[JID [NODE [VAR=VALUE…]]]", "list commands, or begin one")
    async def command(self, text: str) -> None:
        words = shlex.split(text)
        to, node = (*words, "", "")[:2]
        jid = self.desk.at(to)
        if not node:
            for item in await self.client[Commands].list(jid):
                self.desk.note(jid, item.node)
                self.show(f"  {item.node or ''} {item.name or ''}".rstrip())
            return
        await self.close()
        stack = AsyncExitStack()
        running = await stack.enter_async_context(self.client[Commands].run(jid, node))
        self._running = running, stack
        await self._go_on(running, words[2:])

    @word("[VAR=VALUE…]", "answer what a command asks")
    async def answer(self, text: str) -> None:
        await self._go_on(self._command(), shlex.split(text), is_answered=True)

    @word("", "go a step back in a command")
    async def back(self, _: str) -> None:
        await self._command().back()
        self._show(self._command())

    @word("", "let a command be")
    async def cancel(self, _: str) -> None:
        self._command()
        await self.close()

    @word("XML", "send a stanza as it is written")
    async def raw(self, text: str) -> None:
        stanza = read(parse(text, NS))
        if isinstance(stanza, Message):
            await self.client.send(stanza)
        elif isinstance(stanza, Presence):
            await self.client.send_presence(stanza)
        elif isinstance(stanza, Iq) and stanza.type in ("get", "set"):
            kind: Literal["get", "set"] = "get" if stanza.type == "get" else "set"
            for payload in stanza.payloads[:1]:
                answer = await self.client.request(payload, stanza.to, type=kind)
                self.show(f"  {write(answer.to_element(), NS)}")
        else:
            raise ValueError("a message, a presence, or an iq that asks")

    @word("on|off", "show every stanza as it comes and goes")
    async def xml(self, text: str) -> None:
        if text not in ("on", "off"):
            raise ValueError("xml on|off")
        self.desk.show_xml(text == "on")

    async def close(self) -> None:
        if self._running is not None:
            (_, stack), self._running = self._running, None
            with suppress(StanzaError, TimeoutError, ClientError):
                await stack.aclose()

    def _command(self) -> Running:
        if self._running is None:
            raise ValueError("no command goes on")
        return self._running[0]

    async def _go_on(
        self, running: Running, answers: list[str], *, is_answered: bool = False
    ) -> None:
        """Give the answers, if there are any, and show what comes of it."""
        if (answers or is_answered) and running.status == "executing":
            await running.execute(dict(_pair(answer) for answer in answers))
        self._show(running)
        if running.status != "executing":
            await self.close()

    def _show(self, running: Running) -> None:
        for note in running.notes:
            self.show(f"  {note.text}")
        self._form(running.form)
        self.show(f"  ({running.status})")

    def _form(self, form: Form | None) -> None:
        if form is None:
            return
        for line in filter(None, (form.title, *form.instructions)):
            self.show(f"  {line}")
        for field in form.fields:
            if field.type != "hidden":
                need = " (required)" if field.required else ""
                kept = ", ".join(field.values)
                self.show(f"  {field.var or ''} = {kept} {field.label or ''}{need}")
                for option in field.options:
                    self.show(f"    {option.value} {option.label or ''}".rstrip())
        for item in form.items:
            self.show("  " + "  ".join(field.value for field in item.fields))


def _pair(answer: str) -> tuple[str, str]:
    name, equals, value = answer.partition("=")
    if not equals:
        raise ValueError(f'expected VAR=VALUE, not "{answer}"')
    return name, value
