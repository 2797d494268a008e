"""A short conversation between two real clients over TLS, and what each of them saw."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from ...core.jid import JID
from ...core.stanza import Message, Presence
from ...wire import delay, roster
from .client import Client, logged_in
from .place import Place

Say = Callable[[str], None]

LINES = (  # who speaks, and what
    (0, "Psst! Are you real gold?"),
    (1, "No, iron sulphide. But I glitter."),
    (0, "And this, is it really XMPP?"),
    (1, "RFC 6120 and 6121, over TLS. Every stanza."),
)
LETTER = "The canary has stopped singing. Come up!"
WIDTH = 12


async def play(place: Place, say: Say) -> None:
    """Let the first two accounts befriend each other, talk, and leave a message."""
    pin = place.fingerprint()
    (one, first), (other, second), *_ = place.accounts.items()

    def client(jid: JID, password: str, *, direct: bool) -> AbstractAsyncContextManager[Client]:
        port = place.ports.c2s_tls if direct else place.ports.c2s
        return logged_in(jid.at("demo"), password, port=port, pin=pin, direct=direct)

    say("Two clients log in and talk.\n")
    async with client(one, first, direct=False) as left:
        async with client(other, second, direct=True) as right:
            people = (left, right)
            for person, way in zip(people, ("STARTTLS", "direct TLS"), strict=True):
                told(say, person, f"is {person.jid} ({way}, {person.channel}, {person.mechanism})")
            await befriend(left, right, say)
            for speaker, text in LINES:
                await speak(people[speaker], people[1 - speaker], text, say)
        left.say(other, LETTER)
        told(say, left, f"says, when {other.local} has left: {LETTER}")
        await left.ask("get", roster.Query())  # the message has been handled, too
    async with client(other, second, direct=True) as right:
        right.send(Presence())
        letter = await right.hear(Message)
        stamp = letter.get(delay.Delay)
        when = f" (sent {stamp.stamp:%H:%M:%S})" if stamp else ""
        told(say, right, f"comes back and sees: {letter.body}{when}")


def told(say: Say, person: Client, what: str) -> None:
    say(f"  {(person.jid.local or ''):{WIDTH}}{what}")


async def speak(speaker: Client, listener: Client, text: str, say: Say) -> None:
    """One says something, and the other sees it."""
    speaker.say(listener.jid.bare, text)
    told(say, speaker, f"says: {text}")
    heard = await listener.hear(Message)
    told(say, listener, f"sees: {heard.body}  [from {heard.sender}]")


async def befriend(one: Client, other: Client, say: Say) -> None:
    """Both see each other's presence from now on, if they do not already."""
    answer = (await one.ask("get", roster.Query())).get(roster.Query)
    await other.ask("get", roster.Query())
    known = {item.jid: item.subscription for item in answer.items} if answer else {}
    one.send(Presence())
    other.send(Presence())
    if known.get(other.jid.bare) == "both":
        told(say, one, f"knows {other.jid.bare} from last time")
        return
    for asker, asked in ((one, other), (other, one)):
        asker.send(Presence("subscribe", asked.jid.bare))
        await asked.hear(Presence, lambda p: p.type == "subscribe")
        asked.send(Presence("subscribed", asker.jid.bare))
        await asker.hear(Presence, lambda p: p.type == "subscribed")
        told(say, asker, f"may see the presence of {asked.jid.bare}")
