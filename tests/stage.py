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
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Protocol

from pyrite.core.jid import JID
from pyrite.core.stanza import NS
from pyrite.core.xml import Element, parse, write
from pyrite.server.hosts import built_in

LINE = re.compile(r"(?P<actor>\S+@\S+) (?P<way>>|<~|<|joins|leaves|drops)(?: (?P<xml>.+))?")
VARIABLE = re.compile(r"\$\w+")

#: What a story has that does not say.
MODULES = tuple(sorted(set(built_in()) - {"archive"}))


@dataclass(frozen=True)
class Step:
    line: int
    actor: JID
    way: str
    xml: str = ""


@dataclass(frozen=True)
class Wait:
    line: int
    seconds: float


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
class Script:
    """One story."""

    title: str = ""
    modules: tuple[str, ...] = MODULES
    hosts: tuple[str, ...] = ()
    settings: dict[str, dict[str, str]] = field(default_factory=dict)  # module -> key -> TOML
    host_settings: dict[str, str] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    extras: list[JID] = field(default_factory=list)  # accounts that nobody plays
    steps: list[Step | Wait] = field(default_factory=list, repr=False)

    @classmethod
    def load(cls, path: Path) -> Script:
        script = cls()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                script._read(number, line.strip())
            except ValueError as error:
                raise SyntaxError(f"{path}:{number}: {line!r}: {error}") from None
        first = next(step for step in script.steps if isinstance(step, Step))
        script.hosts = script.hosts or (first.actor.domain,)
        return script

    def _read(self, number: int, line: str) -> None:
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
                self._read_step(number, line)

    def _read_step(self, number: int, line: str) -> None:
        if not line or line.startswith("#"):
            self.title = self.title or line[2:]
        elif line.startswith("wait "):
            self.steps.append(Wait(number, float(line[5:])))
        elif match := LINE.fullmatch(line):
            actor = JID.parse(match["actor"])
            self.steps.append(Step(number, actor, match["way"], match["xml"] or ""))
        else:
            raise ValueError("no line of a story")

    @property
    def accounts(self) -> list[JID]:
        """Every account that exists in the story."""
        played = [step.actor.bare for step in self.steps if isinstance(step, Step)]
        contacts = [jid for each in self.contacts for jid in (each.owner, each.jid)]
        return [
            j for j in dict.fromkeys([*played, *contacts, *self.extras]) if j.domain in self.hosts
        ]

    @property
    def present(self) -> list[JID]:
        """Actors that are bound before the first step."""
        seen: dict[JID, str] = {}
        for step in self.steps:
            if isinstance(step, Step):
                seen.setdefault(step.actor, step.way)
        return [actor for actor, way in seen.items() if way != "joins"]


class Scene(Protocol):
    """Where a story is played."""

    async def join(self, actor: JID, lang: str = "") -> None: ...

    async def leave(self, actor: JID, *, cleanly: bool) -> None: ...

    async def send(self, actor: JID, xml: str) -> None: ...

    async def receive(self, actor: JID) -> Element | None:
        """The next stanza that `actor` received; None if there is none, and none to come."""

    async def wait(self, seconds: float) -> None: ...


async def play(script: Script, scene: Scene) -> None:
    """Play `script` in `scene`. Raises `AssertionError` where they part."""
    names: dict[str, str] = {}
    actors = list(script.present)
    for actor in actors:
        await scene.join(actor)
    for way, group in groupby(script.steps, lambda step: getattr(step, "way", "wait")):
        for steps in _blocks(way, list(group)):
            await _perform(way, steps, scene, names, actors)
    left = [
        f"{actor} < {write(received, NS)}"
        for actor in dict.fromkeys(actors)
        async for received in _rest(scene, actor)
    ]
    assert not left, "received but not expected:\n" + "\n".join(left)


def _blocks(way: str, steps: Sequence[Step | Wait]) -> Iterator[Sequence[Step | Wait]]:
    """Each step alone, but neighbours in any order together, one actor at a time."""
    if way != "<~":
        yield from ([step] for step in steps)
        return
    for actor in dict.fromkeys(step.actor for step in steps if isinstance(step, Step)):
        yield [step for step in steps if isinstance(step, Step) and step.actor == actor]


async def _perform(
    way: str, steps: Sequence[Step | Wait], scene: Scene, names: dict[str, str], actors: list[JID]
) -> None:
    step = steps[0]
    if isinstance(step, Wait):
        await scene.wait(step.seconds)
    elif way == "joins":
        actors.append(step.actor)
        await scene.join(step.actor, step.xml)
    elif way in ("leaves", "drops"):
        await scene.leave(step.actor, cleanly=way == "leaves")
    elif way == ">":
        await scene.send(step.actor, VARIABLE.sub(lambda m: names.get(m[0], m[0]), step.xml))
    else:
        await _expect([s for s in steps if isinstance(s, Step)], scene, names)


async def _expect(steps: list[Step], scene: Scene, names: dict[str, str]) -> None:
    while steps:
        received = await scene.receive(steps[0].actor)
        where = f"line {steps[0].line}: {steps[0].actor}"
        assert received is not None, (
            f"{where} received nothing, where\n  {steps[0].xml}\nwas expected"
        )
        for step in steps:
            bound = dict(names)
            if matches(received, parse(step.xml, NS), bound):
                names.update(bound)
                steps.remove(step)
                break
        else:
            expected = "\n  ".join(step.xml for step in steps)
            raise AssertionError(
                f"{where} received\n  {write(received, NS)}\nwhere this was expected\n  {expected}"
            )


async def _rest(scene: Scene, actor: JID) -> AsyncIterator[Element]:
    while (received := await scene.receive(actor)) is not None:
        yield received


def matches(received: Element, expected: Element, names: dict[str, str]) -> bool:
    """Whether the two agree, but for what `expected` leaves open; binds its `names`."""
    ours, theirs = list(received.elements), list(expected.elements)
    return (
        received.name == expected.name
        and received.attrs.keys() == expected.attrs.keys()
        and all(_same(received.attrs[k], v, names) for k, v in expected.attrs.items())
        and _same(received.text, expected.text, names)
        and len(ours) == len(theirs)
        and all(matches(a, b, names) for a, b in zip(ours, theirs, strict=True))
    )


def _same(received: str, expected: str, names: dict[str, str]) -> bool:
    if expected == "*":
        return True
    if VARIABLE.fullmatch(expected):
        if expected not in names and received in names.values():
            return False
        return names.setdefault(expected, received) == received
    return received == expected


def shuffle(server: object, chance: random.Random) -> None:
    """Rearrange what has no order: the handlers within each stage of every host."""
    for host in server.hosts.values():  # type: ignore[attr-defined]
        for hook in (host.sending, host.delivering):
            hook.reorder(chance.shuffle)
