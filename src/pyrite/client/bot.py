"""A program that answers when it is spoken to, in a few lines.

bot = Bot("weather@example.net", password)

@bot.command("!weather")
async def weather(asked: Asked) -> str:
    return await forecast(asked.text)

bot.run()
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from ..core.errors import StanzaError
from ..core.frozen import frozen
from ..core.jid import JID
from ..core.stanza import Message
from ..wire.message import kind
from .app import Client
from .entity import Entity
from .feature import MessageReceived


@frozen
class Asked:
    """What somebody wants of the bot: `text` is what stands behind the command's word."""

    message: Message
    sender: JID
    text: str


Answer = str | None
Handler = Callable[[Asked], Answer | Awaitable[Answer]]
H = TypeVar("H", bound=Handler)


class Bot:
    """Answers the messages of single people. `client` may be one of your own making, or a
    `Component`, whose every address answers in its own name."""

    def __init__(
        self, jid: JID | str = "", password: str | None = None, *, client: Entity | None = None
    ) -> None:
        self.client: Entity = client or Client(jid, password)
        self._commands: dict[str, Handler] = {}
        self._other: Handler | None = None
        self.client.on(MessageReceived)(self._hear)

    def command(self, word: str) -> Callable[[H], H]:
        """Let the decorated function answer messages that begin with `word`.

        What it gives is the answer; a `StanzaError` that it raises is told in its words. Raises
        `ValueError` for a word that is taken.
        """
        if word in self._commands:
            raise ValueError(f"{word} is answered already")

        def remember(handler: H) -> H:
            self._commands[word] = handler
            return handler

        return remember

    def otherwise(self, handler: H) -> H:
        """Let `handler` answer whatever begins with no command."""
        self._other = handler
        return handler

    async def _hear(self, event: MessageReceived) -> None:
        message, body = event.message, event.message.body
        if event.outgoing or message.sender is None or not body:
            return
        if kind(message) not in ("chat", "normal"):  # an answer to an error would go on
            return
        word, _, rest = body.strip().partition(" ")
        handler = self._commands.get(word)
        text = rest.strip() if handler is not None else body
        handler = handler or self._other
        if handler is None:
            return
        answer = await _answer(handler, Asked(message, message.sender, text))
        if answer:
            await self.client.send(event.reply(answer))

    async def serve(self) -> None:
        """Answer until the client is closed. Raises why there is no session, or none any more."""
        async with self.client as client:
            await client.ended()

    def run(self) -> None:
        """The whole program. Ctrl-C ends it in good order, and so does who stops a service."""
        with suppress(KeyboardInterrupt):
            asyncio.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        loop = asyncio.get_running_loop()
        serving = asyncio.ensure_future(self.serve())
        with suppress(NotImplementedError):  # where there are no signals
            loop.add_signal_handler(signal.SIGTERM, serving.cancel)
        try:
            with suppress(asyncio.CancelledError):
                await serving
        finally:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGTERM)


async def _answer(handler: Handler, asked: Asked) -> Answer:
    try:
        answer = handler(asked)
        return answer if answer is None or isinstance(answer, str) else await answer
    except StanzaError as error:
        return str(error)
