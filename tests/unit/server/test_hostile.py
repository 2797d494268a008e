"""Whatever a client puts into a request, it gets an answer or a refusal, and nothing breaks."""

import random
from pathlib import Path

import pytest
from tests.scene import in_memory
from tests.stage import Script

from pyrite.core.jid import JID
from pyrite.core.xml import Element, Name, write

ROMEO = JID.parse("romeo@verona.lit/garden")
EXAMPLES = 60  # of each request

TEXTS = (
    "", " ", "0", "-1", "1e9", "99999999999999999999", "true", "submit", "form", "cancel", "deny",
    "allow", "jid", "group", "both", "view", "remove", "sha-1", "FORM_TYPE", "@", "a@b", "a@b/c",
    "romeo@verona.lit", "verona.lit", "é" * 1030, "<&>\"'", "=", "AA==",
    "2026-01-01T00:00:00Z", "http://jabber.org/protocol/offline", "urn:x-pyrite:server#",
)  # fmt: skip
NAMES = (
    "node",
    "jid",
    "type",
    "value",
    "action",
    "order",
    "name",
    "var",
    "ver",
    "id",
    "subscription",
)
TAGS = (
    "item", "list", "active", "default", "x", "field", "value", "username", "password", "remove",
    "purge", "fetch", "group", "PHOTO", "BINVAL", "query", "identity", "feature", "set", "message",
)  # fmt: skip


def element(chance: random.Random, name: Name, depth: int = 0) -> Element:
    """Something that looks a little like what is expected, and mostly is not."""
    attrs = {n: chance.choice(TEXTS) for n in chance.sample(NAMES, chance.randrange(4))}
    inside: list[Element | str] = []
    for _ in range(chance.randrange(4) if depth < 3 else 0):
        if chance.random() < 0.3:
            inside.append(chance.choice(TEXTS))
        else:
            ns = chance.choice((name.ns, name.ns, "jabber:x:data", "urn:x:other"))
            inside.append(element(chance, Name(ns, chance.choice(TAGS)), depth + 1))
    return Element(name, attrs, tuple(inside))


@pytest.mark.parametrize("to", ["", "verona.lit", "romeo@verona.lit", "juliet@verona.lit"])
async def test_every_request_has_an_answer(tmp_path: Path, to: str) -> None:
    script = Script(
        hosts=("verona.lit",),
        extras=[ROMEO.bare, JID.parse("juliet@verona.lit")],
        settings={"rate": {"burst": "1000000"}},
    )
    async with in_memory(script, tmp_path, 0) as scene:
        await scene.join(ROMEO)
        chance = random.Random(to)
        names = {name for _, name, _ in scene.server.hosts["verona.lit"]._requests}
        assert names
        for name in sorted(names):
            for number in range(EXAMPLES):
                kind = chance.choice(("get", "set"))
                address = f' to="{to}"' if to else ""
                payload = write(element(chance, name), "jabber:client")
                await scene.send(ROMEO, f'<iq type="{kind}" id="{number}"{address}>{payload}</iq>')
                answers = []
                while (answer := await scene.receive(ROMEO)) is not None:
                    answers.append(answer)
                own = [a for a in answers if a.attrs.get("type") in ("result", "error")]
                assert [a.attrs["id"] for a in own] == [str(number)], payload
                assert "internal-server-error" not in write(own[0]), payload


async def test_whatever_else_is_sent_does_no_harm(tmp_path: Path) -> None:
    """Messages and presence with all that modules look at, broken; the next one still passes."""
    known = [
        Name("http://jabber.org/protocol/caps", "c"),
        Name("urn:xmpp:delay", "delay"),
        Name("urn:xmpp:hints", "no-store"),
        Name("vcard-temp:x:update", "x"),
        Name("jabber:client", "priority"),
        Name("jabber:client", "show"),
        Name("jabber:client", "status"),
        Name("jabber:client", "body"),
    ]
    juliet = JID.parse("juliet@verona.lit/balcony")
    script = Script(hosts=("verona.lit",), extras=[ROMEO.bare, juliet.bare])
    async with in_memory(script, tmp_path, 0) as scene:
        await scene.join(ROMEO)
        await scene.join(juliet)
        await scene.send(juliet, "<presence/>")
        chance = random.Random(1)
        for number in range(300):
            tag = chance.choice(("message", "presence"))
            attrs = {"id": str(number)}
            for key, values in (
                ("to", (str(juliet), "juliet@verona.lit", "nobody@verona.lit", "verona.lit", "@")),
                ("type", ("chat", "error", "subscribe", "subscribed", "probe", "x", "unavailable")),
            ):
                if chance.random() < 0.7:
                    attrs[key] = chance.choice(values)
            inside = tuple(element(chance, chance.choice(known)) for _ in range(3))
            await scene.send(ROMEO, write(Element(Name("jabber:client", tag), attrs, inside), ""))
            for actor in (ROMEO, juliet):
                while (received := await scene.receive(actor)) is not None:
                    assert "internal-server-error" not in write(received)
        await scene.send(ROMEO, f'<message to="{juliet}"><body>still here</body></message>')
        received = await scene.receive(juliet)
        assert received is not None
        assert "still here" in write(received)
