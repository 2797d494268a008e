"""Finds people in a directory (XEP-0055)."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.errors import StanzaError
from ...core.frozen import frozen
from ...core.jid import JID, JIDError
from ...wire import search
from ...wire.dataforms import Form, submission
from ..feature import Feature

MOST = 1000  # people of one answer


@frozen
class Found:
    """Somebody in the directory: field -> what stands there."""

    jid: JID
    fields: Mapping[str, str]


class Search(Feature):
    """The directories are services of their own; `Disco.find` looks for one."""

    spec = search.SPEC

    async def fields(self, service: JID | str) -> search.Search:
        """What can be searched there, with the directory's own words. Raises `StanzaError`."""
        return await self.client.request(search.Search(), service, expect=search.Search)

    async def find(self, service: JID | str, **wanted: str) -> tuple[Found, ...]:
        """People whose `wanted` fields are like that, as the directory understands it.

        Raises `StanzaError`: ``not-acceptable`` for a field that cannot be searched there.
        """
        asked = await self.fields(service)
        if asked.form is not None:
            known = {field.var for field in asked.form.fields}
            query = search.Search(form=submission(search.NS, wanted))
        else:
            known = {name for name in search.FIELDS if getattr(asked, name) is not None}
            query = search.Search(
                first=wanted.get("first"),
                last=wanted.get("last"),
                nick=wanted.get("nick"),
                email=wanted.get("email"),
            )
        if unknown := set(wanted) - known:
            raise StanzaError("not-acceptable", f"not searched there: {', '.join(unknown)}")
        answer = await self.client.request(query, service, type="set", expect=search.Search)
        found = _rows(answer.form) if answer.form is not None else _items(answer)
        return found[:MOST]


def _items(answer: search.Search) -> tuple[Found, ...]:
    return tuple(
        Found(item.jid, {n: text for n in search.FIELDS if (text := getattr(item, n))})
        for item in answer.items
    )


def _rows(form: Form) -> tuple[Found, ...]:
    """Those rows of a table that name somebody."""
    found = []
    for row in form.items:
        fields = {field.var: field.value for field in row.fields if field.var}
        try:
            jid = JID.parse(fields.pop("jid", ""))
        except JIDError:
            continue
        found.append(Found(jid, fields))
    return tuple(found)
