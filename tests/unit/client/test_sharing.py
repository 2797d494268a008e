"""Files that are told of before they can be had (XEP-0447 §3.3)."""

import asyncio

from pyrite.client.api import FileShared, Upload
from pyrite.client.testing import MemoryServer

PATIENCE = 10.0
FILE = """<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'{id}>
    <file xmlns='urn:xmpp:file:metadata:0'><name>{name}</name><size>3</size></file>
    {sources}</file-sharing>"""
SOURCES = """<sources xmlns='urn:xmpp:sfs:0'{id}>
    <url-data xmlns='http://jabber.org/protocol/url-data' target='{url}'/></sources>"""
ATTACHED = "<attach-to xmlns='urn:xmpp:message-attaching:1' id='{id}'/>"
OOB = "<x xmlns='jabber:x:oob'><url>{url}</url></x>"


def shared(name: str, id: str = "", sources: str = "") -> str:
    return FILE.format(name=name, id=f" id='{id}'" if id else "", sources=sources)


def sources(url: str, id: str = "") -> str:
    return SOURCES.format(url=url, id=f" id='{id}'" if id else "")


def attached(message: str, *said: str) -> str:
    return ATTACHED.format(id=message) + "".join(said)


async def told(*messages: tuple[str, str, str]) -> list[list[tuple[str | None, str]]]:
    """What is heard of such messages (sender, id, payloads): names and places of files."""
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["a", "b", "c"]) as srv,
        srv.client("a", features=[Upload]) as a,
    ):
        heard = a.hear(FileShared)
        actors = {name: await srv.actor(name) for name in ("b/phone", "b/desk", "c/phone")}
        for sender, id, payloads in messages:
            await actors[sender].send(
                f"<message to='{a.jid}' type='chat' id='{id}'>{payloads}</message>"
            )
        await srv.quiet()
        events = [await heard.next() for _ in range(heard.waiting)]
        return [[(one.file.name, one.urls[0]) for one in event.files] for event in events]


async def test_where_it_can_be_had_comes_later() -> None:
    """From another client of the account, as it may be: with what old clients understand."""
    url = "https://x.example/summit.jpg"
    later = attached("m1", sources(url, "x"), OOB.format(url=url))
    assert await told(
        ("b/phone", "m1", shared("summit.jpg", "x")),
        ("b/desk", "m2", later),
    ) == [[("summit.jpg", url)]]


async def test_two_of_one_message() -> None:
    assert await told(
        ("b/phone", "m1", shared("one", "1") + shared("two", "2")),
        ("b/phone", "m2", attached("m1", sources("https://x.example/2", "2"))),
        ("b/phone", "m3", attached("m1", sources("https://x.example/1", "1"))),
    ) == [[("two", "https://x.example/2")], [("one", "https://x.example/1")]]


async def test_nobody_else_says_where() -> None:
    """Nor for what is no file, nor without HTTPS, nor of a file that can be had already."""
    here = sources("https://x.example/here")
    assert await told(
        ("b/phone", "m1", shared("summit.jpg")),
        ("b/phone", "m2", shared("there.jpg", sources=here)),
        ("c/phone", "m3", attached("m1", sources("https://evil.example/"))),
        ("b/phone", "m4", attached("m0", sources("https://x.example/"))),
        ("b/phone", "m5", attached("m1", sources("https://x.example/", "1"))),
        ("b/phone", "m6", attached("m1", sources("http://x.example/"))),
        ("b/phone", "m7", attached("m2", sources("https://x.example/"))),
        ("b/phone", "m8", attached("m1")),
    ) == [[("there.jpg", "https://x.example/here")]]
