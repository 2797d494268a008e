"""Answers to choose from, and things to do with a click: for bots, mostly (XEP-0439)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID
from ...core.payload import decode, name_of
from ...core.stanza import Message
from ...wire import quickresponse
from ...wire.quickresponse import Action, Response, Selected
from ..feature import Feature, MessageReceived, on
from ..receipt import Receipt

P = TypeVar("P")

MOST = 100  # answers or actions of one message that are told


@frozen
class Asked:
    """Somebody asks, and says what may be answered, or done: `responses`, `actions`."""

    message: Message
    responses: tuple[Response, ...] = ()
    actions: tuple[Action, ...] = ()


@frozen
class ActionSelected:
    """Somebody wants this to be done (§4.3). That it was offered is for the program to know."""

    id: str
    message: Message


class QuickResponses(Feature):
    """Asks so, and tells of who asks so, or has chosen."""

    spec = quickresponse.SPEC
    features = (quickresponse.NS,)

    async def ask(self, to: JID | str, text: str, responses: Mapping[str, str]) -> Receipt:
        """Ask `text`, to be answered with one of `responses`: value -> how it is shown.

        Answers come as any other message does. Raises `StanzaError`, `ValueError` for none.
        """
        offered = [Response(value, label or None) for value, label in responses.items()]
        return await self._ask(to, text, offered)

    async def offer(self, to: JID | str, text: str, actions: Mapping[str, str]) -> Receipt:
        """Say `text`, and what may be done: id -> how it is shown. `ActionSelected` tells."""
        return await self._ask(to, text, [Action(id, label) for id, label in actions.items()])

    async def _ask(self, to: JID | str, text: str, offered: Sequence[object]) -> Receipt:
        if not offered:
            raise ValueError("nothing to choose from")
        return await self.client.send(to, text, *offered)

    async def respond(self, asked: Asked, value: str) -> Receipt:
        """Answer with one of the values (§4.1). Raises `ValueError` for what was not offered."""
        if value not in {one.value for one in asked.responses}:
            raise ValueError(f"{value} is none of the answers")
        return await self.client.send(MessageReceived(asked.message).reply(value))

    async def select(self, asked: Asked, id: str) -> Receipt:
        """Have an action done (§4.2). Raises `ValueError` for what was not offered."""
        if id not in {one.id for one in asked.actions}:
            raise ValueError(f"{id} is none of the actions")
        return await self.client.send(MessageReceived(asked.message).reply(Selected(id)))

    @on(MessageReceived)
    async def heard(self, event: MessageReceived) -> None:
        """Tell what may be chosen, and what was."""
        message = event.message
        if event.outgoing or message.type == "error":
            return
        responses, actions = _all(message, Response), _all(message, Action)
        if responses or actions:
            await self.client.tell(Asked(message, responses, actions), event.peer)
        for chosen in _all(message, Selected)[:1]:
            await self.client.tell(ActionSelected(chosen.id, message), event.peer)


def _all(message: Message, kind: type[P]) -> tuple[P, ...]:
    """The payloads of that kind; what cannot be read is not there."""
    found: list[P] = []
    name = name_of(kind)
    for element in [one for one in message.payloads if one.name == name][:MOST]:
        try:
            found.append(decode(kind, element))
        except StanzaError:
            continue
    return tuple(found)
