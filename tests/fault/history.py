"""What clients said, heard and were promised over several lives of a server, and a judge of it.

A message is *acknowledged* once the server has counted it among those that it has handled
(XEP-0198 §4). From then on it is the server's to keep. The judge knows no server: it is given
what the clients wrote down, and what the archives say in the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, NamedTuple, Self


class Said(NamedTuple):
    """One message; the numbers of a conversation, which goes one way, count up from 0."""

    sender: str
    receiver: str
    number: int

    @property
    def id(self) -> str:
        return f"{self.sender}>{self.receiver}>{self.number}"

    @classmethod
    def read(cls, id: str) -> Self:
        sender, receiver, number = id.split(">")
        return cls(sender, receiver, int(number))


Kind = Literal[
    "lost", "not archived", "refused", "skipped", "doubled", "out of order", "never said"
]


class Fault(NamedTuple):
    """What may not be: `where` is a list in which `said` is, or should have been."""

    kind: Kind
    said: Said
    where: str


@dataclass
class Session:
    """What one client got from binding to the end, with all resumptions between.

    `life` is the server's: how often it had been killed when the session began.
    """

    owner: str
    heard: list[Said] = field(default_factory=list)
    life: int = 0


@dataclass
class History:
    """Everything that clients wrote down.

    `life`: how often the server has been killed, `born`: and had been when a message was sent
    first. `sent`: in how many sessions of its sender a message was sent, which is once and once
    more for each session that was lost before it was acknowledged. `archives`: owner -> messages,
    in the archive's order; without any, nothing is asked of archives.
    """

    life: int = 0
    born: dict[Said, int] = field(default_factory=dict)
    sent: Counter[Said] = field(default_factory=Counter)
    acknowledged: set[Said] = field(default_factory=set)
    refused: set[Said] = field(default_factory=set)
    sessions: list[Session] = field(default_factory=list)
    archives: dict[str, list[Said]] = field(default_factory=dict)

    def say(self, said: Said) -> None:
        self.sent[said] += 1
        self.born.setdefault(said, self.life)

    # --- the judge -------------------------------------------------------------------

    def faults(self) -> list[Fault]:
        """All that went wrong, each message once in each list that shows it."""
        lists = list(self._lists())
        return [
            *self._lost(),
            *(Fault("refused", said, "the sender's stream") for said in sorted(self.refused)),
            *self._skipped_by_sessions(),
            *(
                Fault("skipped", said, f"archive of {owner}")
                for owner, archive in self.archives.items()
                for said in self._skipped(archive)
            ),
            *(fault for where, heard in lists for fault in self._doubled(heard, where)),
            *(fault for where, heard in lists for fault in self._out_of_order(heard, where)),
        ]

    def _lists(self) -> Iterator[tuple[str, Sequence[Said]]]:
        for number, session in enumerate(self.sessions):
            yield f"session {number} of {session.owner}", session.heard
        for owner, archive in self.archives.items():
            yield f"archive of {owner}", archive

    def _lost(self) -> Iterator[Fault]:
        """What was acknowledged is in both archives, or at the least with its receiver."""
        reached = {said for s in self.sessions for said in s.heard if said.receiver == s.owner}
        archives = {owner: set(archive) for owner, archive in self.archives.items()}
        for said in sorted(self.acknowledged - self.refused):
            if said not in reached and said not in archives.get(said.receiver, ()):
                yield Fault("lost", said, f"all that {said.receiver} got")
            for owner in (said.sender, said.receiver) if archives else ():
                if said not in archives.get(owner, ()):
                    yield Fault("not archived", said, f"archive of {owner}")

    def _skipped_by_sessions(self) -> Iterator[Fault]:
        """What should have reached a session, and did not.

        One that was sent again may be missing: the others came as they were sent first, and it
        had not yet. And so may one of an earlier life: it was on its way when the server died.
        """
        for number, session in enumerate(self.sessions):
            for said in self._skipped(session.heard):
                if self.sent[said] == 1 and self.born[said] == session.life:
                    yield Fault("skipped", said, f"session {number} of {session.owner}")

    def _skipped(self, heard: Sequence[Said]) -> Iterator[Said]:
        """What is missing between two messages of its conversation, though it was acknowledged."""
        found: dict[tuple[str, str], set[int]] = defaultdict(set)
        for said in heard:
            found[said.sender, said.receiver].add(said.number)
        for pair, here in found.items():
            for number in sorted(set(range(min(here), max(here))) - here):
                said = Said(*pair, number)
                if said in self.acknowledged and said not in self.refused:
                    yield said

    def _doubled(self, heard: Iterable[Said], where: str) -> Iterator[Fault]:
        """A client that got a message twice where its sender sent it once."""
        for said, times in Counter(heard).items():
            if not self.sent[said]:
                yield Fault("never said", said, where)
            elif times > self.sent[said]:
                yield Fault("doubled", said, where)

    def _out_of_order(self, heard: Iterable[Said], where: str) -> Iterator[Fault]:
        """A message that came, for the first time here, after one that was sent later.

        In a session, one that was sent again may come late: the first copy went to another.
        """
        latest: dict[tuple[str, str], int] = defaultdict(lambda: -1)
        seen: set[Said] = set()
        for said in heard:
            pair = said.sender, said.receiver
            is_late = said not in seen and said.number < latest[pair]
            if is_late and (self.sent[said] == 1 or where.startswith("archive")):
                yield Fault("out of order", said, where)
            seen.add(said)
            latest[pair] = max(latest[pair], said.number)

    # --- for people ------------------------------------------------------------------

    def tell(self, faults: Sequence[Fault], most: int = 5) -> str:
        """`faults`, the first of them with the whole conversation that they are in."""
        lines = [f"{len(faults)} faults: {dict(Counter(fault.kind for fault in faults))}"]
        for fault in faults[:most]:
            lines += [f"{fault.kind}: {fault.said.id}: {fault.where}", *self._conversation(fault)]
        return "\n".join(lines)

    def _conversation(self, fault: Fault) -> Iterator[str]:
        sender, receiver, _ = fault.said
        pair = sender, receiver
        yield f"  sent {numbers(said for said in sorted(self.sent) if said[:2] == pair)}"
        for where, heard in (("acknowledged", sorted(self.acknowledged)), *self._lists()):
            if found := [said for said in heard if said[:2] == pair]:
                yield f"  {where}: {numbers(found)}"


def numbers(heard: Iterable[Said]) -> str:
    """The numbers in their order, runs of them short: ``0-7 9 8 10-12``."""
    runs = groupby(enumerate(said.number for said in heard), lambda pair: pair[1] - pair[0])
    spans = ([number for _, number in run] for _, run in runs)
    return " ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else str(s[0]) for s in spans)
