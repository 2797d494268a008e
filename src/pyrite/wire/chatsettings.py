"""How a chat is to be treated by all of somebody's clients; kept with its bookmark."""

from __future__ import annotations

from typing import Literal

from ..core.payload import anything, attr, child, children, payload
from ..core.xml import Element
from . import Spec

SPEC = Spec("XEP-0492", "0.2.0", "Chat notification settings")
SPEC_PINNING = Spec("XEP-0469", "0.1.0", "Bookmark Pinning")
NS = "urn:xmpp:notification-settings:1"
NS_PINNING = "urn:xmpp:bookmarks-pinning:0"

When = Literal["never", "on-mention", "always"]


@payload(NS_PINNING, "pinned")
class Pinned:
    """It is shown before others (XEP-0469 §3)."""


@payload(NS, "advanced")
class Advanced:
    """What clients keep there for themselves (§2.3)."""

    content: tuple[Element, ...] = anything(default=())


@payload(NS, "never")
class Never:
    """Tell me nothing (§2.1)."""

    category: str | None = attr("identity-category", default=None)
    type: str | None = attr("identity-type", default=None)
    advanced: Advanced | None = child(default=None)


@payload(NS, "on-mention")
class OnMention:
    """Tell me if I am mentioned (§2.1)."""

    category: str | None = attr("identity-category", default=None)
    type: str | None = attr("identity-type", default=None)
    advanced: Advanced | None = child(default=None)


@payload(NS, "always")
class Always:
    """Tell me everything (§2.1)."""

    category: str | None = attr("identity-category", default=None)
    type: str | None = attr("identity-type", default=None)
    advanced: Advanced | None = child(default=None)


_WHEN: dict[type, When] = {Never: "never", OnMention: "on-mention", Always: "always"}


@payload(NS, "notify")
class Notify:
    """When to tell of a message, by what a client is (§2)."""

    settings: tuple[Never | OnMention | Always, ...] = children(default=())

    def when(self, category: str, type: str) -> When | None:
        """What holds for a client of that identity: the setting that names most of it (§2.2)."""
        fitting = [one for one in self.settings if _fits(one, category, type)]
        if not fitting:
            return None
        best = max(fitting, key=lambda one: (one.category is not None) + (one.type is not None))
        return _WHEN[best.__class__]


def _fits(one: Never | OnMention | Always, category: str, type: str) -> bool:
    return one.category in (None, category) and one.type in (None, type)
