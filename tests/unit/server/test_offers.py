"""Which stream features modules offer, and when."""

from pathlib import Path

from tests.scene import in_memory
from tests.stage import Script

from pyrite.core.negotiate import Phase
from pyrite.core.xml import parse

LIMITS = '<limits xmlns="urn:xmpp:stream-limits:0"><max-bytes>{}</max-bytes>{}</limits>'
SESSION = '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session>'


async def test_session_is_offered_and_need_not_be_made(tmp_path: Path) -> None:
    async with in_memory(Script(modules=("session",), hosts=("verona.lit",)), tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]
        assert host.offered(Phase.AUTHENTICATED, secure=True) == [parse(SESSION)]
        assert host.offered(Phase.SECURE, secure=True) == []


async def test_limits_are_those_of_the_phase(tmp_path: Path) -> None:
    """XEP-0478 §4: a stream may have other limits after authentication than before."""
    async with in_memory(Script(modules=("limits",), hosts=("verona.lit",)), tmp_path, 0) as scene:
        host = scene.server.hosts["verona.lit"]
        before = parse(LIMITS.format(10_000, ""))
        after = parse(LIMITS.format(512 * 1024, "<idle-seconds>300</idle-seconds>"))
        assert host.offered(Phase.PLAIN, secure=False) == [before]
        assert host.offered(Phase.SECURE, secure=True) == [before]
        assert host.offered(Phase.AUTHENTICATED, secure=True) == [after]
