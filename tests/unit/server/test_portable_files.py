"""Files of accounts that others have made: what is kept, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.places import HAMLET, Places, document, two_places
from tests.service import JULIET

from pyrite.core.jid import JID
from pyrite.core.xml import parse
from pyrite.server.store import portable as kinds
from pyrite.server.store.archive import Query

STAMP = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with two_places(tmp_path_factory.mktemp("places")) as both:
        yield both


def test_the_examples_of_the_specification(places: Places) -> None:
    """XEP-0227 §4, but for what we cannot keep, which is said."""

    async def play() -> None:
        here = places.here
        outcome = await here.one(
            """<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>
                <iter-count>100000</iter-count>
                <salt>TmFDbE5hQ2xOYUNsTmFDbE5hQ2xOYUNsTmFDbE5hQ2xOYUNsTmFDbE5hQ2wK</salt>
                <server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</server-key>
                <stored-key>Q6qT/SbybblGCZz8e8eSfCJOQic=</stored-key>
              </scram-credentials>
              <query xmlns='jabber:iq:roster'>
                <item jid='romeo@montague.net' name='Romeo' subscription='both'>
                  <group>Friends</group>
                </item>
              </query>
              <offline-messages>
                <message xmlns='jabber:client' from='romeo@montague.net/orchard'
                    to='hamlet@verona.lit/balcony' type='chat'>
                  <body>Neither, fair saint, if either thee dislike.</body>
                  <delay xmlns='urn:xmpp:delay' from='verona.lit' stamp='2020-07-21T00:32:29Z'>
                    Offline Storage
                  </delay>
                </message>
              </offline-messages>
              <query xmlns="jabber:iq:private">
                <exodus xmlns="exodus:prefs"><defaultnick>Hamlet</defaultnick></exodus>
              </query>
              <vCard xmlns='vcard-temp'><FN>Hamlet</FN></vCard>
              <query xmlns='jabber:iq:privacy'>
                <default name='public'/>
                <list name='public'>
                  <item type='jid' value='tybalt@example.com' action='deny' order='1'/>
                  <item action='allow' order='2'/>
                </list>
                <list name='private'>
                  <item type='subscription' value='both' action='allow' order='10'/>
                  <item action='deny' order='15'/>
                </list>
              </query>
              <presence xmlns='jabber:client' type='subscribe' id='xk3h1v69'
                  from='mercutio@montague.net'>
                <nick xmlns="http://jabber.org/protocol/nick">Mercutio</nick>
              </presence>
              <presence xmlns='jabber:client' type='subscribe' from='benvolio@montague.net'/>
              <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub>
            """,
            replace=True,
        )
        assert outcome.left_out == {"pubsub of http://jabber.org/protocol/pubsub": 1}
        assert outcome.mechanisms == ["SCRAM-SHA-1"]
        counts = {"contacts": 1, "requests": 2, "offline messages": 1, "private elements": 1}
        assert outcome.kept == {**counts, "vcards": 1, "privacy lists": 2, "default lists": 1}
        roster = await here.server.rosters.of(HAMLET)
        assert {(str(i.jid), i.listed, i.pending_in) for i in roster.items.values()} == {
            ("romeo@montague.net", True, False),
            ("mercutio@montague.net", False, True),
            ("benvolio@montague.net", False, True),
        }
        assert await here.server.privacy.blocked(HAMLET) == (JID.parse("tybalt@example.com"),)
        (waiting,) = await here.server.stores.offline.load(HAMLET)
        assert waiting.stamp == datetime(2020, 7, 21, 0, 32, 29, tzinfo=UTC)
        assert "urn:xmpp:delay" not in waiting.stanza

    places.run(play())


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<query xmlns='jabber:iq:roster'><item jid='a@b@c'/></query>", "item a@b@c: "),
        ("<query xmlns='jabber:iq:roster'><item jid='a@b/c'/></query>", "bare address"),
        ("<query xmlns='jabber:iq:roster'><item/></query>", "lacks jid"),
        ("<query xmlns='jabber:iq:roster'><item jid='hamlet@verona.lit'/></query>", "no contact"),
        ("<query xmlns='jabber:iq:roster'><entry/></query>", "entry of jabber:iq:roster"),
        ("<presence xmlns='jabber:client' from='a@b'/>", "is no request"),
        ("<presence xmlns='jabber:client' type='subscribe'/>", "from nobody"),
        (
            f"<presence xmlns='jabber:client' type='subscribe' from='a@b' id='{'i' * 17000}'/>",
            "over 16384",
        ),
        ("<offline-messages><message xmlns='jabber:client' from='@'/></offline-messages>", "@"),
        ("<offline-messages><iq xmlns='jabber:client'/></offline-messages>", "iq of jabber:cl"),
        ("<query xmlns='jabber:iq:private'><a xmlns='jabber:iq:roster'/></query>", "reserved"),
        ("<query xmlns='jabber:iq:privacy'><default name='x'/></query>", "no such list"),
        ("<query xmlns='jabber:iq:privacy'><list/></query>", "lacks name"),
        (
            "<query xmlns='jabber:iq:privacy'><list name='l'><item action='deny' order='1'/>"
            "<item action='deny' order='1'/></list></query>",
            "same order",
        ),
        (
            "<query xmlns='jabber:iq:privacy'><list name='l'><item action='deny' order='1' "
            "type='jid' value='@'/></list></query>",
            "list l: ",
        ),
        ("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA3-512'/>", "no keys"),
        ("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'/>", "not one"),
        (
            "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><salt>aaaa"
            "</salt><iter-count>99999999</iter-count><server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g="
            "</server-key><stored-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</stored-key></scram-credentials>",
            "hashed 99999999 times",
        ),
        (
            "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><salt>aaaa"
            "</salt><iter-count>4096</iter-count><server-key>aaaa</server-key>"
            "<stored-key>aaaa</stored-key></scram-credentials>",
            "wrong length",
        ),
        ("<values xmlns='urn:pyrite:pie:0'><value name='a'>b</value></values>", "of no module"),
        ("<log xmlns='urn:pyrite:pie:0' module='m'><value>b</value></log>", "has no stamp"),
        (
            "<values xmlns='urn:pyrite:pie:0' module='m'>"
            "<value name='a' encoding='base64'>%</value></values>",
            "not base64",
        ),
        ("<archive xmlns='urn:xmpp:pie:0#mam'><a xmlns=''/></archive>", "a of "),
        ("<anything xmlns='urn:else'/>", "anything of urn:else"),
    ],
)
def test_what_cannot_be_kept_is_said_and_the_rest_is_kept(
    places: Places, inside: str, said: str
) -> None:
    async def play() -> None:
        card = "<vCard xmlns='vcard-temp'/>"
        outcome = await places.here.one(f"{inside}{card}", replace=True)
        assert outcome.done
        (what,) = outcome.left_out
        assert said in what
        assert outcome.kept["vcards"] == 1
        assert [type(thing) for thing in await places.here.things()][-1] is kinds.Card

    places.run(play())


def test_a_password_in_the_file_proves_all_mechanisms(places: Places) -> None:
    async def play() -> None:
        text = document("", "name='hamlet' password='to be, or not'")
        await places.here.bring(text, replace=True)
        accounts = places.here.server.accounts
        assert await accounts.backend.check(HAMLET, "to be, or not")
        assert len((await accounts.show(HAMLET)).mechanisms) == 3
        _, (outcome,) = await places.here.bring(
            document("", "name='hamlet' password=''"), replace=True
        )
        assert (outcome.done, outcome.why) == (False, "the password is empty")
        assert await accounts.backend.check(HAMLET, "to be, or not")

    places.run(play())


def test_keys_that_stand_there_twice(places: Places) -> None:
    def keys(salt: str) -> str:
        return (
            "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>"
            f"<salt>{salt}</salt><iter-count>4096</iter-count>"
            "<server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</server-key>"
            "<stored-key>Q6qT/SbybblGCZz8e8eSfCJOQic=</stored-key></scram-credentials>"
        )

    async def play() -> None:
        outcome = await places.here.one(keys("aaaa") * 2, replace=True)
        assert outcome.left_out == {}
        outcome = await places.here.one(keys("aaaa") + keys("bbbb"), replace=True)
        assert list(outcome.left_out) == [
            "scram-credentials SCRAM-SHA-1: other keys of the same mechanism stand before"
        ]
        account = await places.here.server.stores.accounts.find(HAMLET)
        assert account is not None
        assert [one.salt for one in account.keys] == [b"i\xa6\x9a"]

    places.run(play())


def test_a_disabled_account_stays_disabled(places: Places) -> None:
    async def play() -> None:
        await places.here.server.accounts.disable(JULIET)
        await places.there.bring(await places.here.export(JULIET), replace=True)
        assert (await places.there.server.accounts.show(JULIET)).disabled

    places.run(play())


ARCHIVE = """<archive xmlns='urn:xmpp:pie:0#mam'>
  <result xmlns='urn:xmpp:mam:2' id='28482-98726-73623'>
    <forwarded xmlns='urn:xmpp:forward:0'>
      <delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/>
      <message xmlns='jabber:client' to='hamlet@verona.lit/balcony'
          from='romeo@montague.lit/orchard' type='chat'>
        <body>Call me but love, and I'll be new baptized; Henceforth I never will be Romeo.</body>
      </message>
    </forwarded>
  </result>
  <result xmlns='urn:xmpp:mam:2' id='5d398-28273-f7382'>
    <forwarded xmlns='urn:xmpp:forward:0'>
      <delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:09:32Z'/>
      <message xmlns='jabber:client' to='romeo@montague.lit/orchard'
          from='hamlet@verona.lit/balcony' type='chat' id='8a54s'>
        <body>What man art thou that thus bescreen'd in night so stumblest on my counsel?</body>
      </message>
    </forwarded>
  </result>
  <result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'>
    <message xmlns='jabber:client' from='a@b'/></forwarded></result>
</archive>"""


def test_an_archive_is_searched_as_if_it_had_been_kept_here(places: Places) -> None:
    """XEP-0227 §4.11: other servers have other ids; what came when, and to whom, is the same."""

    async def play() -> None:
        here, romeo = places.here, JID.parse("romeo@montague.lit/orchard")
        archive = here.server.stores.archive
        outcome = await here.one(ARCHIVE, replace=True)
        assert outcome.kept == {"archived messages": 2}
        assert list(outcome.left_out) == ["result: is no message with a stamp"]
        stamps = [entry.stamp.isoformat() for entry in await here.history()]
        assert stamps == ["2010-07-10T23:08:25+00:00", "2010-07-10T23:09:32+00:00"]
        for text, count in (("bescreened", 0), ("counsel", 1), ("baptized love", 1)):
            assert await archive.count(HAMLET, Query(text=text)) == count
        assert await archive.count(HAMLET, Query(peer=romeo.bare)) == 2
        found = await archive.find(HAMLET, romeo, "8a54s", is_sent=True)
        assert found is not None
        new = archive.next_id()
        assert new > found.id
        await archive.add(new, HAMLET, romeo, STAMP, "<message/>")
        assert [entry.id for entry in await here.history()][-1] == new

    places.run(play())


def test_what_prosody_writes_otherwise(places: Places) -> None:
    async def play() -> None:
        outcome = await places.here.one(
            "<presence type='subscribe' from='a@mantua.lit'/>", replace=True
        )
        assert outcome.left_out == {}
        (request,) = await places.here.things()
        assert isinstance(request, kinds.Request)
        assert parse(request.stanza, "jabber:client").attrs["to"] == str(HAMLET)

    places.run(play())


def test_blocks_come_before_the_rules_of_the_default_list(places: Places) -> None:
    block = (
        "<blocklist xmlns='urn:xmpp:blocking'><item jid='a@mantua.lit'/><item jid='b@mantua.lit'/>"
        "</blocklist>"
    )
    lists = (
        "<query xmlns='jabber:iq:privacy'><default name='l'/><list name='l'><item action='deny' "
        "order='7' type='jid' value='b@mantua.lit'/><item action='allow' order='9'/></list></query>"
    )

    async def play() -> None:
        here = places.here
        for inside in (block, block + lists, lists + block):
            outcome = await here.one(inside, replace=True)
            assert outcome.left_out == {}
            blocked = await here.server.privacy.blocked(HAMLET)
            assert {str(jid) for jid in blocked} == {"a@mantua.lit", "b@mantua.lit"}

    places.run(play())
