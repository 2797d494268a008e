"""Guests (RFC 4505) have no account, and leave nothing behind."""

import sqlite3
from pathlib import Path

import pytest
from tests.service import JULIET, serving

from pyrite.core.jid import JID
from pyrite.core.stanza import NS, read
from pyrite.core.xml import parse
from pyrite.server.store.sqlite.accounts import OWNED

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])

GUEST = JID.parse("0f6d9b04-9c2c-4a3b-8a4c-1f2e3d4c5b6a@verona.lit")
SAYS = [
    '<iq type="set" id="1"><query xmlns="jabber:iq:private"><a xmlns="urn:x"/></query></iq>',
    '<iq type="set" id="2"><vCard xmlns="vcard-temp"><FN>A</FN></vCard></iq>',
    '<iq type="set" id="3"><query xmlns="jabber:iq:roster"><item jid="a@b"/></query></iq>',
    '<iq type="set" id="4"><block xmlns="urn:xmpp:blocking"><item jid="a@b"/></block></iq>',
    f'<presence type="subscribe" to="{JULIET}"/>',
    f'<message type="chat" to="{JULIET}"><body>not on the disk yet when it goes</body></message>',
]


def rows(folder: Path, owner: JID) -> dict[str, int]:
    database = sqlite3.connect(folder / "data" / "pyrite.db")
    count = "SELECT count(*) FROM {} WHERE owner = ?"
    found = {t: database.execute(count.format(t), (owner.text,)).fetchone()[0] for t in OWNED}
    database.close()
    return {table: number for table, number in found.items() if number}


@pytest.mark.parametrize("account", [GUEST, JULIET], ids=["guest", "account"])
async def test_what_a_guest_kept_goes_with_it(account: JID, tmp_path: Path) -> None:
    auth = 'mechanisms = ["PLAIN", "ANONYMOUS"]'
    async with serving(tmp_path, clear=True, auth=auth) as service:
        server = service.server
        session = await server.bind(account, None)
        for xml in SAYS[: 4 if account == JULIET else None]:
            stanza = read(parse(xml, NS))
            stanza.sender = session.jid
            await server.router.receive(stanza, session)
        assert rows(tmp_path, account)
        assert await server.privacy.blocked(account)
        await server.unbind(session)
        assert await server.stores.archive.count(GUEST) == 0
        if account == JULIET:
            assert await server.privacy.blocked(account)
            return
        assert not rows(tmp_path, account)
        assert not await server.privacy.blocked(account)
        assert not (await server.rosters.of(account)).items
        assert not [i for i in (await server.rosters.of(JULIET)).items.values() if i.request]
