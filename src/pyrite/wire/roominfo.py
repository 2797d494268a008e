"""What a room says of itself before one is in it, and what it asks of those who keep order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..core.frozen import frozen
from ..core.jid import JID, JIDError
from . import disco
from .dataforms import Form, Value, answers, submission
from .muc import NS, NS_REGISTER, SPEC, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NS_INFO",
    "NS_REQUEST",
    "RESERVED",
    "SPEC",
    "RoomInfo",
    "allowing",
    "nick_of",
    "read",
    "voice",
]

NS_INFO = f"{NS}#roominfo"
NS_REQUEST = f"{NS}#request"

RESERVED = "x-roomuser-item"  # the node where a room tells the nick that is ours (§7.12)

#: The field that a moderator sets, by what the form is about (§8.6, §9.9).
_ALLOWING = {NS_REQUEST: "muc#request_allow", NS_REGISTER: "muc#register_allow"}


@frozen
class RoomInfo:
    """A room, as service discovery tells of it (§6.4, §15.5.4); None where it does not tell.

    `more` is what the form has besides, by the names of its fields.
    """

    name: str = ""
    features: frozenset[str] = frozenset()
    description: str = ""
    subject: str = ""
    language: str = ""
    occupants: int | None = None
    most_history: int | None = None
    contacts: tuple[JID, ...] = ()
    logs: str = ""
    may_all_set_subject: bool | None = None
    more: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_public(self) -> bool | None:
        """Whether it is listed for everybody."""
        return self._either("muc_public", "muc_hidden")

    @property
    def is_members_only(self) -> bool | None:
        return self._either("muc_membersonly", "muc_open")

    @property
    def is_moderated(self) -> bool | None:
        """Whether who comes has no voice."""
        return self._either("muc_moderated", "muc_unmoderated")

    @property
    def shows_addresses(self) -> bool | None:
        """Whether everybody sees who everybody is."""
        return self._either("muc_nonanonymous", "muc_semianonymous")

    @property
    def has_password(self) -> bool | None:
        return self._either("muc_passwordprotected", "muc_unsecured")

    @property
    def is_persistent(self) -> bool | None:
        """Whether it stays when nobody is in it."""
        return self._either("muc_persistent", "muc_temporary")

    def _either(self, yes: str, no: str) -> bool | None:
        return yes in self.features if {yes, no} & self.features else None


def read(info: disco.Info) -> RoomInfo:
    """What `info`, the answer of a room, says of it."""
    form = info.form(NS_INFO)
    told = answers(form) if form is not None else {}
    name = next((one.name for one in info.identities if one.category == "conference"), None)
    return RoomInfo(
        name or "",
        info.vars,
        _text(told.pop("muc#roominfo_description", "")),
        _text(told.pop("muc#roominfo_subject", "")),
        _text(told.pop("muc#roominfo_lang", "")),
        _count(told.pop("muc#roominfo_occupants", "")),
        _count(told.pop("muc#maxhistoryfetch", "")),
        _addresses(told.pop("muc#roominfo_contactjid", ())),
        _text(told.pop("muc#roominfo_logs", "")),
        _flag(told.pop("muc#roominfo_subjectmod", None)),
        MappingProxyType(told),
    )


def _addresses(value: Value) -> tuple[JID, ...]:
    """Those that are any; one that is none makes all of them texts."""
    found: list[JID] = []
    for one in value if isinstance(value, tuple) else (value,):
        with suppress(JIDError):
            found.append(JID.parse(str(one)))
    return tuple(found)


def _text(value: Value) -> str:
    return "\n".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _count(value: Value) -> int | None:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _flag(value: Value | None) -> bool | None:
    return value if isinstance(value, bool) else None


def nick_of(info: disco.Info) -> str | None:
    """The nick that a room keeps for us, as it answers at the node `RESERVED` (§7.12)."""
    return next((one.name for one in info.identities if one.category == "conference"), None)


def voice(role: Role = "participant") -> Form:
    """To a room: I should like to have a voice (§7.13)."""
    return submission(NS_REQUEST, {"muc#role": role})


def allowing(form: Form) -> str | None:
    """The field that says whether it is allowed, of a form that asks a moderator (§8.6, §9.9)."""
    var = _ALLOWING.get(form.form_type or "")
    if form.type != "form" or var is None:
        return None
    return var if form.field(var) is not None else None
