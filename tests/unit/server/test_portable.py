"""Accounts go out as a file and come in again, the same; and what else comes in does no harm."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.service import JULIET, ROMEO, VERONA, template
from tests.service import settings as server_settings

from pyrite.core.jid import JID
from pyrite.core.sasl import derive
from pyrite.core.stanza import Message
from pyrite.core.xml import Element, Name, escape, parse
from pyrite.server.app import Server
from pyrite.server.commands import PIECE, CommandError
from pyrite.server.portable import Outcome, Total
from pyrite.server.store import portable as kinds
from pyrite.server.store.accounts import Account
from pyrite.server.store.archive import Entry, Keep, Query
from pyrite.server.store.roster import Item

HAMLET = JID.parse("hamlet@verona.lit")
STAMP = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)
PIE = "urn:xmpp:pie:0"


class File:
    """A file in memory, for commands to read and write."""

    def __init__(self, text: str | bytes = "", size: int = PIECE) -> None:
        self._octets = text.encode() if isinstance(text, str) else text
        self._at, self._size = 0, size
        self.text = ""

    async def read(self) -> bytes:
        piece = self._octets[self._at : self._at + self._size]
        self._at += len(piece)
        return piece

    async def write(self, text: str) -> None:
        assert len(text) <= PIECE
        self.text += text


class Place:
    """A server without sockets."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def export(self, jid: JID) -> str:
        file = File()
        done = await self.server.commands.run("account-export", {"jid": str(jid)}, stream=file)
        assert (done.accounts, done.left_out) == (1, ())
        assert done.octets == len(file.text.encode())
        return file.text

    async def bring(self, text: str | bytes, **args: object) -> tuple[Total, list[Outcome]]:
        file = File(text)
        total = await self.server.commands.run("account-import", args, stream=file)
        lines = [Outcome(**json.loads(line)) for line in file.text.splitlines()]
        return total, lines

    async def one(self, inside: str, **args: object) -> Outcome:
        """What becomes of Hamlet, who has what is `inside`."""
        _, (outcome,) = await self.bring(document(inside), **args)
        return outcome

    async def things(self, jid: JID = HAMLET) -> list[kinds.Thing]:
        return [thing async for thing in self.server.stores.portable.things(jid)]

    async def history(self, jid: JID = HAMLET) -> list[Entry]:
        return [entry async for entry in self.server.stores.archive.entries(jid)]


def document(inside: str, attrs: str = "name='hamlet'", host: str = VERONA) -> str:
    user = f"<user {attrs}>{inside}</user>"
    return f"<server-data xmlns='{PIE}'><host jid='{host}'>{user}</host></server-data>"


class Places:
    """Two servers, and the loop that they run on."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], *places: Place) -> None:
        self.run = run
        self.here, self.there = places


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened(name: str) -> Place:
            folder = tmp_path_factory.mktemp(name) / "it"
            shutil.copytree(await template(), folder)
            server = Server(server_settings(folder))
            await stack.enter_async_context(server.opened())
            return Place(server)

        yield Places(runner.run, runner.run(opened("here")), runner.run(opened("there")))
        runner.run(stack.aclose())


# --- there and back ----------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SAYABLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=20,
)
NAMES = st.text("abcdefgh", min_size=1, max_size=4)
MOMENTS = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
)
CONTACTS = NAMES.map(lambda name: JID(name, "mantua.lit"))
ITEMS = st.builds(
    Item,
    CONTACTS,
    st.none() | SAYABLE,
    st.lists(NAMES, max_size=3, unique=True).map(tuple),
    st.sampled_from(["none", "to", "from", "both"]),
).flatmap(
    lambda item: st.builds(
        lambda ask, approved: Item(
            item.jid,
            item.name,
            item.groups,
            item.subscription,
            ask and item.subscription in ("none", "from"),
            approved and item.subscription in ("none", "to"),
        ),
        st.booleans(),
        st.booleans(),
    )
)


def message(sender: JID, text: str) -> str:
    return f'<message to="{HAMLET}" from="{sender}"><body>{escape(text)}</body></message>'


def rules(name: str, blocked: list[JID]) -> kinds.PrivacyList:
    items = "".join(
        f'<item action="deny" order="{n}" type="jid" value="{jid}"/>'
        for n, jid in enumerate(blocked, 1)
    )
    text = f'<list xmlns="jabber:iq:privacy" name="{name}">{items}</list>'
    return kinds.PrivacyList(name, text if items else text.replace("></list>", "/>"))


def private(ns: str, name: str, text: str) -> kinds.Private:
    return kinds.Private(f"urn:{ns}", name, f'<{name} xmlns="urn:{ns}">{escape(text)}</{name}>')


@st.composite
def belongings(draw: st.DrawFn) -> list[kinds.Thing]:
    """What one account may have, in the order in which it is told."""
    contacts = draw(st.lists(ITEMS, max_size=4, unique_by=lambda item: item.jid))
    asking = draw(st.lists(CONTACTS, max_size=3, unique=True))
    seen = {i.jid for i in contacts if i.subscription in ("from", "both") or i.approved}
    things: list[kinds.Thing] = [
        kinds.Contact(item) for item in sorted(contacts, key=lambda item: item.jid.text)
    ]
    things += [
        kinds.Request(jid, f'<presence type="subscribe" to="{HAMLET}" from="{jid}" id="1"/>')
        for jid in sorted(asking, key=str)
        if jid not in seen
    ]
    for sender, when, text in draw(st.lists(st.tuples(CONTACTS, MOMENTS, SAYABLE), max_size=4)):
        things.append(kinds.Offline(sender, when, message(sender, text)))
    elements = draw(st.dictionaries(st.tuples(NAMES, NAMES), SAYABLE, max_size=4))
    things += [private(ns, name, text) for (ns, name), text in sorted(elements.items())]
    if draw(st.booleans()):
        card = '<vCard xmlns="vcard-temp"><FN>Hamlet</FN></vCard>'
        things.append(kinds.Card(card, None))
    lists = draw(st.dictionaries(NAMES, st.lists(CONTACTS, max_size=3, unique=True), max_size=3))
    things += [rules(name, jids) for name, jids in sorted(lists.items())]
    if lists and draw(st.booleans()):
        things.append(kinds.DefaultList(draw(st.sampled_from(sorted(lists)))))
    if draw(st.booleans()):
        things.append(kinds.Last(draw(MOMENTS), draw(st.none() | SAYABLE)))
    values = draw(st.dictionaries(st.tuples(NAMES, WORDS), WORDS, max_size=4))
    things += [kinds.Value(*key, value) for key, value in sorted(values.items())]
    entries = draw(st.lists(st.tuples(NAMES, MOMENTS, WORDS), max_size=4))
    things += [kinds.Entry(*entry) for entry in sorted(entries, key=lambda one: one[0])]
    return things


@st.composite
def histories(draw: st.DrawFn) -> list[kinds.Archived]:
    """Messages to and from Hamlet, whose stamps may be in any order."""
    told: list[kinds.Archived] = []
    for peer, is_sent, when, text in draw(
        st.lists(st.tuples(CONTACTS, st.booleans(), MOMENTS, SAYABLE), max_size=5)
    ):
        sender, to = (HAMLET, peer) if is_sent else (peer, HAMLET)
        element = Element(Name("jabber:client", "body"), None, (text,))
        stanza = Message("chat", to, sender, f"m{len(told)}", (element,)).write()
        archived = kinds.Archived(
            None, peer, when, stanza, text, f"m{len(told)}", is_sent, is_groupchat=False
        )
        told.append(archived)
    return told


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    things=belongings(),
    history=histories(),
    created=MOMENTS,
    disabled=st.booleans(),
    count=st.integers(0, 3),
)
def test_what_goes_out_comes_in_again(
    places: Places,
    things: list[kinds.Thing],
    history: list[kinds.Archived],
    created: datetime,
    disabled: bool,
    count: int,
) -> None:
    mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"][:count]
    keys = tuple(derive(name, "to be", b"salt" * 4, 4096) for name in mechanisms)
    account = Account(HAMLET, created, disabled, keys)

    async def there_and_back() -> None:
        here, there = places.here, places.there
        for place in (here, there):
            await place.server.stores.accounts.delete(HAMLET)
            await place.server.stores.archive.purge(Keep())  # else old ids are still taken
        assert await here.server.stores.portable.create(account, lambda: things + history)
        assert await here.things() == things
        assert [one.stanza for one in await here.history()] == [one.stanza for one in history]
        first = await here.export(HAMLET)
        total, (outcome,) = await there.bring(first)
        assert outcome.left_out == {}
        assert (total.imported, total.refused, total.incomplete) == (1, 0, 0)
        assert await there.things() == things
        assert await there.history() == await here.history()
        for archived in history:
            store, name = there.server.stores.archive, archived.name or ""
            found = await store.find(HAMLET, archived.peer, name, is_sent=archived.is_sent)
            assert found is not None
            assert found.stanza == archived.stanza
        assert await there.server.stores.accounts.find(HAMLET) == account
        assert await there.export(HAMLET) == first

    places.run(there_and_back())


# --- what others write -------------------------------------------------------------------


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


# --- whole accounts, and nothing else ----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (document("", host="elsewhere.lit"), "elsewhere.lit is not served here"),
        (document("", "name='ham let'"), ""),
        (document("", "name=''"), ""),
        (document("", ""), ""),
        (document("", "name='romeo'"), "it exists already"),
        (document("", "name='ROMEO'"), "it exists already"),
        (document("", host="@"), ""),
    ],
)
def test_an_account_that_cannot_be_is_refused(places: Places, text: str, said: str) -> None:
    async def play() -> None:
        before = await places.here.export(ROMEO)
        total, (outcome,) = await places.here.bring(text)
        assert not outcome.done
        assert outcome.why
        assert said in outcome.why
        assert (total.imported, total.refused) == (0, 1)
        assert await places.here.export(ROMEO) == before

    places.run(play())


@pytest.mark.parametrize("user", ["hamlet", "romeo"])
@pytest.mark.parametrize(
    "end",
    ["", "</user>words", "<!-- -->&nbsp;", "</host>", "<a><b></a>", f"<a>{'text ' * (4 << 20)}"],
)
def test_of_an_account_that_breaks_off_there_is_nothing(
    places: Places, user: str, end: str
) -> None:
    """And what was there of it is there still."""
    start = document("<vCard xmlns='vcard-temp'/>", f"name='{user}'").partition("</user>")[0]
    first = "<user name='first'/><user"

    async def play() -> None:
        here, jid = places.here, JID(user, VERONA)
        stores = here.server.stores
        await stores.accounts.delete(JID("first", VERONA))
        if user == "hamlet":
            await stores.accounts.delete(HAMLET)
        before = await here.things(jid)
        with pytest.raises(CommandError, match=r"^line 1: .*; \d accounts were imported before"):
            await here.bring(start.replace("<user", first, 1) + end, replace=True)
        assert await stores.accounts.exists(JID("first", VERONA))
        if not end.startswith("</user>"):
            assert await stores.accounts.exists(jid) is (user == "romeo")
            assert await here.things(jid) == before

    places.run(play())


@pytest.mark.parametrize(
    "text",
    [
        f"<!DOCTYPE a [<!ENTITY b 'c'>]>{document('')}",
        f"<server-data xmlns='{PIE}'><host xmlns:x='http://www.w3.org/2001/XInclude' "
        "jid='verona.lit'><x:include href='/etc/passwd'/></host></server-data>",
        "<other/>",
        "",
        "\xff\xfe",
        f"<user xmlns='{PIE}' name='hamlet'/>",
    ],
)
def test_what_is_no_file_of_accounts_is_refused(places: Places, text: str) -> None:
    with pytest.raises(CommandError, match=r"^line 1: "):
        places.run(places.here.bring(text))


def test_includes_inside_of_what_people_wrote_are_theirs(places: Places) -> None:
    """XEP-0227 §5: they are neither processed nor refused; nor is anything else of the format."""
    inside = (
        "<query xmlns='jabber:iq:private'><a xmlns='urn:a'>"
        "<include xmlns='http://www.w3.org/2001/XInclude' href='/etc/passwd'/></a>"
        "<user xmlns='urn:xmpp:pie:0' name='admin' password='x'/></query>"
    )

    async def play() -> None:
        outcome = await places.here.one(inside, replace=True)
        assert outcome.left_out == {}
        assert outcome.kept == {"private elements": 2}
        assert not await places.here.server.accounts.exists(JID("admin", VERONA))
        text = await places.here.export(HAMLET)
        total, _ = await places.there.bring(text, replace=True)
        assert (total.imported, total.incomplete) == (1, 0)
        assert await places.there.things() == await places.here.things()

    places.run(play())


def test_a_file_of_one_host_or_of_one_user(places: Places) -> None:
    user = f"<user xmlns='{PIE}' name='hamlet'/>"

    async def play() -> None:
        there = places.there
        total, _ = await there.bring(
            f"<host xmlns='{PIE}' jid='{VERONA}'>{user}</host>", replace=True
        )
        assert total.imported == 1
        total, _ = await there.bring(user, host=VERONA, replace=True)
        assert total.imported == 1
        other = f"<host xmlns='{PIE}' jid='mantua.lit'>{user}</host>"
        total, (outcome,) = await there.bring(other, host=VERONA)
        assert (total.refused, outcome.why) == (1, "it is of mantua.lit")

    places.run(play())


def test_a_host_goes_with_all_its_accounts(places: Places) -> None:
    async def play() -> None:
        file = File()
        commands = places.here.server.commands
        done = await commands.run("host-export", {"host": VERONA}, stream=file)
        accounts = await places.here.server.accounts.list(VERONA)
        assert done.accounts == len(accounts)
        data = parse(file.text.partition("\n")[2].strip(), limits=None)
        (host,) = data.elements
        users = [one.attrs["name"] for one in host.elements if isinstance(one, Element)]
        assert users == [jid.local for jid in accounts]
        total, _ = await places.there.bring(file.text, replace=True)
        assert total.imported == len(accounts)

    places.run(play())


def test_an_account_of_many_megabytes_is_never_in_memory(places: Places) -> None:
    import tracemalloc

    body = "x" * 10_000
    count = 4000

    class Long(File):
        """Forty megabytes of private elements, and then one mistake."""

        def __init__(self) -> None:
            super().__init__()
            self._parts = self._pieces()

        def _pieces(self) -> Iterator[bytes]:
            yield document("").partition("</user>")[0].encode()
            yield b"<query xmlns='jabber:iq:private'>"
            for number in range(count):
                yield f"<a{number} xmlns='urn:a'>{body}</a{number}>".encode()
            yield b"</query></user></host></server-data>"

        async def read(self) -> bytes:
            return next(self._parts, b"")

    async def play() -> int:
        tracemalloc.start()
        run = places.there.server.commands.run
        await run("account-import", {"replace": True}, stream=Long())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        file = File()
        done = await run("account-export", {"jid": str(HAMLET)}, stream=file)
        assert done.octets > count * len(body)
        await places.there.server.stores.accounts.delete(HAMLET)
        return peak

    assert places.run(play()) < 20 << 20
