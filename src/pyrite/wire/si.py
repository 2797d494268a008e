"""Stream initiation: a stream, what it is for, and of which kind it shall be, for old clients."""

from __future__ import annotations

from datetime import datetime

from ..core.errors import StanzaError
from ..core.payload import attr, child, child_text, encode, payload
from ..core.values import NonNegative
from . import Spec, dataforms
from .dataforms import Form

SPEC = Spec("XEP-0095", "1.2", "Stream Initiation")
SPEC_FILE = Spec("XEP-0096", "1.3.1", "SI File Transfer")
SPEC_FEATURE = Spec("XEP-0020", "1.6", "Feature Negotiation")
NS = "http://jabber.org/protocol/si"
NS_FILE = "http://jabber.org/protocol/si/profile/file-transfer"
NS_FEATURE = "http://jabber.org/protocol/feature-neg"

METHOD = "stream-method"  # the one field of the form (XEP-0095 §3)


@payload(NS_FILE, "range")
class Range:
    """The piece that is wanted, in octets; in an offer, without bounds: pieces are understood."""

    offset: NonNegative | None = attr(default=None)
    length: NonNegative | None = attr(default=None)


@payload(NS_FILE, "file")
class File:
    """The file (XEP-0096 §3). `name` is never a path; in an answer nothing is said."""

    name: str | None = attr(default=None)
    size: NonNegative | None = attr(default=None)
    hash: str | None = attr(default=None)  # MD5, which proves nothing
    date: datetime | None = attr(default=None)
    desc: str | None = child_text(default=None)
    range: Range | None = child(default=None)


@payload(NS_FEATURE, "feature")
class Feature:
    """The kinds of streams there are, or the one that it shall be (XEP-0020 §3)."""

    form: Form = child()


@payload(NS, "si")
class Si:
    """The offer, and its answer, which has no attributes (XEP-0095 §3)."""

    id: str | None = attr(default=None)
    mime_type: str | None = attr("mime-type", default=None)
    profile: str | None = attr(default=None)
    file: File | None = child(default=None)
    feature: Feature | None = child(default=None)


@payload(NS, "no-valid-streams")
class NoValidStreams:
    """In an error: none of these kinds (XEP-0095 §4)."""


@payload(NS, "bad-profile")
class BadProfile:
    """In an error: not for this purpose (XEP-0095 §4)."""


def offered(methods: tuple[str, ...]) -> Feature:
    """A choice of `methods`."""
    options = [(method, "") for method in methods]
    field = dataforms.field(METHOD, "list-single", options=options)
    return Feature(Form("form", fields=(field,)))


def chosen(method: str) -> Feature:
    """The one that it shall be."""
    return Feature(Form("submit", fields=(dataforms.Field(METHOD, values=(method,)),)))


def choose(offer: Si, ours: tuple[str, ...]) -> str:
    """The first of `ours` that is offered. Raises `StanzaError` (XEP-0095 §4)."""
    if offer.profile != NS_FILE or offer.file is None or offer.id is None:
        raise _refusal(BadProfile(), "files alone")
    field = offer.feature.form.field(METHOD) if offer.feature is not None else None
    there = {option.value for option in field.options} if field is not None else set()
    for method in ours:
        if method in there:
            return method
    raise _refusal(NoValidStreams(), "no such streams")


def _refusal(app: BadProfile | NoValidStreams, text: str) -> StanzaError:
    return StanzaError("bad-request", text, type="cancel", app=encode(app))
