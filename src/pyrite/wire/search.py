"""Jabber Search: people in a directory."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.jid import JID
from ..core.payload import attr, child, child_text, children, payload
from . import Spec
from .dataforms import Form
from .rsm import ResultSet

SPEC = Spec("XEP-0055", "1.3", "Jabber Search")
NS = "jabber:iq:search"

#: The four fields that every directory has without a form (§3).
FIELDS = ("first", "last", "nick", "email")


@payload(NS, "item")
class Item:
    """Somebody who was found (§2.1)."""

    jid: JID = attr()
    first: str | None = child_text(default=None)
    last: str | None = child_text(default=None)
    nick: str | None = child_text(default=None)
    email: str | None = child_text(default=None)


@payload(NS, "query")
class Search:
    """The fields one can search, what to search for, and who was found (§2)."""

    instructions: str | None = child_text(default=None)
    first: str | None = child_text(default=None)
    last: str | None = child_text(default=None)
    nick: str | None = child_text(default=None)
    email: str | None = child_text(default=None)
    items: tuple[Item, ...] = children(default=())
    form: Form | None = child(default=None)
    page: ResultSet | None = child(default=None)


def criteria(search: Search) -> Mapping[str, str]:
    """What to search for: field -> text, from the form or the fields; empty ones left out."""
    if search.form is not None:
        given = {f.var: f.value for f in search.form.fields if f.var and f.var != "FORM_TYPE"}
    else:
        given = {name: getattr(search, name) or "" for name in FIELDS}
    return {name: text.strip() for name, text in given.items() if text.strip()}
