"""Unique and Stable Stanza IDs: what an archive calls a message."""

from __future__ import annotations

from collections.abc import Container
from typing import TypeVar

from ..core.errors import StanzaError
from ..core.jid import JID
from ..core.payload import attr, decode, name_of, payload
from ..core.stanza import Stanza
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0359", "0.7.0", "Unique and Stable Stanza IDs")
NS = "urn:xmpp:sid:0"

S = TypeVar("S", bound=Stanza)


@payload(NS, "stanza-id")
class StanzaId:
    """The id that `by` gave it: an account, or a room (§3.1)."""

    id: str = attr()
    by: JID = attr()


@payload(NS, "origin-id")
class OriginId:
    """The id that its sender gave it, which anybody can claim (§3.2, §6)."""

    id: str = attr()


@payload(NS, "referenced-stanza")
class ReferencedStanza:
    """Another stanza is meant, by the id that `by` gave it (§4)."""

    id: str = attr()
    by: JID = attr()


_NAME = name_of(StanzaId)


def stamped(stanza: S, id: str, by: JID) -> S:
    """`stanza` with the id that `by` gives it, and no other in that name (§5, rules 2 and 4)."""
    return without_forged(stanza, (by,)).add(StanzaId(id, by))


def given(stanza: S, id: str, by: JID) -> S:
    """`stanza`, which has no id in the name of `by`, with the one that `by` gives it.

    `id` has only letters and digits, `by` no resource: there is nothing in them to escape.
    """
    element = Element(_NAME, {"id": id, "by": by.text})
    return stanza.add_written(element, f'<stanza-id xmlns="{NS}" id="{id}" by="{by.text}"/>')


def given_by(stanza: Stanza, by: JID) -> str | None:
    """The id that `by` gave a stanza that `without_forged` has seen: without reading addresses."""
    text = by.text
    for element in stanza.payloads:
        if element.name == _NAME and element.attrs.get("by") == text:
            return element.attrs.get("id")
    return None


def without_forged(stanza: S, ours: Container[JID]) -> S:
    """Without any id in the name of one of `ours`, however often it is there (§5, rule 2).

    Also drops those that are malformed. The same object if there is nothing to drop.
    """
    return stanza.without(_NAME, lambda element: _claims(element, ours))


def _claims(element: Element, ours: Container[JID]) -> bool:
    try:
        return decode(StanzaId, element).by in ours
    except StanzaError:
        return True


def id_by(stanza: Stanza, by: JID) -> str | None:
    """The id that `by` gave `stanza`, to be believed only if `by`'s server guards it (§6)."""
    for element in stanza.payloads:
        if element.name == _NAME and _claims(element, (by,)):
            return element.attrs.get("id")
    return None
