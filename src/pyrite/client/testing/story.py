"""Stanza stories: what each actor sends, and all that each actor receives.

A story is lines of ``actor > xml`` (the actor sends) and ``actor < xml`` (the actor receives),
an actor being a full address. Whatever is received and not expected by the end fails the story:
silence is checked too.

    a@x/r joins                    binds; without such a line an actor is bound from the start.
                                   `joins de`: in a stream of that language
    a@x/r leaves                   closes its stream; `drops` for a connection that breaks
    wait 90                        so many seconds pass
    a@x/r <~ xml                   as ``<``, in any order with the ``<~`` lines beside it
    # words                        the first is the title

An expected attribute or text ``*`` stands for any value, ``$name`` for any the first time and
the same again afterwards, also in what is sent. No two names stand for the same value.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, Self

from ...core.errors import StanzaError, StreamError
from ...core.jid import JID
from ...core.stanza import NS, read
from ...core.xml import Element, parse, write
from ...server.app import Server
from ...server.session import Session
from ...wire import acks

LINE = re.compile(r"(?P<actor>\S+@\S+) (?P<way>>|<~|<|joins|leaves|drops)(?: (?P<xml>.+))?")
VARIABLE = re.compile(r"\$\w+")


@dataclass(frozen=True)
class Step:
    """What one actor does, or gets."""

    line: int
    actor: JID
    way: str
    xml: str = ""


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    line: int
    seconds: float


@dataclass
class Script:
    """One story."""

    title: str = ""
    steps: list[Step | Wait] = field(default_factory=list, repr=False)

    @classmethod
    def read(cls, lines: Iterable[str], where: str = "story") -> Self:
        """The story in `lines`. Raises `SyntaxError`."""
        script = cls()
        for number, line in enumerate(lines, 1):
            try:
                script.take(number, line.strip())
            except ValueError as error:
                raise SyntaxError(f"{where}:{number}: {line!r}: {error}") from None
        return script

    def take(self, number: int, line: str) -> None:
        """Add a line. Raises `ValueError` for what is none."""
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
    _check(not left, "received but not expected:\n" + "\n".join(left))


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
        if received is None:
            raise AssertionError(f"{where} received nothing, where\n  {steps[0].xml}\nwas expected")
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


def _check(is_so: bool, text: str) -> None:
    if not is_so:
        raise AssertionError(text)


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


class Actor:
    """Somebody without a client: says stanzas as they are written, and expects them so."""

    def __init__(
        self, server: Server, session: Session, quiet: Callable[[], Awaitable[None]]
    ) -> None:
        self.jid = session.jid
        self._server, self._session, self._quiet = server, session, quiet
        self._received: deque[Element] = deque()
        self._names: dict[str, str] = {}
        self._is_gone = False

    async def send(self, xml: str) -> None:
        """Say `xml`."""
        element = parse(VARIABLE.sub(lambda m: self._names.get(m[0], m[0]), xml), NS)
        session = self._session
        try:
            stanza = read(element)
        except StanzaError as error:
            self._server.router.refuse_unread(element, error, session)
            return
        except StreamError:
            await session.host.take_nonza(element, session)
            return
        stanza.sender = session.jid
        stanza.lang = stanza.lang or session.lang
        await self._server.router.receive(stanza, session)

    async def next(self) -> Element | None:
        """What comes next; None if nothing does."""
        self._collect()
        if not self._received:
            await self._quiet()
            self._collect()
        return self._received.popleft() if self._received else None

    async def expect(self, *stanzas: str) -> None:
        """These come next, in this order. Raises `AssertionError`."""
        for expected in stanzas:
            received = await self.next()
            if received is None:
                raise AssertionError(f"{self.jid} received nothing, where\n  {expected}")
            _check(
                matches(received, parse(expected, NS), self._names),
                f"{self.jid} received\n  {write(received, NS)}\nwhere this was expected\n  "
                f"{expected}",
            )

    async def silent(self) -> None:
        """Nothing more comes. Raises `AssertionError`."""
        received = await self.next()
        if received is not None:
            raise AssertionError(f"{self.jid} received\n  {write(received, NS)}")

    async def leave(self) -> None:
        """End the session."""
        if not self._is_gone:
            self._is_gone = True
            self._collect()
            await self._server.unbind(self._session)

    def _collect(self) -> None:
        for each in self._session.take():
            element = each.to_element()
            if element.name.ns == NS or (element.name.ns == acks.NS and element.name.tag != "r"):
                self._received.append(element)
