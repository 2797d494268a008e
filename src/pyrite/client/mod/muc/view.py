"""One room as its stanzas show it: who is there, and what has happened. It sends nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ....core.errors import StanzaError
from ....core.jid import JID, JIDError
from ....core.stanza import Message, Presence
from ....kit.cache import Cache
from ....wire import (
    chatstates,
    delay,
    hats,
    moderation,
    muc,
    occupants,
    presence,
    retraction,
    roominfo,
    stanzaid,
)
from ....wire.dataforms import Form
from ....wire.hats import Hat
from ....wire.message import Subject, Thread, has_body
from .events import (
    AffiliationChanged,
    ConfigChanged,
    Destroyed,
    HatsChanged,
    Joined,
    Left,
    Moderated,
    NickChanged,
    Occupant,
    RegistrationAsked,
    RoleChanged,
    RoomEvent,
    Said,
    ShowChanged,
    StateChanged,
    SubjectChanged,
    VoiceAsked,
    Whispered,
    reason_of,
)

MOST = 100_000  # occupants that are known
SEEN = 500  # messages that are known again when they are told once more


class View:
    """What is known of a room. Only stanzas from its address may be given to it."""

    def __init__(self, jid: JID, nick: str) -> None:
        self.jid, self.nick = jid, nick
        self.occupants: dict[str, Occupant] = {}
        self.features: frozenset[str] = frozenset()
        self.subject = ""
        self.me: Occupant | None = None
        self.is_new = False  # we have made the room by coming
        self.is_logged = False  # for the public to read
        self.shows_addresses = False  # to everybody, not to moderators alone
        self._unsure: dict[str, str] | None = None  # nick -> id, until `features` are known
        self._seen: Cache[tuple[str, str], bool] = Cache(SEEN)

    def forget(self) -> None:
        """We are out, and will be told anew who is there."""
        self.occupants, self.me, self.is_new = {}, None, False

    def know(self, features: frozenset[str]) -> None:
        """What a new room can do, which could not be asked before it was there."""
        self.features, unsure = features, self._unsure or {}
        self._unsure = None
        if occupants.NS not in features:
            return
        for nick, id in unsure.items():
            if nick in self.occupants:
                self.occupants[nick] = replace(self.occupants[nick], id=id or None)
        if self.me is not None:
            self.me = self.occupants.get(self.me.nick, self.me)

    # --- presence (§7.1, §7.2) -------------------------------------------------------

    def here(self, stanza: Presence, nick: str, user: muc.User) -> list[RoomEvent]:
        """Somebody is there, or has become something else."""
        before = self.occupants.get(nick)
        if before is None and len(self.occupants) >= MOST and muc.OWN not in user.codes:
            return []
        who = self.occupants[nick] = self._occupant(stanza, nick, user)
        is_first = self.me is None
        if muc.OWN in user.codes or nick == self._own_nick():
            self.me, self.nick = who, nick
            self._learn(user.codes)
            if muc.CREATED in user.codes:
                self.is_new, self._unsure = True, {nick: occupants.id_of(stanza) or ""}
        if is_first:
            return []  # who was there before us does not come now
        if before is None:
            return [Joined(who)]
        events: list[RoomEvent] = []
        if (who.role, who.affiliation) != (before.role, before.affiliation):
            item = user.item or muc.Item()
            by = item.actor.nick if item.actor is not None else None
            events.append(RoleChanged(who, before, by, item.reason))
        if who.show != before.show:
            events.append(ShowChanged(who, before))
        if who.hats != before.hats:
            events.append(HatsChanged(who, before))
        return events

    def gone(self, stanza: Presence, nick: str, user: muc.User) -> list[RoomEvent]:
        """Somebody has left, or takes another nick."""
        is_own = muc.OWN in user.codes or nick == self._own_nick()
        before = self.occupants.pop(nick, None)
        item, codes = user.item, user.codes
        if muc.NICK_CHANGED in codes and item is not None and item.nick and before is not None:
            if item.nick == self._own_nick() and not is_own:
                return []  # which is ours
            who = _renamed(before, item.nick)
            self.occupants[who.nick] = who
            if is_own:
                self.me, self.nick = who, who.nick
            return [NickChanged(who, nick, is_own)]
        if user.destroyed is not None:
            end = user.destroyed
            self.me = None if is_own else self.me
            return [Destroyed(end.jid, end.reason, end.password)] if is_own else []
        was_in = self.me is not None
        if is_own:
            self.me = None
        if not was_in or (before is None and not is_own):
            return []
        who = self._occupant(stanza, nick, user)
        words = stanza.child("jabber:client", "status")
        return [Left(who, reason_of(codes, item, words.text if words else ""), is_own)]

    def _learn(self, codes: frozenset[int]) -> None:
        """What the room does with what it knows of those in it (§7.2.3, §10.2.1)."""
        if codes & {muc.LOGGED, muc.NOT_LOGGED}:
            self.is_logged = muc.LOGGED in codes
        if codes & _ANONYMITY:
            self.shows_addresses = bool(codes & {muc.REAL_JIDS, muc.NOW_REAL_JIDS})

    def _own_nick(self) -> str | None:
        return self.me.nick if self.me is not None else None

    def _occupant(self, stanza: Presence, nick: str, user: muc.User) -> Occupant:
        item = user.item or muc.Item()
        is_believed, id = occupants.NS in self.features, None
        if is_believed or self._unsure is not None:
            id = occupants.id_of(stanza)
        if self._unsure is not None:
            self._unsure[nick] = id or ""
        role, affiliation = item.role or "none", item.affiliation or "none"
        address = item.jid.text if item.jid is not None else None
        worn = _worn(stanza) if hats.NS in self.features else ()
        shown = presence.show(stanza)
        return Occupant(nick, role, affiliation, address, id if is_believed else None, shown, worn)

    # --- messages (§7.4, §7.5, §8.1, §10) --------------------------------------------

    def said(self, message: Message, user: muc.User | None) -> list[RoomEvent]:
        """Whatever is told in the room, or of it."""
        nick = message.sender.resource if message.sender is not None else None
        if nick is None:
            return self._told(message, user)
        if message.type == "chat" or (message.type in (None, "normal") and user is not None):
            who = self.occupants.get(nick) or Occupant(nick)
            return [Whispered(who, message.body or "", message)] if has_body(message) else []
        if message.type != "groupchat":
            return []
        return self._spoken(message, nick)

    def _told(self, message: Message, user: muc.User | None) -> list[RoomEvent]:
        """The room itself speaks: nobody else can send from its bare address."""
        events: list[RoomEvent] = []
        codes = user.codes if user is not None else frozenset[int]()
        if codes & muc.CONFIGURED:
            events.append(ConfigChanged(codes & muc.CONFIGURED))
        item = user.item if user is not None else None
        if item is not None and item.jid is not None and item.affiliation is not None:
            events.append(AffiliationChanged(item.jid, item.affiliation))
        if codes & _ABOUT:
            self._learn(codes)
        if (asked := _asked(message)) is not None:
            events.append(asked)
        if (taken := _taken_back(message)) is not None:
            events.append(taken)
        elif message.type == "groupchat":
            events += self._spoken(message, None)
        return events

    def _spoken(self, message: Message, nick: str | None) -> list[RoomEvent]:
        who = None if nick is None else self._author(message, nick)
        if _is_subject(message):
            subject = message.child("jabber:client", "subject")
            text = subject.text if subject is not None else ""
            if text == self.subject:
                return []
            self.subject = text
            return [SubjectChanged(text, who)]
        if not has_body(message):
            return self._shown(message, who)
        at = delay.stamp_by(message, self.jid)
        id = stanzaid.id_by(message, self.jid) if stanzaid.NS in self.features else None
        if self._is_known(message, nick or "", id, at):
            return []
        is_own = at is None and nick is not None and nick == self._own_nick()
        return [Said(who, message.body or "", message, at, id, is_own)]

    def _shown(self, message: Message, who: Occupant | None) -> list[RoomEvent]:
        """How somebody else is now; that they are gone, their presence says (XEP-0085 §5.5)."""
        state = chatstates.state(message)
        if state is None or who is None or state == chatstates.Gone():
            return []
        if who.nick == self._own_nick() or message.child(delay.NS, "delay") is not None:
            return []
        return [StateChanged(who, state)]

    def _is_known(self, message: Message, nick: str, id: str | None, at: datetime | None) -> bool:
        """Whether the room tells once more what we had heard before the connection broke."""
        key = nick, id or message.id or ""
        was_seen = bool(key[1]) and self._seen.get(key) is not None
        if key[1]:
            self._seen.put(key, True)
        return was_seen and at is not None

    def _author(self, message: Message, nick: str) -> Occupant:
        """Who said it: of what is old, perhaps another one who had that nick (XEP-0421 §1)."""
        found = self.occupants.get(nick)
        id = occupants.id_of(message) if occupants.NS in self.features else None
        if found is None or (id is not None and found.id != id):
            return Occupant(nick, id=id)
        return found


_ANONYMITY = frozenset({muc.REAL_JIDS, muc.NOW_REAL_JIDS, muc.NOW_SEMI_ANONYMOUS, 174})
_ABOUT = _ANONYMITY | {muc.LOGGED, muc.NOT_LOGGED}


def _asked(message: Message) -> VoiceAsked | RegistrationAsked | None:
    """What the room wants moderators to decide (§8.6, §9.9)."""
    try:
        form = message.get(Form)
    except StanzaError:
        return None
    if form is None or message.type == "groupchat" or roominfo.allowing(form) is None:
        return None
    if form.form_type == muc.NS_REGISTER:
        return RegistrationAsked(form, form.value("muc#register_roomnick"))
    try:
        jid = JID.parse(form.value("muc#jid"))
    except JIDError:
        jid = None
    return VoiceAsked(form, form.value("muc#roomnick"), jid, form.value("muc#role"))


def _worn(stanza: Presence) -> tuple[Hat, ...]:
    try:
        found = stanza.get(hats.Hats)
    except StanzaError:
        return ()
    return found.hats[: hats.MOST] if found is not None else ()


def _renamed(who: Occupant, nick: str) -> Occupant:
    return replace(who, nick=nick)


def _is_subject(message: Message) -> bool:
    """Words with a subject are words (§8.1)."""
    if not message.has(Subject):
        return False
    return message.child("jabber:client", "body") is None and not message.has(Thread)


def _taken_back(message: Message) -> Moderated | None:
    try:
        found = message.get(retraction.Retract)
    except StanzaError:
        return None
    if found is None or found.moderated is None:
        return None
    return Moderated(found.id, found.moderated.by, found.reason or _reason(message))


def _reason(message: Message) -> str | None:
    """COMPAT: ejabberd 24, which has it in the namespace of who moderates."""
    retract = message.child(retraction.NS, "retract")
    reason = retract.child(moderation.NS, "reason") if retract is not None else None
    return reason.text or None if reason is not None else None
