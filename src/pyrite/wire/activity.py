"""User Activity: what somebody does."""

from __future__ import annotations

from ..core.payload import anything, children, lang, payload, text
from ..core.xml import Element, Name
from . import Spec

SPEC = Spec("XEP-0108", "1.3", "User Activity")
NS = "http://jabber.org/protocol/activity"

#: What people do in general -> what of it in particular (§3).
ACTIVITIES = {
    general: frozenset(specific.split())
    for general, specific in {
        "doing_chores": "buying_groceries cleaning cooking doing_maintenance doing_the_dishes"
        " doing_the_laundry gardening running_an_errand walking_the_dog",
        "drinking": "having_a_beer having_coffee having_tea",
        "eating": "having_a_snack having_breakfast having_dinner having_lunch",
        "exercising": "cycling dancing hiking jogging playing_sports running skiing swimming"
        " working_out",
        "grooming": "at_the_spa brushing_teeth getting_a_haircut shaving taking_a_bath"
        " taking_a_shower",
        "having_appointment": "",
        "inactive": "day_off hanging_out hiding on_vacation praying scheduled_holiday sleeping"
        " thinking",
        "relaxing": "fishing gaming going_out partying reading rehearsing shopping smoking"
        " socializing sunbathing watching_tv watching_a_movie",
        "talking": "in_real_life on_the_phone on_video_phone",
        "traveling": "commuting cycling driving in_a_car on_a_bus on_a_plane on_a_train on_a_trip"
        " walking",
        "undefined": "",
        "working": "coding in_a_meeting studying writing",
    }.items()
}


@payload(NS, "text")
class Words:
    """What its owner says of it."""

    text: str = text(default="")
    lang: str | None = lang(default=None)


@payload(NS, "activity")
class Activity:
    """What is done, in general and in particular; empty: nothing to tell (§2)."""

    content: tuple[Element, ...] = anything(default=())
    words: tuple[Words, ...] = children(default=())

    @property
    def general(self) -> str | None:
        """What is done, if it is one of `ACTIVITIES`."""
        found = self._element()
        return found.name.tag if found is not None else None

    @property
    def specific(self) -> str | None:
        """And what of that in particular, where it is told, and known."""
        found = self._element()
        known = ACTIVITIES[found.name.tag] | {"other"} if found is not None else frozenset()
        inside = found.elements if found is not None else ()
        return next((e.name.tag for e in inside if e.name.tag in known), None)

    def _element(self) -> Element | None:
        return next((e for e in self.content if e.name.tag in ACTIVITIES), None)


def activity(general: str, specific: str | None = None, words: str | None = None) -> Activity:
    """An activity of the registry; raises `ValueError` for another one."""
    if specific not in ACTIVITIES.get(general, frozenset()) | {None, "other"}:
        raise ValueError(f"no such activity: {general}, {specific}")
    if general not in ACTIVITIES:
        raise ValueError(f"no such activity: {general}")
    inside = (Element(Name(NS, specific)),) if specific is not None else ()
    told = (Words(words),) if words is not None else ()
    return Activity((Element(Name(NS, general), None, inside),), told)
