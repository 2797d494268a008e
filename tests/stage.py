"""Plays stanza stories: what each client sends, and all that each client receives.

A story is lines of ``actor > xml`` (the actor sends) and ``actor < xml`` (the actor
receives), an actor being a full address. Whatever is received and not expected by the end
fails the story: silence is checked too.

    # the first comment is the title; the others say which rule the lines are about
    modules: ping disco            only these are loaded; without the line, all are but the
                                   archive: its ids would stand in every message of every story
    hosts: verona.lit mantua.lit   without the line, the domain of the first actor
    set: offline.count = 3         a setting of a module, as in its table
    host: registration = "open"    a setting of every host, as in its table
    friends: a@x b@x               both subscribed to each other before the story begins
    contact: a@x b@x to ask        what a's roster has of b: a subscription, and any of ``ask``,
                                   ``approved``, ``request`` (b's waits), ``unlisted``
    account: a@x                   exists, and is nobody's actor
    a@x/r joins                    binds; without such a line an actor is bound from the start.
                                   `joins de`: in a stream of that language. If it is bound, the
                                   connection that had the address must end with ``conflict``
    a@x/r leaves                   closes its stream; `drops` for a connection that breaks
    wait 90                        so many seconds pass
    a@x/r <~ xml                   as ``<``, in any order with the ``<~`` lines beside it

In what is expected, an attribute or a text of ``*`` stands for any value, and ``$name`` for
any the first time and the same again afterwards, also in what is sent. No two names stand for
the same value.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pyrite.client.testing import story
from pyrite.client.testing.story import Scene, Step, Wait, matches, play
from pyrite.core.jid import JID
from pyrite.server.hosts import built_in

__all__ = ["MODULES", "Contact", "Scene", "Script", "Step", "Wait", "matches", "play", "shuffle"]

#: What a story has that does not say.
MODULES = tuple(sorted(set(built_in()) - {"archive"}))


@dataclass(frozen=True)
class Contact:
    """What the roster of `owner` has of `jid`; raises `ValueError` for words that say nothing."""

    owner: JID
    jid: JID
    subscription: str
    flags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.subscription not in ("none", "to", "from", "both"):
            raise ValueError(f"no subscription: {self.subscription}")
        if unknown := self.flags - {"ask", "approved", "request", "unlisted"}:
            raise ValueError(f"unknown: {unknown}")


@dataclass
class Script(story.Script):
    """One story, and the server that it needs."""

    modules: tuple[str, ...] = MODULES
    hosts: tuple[str, ...] = ()
    settings: dict[str, dict[str, str]] = field(default_factory=dict)  # module -> key -> TOML
    host_settings: dict[str, str] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    extras: list[JID] = field(default_factory=list)  # accounts that nobody plays

    @classmethod
    def load(cls, path: Path) -> Self:
        script = cls.read(path.read_text().splitlines(), str(path))
        first = next(step for step in script.steps if isinstance(step, Step))
        script.hosts = script.hosts or (first.actor.domain,)
        return script

    def take(self, number: int, line: str) -> None:
        word, _, rest = line.partition(": ")
        match word:
            case "modules":
                self.modules = tuple(rest.split())
            case "hosts":
                self.hosts = tuple(rest.split())
            case "set":
                key, _, value = rest.partition(" = ")
                module, _, name = key.partition(".")
                self.settings.setdefault(module, {})[name] = value
            case "host":
                key, _, value = rest.partition(" = ")
                self.host_settings[key] = value
            case "friends":
                one, other = map(JID.parse, rest.split())
                self.contacts += [Contact(one, other, "both"), Contact(other, one, "both")]
            case "contact":
                owner, contact, subscription, *flags = rest.split()
                one, other = JID.parse(owner), JID.parse(contact)
                self.contacts.append(Contact(one, other, subscription, frozenset(flags)))
            case "account":
                self.extras.append(JID.parse(rest))
            case _:
                super().take(number, line)

    @property
    def accounts(self) -> list[JID]:
        """Every account that exists in the story."""
        played = [step.actor.bare for step in self.steps if isinstance(step, Step)]
        contacts = [jid for each in self.contacts for jid in (each.owner, each.jid)]
        return [
            j for j in dict.fromkeys([*played, *contacts, *self.extras]) if j.domain in self.hosts
        ]


def shuffle(server: object, chance: random.Random) -> None:
    """Rearrange what has no order: the handlers within each stage of every host."""
    for host in server.hosts.values():  # type: ignore[attr-defined]
        for hook in (host.sending, host.delivering):
            hook.reorder(chance.shuffle)
