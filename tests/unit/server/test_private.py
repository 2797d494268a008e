"""What an account keeps is given back as it was."""

from pathlib import Path

from tests.scene import in_memory
from tests.stage import Script

from pyrite.core.jid import JID

ROMEO = JID.parse("romeo@verona.lit/garden")
STORY = Script(modules=("private",), hosts=("verona.lit",), extras=[ROMEO.bare])


async def test_what_grows_as_it_is_written_can_be_read_again(tmp_path: Path) -> None:
    """And reading it does not end the stream of who asks."""
    query = '<iq type="{}" id="1"><query xmlns="jabber:iq:private">{}</query></iq>'
    async with in_memory(STORY, tmp_path, 0) as scene:
        await scene.join(ROMEO)
        for type, inside in (("set", ">" * 200_000), ("get", "")):
            await scene.send(ROMEO, query.format(type, f'<a xmlns="urn:x">{inside}</a>'))
            answer = await scene.receive(ROMEO)
            assert answer is not None
            assert answer.attrs["type"] == "result"
        kept = next(next(answer.elements).elements)
        assert len(kept.text) == 200_000
