"""The server's own hash is of what is loaded, also when that changes (XEP-0115 §6)."""

from pathlib import Path

from tests.scene import in_memory
from tests.stage import Script

from pyrite.core.negotiate import Phase
from pyrite.core.payload import decode
from pyrite.server.mod.disco import DiscoSettings
from pyrite.wire import caps

STORY = Script(modules=("caps", "disco", "ping"), hosts=("verona.lit",))


async def test_the_hash_follows_what_is_loaded(tmp_path: Path) -> None:
    async with in_memory(STORY, tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]

        def told() -> str:
            """What a client that logs in now is told; it is true."""
            (offered,) = host.offered(Phase.AUTHENTICATED, secure=True)
            announced = decode(caps.Caps, offered)
            assert caps.verify(announced, host.info())
            return announced.ver

        before = told()
        assert told() == before
        await host.unload("ping")
        without = told()
        assert without != before
        await host.load("ping")
        assert told() == before
        await host.unload("disco")
        await host.load("disco", DiscoSettings(support=("mailto:friar@verona.lit",)))
        assert told() not in (before, without)
