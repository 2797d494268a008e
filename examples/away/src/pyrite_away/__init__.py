"""Answers for users who are away: once to each sender, until the notice is taken away."""

from __future__ import annotations

from collections.abc import Sequence

from pyrite.server.api import (
    DAY,
    HOUR,
    JID,
    AccountDeleted,
    Body,
    Cache,
    CommandError,
    Duration,
    Key,
    Message,
    Module,
    Request,
    Session,
    SessionAvailable,
    Size,
    Stage,
    StanzaError,
    Table,
    Wrong,
    command,
    delivering,
    has_body,
    on,
    payload,
    request,
    sending,
    text,
)

__all__ = ["Away", "AwaySettings", "Notice"]

NS = "urn:pyrite:away:1"
NAME = "notice"  # of the text among the account's values
KNOWN = 10_000  # accounts whose notice, or that there is none, is kept in memory
TOLD = 50_000  # pairs of account and sender that are remembered

#: Whether the session was told that its notice still stands.
REMINDED = Key("away reminded", default=False)


@payload(NS, "notice")
class Notice:
    """The words for those who write; none take it away. In an answer, the mark of one."""

    text: str = text(default="")


class AwaySettings(Table):
    """Answers for users who are away."""

    again: Duration = Duration(DAY)
    """How soon one sender gets the same answer once more."""
    size: Size = Size(1000)
    """The longest notice."""

    def __post_init__(self) -> None:
        if self.again <= 0:
            raise Wrong("expected more than 0s", "again")


class Away(Module):
    """Keeps a notice for each account that has left one, and answers with it."""

    features = (NS,)
    Settings = AwaySettings

    async def start(self) -> None:
        again = float(self.settings.again)
        self._notices: Cache[JID, str] = Cache(KNOWN)
        self._told: Cache[tuple[JID, JID], bool] = Cache(TOLD, again, self.clock.monotonic)
        self._answers = self.meter.counter("answers", "Answers for accounts that are away.")
        self.scope.start(self._report())

    # --- the user's side -------------------------------------------------------------

    @request("get", Notice)
    async def show(self, _: Notice, request: Request) -> Notice:
        """The user's own notice; empty where there is none."""
        return Notice(await self._notice(_owner(request)))

    @request("set", Notice)
    async def change(self, notice: Notice, request: Request) -> None:
        try:
            await self._put(_owner(request), notice.text)
        except ValueError as error:
            raise StanzaError("not-acceptable", str(error)) from None

    @on(SessionAvailable)
    async def remind(self, event: SessionAvailable) -> None:
        """A notice is easily forgotten by the one who has left it."""
        session = event.session
        notice = await self._notice(session.jid.bare)
        if notice and not session[REMINDED]:
            session[REMINDED] = True
            words = Body(f"You are marked as away: {notice}")
            session.send(Message("headline", session.jid, self.host.jid).add(words))

    # --- the sender's side -----------------------------------------------------------

    @delivering(Stage.COPY, Message)
    async def answer(self, message: Message, owner: JID, targets: Sequence[Session]) -> None:
        """Answer people, not servers and not answers: two who are away must not talk for ever."""
        sender = message.sender
        if sender is None or sender.local is None or sender.bare == owner:
            return
        if message.type not in (None, "normal", "chat") or not has_body(message):
            return
        if message.has(Notice) or self._told.get((owner, sender.bare)):
            return
        if notice := await self._notice(owner):
            self._told.put((owner, sender.bare), True)
            self._answers.value += 1
            answer = Message("chat", sender, owner, self.host.ids())
            await self.host.route(answer.add(Body(notice), Notice()))

    @sending(Stage.RECORD, Message)
    def writes(self, message: Message, session: Session) -> None:
        """Whom the user writes to need not be told that nobody reads."""
        if message.to is not None and has_body(message):
            self._told.put((session.jid.bare, message.to.bare), True)

    # --- the operator's side ---------------------------------------------------------

    @command(role="host-admin")
    async def away_show(self, jid: JID) -> str:
        """Show an account's notice."""
        return await self._notice(self._own(jid))

    @command(role="host-admin")
    async def away_set(self, jid: JID, text: str = "") -> None:
        """Leave a notice for an account, or take it away."""
        try:
            await self._put(self._own(jid), text)
        except ValueError as error:
            raise CommandError(str(error)) from None

    @on(AccountDeleted)
    def forget(self, event: AccountDeleted) -> None:
        """What is stored went with the account."""
        self._notices.pop(event.jid)

    async def _report(self) -> None:
        """Say once an hour how it goes; as an example of a task that ends with the module."""
        while True:
            await self.clock.sleep(HOUR)
            self.log.info("answers so far: %d", self._answers.value)

    # --- what is kept ----------------------------------------------------------------

    async def _notice(self, owner: JID) -> str:
        known = self._notices.get(owner)
        if known is None:
            stored = await self.values.find(owner, NAME) or ""
            known = self._notices.get(owner, stored)  # it may have changed while we read
            self._notices.put(owner, known)
        return known

    async def _put(self, owner: JID, text: str) -> None:
        """Raises `ValueError` if it is too long."""
        if len(text.encode()) > self.settings.size:
            raise ValueError(f"more than {self.settings.size}")
        if text.strip():
            await self.values.put(owner, NAME, text)
        else:
            await self.values.remove(owner, NAME)
        self._notices.put(owner, text.strip())

    def _own(self, jid: JID) -> JID:
        if jid.local is None or jid.domain != self.host.domain:
            raise CommandError(f"{jid} is no account of {self.host.domain}")
        return jid.bare


def _owner(request: Request) -> JID:
    """Whose notice it is about: nobody's but the sender's own."""
    if request.session is None:
        raise StanzaError("forbidden", "a notice is its owner's")
    return request.sender.bare
