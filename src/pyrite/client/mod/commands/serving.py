"""A command of ours that somebody runs: a coroutine that waits for each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import commands
from ....wire.commands import Actions, Command, Note
from ....wire.dataforms import Form, Value, read

WITHIN = 20.0  # seconds that a step may take; who has asked waits


class Call:
    """One run of a command: by whom, and what they are asked."""

    def __init__(self, sender: JID | None) -> None:
        self.sender = sender
        self._asked: asyncio.Queue[Form] = asyncio.Queue(1)
        self._answers: asyncio.Queue[Form] = asyncio.Queue(1)

    async def ask(self, form: Form) -> dict[str, Value]:
        """Show `form`, and wait for the answers: field -> value, by the types of the form.

        Answers that do not fit are refused, and it goes on waiting for others.
        """
        await self._asked.put(form)
        while True:
            try:
                return read(form, await self._answers.get())
            except StanzaError:
                await self._asked.put(form)


Handler = Callable[[Call], Awaitable[str | Form | None]]


@dataclass(frozen=True, slots=True)
class Offered:
    """A command of ours, and who may run it."""

    node: str
    name: str
    handler: Handler
    allows: Callable[[JID | None], bool]


class Serving:
    """One run, from step to step."""

    def __init__(
        self,
        offered: Offered,
        call: Call,
        id: str,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self.offered, self.call, self.id = offered, call, id
        self._form: Form | None = None
        self._start = start
        self._task: asyncio.Task[None] | None = None
        self._result: asyncio.Future[str | Form | None] | None = None

    async def step(self, command: Command) -> Command:
        """Do what `command` says. Raises `StanzaError`."""
        if command.action == "cancel":
            if self._task is not None:
                self._task.cancel()
            return Command(self.offered.node, self.id, status="canceled")
        if command.action == "prev":
            raise commands.refusal("bad-request", "bad-action", "there is no way back")
        if self._form is None:
            self._result = asyncio.get_running_loop().create_future()
            self._task = self._start(self._run(self._result))
        else:
            answer = command.form or Form("submit")
            try:
                read(self._form, answer)
            except StanzaError as error:
                raise commands.refusal("bad-request", "bad-payload", error.text) from None
            await self.call._answers.put(answer)
        return await self._outcome()

    async def _run(self, result: asyncio.Future[str | Form | None]) -> None:
        try:
            found = await self.offered.handler(self.call)
        except StanzaError as error:
            if not result.done():
                result.set_exception(error)
                result.exception()
        except asyncio.CancelledError:
            result.cancel()
            raise
        else:
            if not result.done():
                result.set_result(found)

    async def _outcome(self) -> Command:
        """The next form, or the end."""
        result = self._result
        if result is None:
            raise RuntimeError("a step of nothing")
        asking = asyncio.ensure_future(self.call._asked.get())
        try:
            await asyncio.wait(
                (asking, result), timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED
            )
            if asking.done():
                self._form = asking.result()
                actions = Actions(execute="next", next=True, complete=True)
                return Command(
                    self.offered.node, self.id, None, "executing", actions, form=self._form
                )
            if not result.done():
                raise StanzaError("resource-constraint", "it takes too long")
        finally:
            asking.cancel()
        return self._end(result.result())

    def _end(self, found: str | Form | None) -> Command:
        notes = (Note(found),) if isinstance(found, str) else ()
        form = found if isinstance(found, Form) else None
        return Command(self.offered.node, self.id, status="completed", notes=notes, form=form)
