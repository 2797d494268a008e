"""An account ends: nobody is left waiting for who comes under its name."""

from pathlib import Path

import pytest
from tests.scene import Memory, in_memory
from tests.stage import Contact, Script

from pyrite.core.jid import JID
from pyrite.server.commands import CommandError

ROMEO = JID.parse("romeo@verona.lit/garden")
JULIET = JID.parse("juliet@mantua.lit/balcony")
TELLS = ["unavailable", "unsubscribe", "unsubscribed"]


def story() -> Script:
    """Friends, on two hosts."""
    contacts = [Contact(ROMEO.bare, JULIET.bare, "both"), Contact(JULIET.bare, ROMEO.bare, "both")]
    return Script(
        modules=("registration", "roster"), hosts=("verona.lit", "mantua.lit"), contacts=contacts
    )


async def told(scene: Memory) -> list[str]:
    types: list[str] = []
    while (element := await scene.receive(JULIET)) is not None:
        if element.name.tag == "presence" and str(ROMEO.bare) in element.attrs["from"]:
            types.append(element.attrs.get("type", "available"))
    return types


@pytest.mark.parametrize("way", ["by its owner", "by an operator"])
async def test_contacts_hear_of_it(way: str, tmp_path: Path) -> None:
    """XEP-0077 §3.2. Else who gets the name next would see who the old one was a friend of."""
    remove = '<iq type="set" id="1"><query xmlns="jabber:iq:register"><remove/></query></iq>'
    async with in_memory(story(), tmp_path, 0) as scene:
        for actor in (JULIET, ROMEO):
            await scene.join(actor)
            await scene.send(actor, "<presence/>")
        assert await told(scene) == ["available"]
        if way == "by its owner":
            await scene.send(ROMEO, remove)
        else:
            await scene.server.commands.run("account-delete", {"jid": str(ROMEO.bare)})
        assert await told(scene) == TELLS
        assert not await scene.server.accounts.exists(ROMEO.bare)
        item = (await scene.server.rosters.of(JULIET.bare)).items[ROMEO.bare]
        assert item.subscription == "none"


async def test_of_an_account_that_is_not_there_nobody_hears(tmp_path: Path) -> None:
    async with in_memory(story(), tmp_path, 0) as scene:
        with pytest.raises(CommandError, match="no account"):
            await scene.server.commands.run("account-delete", {"jid": "nobody@verona.lit"})


@pytest.mark.parametrize("command", ["account-delete", "account-disable"])
@pytest.mark.parametrize("address", ["romeo@verona.lit/garden", "verona.lit"])
async def test_what_is_no_account_is_not_taken_for_one(
    command: str, address: str, tmp_path: Path
) -> None:
    """Its sessions would go on, since they are looked for by the address that was given."""
    async with in_memory(story(), tmp_path, 0) as scene:
        with pytest.raises(CommandError, match="is no address of an account"):
            await scene.server.commands.run(command, {"jid": address})
        assert (await scene.server.rosters.of(ROMEO.bare)).items
