"""Which clients an account is used with, and the tokens that they log in by (XEP-0484)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ...core.jid import JID


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: enough to make it anew, for who has the server's secret.

    `count` is the highest that a client has given with it (XEP-0484 §3.4). `used`: it has served,
    and its client was last `seen` then.
    """

    mechanism: str
    salt: bytes = field(repr=False)
    issued: datetime
    expires: datetime
    count: int | None = None
    used: bool = field(default=False, compare=False)
    seen: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Client:
    """One installation of a client. `password`: it has shown the one that the account has now.

    `tokens`: when they expire, at most two.
    """

    id: str
    software: str | None
    device: str | None
    address: str | None
    password: bool
    first_seen: datetime
    last_seen: datetime
    tokens: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """A client logs in: what is to be known of it, and what becomes of its tokens.

    `used`: the salt of the token that it has come by. `ends`: all its tokens end with this.
    `issued`: it is given this one.
    """

    client: str
    at: datetime
    software: str | None = None
    device: str | None = None
    address: str | None = None
    password: bool = False
    used: bytes | None = None
    count: int | None = None
    ends: bool = False
    issued: Token | None = None


class Clients(Protocol):
    """The clients of each owner. All raise `StoreError`."""

    async def enter(self, owner: JID, visit: Visit, *, limit: int, since: datetime) -> bool:
        """Keep a visit; False, and nothing is kept, if the token that was used is none any more.

        Neither is one whose count is not higher than before. The first use of a token ends the
        one before it (XEP-0484 §5). Clients that were last seen before `since`, of any owner, are
        forgotten, and so are those of this owner beyond `limit`: first who has no token, then who
        has used none, longest unseen first. There are clients that are another each time.
        """

    async def tokens(self, owner: JID, client: str, mechanism: str) -> list[Token]:
        """At most two, the newest first; they may have expired."""

    async def list(self, owner: JID) -> list[Client]:
        """All clients, in the order in which they were first seen."""

    async def forget(self, owner: JID, client: str) -> bool:
        """Forget a client and its tokens; whether it was known."""
