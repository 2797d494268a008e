"""Poezio, driven in a terminal: it logs in and talks with slixmpp."""

from pathlib import Path

from .people import PASSWORD, Cast, settle
from .programs import unprivileged
from .terminal import Terminal

NEXT_TAB = "\x0e"  # Ctrl-N
SETTINGS = """
[Poezio]
jid = {jid}/poezio
password = {password}
custom_host = 127.0.0.1
custom_port = {port}
ca_cert_path = {ca}
plugins_autoload =
send_chat_states = false
use_bookmarks_method =
enable_carbons = false
"""


async def test_poezio(cast: Cast, home: Path) -> None:
    juliet = await cast.enter("juliet/balcony")
    romeo = cast.account("romeo")
    authority = home / "ca.pem"
    authority.write_text(cast.server.ca.read_text())
    settings = home / "poezio.cfg"
    settings.write_text(
        SETTINGS.format(jid=romeo, password=PASSWORD, port=cast.server.c2s, ca=authority).strip()
    )
    async with Terminal(*unprivileged("poezio", "-f", str(settings))) as screen:
        own = (await screen.shows(rf"Your JID is ({romeo}/poezio\S*)"))[1]
        juliet.say(own, "Wherefore art thou Romeo?")
        await screen.shows(r"1\. ?juliet")
        screen.type(NEXT_TAB)
        await screen.shows("Wherefore art thou Romeo")
        screen.type("But soft, what light")
        await screen.shows("But soft, what light")
        screen.type("\r")  # apart from the text, or it is taken as pasted
        await juliet.message("But soft, what light", sender=own)
        screen.type("/quit")
        await screen.shows("/quit")
        screen.type("\r")
        await screen.ends()
        await settle(juliet)
