"""A command of somebody else's, from its first step to its last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.payload import decode, name_of
from ....wire.commands import Action, Command, Note, Status
from ....wire.dataforms import Form, Value, fill, submission
from ...errors import ClientError, SessionClosed, SessionReset

if TYPE_CHECKING:
    from ...entity import Entity

P = TypeVar("P")

_STATUSES: dict[str | None, Status] = {
    "executing": "executing",
    "completed": "completed",
    "canceled": "canceled",
    None: "completed",  # COMPAT: of who leaves it out
}


class CommandFailed(ClientError):
    """A command has come to its end, and not done what was asked; its own words say why (§3.6)."""


class Running:
    """What the command wants to know now, or what came of it."""

    def __init__(self, client: Entity, jid: JID, node: str, lang: str | None = None) -> None:
        self.jid, self.node = jid, node
        self._client = client
        self._last = Command(node, lang=lang)
        self.status: Status = "executing"

    @property
    def form(self) -> Form | None:
        """What is asked, or the results."""
        return self._last.form

    @property
    def notes(self) -> tuple[Note, ...]:
        """Words for a person."""
        return self._last.notes

    @property
    def lang(self) -> str | None:
        """The language of all this, where the other side tells."""
        return self._last.lang

    @property
    def actions(self) -> frozenset[Action]:
        """What may be done now; where nothing is said, it can be completed (§3.4)."""
        if self.status != "executing":
            return frozenset()
        said = self._last.actions
        allowed: frozenset[Action] = frozenset({"execute", "cancel"})
        return allowed | ({"complete"} if said is None else said.allowed)

    @property
    def usual(self) -> Action:
        """What `execute` does now (§3.4)."""
        said = self._last.actions
        return "complete" if said is None else said.execute or "next"

    @property
    def failure(self) -> str | None:
        """Why it could not be done, of a command that has ended so (§3.6)."""
        words = [note.text for note in self.notes if note.type == "error"]
        return "; ".join(words) if words and self.status == "completed" else None

    def payload(self, kind: type[P]) -> P | None:
        """Something beside the form, or in it, as the address of a page. Raises `StanzaError`."""
        name = name_of(kind)
        more = (*self._last.more, *(self.form.more if self.form is not None else ()))
        found = next((one for one in more if one.name == name), None)
        return decode(kind, found) if found is not None else None

    async def begin(self) -> None:
        """The first step. Raises `StanzaError`."""
        await self._do("execute", None)

    async def next(self, values: Mapping[str, Value] | None = None) -> Form | None:
        """Answer, and go on; the next form. Raises `StanzaError`."""
        return await self._do("next", values)

    async def back(self) -> Form | None:
        """Go back a step; its form. Raises `StanzaError`."""
        return await self._do("prev", None)

    async def complete(self, values: Mapping[str, Value] | None = None) -> Form | None:
        """Answer, and have it done; the results. Raises `StanzaError`."""
        return await self._do("complete", values)

    async def execute(self, values: Mapping[str, Value] | None = None) -> Form | None:
        """Answer, and do whatever is usual at this step. Raises `StanzaError`."""
        return await self._do("execute", values)

    async def cancel(self) -> None:
        """Let it be. Raises `StanzaError`."""
        await self._do("cancel", None)

    async def leave(self) -> None:
        """Cancel it, if it still goes on, as well as that can be done."""
        if self._last.sessionid is None or self.status != "executing":
            return
        try:
            await self.cancel()
        except (StanzaError, SessionReset, SessionClosed, TimeoutError):
            return  # it ends over there in its own time

    async def _do(self, action: Action, values: Mapping[str, Value] | None) -> Form | None:
        last = self._last
        self._check(action)
        form = self._filled(action, values)
        said = None if action == "execute" and last.sessionid is None else action
        step = Command(self.node, last.sessionid, said, form=form, lang=last.lang)
        answer = await self._client.request(step, self.jid, type="set", expect=Command)
        if answer.node != self.node or last.sessionid not in (None, answer.sessionid):
            raise StanzaError("undefined-condition", "an answer to another command")
        if answer.status not in _STATUSES:
            raise StanzaError("undefined-condition", "a status that nobody knows")
        self._last, self.status = answer, _STATUSES[answer.status]
        return answer.form

    def _check(self, action: Action) -> None:
        """What is not offered is not asked for (§3.4); who offers nothing may take anything."""
        if self.status != "executing":
            raise StanzaError("not-allowed", "the command has ended")
        if self._last.actions is not None and action not in self.actions:
            raise StanzaError("not-allowed", f"{action} is not possible now")

    def _filled(self, action: Action, values: Mapping[str, Value] | None) -> Form | None:
        """The answers, and the defaults of what is not answered.

        Raises `WrongAnswers` for what does not fit the form, before it is sent.
        """
        if action in ("prev", "cancel"):
            return None
        if self.form is not None:
            return fill(self.form, values or {})
        return submission("", values) if values is not None else None
