"""Gajim sends our client a file by Jingle. A plugin of Gajim's plays its user.

In stanzas: Gajim 1.7.3 closes connections of its own before it writes, and fails on offers.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.client.mod.disco import Disco
from pyrite.client.mod.files import Files
from pyrite.net.dns import Target
from pyrite.wire import jingle

from .people import PASSWORD, Cast, befriend
from .programs import give_away, unprivileged
from .test_gajim import START, gajim, prepare

DATA = bytes(range(256)) * 1000
MANIFEST = {
    "name": "Stage hand",
    "short_name": "stagehand",
    "description": "Sends files as the play says",
    "authors": ["nobody <nobody@verona.example>"],
    "homepage": "https://verona.example",
    "config_dialog": False,
    "version": "1.0",
    "requirements": ["gajim>=1.7"],
    "platforms": ["linux"],
}
#: Sends the letter to whoever stands in a file ``*.send``, once it is known that she takes files.
#: The class has to be the first name of the module, by the alphabet.
HAND = """
from pathlib import Path
from gi.repository import GLib
from gajim.common import app
from gajim.plugins import GajimPlugin

PLACE = Path({place!r})

class Actor(GajimPlugin):
    def init(self):
        self.description = "a stage hand"
        GLib.timeout_add(100, self.look)

    def look(self):
        for word in PLACE.glob("*.send"):
            contacts = app.get_client("romeo").get_module("Contacts")
            there = contacts.get_contact(word.read_text())
            if there.supports({ibb!r}):
                word.unlink()
                whom = contacts.get_contact(there.jid.bare)
                transfers = app.interface.instances["file_transfers"]
                transfers.send_file("romeo", whom, there.jid, str(PLACE / "letter.txt"))
        return True
"""
ACTIVATE = """
import sys
from gajim.common import configpaths
configpaths.set_config_root(sys.argv[1])
configpaths.init()
from gajim.common.settings import Settings
settings = Settings()
settings.init()
settings.set_plugin_setting("stagehand", "active", True)
settings.save()
"""


async def test_a_file_from_gajim(cast: Cast, home: Path) -> None:
    async with on_stage(cast, home) as juliet, gajim(home), asyncio.timeout(START):
        offers = juliet[Files].offers()
        give(home / "word", str(juliet.jid).encode())
        (home / "word").rename(home / "letter.send")
        offer = await offers.next()
        assert (offer.name, offer.size) == ("letter.txt", len(DATA))
        assert offer.file.hashes
        got = await offer.accept(home / "got")
        assert got.read_bytes() == DATA


@asynccontextmanager
async def on_stage(cast: Cast, home: Path) -> AsyncIterator[Client]:
    """Our Juliet, and all that Gajim needs to be Romeo."""
    juliet, romeo = await cast.enter("juliet"), await cast.enter("romeo")
    await befriend(romeo, juliet)
    await cast.go_home()
    prepare(home / "gajim", romeo.bare, cast.server)
    folder = home / "gajim" / "plugins" / "stagehand"
    folder.mkdir(parents=True)
    give(folder / "__init__.py", HAND.format(place=str(home), ibb=jingle.NS_IBB).encode())
    give(folder / "plugin-manifest.json", json.dumps(MANIFEST).encode())
    give(home / "letter.txt", DATA)
    for path in (folder.parent, folder):
        give_away(path)
    words = unprivileged("/usr/bin/python3", "-c", ACTIVATE, str(home / "gajim"))
    await asyncio.to_thread(subprocess.run, words, check=True, timeout=START, capture_output=True)
    client = Client(
        juliet.bare,
        PASSWORD,
        trust=Trust(authorities=Path(cast.server.ca)),
        connector=Tcp([Target("127.0.0.1", cast.server.c2s)]),
        features=[Disco, Files],
    )
    client[Files].features = tuple(one for one in Files.features if one != jingle.NS_SOCKS5)
    async with client as me:
        yield me


def give(path: Path, data: bytes) -> None:
    """A file for Gajim."""
    path.write_bytes(data)
    give_away(path)
