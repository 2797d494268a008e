"""A command of somebody else's, from its first step to its last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire.commands import Action, Command, Note, Status
from ....wire.dataforms import FORM_TYPE, Form, Value, read, submission
from ...errors import SessionClosed, SessionReset

if TYPE_CHECKING:
    from ...entity import Entity


class Running:
    """What the command wants to know now, or what came of it."""

    def __init__(self, client: Entity, jid: JID, node: str) -> None:
        self.jid, self.node = jid, node
        self._client = client
        self._last = Command(node)

    @property
    def form(self) -> Form | None:
        """What is asked, or the results."""
        return self._last.form

    @property
    def notes(self) -> tuple[Note, ...]:
        """Words for a person."""
        return self._last.notes

    @property
    def status(self) -> Status:
        """Whether it goes on."""
        return self._last.status or "completed"

    @property
    def actions(self) -> frozenset[Action]:
        """What may be done now; where nothing is said, it can be completed (§3.4)."""
        if self.status != "executing":
            return frozenset()
        said = self._last.actions
        allowed: set[Action] = {"execute", "cancel"}
        if said is None:
            return frozenset(allowed | {"complete"})
        allowed |= {name for name in _MOVES if getattr(said, name)}
        return frozenset(allowed)

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
        form = self._filled(values) if values is not None else None
        said = None if action == "execute" and last.sessionid is None else action
        step = Command(self.node, last.sessionid, said, form=form)
        answer = await self._client.request(step, self.jid, type="set", expect=Command)
        if answer.node != self.node or last.sessionid not in (None, answer.sessionid):
            raise StanzaError("undefined-condition", "an answer to another command")
        self._last = answer
        return answer.form

    def _filled(self, values: Mapping[str, Value]) -> Form:
        """The answers, and the defaults of what is not answered.

        Raises `StanzaError` ``not-acceptable`` for what does not fit the form, before it is sent.
        """
        asked = self.form
        if asked is None:
            return submission("", values)
        kept = {f.var: f.values for f in asked.fields if f.var and f.type != "fixed" and f.values}
        kept.pop(FORM_TYPE, None)
        filled = submission(asked.form_type or "", {**kept, **values})
        if asked.form_type is None:
            filled = Form("submit", fields=filled.fields[1:])
        read(asked, filled)
        return filled


_MOVES: tuple[Action, ...] = ("prev", "next", "complete")
