"""What clients say beside their stanzas: for one module each, and else the end of the stream."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.peer import Peer, conditions
from tests.service import serving

from pyrite.core.errors import StreamError
from pyrite.core.payload import attr, payload
from pyrite.server import hosts
from pyrite.server.hosts import Host
from pyrite.server.module import Module, ModuleError, nonza
from pyrite.server.session import Session
from pyrite.wire import Spec

ONE_LOOP = pytest.mark.asyncio(loop_factories=["uvloop"])
ROMEO = "romeo@verona.lit/a"


@payload("urn:example:knock", "knock")
class Knock:
    """So many times."""

    times: int = attr()


class Door(Module):
    """Listens."""

    spec = Spec("", "", "test")

    async def start(self) -> None:
        self.heard: list[tuple[str | None, int]] = []

    @nonza(Knock)
    async def knocked(self, knock: Knock, session: Session) -> None:
        if knock.times > 3:
            raise StreamError("policy-violation", "too loud")
        self.heard.append((session.jid.resource, knock.times))


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Callable[[str], type[Module]] = hosts.find_module
    monkeypatch.setattr(hosts, "find_module", lambda n: Door if "door" in n else found(n))


async def _last_words(peer: Peer, xml: str) -> list[str]:
    await peer.send(xml)
    return conditions(await peer.rest())


@ONE_LOOP
@pytest.mark.usefixtures("doors")
async def test_one_module_takes_it(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        host: Host = service.server.hosts["verona.lit"]
        await host.load("door")
        romeo = await service.online(ROMEO)
        await romeo.send("<knock xmlns='urn:example:knock' times='2'/>")
        await romeo.barrier()
        assert host.modules["door"].heard == [("a", 2)]  # type: ignore[attr-defined]
        with pytest.raises(ModuleError, match="another module takes urn:example:knock knock"):
            await host.load("another door")


@ONE_LOOP
@pytest.mark.usefixtures("doors")
@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        ("<knock xmlns='urn:example:knock' times='4'/>", "policy-violation"),
        ("<knock xmlns='urn:example:knock' times='often'/>", "bad-format"),
        ("<ring xmlns='urn:example:knock'/>", "unsupported-stanza-type"),
        ("<active xmlns='urn:example:knock'/>", "unsupported-stanza-type"),
    ],
)
async def test_what_ends_the_stream(xml: str, condition: str, tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        await service.server.hosts["verona.lit"].load("door")
        assert condition in await _last_words(await service.online(ROMEO), xml)


@ONE_LOOP
@pytest.mark.usefixtures("doors")
async def test_nobody_takes_it_any_more(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        host = service.server.hosts["verona.lit"]
        await host.load("door")
        await host.unload("door")
        romeo = await service.online(ROMEO)
        said = await _last_words(romeo, "<knock xmlns='urn:example:knock' times='1'/>")
        assert "unsupported-stanza-type" in said


@ONE_LOOP
@pytest.mark.usefixtures("doors")
async def test_not_before_the_resource(tmp_path: Path) -> None:
    async with serving(tmp_path, clear=True) as service:
        await service.server.hosts["verona.lit"].load("door")
        peer = await service.connect()
        await peer.open("verona.lit")
        said = await _last_words(peer, "<knock xmlns='urn:example:knock' times='1'/>")
        assert "unsupported-stanza-type" in said
