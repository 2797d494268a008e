"""In-Band Registration: new accounts, new passwords, and the end of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..core.errors import StanzaError
from ..core.payload import child, child_text, flag, payload
from . import Spec
from .dataforms import Field, Form, Value, field, form, read, submission
from .oob import XOob

SPEC = Spec("XEP-0077", "2.4", "In-Band Registration")
NS = "jabber:iq:register"
NS_FEATURE = "http://jabber.org/features/iq-register"


@payload(NS_FEATURE, "register")
class Feature:
    """The stream feature: one may register before one has logged in (§8)."""


@payload(NS, "query")
class Registration:
    """What is asked for, what is known, what is answered, or the wish to leave (§3).

    An empty text in what the host sends says: give me this. `form` comes before the fields.
    """

    registered: bool = flag(default=False)
    instructions: str | None = child_text(default=None)
    username: str | None = child_text(default=None)
    nick: str | None = child_text(default=None)
    password: str | None = child_text(default=None)
    name: str | None = child_text(default=None)
    first: str | None = child_text(default=None)
    last: str | None = child_text(default=None)
    email: str | None = child_text(default=None)
    address: str | None = child_text(default=None)
    city: str | None = child_text(default=None)
    state: str | None = child_text(default=None)
    zip: str | None = child_text(default=None)
    phone: str | None = child_text(default=None)
    url: str | None = child_text(default=None)
    date: str | None = child_text(default=None)
    misc: str | None = child_text(default=None)
    text: str | None = child_text(default=None)
    key: str | None = child_text(default=None)
    remove: bool = flag(default=False)
    form: Form | None = child(default=None)
    redirect: XOob | None = child(default=None)


Request = Literal["register", "remove", "cancel"]


def request_of(query: Registration) -> Request:
    """What an IQ set wants; raises `StanzaError` ``bad-request`` if it wants two things (§3.2)."""
    if query.form is not None and query.form.type == "cancel":
        return "cancel"
    if not query.remove:
        return "register"
    if any(value is not None for value in (query.username, query.password, query.form)):
        raise StanzaError("bad-request", "remove stands alone")
    return "remove"


def question(instructions: str, *more: Field) -> Registration:
    """What a host asks a new user: name, password and the fields `more`, in both forms (§4)."""
    asked = form(
        NS,
        field("username", "text-single", "Name", required=True),
        field("password", "text-private", "Password", required=True),
        *more,
        title="Registration",
        instructions=instructions,
    )
    return Registration(instructions=instructions, username="", password="", form=asked)


def credentials(query: Registration, asked: Form | None = None) -> tuple[str, str]:
    """The name and password in an answer, from its form or its fields.

    Raises `StanzaError`: ``not-acceptable`` if one is missing or empty (§3.1), and whatever
    `dataforms.read` raises against the form that was `asked`.
    """
    username, password = query.username, query.password
    if query.form is not None:
        values = read(asked, query.form) if asked else {}
        username = str(values.get("username", query.form.value("username")))
        password = str(values.get("password", query.form.value("password")))
    if not username or not password:
        raise StanzaError("not-acceptable", "a name and a password")
    return username, password


#: What a host may ask for without a form (§14.1).
FIELDS = (
    *("username", "nick", "password", "name", "first", "last", "email", "address", "city"),
    *("state", "zip", "phone", "url", "date", "misc", "text"),
)


def answered(asked: Registration, answers: Mapping[str, Value]) -> Registration:
    """What a newcomer says: in the form if there is one, else in fields, with the host's key.

    Raises `StanzaError` ``not-acceptable`` if something that the host wants is not there.
    """
    if asked.form is not None:
        needed = [f.var for f in asked.form.fields if f.required and f.var]
    else:
        needed = [name for name in FIELDS if getattr(asked, name) is not None]
    if missing := [name for name in needed if not answers.get(name)]:
        raise StanzaError("not-acceptable", f"the server asks for {', '.join(missing)}")
    if asked.form is not None:
        return Registration(form=submission(asked.form.form_type or NS, answers))
    made = Registration(key=asked.key)
    given = {name: str(answers[name]) for name in FIELDS if name in answers}
    return replace(made, **given)  # type: ignore[arg-type]  # all of these are texts
