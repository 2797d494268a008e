"""User Mood: how somebody feels."""

from __future__ import annotations

from ..core.payload import anything, child_text, payload
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("XEP-0107", "1.2.1", "User Mood")
NS = "http://jabber.org/protocol/mood"

#: Every mood there is (§3).
MOODS = frozenset(
    "afraid amazed amorous angry annoyed anxious aroused ashamed bored brave calm cautious cold"
    " confident confused contemplative contented cranky crazy creative curious dejected depressed"
    " disappointed disgusted dismayed distracted embarrassed envious excited flirtatious"
    " frustrated grateful grieving grumpy guilty happy hopeful hot humbled humiliated hungry hurt"
    " impressed in_awe in_love indignant interested intoxicated invincible jealous lonely lost"
    " lucky mean moody nervous neutral offended outraged playful proud relaxed relieved remorseful"
    " restless sad sarcastic satisfied serious shocked shy sick sleepy spontaneous stressed strong"
    " surprised thankful thirsty tired undefined weak worried".split()
)


@payload(NS, "mood")
class Mood:
    """A mood, and words for it; empty: none (§2)."""

    content: tuple[Element, ...] = anything(default=())
    text: str | None = child_text(default=None)

    @property
    def name(self) -> str | None:
        """The mood, if it is one of `MOODS`."""
        return next((e.name.tag for e in self.content if _is_mood(e.name)), None)


def mood(name: str, text: str | None = None) -> Mood:
    """The mood called `name`; raises `ValueError` if there is none of that name."""
    if name not in MOODS:
        raise ValueError(f"no such mood: {name}")
    return Mood((Element(Name(NS, name)),), text)


def _is_mood(name: Name) -> bool:
    return name.ns == NS and name.tag in MOODS
