"""Profanity, driven in a terminal: it logs in, adds a contact, and talks with slixmpp."""

from pathlib import Path

import pytest

from .people import PASSWORD, Cast, settle
from .servers import Server
from .terminal import Terminal

ACCOUNT = """
[{jid}]
enabled=true
jid={jid}
resource=terminal
server=127.0.0.1
port={port}
tls.policy={tls}
presence.last=online
presence.login=online
"""
SETTINGS = """
[ui]
splash=false
[connection]
carbons=false
"""


@pytest.mark.parametrize("tls", ["force", "legacy"], ids=["starttls", "direct"])
async def test_profanity(cast: Cast, home: Path, tls: str) -> None:
    juliet = await cast.enter("juliet/balcony")
    romeo = cast.account("romeo")
    prepare(home, romeo, cast.server, tls)
    async with Terminal("profanity") as screen:
        await screen.shows("Profanity")
        screen.enter(f"/connect {romeo}")
        await screen.shows("(?i)enter password")
        screen.enter(PASSWORD)
        await screen.shows("/tls always")  # the certificate's issuer is unknown to it
        screen.enter("/tls allow")
        await screen.shows(rf"{romeo}/\S+ logged in successfully")

        screen.enter(f"/roster add {juliet.bare} Juliet")
        await screen.shows("Roster item added")
        screen.enter(f"/sub request {juliet.bare}")
        await juliet.presence("subscribe", romeo)
        juliet.send_presence(romeo, "subscribed")
        juliet.send_presence(romeo, "subscribe")
        await screen.shows("authorization request from")
        screen.enter(f"/sub allow {juliet.bare}")
        await juliet.presence("subscribed", romeo)
        await juliet.presence(sender=f"{romeo}/terminal")

        screen.enter(f"/msg {juliet.bare} But soft, what light")
        heard = await juliet.message("But soft, what light", sender=f"{romeo}/terminal")
        heard.reply("through yonder window breaks?").send()
        await screen.shows("through yonder window breaks")

        screen.enter("/disconnect")
        await juliet.presence("unavailable", f"{romeo}/terminal")
        await settle(juliet)


def prepare(home: Path, jid: str, server: Server, tls: str) -> None:
    """An account that knows where the server is, and a quiet start."""
    for folder, text in (("config/profanity/profrc", SETTINGS), ("data/profanity/accounts", "")):
        path = home / folder
        path.parent.mkdir(parents=True)
        port = server.c2s_tls if tls == "legacy" else server.c2s
        path.write_text(text or ACCOUNT.format(jid=jid, port=port, tls=tls))
