"""Payloads that are not what they ought to be, from any stranger: they end nothing."""

import asyncio
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest

import pyrite.wire
from pyrite.client import api, homes
from pyrite.client.api import Disco, Feature, Files, Ibb, MessageReceived, Receipts, StanzaError
from pyrite.client.feature import opens
from pyrite.client.keeper import Keeper
from pyrite.client.testing import MemoryServer
from pyrite.core.payload import name_of
from pyrite.core.stanza import NS, Message, read
from pyrite.core.xml import Name, parse
from pyrite.wire import receipts

from .scripted import Scripted

PATIENCE = 60.0
JULIET = "juliet@verona.lit/balcony"
NOISE = "id='@@' jid='@@' from='@@' to='@@' stamp='x' seconds='-1' node='n' seq='-1'"
INSIDE = "junk<x/><item id='q' jid='@'/>"


def payloads() -> list[Name]:
    """What we know how to read."""
    found = set()
    for each in walk_packages(pyrite.wire.__path__, "pyrite.wire."):
        for one in vars(import_module(each.name)).values():
            if isinstance(one, type) and hasattr(one, "codec"):
                found.add(name_of(one))
    return sorted(
        name for name in found if name.ns.startswith(("urn:", "http", "jabber:", "vcard"))
    )


def features() -> list[type[Feature]]:
    found = [getattr(api, name) for name in homes.HOMES]
    kinds = [one for one in found if isinstance(one, type) and issubclass(one, Feature)]
    return [kind for kind in kinds if kind is not Feature]


def stanzas(name: Name) -> Iterator[str]:
    for inside in (
        f"<{name.tag} xmlns='{name.ns}'/>",
        f"<{name.tag} xmlns='{name.ns}' {NOISE}>{INSIDE}</{name.tag}>",
    ):
        for type in ("chat", "error", "headline", "groupchat"):
            yield f"<message from='{JULIET}' type='{type}' id='1'>{inside}</message>"
        yield f"<message from='{JULIET}' type='chat' id='1'><body>b</body>{inside}</message>"
        yield f"<presence from='{JULIET}'>{inside}</presence>"
        for type in ("get", "set", "result", "error"):
            yield f"<iq from='{JULIET}' type='{type}' id='i'>{inside}</iq>"


async def test_whatever_comes_ends_nothing() -> None:
    """Each payload that there is, empty and full of nonsense, wherever it may stand."""
    offered = features()
    assert {Receipts, Disco, Ibb, Files} <= set(offered)
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a"]) as srv,
        srv.client("a", features=offered) as a,
    ):
        names, states = payloads(), a.lifecycle()
        assert len(names) > 200
        for number, name in enumerate(names):
            for text in stanzas(name):
                await a.receive(read(parse(text, NS)))
            if number % 20 == 0:
                await srv.quiet()
        await srv.quiet()
        assert not states.waiting
        assert a.is_online
        assert {"Receipts", "Ibb", "Disco"} <= set(a.malformed)


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        (
            Receipts,
            "<message {}><body>b</body><displayed xmlns='urn:xmpp:chat-markers:0'/></message>",
        ),
        (Receipts, "<message {}><body>b</body><received xmlns='urn:xmpp:receipts'/></message>"),
        (Ibb, "<message {}><body>b</body><data xmlns='http://jabber.org/protocol/ibb'/></message>"),
    ],
)
async def test_what_is_not_understood_is_told_all_the_same(
    feature: type[Feature], text: str
) -> None:
    async with Scripted(feature) as client:
        heard = client.messages()
        await client.hears(text.format(f"from='{JULIET}' type='chat'"))
        assert (await heard.next()).body == "b"
        assert client.malformed == {feature.__name__: 1}


async def test_a_program_hears_of_its_own_mistakes() -> None:
    async def refuse(_: MessageReceived) -> None:
        raise StanzaError("bad-request", "of the program")

    async def run() -> None:
        async with asyncio.timeout(PATIENCE), MemoryServer(["a"]) as srv, srv.client("a") as a:
            a.on(MessageReceived)(refuse)
            await a.send(a.jid, "hi")
            await asyncio.Event().wait()

    with pytest.raises(StanzaError, match="of the program"):
        await run()


async def test_a_door_that_crashes_reaches_the_owner() -> None:
    class Broken(Feature):
        spec = receipts.SPEC

        @opens(receipts.Received)
        def crash(self, _: Message) -> bool:
            raise ZeroDivisionError

    async def run() -> None:
        async with asyncio.timeout(PATIENCE), Scripted(Broken) as client:
            await client.hears(
                f"<message from='{JULIET}'><received xmlns='{receipts.NS}'/></message>"
            )
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError):
        await run()


async def test_what_gets_through_all_the_same_is_no_reason_to_end() -> None:
    async with Scripted() as client:
        keeper: Keeper = client._keeper

        async def refuse(_: object) -> None:
            raise StanzaError("bad-request")

        client.receive = refuse  # type: ignore[method-assign]
        await keeper._receive(parse("<message/>", NS))
        assert client.is_online
