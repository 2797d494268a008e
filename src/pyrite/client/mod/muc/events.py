"""What can happen in a room, who is in it, and why somebody no longer is."""

from __future__ import annotations

from datetime import datetime

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID
from ....core.stanza import Message
from ....wire import chatstates, dataforms, muc
from ....wire.hats import Hat
from ....wire.presence import Availability


@frozen
class Occupant:
    """Somebody in a room. `address` is the real one, where the room tells it to us; as text, for
    a large room has thousands of them.

    `id` stays the same when the nick changes and when they come again (XEP-0421); None where
    the room does not give any. Somebody who has left has the role ``none``. `hats` are what
    the room says that they are besides (XEP-0317).
    """

    nick: str
    role: muc.Role = "none"
    affiliation: muc.Affiliation = "none"
    address: str | None = None
    id: str | None = None
    show: Availability | None = None
    hats: tuple[Hat, ...] = ()

    @property
    def jid(self) -> JID | None:
        """The real address."""
        return JID.parse(self.address) if self.address is not None else None


# --- why somebody has left --------------------------------------------------------------------


@frozen
class Went:
    """By themselves, with these last words."""

    words: str = ""


@frozen
class Kicked:
    """A moderator has thrown them out; they may come again. `by` is a nick, where it is told."""

    by: str | None = None
    why: str | None = None


@frozen
class Banned:
    """They may not come again."""

    by: str | None = None
    why: str | None = None


@frozen
class Excluded:
    """The room is for members, and they are none, or no longer."""

    by: str | None = None
    why: str | None = None


@frozen
class ShutDown:
    """The service stops for now."""


@frozen
class Failed:
    """Their connection, or the one between the servers, is broken."""

    why: str | None = None


Reason = Went | Kicked | Banned | Excluded | ShutDown | Failed


# --- events -----------------------------------------------------------------------------------


@frozen
class Said:
    """Words to all. `who` is None for the room itself.

    `at`: when, of what was said before we came. `id` is what the room's archive calls it, if it
    has one. `is_own`: we have said it, here or with another client that has our nick.
    """

    who: Occupant | None
    body: str
    message: Message
    at: datetime | None = None
    id: str | None = None
    is_own: bool = False


@frozen
class Whispered:
    """Words to us alone. The answer goes to ``room.whisper(who.nick, …)``."""

    who: Occupant
    body: str
    message: Message


@frozen
class Joined:
    """Somebody has come."""

    who: Occupant


@frozen
class Left:
    """Somebody is gone; if that is us, and not for a while only, nothing else comes."""

    who: Occupant
    reason: Reason
    is_own: bool = False


@frozen
class NickChanged:
    """Somebody is called otherwise now."""

    who: Occupant
    before: str
    is_own: bool = False


@frozen
class RoleChanged:
    """Somebody has another role or affiliation than `before`."""

    who: Occupant
    before: Occupant
    by: str | None = None
    why: str | None = None


@frozen
class ShowChanged:
    """Somebody is away, or there again."""

    who: Occupant
    before: Occupant


@frozen
class HatsChanged:
    """Somebody is something else in the room's own words than `before` (XEP-0317)."""

    who: Occupant
    before: Occupant


@frozen
class AffiliationChanged:
    """Somebody who is not in the room has another affiliation."""

    jid: JID
    affiliation: muc.Affiliation


@frozen
class SubjectChanged:
    """What is talked about; `who` set it, if that is told."""

    subject: str
    who: Occupant | None = None


@frozen
class StateChanged:
    """Somebody is typing, or has stopped (XEP-0085 §5.5)."""

    who: Occupant
    state: chatstates.ChatState


@frozen
class Moderated:
    """A moderator has taken back the message that the room calls `id` (XEP-0425)."""

    id: str
    by: JID | None = None
    why: str | None = None


@frozen
class ConfigChanged:
    """The room's settings are others: status codes of XEP-0045 §15.6."""

    codes: frozenset[int]

    @property
    def words(self) -> tuple[str, ...]:
        """What they say, for people."""
        return tuple(muc.STATUS[code] for code in sorted(self.codes) if code in muc.STATUS)


@frozen
class VoiceAsked:
    """A visitor wants a voice; moderators are asked, and answer by ``room.answer`` (§8.6)."""

    form: dataforms.Form
    nick: str
    jid: JID | None = None
    role: str = "participant"


@frozen
class RegistrationAsked:
    """Somebody wants to be a member who is called `nick`; admins are asked, and answer by
    ``room.answer`` (§9.9). What else they say of themselves is in the form."""

    form: dataforms.Form
    nick: str


@frozen
class Returned:
    """We had been away without wanting to, and are in again: look at `occupants` anew."""


@frozen
class Destroyed:
    """The room is no more; there may be `other` in its place. Nothing else comes."""

    other: JID | None = None
    why: str | None = None
    password: str | None = None


@frozen
class ShutOut:
    """We were away, and are not let in any more. Nothing else comes."""

    cause: Exception


RoomEvent = (
    Said
    | Whispered
    | Joined
    | Left
    | NickChanged
    | RoleChanged
    | ShowChanged
    | HatsChanged
    | AffiliationChanged
    | SubjectChanged
    | StateChanged
    | Moderated
    | ConfigChanged
    | VoiceAsked
    | RegistrationAsked
    | Returned
    | Destroyed
    | ShutOut
)


# --- told of the client, not of a room --------------------------------------------------------


@frozen
class Invited:
    """Somebody wants us in a room: `by`, themselves or as the room says (XEP-0249, §7.8)."""

    room: JID
    by: JID | None
    why: str | None = None
    password: str | None = None
    thread: str | None = None  # the conversation that goes on there
    is_direct: bool = False


@frozen
class Declined:
    """Somebody whom we invited will not come, says the room."""

    room: JID
    by: JID | None
    why: str | None = None


def reason_of(codes: frozenset[int], item: muc.Item | None, words: str) -> Reason:
    """Why an occupant has left, by the status codes (§15.6)."""
    actor = item.actor if item is not None else None
    by = (actor.nick or (str(actor.jid) if actor.jid else None)) if actor is not None else None
    why = item.reason if item is not None else None
    if muc.BANNED in codes:
        return Banned(by, why)
    if muc.FAILED in codes:  # before 307, which comes with it for older clients
        return Failed(why or words or None)
    if muc.KICKED in codes:
        return Kicked(by, why)
    if codes & {muc.NO_LONGER_MEMBER, muc.MEMBERS_ONLY}:
        return Excluded(by, why)
    return ShutDown() if muc.SHUT_DOWN in codes else Went(words)


def is_final(error: Exception) -> bool:
    """Whether asking again to be let in is of no use."""
    return isinstance(error, StanzaError) and error.type != "wait" and error.condition != "conflict"
