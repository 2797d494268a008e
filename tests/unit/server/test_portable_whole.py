"""An account of a file comes whole or not at all, whatever the file."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.places import HAMLET, PIE, File, Places, document, two_places
from tests.service import ROMEO, VERONA

from pyrite.core.jid import JID
from pyrite.core.xml import Element, parse
from pyrite.server.commands import CommandError

STAMP = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with two_places(tmp_path_factory.mktemp("places")) as both:
        yield both


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

    assert places.run(play()) < 6 << 20
