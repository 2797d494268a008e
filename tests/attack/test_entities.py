"""Attack 1: entities, DTDs and all else that XMPP forbids in XML, before and after log-in."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.service import VERONA, serving

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

HEAD = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " version='1.0' to='verona.lit'>"
)
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
QUADRATIC = f"<!ENTITY a '{'x' * 5000}'>"

PROLOGUES = {
    "billion laughs": f"<!DOCTYPE l [<!ENTITY l0 'ha'>{LAUGHS}]>",
    "quadratic blow-up": f"<!DOCTYPE l [{QUADRATIC}]>",
    "external entity": "<!DOCTYPE l [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
    "external subset": "<!DOCTYPE l SYSTEM 'http://127.0.0.1:1/evil.dtd'>",
    "parameter entity": "<!DOCTYPE l [<!ENTITY % e SYSTEM 'http://127.0.0.1:1/'>%e;]>",
    "default attributes": "<!DOCTYPE l [<!ATTLIST message from CDATA 'juliet@verona.lit'>]>",
    "empty": "<!DOCTYPE l>",
    "processing instruction": "<?php system('id'); ?>",
    "style sheet": "<?xml-stylesheet href='http://127.0.0.1:1/'?>",
    "comment": "<!-- x -->",
}
BODIES = {
    "undefined entity": "<message><body>&xxe;</body></message>",
    "entity in a value": "<message id='&xxe;'/>",
    "comment": "<message><body>a<!-- b -->c</body></message>",
    "processing instruction": "<message><?x y?></message>",
}
LATE = {
    "DTD amid a stream": "<!DOCTYPE l [<!ENTITY e 'x'>]><message/>",
    "another declaration": "<?xml version='1.0' encoding='UTF-16'?>",
    "end of CDATA in text": "<message><body>]]></body></message>",
}


@pytest.mark.parametrize("direct", [False, True], ids=["STARTTLS", "direct TLS"])
@pytest.mark.parametrize("prologue", PROLOGUES.values(), ids=PROLOGUES)
async def test_before_the_header(prologue: str, direct: bool, tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        other = await service.secured()
        client = await (service.connect_direct() if direct else service.connect())
        began = time.process_time()
        await client.write(f"<?xml version='1.0'?>{prologue}{HEAD}")
        await client.ends_with("restricted-xml")
        assert time.process_time() - began < 2
        assert (await other.scram("romeo")).name.tag == "success"


@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES)
async def test_in_stanzas(text: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        other = await service.online("juliet@verona.lit/b")
        client = await service.online("romeo@verona.lit/a")
        await client.send(text)
        await client.ends_with("restricted-xml")
        client = await service.connect()
        await client.open(VERONA)
        await client.send(text)
        await client.ends_with("restricted-xml")
        assert await other.barrier() == []


@pytest.mark.parametrize("text", LATE.values(), ids=LATE)
async def test_what_is_not_even_xml(text: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        client = await service.online("romeo@verona.lit/a")
        await client.send(text)
        error = await client.stream_error()
        assert error.condition in ("not-well-formed", "restricted-xml")


async def test_cdata_is_text_and_goes_on_as_such(tmp_path: Path) -> None:
    """What looks like markup in it is escaped for whoever receives it."""
    async with serving(tmp_path, clear=True) as service:
        juliet = await service.online("juliet@verona.lit/b")
        romeo = await service.online("romeo@verona.lit/a")
        evil = "</body></message><iq type='set'><!-- &xxe; -->"
        await romeo.send(
            f"<message to='juliet@verona.lit/b'><body><![CDATA[{evil}]]></body></message>"
        )
        await romeo.barrier()
        (message,) = await juliet.barrier()
        assert next(message.elements).text == evil
