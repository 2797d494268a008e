"""Who is connected: the only index of sessions there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ..core.jid import JID
from .session import Session

_NOBODY: Mapping[str, Session] = MappingProxyType({})


class Sessions:
    """All bound sessions of all hosts: bare JID -> resource -> session.

    By its text, here as wherever every stanza asks: the hash of a JID is a call in Python.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, Session]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Session]:
        for account in tuple(self._accounts.values()):
            yield from tuple(account.values())

    def of(self, bare: JID) -> Mapping[str, Session]:
        """Resource -> session of one account; empty if it has none."""
        return self._accounts.get(bare.text, _NOBODY)

    def find(self, full: JID) -> Session | None:
        """The session bound to exactly this address."""
        account = self._accounts.get(full.bare.text)
        return account.get(full.resource or "") if account else None

    def available(self, bare: JID) -> list[Session]:
        """The sessions of an account that have sent presence."""
        account = self._accounts.get(bare.text)
        return [s for s in account.values() if s.presence is not None] if account else []

    def add(self, session: Session) -> None:
        """Make `session` reachable. Its address must be free."""
        account = self._accounts.setdefault(session.jid.bare.text, {})
        resource = session.jid.resource or ""
        if resource in account:
            raise RuntimeError(f"{session.jid} is bound already")
        account[resource] = session
        self._count += 1

    def remove(self, session: Session) -> bool:
        """Forget `session`; False if it was not here (any more)."""
        account = self._accounts.get(session.jid.bare.text)
        if account is None or account.get(session.jid.resource or "") is not session:
            return False
        del account[session.jid.resource or ""]
        self._count -= 1
        if not account:
            del self._accounts[session.jid.bare.text]
        return True

    def at(self, domain: str) -> Iterator[Session]:
        """The sessions of one host."""
        return (session for session in self if session.jid.domain == domain)
