"""One question to one archive, page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ....core.frozen import frozen
from ....core.jid import JID
from ....core.stanza import Message
from ....wire import archive
from ....wire.archive import Fin, Query
from ....wire.dataforms import Form, Value, submission
from ....wire.rsm import ResultSet

if TYPE_CHECKING:
    from ...entity import Entity

PAGE = 50  # messages that are asked for at once
MOST = 1000  # messages of a page that are taken; for the rest it is asked again


@frozen
class Archived:
    """A message by the id that its archive gave it, and when it came there."""

    id: str
    message: Message
    stamp: datetime


@frozen
class Wanted:
    """What is to hold for the messages."""

    peer: JID | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    ids: tuple[str, ...] = ()


def form_of(wanted: Wanted) -> Form | None:
    """The form that asks for it; None asks for everything (§4.1)."""
    values: dict[str, Value] = {}
    if wanted.peer is not None:
        values["with"] = wanted.peer
    if wanted.since is not None:
        values["start"] = _stamp(wanted.since)
    if wanted.until is not None:
        values["end"] = _stamp(wanted.until)
    if wanted.text is not None:
        values[archive.SEARCH] = wanted.text
    if wanted.ids:
        values["ids"] = wanted.ids
    return submission(archive.NS, values) if values else None


def _stamp(when: datetime) -> str:
    """As XEP-0082 writes it; raises `ValueError` for a time of no known place."""
    if when.tzinfo is None:
        raise ValueError(f"{when} is without a time zone")
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Reader:
    """Asks for pages. Only what the archive that was asked gives under our id is taken."""

    def __init__(self, client: Entity, form: Form | None, of: JID | None, page: int) -> None:
        self.queryid = client.ids()
        self.is_complete = False
        self._client, self._form, self._of = client, form, of
        self._page = max(1, min(page, MOST))
        self._found: list[Archived] | None = None

    async def next(
        self, *, after: str | None = None, before: str | None = None, newest: bool = False
    ) -> list[Archived]:
        """A page, the oldest message first. Raises `StanzaError`."""
        wanted = ResultSet(self._page, after, before or ("" if newest else None))
        query = Query(self.queryid, form=self._form, page=wanted)
        found = self._found = []
        try:
            fin = await self._client.request(query, self._of, type="set", expect=Fin)
        finally:
            self._found = None
        self.is_complete = fin.complete and len(found) < MOST
        return found

    def take(self, message: Message) -> bool:
        """What the archive gives; False for what it does not. What is late is left out."""
        of = self._of or self._client.jid.bare
        answer = archive.unwrap(message, of, self.queryid)
        if answer is None or (message.sender is None and self._of is not None):
            return False
        result, inner = answer
        delay = result.forwarded.delay
        if self._found is not None and len(self._found) < MOST and delay is not None:
            self._found.append(Archived(result.id, inner, delay.stamp))
        return True
