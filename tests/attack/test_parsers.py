"""Attack 4: what two parsers read differently. What we send is written anew from what we read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service import serving

from pyrite.core.stanza import NS
from pyrite.core.xml import Element, Name, parse

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

REFUSED: dict[str, tuple[bytes, str]] = {
    "overlong <": (b"<message><body>\xc0\xbciq/></body></message>", "unsupported-encoding"),
    "overlong NUL": (b"<message><body>\xc0\x80</body></message>", "unsupported-encoding"),
    "overlong /": (b"<message to='a\xe0\x80\xafb'/>", "unsupported-encoding"),
    "high surrogate": (b"<message><body>\xed\xa0\x80</body></message>", "unsupported-encoding"),
    "surrogates": (
        b"<message><body>\xed\xa0\xbd\xed\xb8\x80</body></message>",
        "unsupported-encoding",
    ),
    "beyond Unicode": (b"<message id='\xf5\x80\x80\x80'/>", "unsupported-encoding"),
    "Latin-1": (b"<message id='\xe9'/>", "unsupported-encoding"),
    "UTF-7": (b"+ADw-message/+AD4-", "bad-format"),
    "NUL": (b"<message><body>\0</body></message>", "not-well-formed"),
    "NUL by number": (b"<message><body>&#0;</body></message>", "not-well-formed"),
    "surrogate by number": (b"<message><body>&#xD800;</body></message>", "not-well-formed"),
    "U+FFFE": (b"<message><body>\xef\xbf\xbe</body></message>", "not-well-formed"),
    "U+FFFF by number": (b"<message><body>&#xFFFF;</body></message>", "not-well-formed"),
    "control character": (b"<message><body>\x1b[2J</body></message>", "not-well-formed"),
    "control by number": (b"<message><body>&#27;</body></message>", "not-well-formed"),
    "same attribute twice": (b"<message id='1' id='2'/>", "not-well-formed"),
    "same by other prefixes": (
        b"<message xmlns:a='u' xmlns:b='u' a:c='1' b:c='2'/>",
        "not-well-formed",
    ),
    "prefix of nothing": (b"<x:message/>", "not-well-formed"),
    "prefix bound to nothing": (b"<message xmlns:x=''/>", "not-well-formed"),
    "xml bound anew": (b"<message xmlns:xml='urn:x'/>", "not-well-formed"),
    "xmlns bound": (b"<message xmlns:xmlns='urn:x'/>", "not-well-formed"),
    "xml as default": (
        b"<message xmlns='http://www.w3.org/XML/1998/namespace'/>",
        "not-well-formed",
    ),
    "element of xml": (
        b"<message to='juliet@verona.lit/b'><xml:x/></message>",
        "bad-namespace-prefix",
    ),
    "two colons": (b"<a:b:message/>", "not-well-formed"),
    "stream inside a stream": (
        b"<stream:stream xmlns='jabber:client' to='verona.lit'>",
        "unsupported-stanza-type",
    ),
    "error of streams": (b"<stream:features/>", "unsupported-stanza-type"),
    "stanza of a server": (b"<message xmlns='jabber:server'/>", "unsupported-stanza-type"),
    "stanza of nothing": (b"<message xmlns=''/>", "unsupported-stanza-type"),
    "stanza in capitals": (b"<MESSAGE/>", "unsupported-stanza-type"),
}


@pytest.mark.parametrize(("data", "expected"), REFUSED.values(), ids=REFUSED)
async def test_refused_by_name(data: bytes, expected: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        await romeo.write(data)
        if data.startswith(b"<stream:stream"):
            await romeo.write("</stream:stream>")
        await romeo.ends_with(expected)
        assert await juliet.barrier() == []


#: What is sent -> what Juliet receives inside, written by us.
REWRITTEN: dict[str, tuple[str, str]] = {
    "a namespace with a brace": (
        "<x xmlns='urn:x' xmlns:p=\"u}y='1'/&gt;&lt;/message&gt;"
        "&lt;iq type='set' from='verona.lit'/&gt;&lt;message&gt;&lt;z \" p:q='1'/>",
        "",
    ),
    "a namespace with quotes": (
        "<x xmlns='urn:&quot;&gt;&lt;evil/&gt;' xmlns:p='&quot;&apos;&lt;&gt;' p:q='1'/>",
        "",
    ),
    "a value with everything": (
        "<x xmlns='urn:x' y='&quot;&apos;&lt;&gt;&amp;&#13;&#10;&#9;'/>",
        "",
    ),
    "text with everything": ("<x xmlns='urn:x'>&lt;/message&gt;]]&gt;&amp;amp;&#13;</x>", ""),
    "streams' namespace": (
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        "<error xmlns='http://etherx.jabber.org/streams'>"
        "<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
    ),
    "a stanza in a stanza": (
        "<iq type='set' from='verona.lit'><query xmlns='jabber:iq:roster'/></iq>",
        "",
    ),
    "prefixes": (
        "<a:x xmlns:a='urn:a' a:y='1'><b:z xmlns:b='urn:b' xmlns:a='urn:c' a:y='2'/></a:x>",
        "",
    ),
    "unbinding": ("<x xmlns='urn:x'><y xmlns=''><z/></y></x>", ""),
    "names": ("<\u00e9-._1 xmlns='urn:x' \u4e00='1'/>", ""),
    "all of Unicode": ("<x xmlns='urn:x'>\u202e\u200b\ufeff\ufffd\U0010fffd\x7f\x85\u2028</x>", ""),
}


@pytest.mark.parametrize(("sent", "received"), REWRITTEN.values(), ids=REWRITTEN)
async def test_written_anew(sent: str, received: str, tmp_path: Path) -> None:
    """Juliet reads what Romeo wrote, one message, and none of it as ours."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        sent = sent.replace(
            "<stream:error>", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        await romeo.send(f"<message to='juliet@verona.lit/b'>{sent}</message>")
        await romeo.barrier()
        (message,) = await juliet.barrier()
        assert message.name == Name(NS, "message")
        assert message.attrs["from"] == "romeo@verona.lit/a"
        (inside,) = message.elements
        assert inside == parse(received or sent, NS)


async def test_what_is_kept_is_written_anew_too(tmp_path: Path) -> None:
    """Offline messages, private data, the roster: from the store to the stream."""
    evil = "&lt;/message&gt;&lt;iq type='set'/&gt;\u202e&quot;&apos;"
    async with serving(tmp_path, clear=True) as service:
        romeo = await service.online("romeo@verona.lit/a")
        await romeo.send(
            f"<message to='juliet@verona.lit' id=\"{evil}\"><body>{evil}</body></message>"
        )
        await romeo.ask(
            "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>"
            f"<item jid='juliet@verona.lit' name=\"{evil}\"><group>{evil}</group></item>"
            "</query></iq>"
        )
        await romeo.send(
            f"<presence to='juliet@verona.lit' type='subscribe'><status>{evil}</status></presence>"
        )
        roster = await romeo.ask("<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>")
        assert roster.attrs["type"] == "result"
        await romeo.barrier()
        juliet = await service.online("juliet@verona.lit/b", available=False)
        await juliet.send("<presence/>")
        received = await juliet.barrier()
        assert sorted(e.name.tag for e in received) == ["message", "presence", "presence"]
        bodies = [e.text for m in received for e in m.elements if e.name == Name(NS, "body")]
        assert bodies == ["</message><iq type='set'/>\u202e\"'"]
        assert all(isinstance(e, Element) for e in received)
