"""Reads a file of accounts, and makes each of them when all that it has is there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from ...core.errors import StreamError
from ...core.jid import JID, JIDError, prepare_local
from ...core.sasl.keys import Keys
from ...core.xml import Closed, Container, Document, Element, Limits, Part
from ...store.errors import StoreError
from ...wire import portable as wire
from ..accounts import AccountError
from ..auth.backend import BackendDown
from ..closing import shut_out
from ..commands import CommandError, Stream
from ..store.accounts import Account
from .arriving import Arriving, Bounds
from .spool import Spool

if TYPE_CHECKING:
    from ..app import Server

#: What of the file is in memory at a time: one contact, one card, one message.
LIMITS = Limits(octets=16 << 20, depth=256, attributes=1024, elements=1 << 17)

REPLACED = StreamError("reset", "the account was replaced")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account of the file."""

    jid: str
    done: bool
    why: str = ""  # it was not
    mechanisms: tuple[str, ...] = ()
    kept: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)  # what and why -> how often


@dataclass(frozen=True, slots=True)
class Total:
    """What became of a file."""

    imported: int
    refused: int
    incomplete: int  # imported, but for something that was left out
    outside: dict[str, int] = field(default_factory=dict)  # what is there beside accounts


class Importer:
    """One file on its way in. `host`: only accounts of this one.

    With `replace` an account that there is goes, with all that it has, for the one in the file.
    """

    def __init__(
        self, server: Server, stream: Stream, *, host: str | None = None, replace: bool = False
    ) -> None:
        self._server, self._stream = server, stream
        self._only, self._replace = host, replace
        self._document = Document(wire.SHAPE, LIMITS)
        self._path: list[Element] = []
        self._arriving: Arriving | None = None
        self._spool: Spool | None = None
        self._shown = self._refusal = ""  # of the account: its address in the file, and why not
        self._password: str | None = None
        self._imported = self._refused = self._incomplete = 0
        self._outside: dict[str, int] = {}

    async def run(self) -> Total:
        """Read to the end; a line of JSON about each account is written meanwhile.

        Raises `CommandError` for a file that cannot be read further, `StoreError`.
        """
        with ExitStack() as stack:
            stack.callback(self._let_go)
            try:
                while octets := await self._stream.read():
                    for part in self._document.feed(octets):
                        await self._take(part)
                self._document.close()
            except StreamError as error:
                raise self._broken(str(error)) from None
        return Total(self._imported, self._refused, self._incomplete, self._outside)

    def _broken(self, why: str) -> CommandError:
        done = f"{self._imported} accounts were imported before that"
        return CommandError(f"line {self._document.line}: {why}; {done}")

    async def _take(self, part: Part) -> None:
        match part:
            case Container(element):
                self._path.append(element)
                if element.name == wire.USER:
                    await self._begin(element)
            case Closed():
                if self._path.pop().name == wire.USER:
                    await self._end()
            case Element():
                self._element(part)

    def _element(self, element: Element) -> None:
        where = self._path[-1]
        if element.name == wire.INCLUDE and where.name in (wire.DATA, wire.HOST, wire.USER):
            raise self._broken("the rest is in other files: import those, each by itself")
        if self._arriving is not None:
            self._arriving.take(element, where.name, where.attrs)
        elif not any(one.name == wire.USER for one in self._path):
            what = f"{element.name.tag} of {element.name.ns}"[:300]
            if what in self._outside or len(self._outside) < 100:
                self._outside[what] = self._outside.get(what, 0) + 1

    # --- an account ------------------------------------------------------------------

    async def _begin(self, user: Element) -> None:
        host = self._path[-2].attrs.get("jid") if len(self._path) > 1 else self._only
        self._shown, self._refusal = f"{user.attrs.get('name', '')}@{host}"[:3100], ""
        try:
            jid = self._address(user)
            self._server.accounts.check_address(jid)
            if not self._replace and await self._server.accounts.exists(jid):
                self._refusal = "it exists already"
        except (AccountError, JIDError) as error:
            self._refusal = str(error)
        if self._refusal:
            return
        self._spool = Spool(self._server.settings.data)
        limits = self._server.settings.limits
        bounds = Bounds(limits.send_queue // 2, int(limits.send_queue_size) // 2)
        self._password = user.attrs.get("password")
        self._arriving = Arriving(jid, self._spool, bounds, self._server.clock.now())
        self._arriving.begin(user.attrs)

    def _address(self, user: Element) -> JID:
        """Raises `JIDError`, and `CommandError` if nothing says which host the user is of."""
        host = next((one for one in self._path if one.name == wire.HOST), None)
        domain = host.attrs.get("jid", "") if host else self._only
        if domain is None:
            raise self._broken("the file is of one user and says no host: say which it is")
        domain = JID.parse(domain).domain
        if self._only not in (None, domain):
            raise JIDError(f"it is of {domain}")
        return JID(prepare_local(user.attrs.get("name", "")), domain)

    async def _end(self) -> None:
        arriving, spool = self._arriving, self._spool
        if arriving is None or spool is None:
            await self._tell(Outcome(self._shown, done=False, why=self._refusal))
            return
        try:
            outcome = await self._make(arriving, spool)
        finally:
            self._let_go()
        await self._tell(outcome)

    async def _make(self, arriving: Arriving, spool: Spool) -> Outcome:
        """The account, all of it or nothing."""
        jid = arriving.jid
        try:
            keys = await self._keys(arriving)
        except (AccountError, BackendDown) as error:
            return Outcome(str(jid), done=False, why=str(error))
        arriving.end()
        account = Account(jid, arriving.created, arriving.is_disabled, keys)
        try:
            is_made = await self._put(account, spool)
        except StoreError as error:
            return Outcome(str(jid), done=False, why=str(error))
        if not is_made:
            return Outcome(str(jid), done=False, why="it exists already")
        mechanisms = tuple(sorted(one.mechanism for one in keys))
        left_out = dict(arriving.left_out)
        return Outcome(str(jid), True, "", mechanisms, dict(spool.counts), left_out)

    async def _put(self, account: Account, spool: Spool) -> bool:
        """Make it, if there is room for it; of one that it replaces nothing goes on."""
        server, jid = self._server, account.jid
        things: Callable[[], Spool] = lambda: spool  # noqa: E731
        with ExitStack() as stack:
            if self._replace:
                stack.enter_context(server.accounts.changes.changing(jid))
                await shut_out(server, jid, REPLACED)
                await server.stores.archive.settled(jid)
            is_made = await server.stores.portable.create(account, things, replace=self._replace)
            if is_made:
                await server.accounts.restored(jid)
        return is_made

    async def _keys(self, arriving: Arriving) -> tuple[Keys, ...]:
        """By the password, for that proves all mechanisms; else what the other server had."""
        if self._password is not None:
            return await self._server.accounts.keys(arriving.jid, self._password)
        return tuple(arriving.keys.values())

    async def _tell(self, outcome: Outcome) -> None:
        self._imported += outcome.done
        self._refused += not outcome.done
        self._incomplete += outcome.done and bool(outcome.left_out)
        await self._stream.write(msgspec.json.encode(outcome).decode() + "\n")

    def _let_go(self) -> None:
        if self._spool is not None:
            self._spool.close()
        self._spool = self._arriving = self._password = None
