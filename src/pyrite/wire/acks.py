"""Stream Management: stanzas are acknowledged, and a broken stream is taken up again."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from ..core.ack import WrongCountError
from ..core.errors import TYPE_OF, StanzaError, StreamError
from ..core.payload import anything, attr, encode, payload
from ..core.stanza import NS_ERRORS
from ..core.values import Form, PositiveInt, UnsignedInt, form_of
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("XEP-0198", "1.6.3", "Stream Management")
NS = "urn:xmpp:sm:3"


@payload(NS, "sm")
class Sm:
    """The stream feature, where a resource can be bound (§2), and inside SASL's (§9.2)."""


def _or_none(form: Form) -> Form:
    """Reads as ``None`` what is not of `form`: a mistake here is answered, and ends no stream."""

    def read(text: str) -> Any:
        with suppress(ValueError):
            return form.read(text)
        return None

    return Form(read, form.show)


Whether = Annotated[bool, _or_none(form_of(bool))]
Seconds = Annotated[int, _or_none(form_of(PositiveInt))]
Count = Annotated[int, _or_none(form_of(UnsignedInt))]


@payload(NS, "enable")
class Enable:
    """Count from here on; if `resume`, for as long as `max` seconds after a break (§3).

    A wish that is malformed is none.
    """

    resume: Whether | None = attr(default=None)
    max: Seconds | None = attr(default=None)


@payload(NS, "enabled")
class Enabled:
    """So it is; `id` names the session for who resumes it, best at `location` (§3, §5)."""

    id: str | None = attr(default=None)
    resume: bool = attr(default=False)
    max: PositiveInt | None = attr(default=None)
    location: str | None = attr(default=None)


@payload(NS, "r")
class Ask:
    """How many have you handled? (§4)"""


@payload(NS, "a")
class Ack:
    """So many of your stanzas are handled (§4)."""

    h: UnsignedInt = attr()


@payload(NS, "resume")
class Resume:
    """Go on with session `previd`, of which `h` stanzas arrived here (§5).

    Both have to be there; a client that forgets one is answered, like one that is wrong (§6).
    """

    previd: str = attr(default="")
    h: Count | None = attr(default=None)


@payload(NS, "resumed")
class Resumed:
    """It goes on; of the other side's stanzas `h` arrived here (§5)."""

    previd: str = attr()
    h: UnsignedInt = attr()


@payload(NS, "failed")
class Failed:
    """No; `error` says why. `h` of what arrived, if the session is remembered (§5, §6)."""

    h: UnsignedInt | None = attr(default=None)
    conditions: tuple[Element, ...] = anything(default=())

    @property
    def error(self) -> StanzaError:
        """Why; ``undefined-condition`` where it says nothing that is defined."""
        known = (e.name.tag for e in self.conditions if e.name.ns == NS_ERRORS)
        return StanzaError(next((tag for tag in known if tag in TYPE_OF), "undefined-condition"))


@payload(NS, "handled-count-too-high")
class HandledCountTooHigh:
    """Inside a stream error: more were acknowledged than were sent (§6)."""

    h: UnsignedInt | None = attr(default=None)
    send_count: UnsignedInt | None = attr("send-count", default=None)


def failed(error: StanzaError, h: int | None = None) -> Failed:
    """`error` as the answer to `Enable` or `Resume`: the bare condition of a stanza error (§6)."""
    return Failed(h, (Element(Name(NS_ERRORS, error.condition)),))


def stream_error(error: WrongCountError) -> StreamError:
    """What ends a stream whose peer has acknowledged what it was not sent (§6)."""
    detail = HandledCountTooHigh(error.h, error.sent)
    return StreamError("undefined-condition", str(error), app=encode(detail))
