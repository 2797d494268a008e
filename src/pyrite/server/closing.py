"""Ends what goes on in the name of an account that is shut, deleted or replaced."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ..core.errors import StreamError
from ..core.jid import JID
from .debts import HANDLING
from .leavings import ENDING
from .session import Session

if TYPE_CHECKING:
    from .app import Server
    from .c2s import ClientConnection

FINISHING = 5.0  # seconds that what clients have asked for last may take


def end_soon(server: Server, account: JID, error: StreamError) -> None:
    """End every stream of an account, and every session that waits for one.

    Soon: who shuts its own account is to hear that it is done.
    """
    asyncio.get_running_loop().call_soon(_end, server, account, error)


async def shut_out(server: Server, account: JID, error: StreamError) -> None:
    """The same, now, and wait until all of it is over: what they had is handed back by then.

    But for a session that asks for this itself, which is for `end_soon`. Who is part of the end
    of a session does not wait: it might be for itself.
    """
    asking = HANDLING.get()
    own = asking if asking is not None and asking.jid.bare == account else None
    ended = _end(server, account, error, own)
    if ENDING.get():
        return None
    with suppress(TimeoutError):
        async with asyncio.timeout(FINISHING):
            for each in ended:
                await each.connection.idle()
    while others := _sessions(server, account, own):
        for session in others:
            session.end(error)
        for session in others:
            await server.part(session)
    return await server.left(account)


def _end(
    server: Server, account: JID, error: StreamError, but: Session | None = None
) -> list[ClientConnection]:
    """End all but one; the streams that are on their way out."""
    ended = server.listeners.end_all_of(account, error, but)
    for session in _sessions(server, account, but):
        session.end(error)
    return ended


def _sessions(server: Server, account: JID, but: Session | None) -> list[Session]:
    return [one for one in server.sessions.of(account).values() if one is not but]
