"""A command of ours that somebody runs: a coroutine that waits for each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID
from ....core.payload import encode
from ....core.xml import Element
from ....wire import commands
from ....wire.commands import ACTIONS, Command, Move, Note
from ....wire.dataforms import Form, Value, WrongAnswers, answers, fill, read
from .running import CommandFailed

if TYPE_CHECKING:
    from ...entity import Entity

WITHIN = 20.0  # seconds that a step may take; who has asked waits
MOST_STEPS = 50  # answers of one run that are kept, to go back through


class Call:
    """One run of a command: by whom, in which language, and what they are asked."""

    def __init__(self, sender: JID | None, lang: str | None, *, can_go_back: bool) -> None:
        self.sender, self.lang = sender, lang
        self._can_go_back = can_go_back
        self._asked: asyncio.Queue[Step] = asyncio.Queue(1)
        self._answers: asyncio.Queue[Form] = asyncio.Queue(1)
        self._given: list[Form] = []  # answers, in order
        self._next = 0  # which of them the command has not asked for yet
        self._is_hurried = False
        self._notes: list[Note] = []
        self._more: list[Element] = []

    async def ask(self, form: Form, *, last: bool | None = None) -> dict[str, Value]:
        """Show `form`, and wait for the answers: field -> value, by the types of the form.

        What was not answered has the form's value (XEP-0004 §3.5). Answers that do not fit are
        refused, and it goes on waiting for others. `last` says
        whether another question follows; without, who answers may go on or end it here. Who ends
        it is asked nothing more that the defaults of a form can answer.
        """
        if self._is_hurried:
            try:
                return _read(form, fill(form, {}))
            except WrongAnswers:
                self._is_hurried = False
        if self._next < len(self._given):
            try:
                found = _read(form, self._given[self._next])
                self._next += 1
                return found
            except StanzaError:  # it asks for something else this time
                del self._given[self._next :]
        await self._asked.put(Step(form, self._moves(last)))
        answer = await self._answers.get()
        self._next += 1
        return _read(form, answer)

    def _moves(self, last: bool | None) -> tuple[Move, ...]:
        back: tuple[Move, ...] = ("prev",) if self._given and self._can_go_back else ()
        if last is None:
            return (*back, "complete", "next")
        return (*back, "complete" if last else "next")

    def note(self, text: str, type: Literal["info", "warn", "error"] = "info") -> None:
        """Words for who runs it, with whatever they are shown next."""
        self._notes.append(Note(text, type))

    def add(self, payload: object) -> None:
        """Something beside the form at the end: the address of a page, a roster."""
        self._more.append(payload if isinstance(payload, Element) else encode(payload))


Outcome = str | Form | None
Handler = Callable[[Call], Awaitable[Outcome]]


@frozen
class Step:
    """A question, and what may be done with it; the last of these is what is usual."""

    form: Form
    moves: tuple[Move, ...]


@frozen
class Offered:
    """A command of ours, and who may run it."""

    node: str
    name: str
    handler: Handler
    allows: Callable[[JID | None], bool]
    can_go_back: bool = False


class Serving:
    """One run, from step to step."""

    def __init__(self, client: Entity, offered: Offered, sender: JID | None, lang: str | None):
        self.offered, self.sender, self.id = offered, sender, client.ids()
        self.is_over = False
        self._client, self._lang = client, lang
        self._step: Step | None = None
        self._back: Form | None = None  # what was answered to the question that is gone back to
        self._task: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()
        self._begin([])

    def _begin(self, given: list[Form]) -> None:
        if self._task is not None:
            self._task.cancel()
        self._call = Call(self.sender, self._lang, can_go_back=self.offered.can_go_back)
        self._call._given = given
        self._result: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._task = self._client.start(self._run(self._call, self._result))

    def end(self) -> None:
        """Nothing of it goes on."""
        self.is_over = True
        if self._task is not None:
            self._task.cancel()

    async def step(self, command: Command) -> Command:
        """Do what `command` says. Raises `StanzaError`."""
        async with self._busy:
            if command.action not in (None, *ACTIONS):
                raise commands.refusal("bad-request", "malformed-action")
            if command.action == "cancel":
                self.end()
                return Command(self.offered.node, self.id, status="canceled")
            if self._step is not None:
                await self._take(self._step, command)
            return await self._outcome()

    async def _take(self, step: Step, command: Command) -> None:
        """An answer to a question, or the wish to go back to the one before."""
        action = step.moves[-1] if command.action in (None, "execute") else command.action
        if action not in step.moves:
            raise commands.refusal("bad-request", "bad-action", f"{action} is not possible now")
        given = self._call._given
        if action == "prev":
            self._back = given[-1]
            self._begin(given[:-1])
            return
        answer = replace(command.form or Form(), type="submit")  # §3.5.1: also a cancelled form
        try:
            read(step.form, answer)
        except StanzaError as error:
            raise commands.refusal("bad-request", "bad-payload", error.text) from None
        if len(given) >= MOST_STEPS:
            raise StanzaError("resource-constraint", "too many steps")
        given.append(answer)
        self._call._is_hurried = action == "complete"
        await self._call._answers.put(answer)

    async def _run(self, call: Call, result: asyncio.Future[Outcome]) -> None:
        try:
            found = await self.offered.handler(call)
        except (StanzaError, CommandFailed) as error:
            _settle(result, error)
        except asyncio.CancelledError:
            result.cancel()
            raise
        except Exception:  # who has asked need not wait for nothing; our owner is to know
            _settle(result, StanzaError("internal-server-error"))
            raise
        else:
            if not result.done():
                result.set_result(found)

    async def _outcome(self) -> Command:
        """The next question, or the end. Raises `StanzaError`."""
        asking = asyncio.ensure_future(self._call._asked.get())
        waiting = asyncio.ensure_future(self._client.clock.sleep(WITHIN))
        try:
            await asyncio.wait((asking, waiting, self._result), return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return self._question(asking.result())
            if not self._result.done():
                self.end()
                raise StanzaError("resource-constraint", "it takes too long")
        finally:
            asking.cancel()
            waiting.cancel()
        return self._end()

    def _question(self, step: Step) -> Command:
        self._step = step
        form, self._back = _remembered(step.form, self._back), None
        return self._answer("executing", form, commands.actions(*step.moves))

    def _end(self) -> Command:
        self.is_over = True
        try:
            found = self._result.result()
        except CommandFailed as error:  # §3.6
            self._call.note(str(error), "error")
            return self._answer("completed", None)
        except asyncio.CancelledError:
            raise StanzaError("not-allowed", "it was ended") from None
        if isinstance(found, str):
            self._call.note(found)
        return self._answer("completed", found if isinstance(found, Form) else None)

    def _answer(
        self, status: commands.Status, form: Form | None, actions: commands.Actions | None = None
    ) -> Command:
        notes, self._call._notes = tuple(self._call._notes), []
        more = tuple(self._call._more) if status == "completed" else ()
        node = self.offered.node
        return Command(
            node, self.id, None, status, actions, notes, form, lang=self._lang, more=more
        )


def _read(form: Form, answer: Form) -> dict[str, Value]:
    return {**answers(form), **read(form, answer)}


def _remembered(form: Form, answer: Form | None) -> Form:
    """The form with what was answered to it before, but for secrets (§2.4.2)."""
    given = {f.var: f.values for f in answer.fields} if answer is not None else {}
    return replace(
        form,
        fields=tuple(
            replace(f, values=given[f.var]) if f.var in given and f.type != "text-private" else f
            for f in form.fields
        ),
    )


def _settle(result: asyncio.Future[Outcome], error: Exception) -> None:
    if not result.done():
        result.set_exception(error)
        result.exception()  # nobody may be left who asks for it
