"""Searches: what people mean by a word is found, and nothing that they type is an operator."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.store import Batching, Stores, open_stores
from pyrite.server.store.archive import END, Entry, Keep, Query
from pyrite.server.store.sqlite.archive.words import ASKED, LONGEST, MOST, SEARCHED, asked, words

from .conftest import URL

ROMEO = JID.parse("romeo@verona.lit")
JULIET = JID.parse("juliet@capulet.lit/balcony")
STAMP = datetime(2026, 1, 1, tzinfo=UTC)


async def archived(stores: Stores, *bodies: str | None) -> list[str]:
    """Archive messages with these bodies, half of them in the index; their stanzas."""
    stanzas = []
    for number, body in enumerate(bodies):
        stanzas.append(f"<message n='{number}'><body>{body}</body></message>")
        id = stores.archive.next_id()
        done = stores.archive.add(id, ROMEO, JULIET, STAMP, stanzas[-1], body=body)
        if number == len(bodies) // 2:
            await asyncio.shield(done)
            await stores.archive.purge(Keep())
    return stanzas


async def search(stores: Stores, text: str) -> list[str]:
    page = await stores.archive.page(ROMEO, Query(text=text), limit=100)
    return [entry.stanza for entry in page.entries]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("But soft! what light", "soft light"),
        ("But soft! what light", "LIGHT, But?"),
        ("the naïve Émile", "naive emile"),
        ("the naive Emile", "NAÏVE ÉMILE"),
        ("Große Straße", "GROSSE strasse"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("\uff46\uff55\uff4c\uff4c \ufb01t", "full fit"),
        ("İstanbul", "istanbul"),
        ("हिन्दी में", "हिन्दी"),
        ("我们明天见面", "明天"),
        ("我们明天见面", "见"),
        ("iPhone手机", "iphone 手机"),
        ("안녕하세요", "안녕"),
        ("ไปกินข้าวกัน", "กินข้าว"),
        ("well 😀👍🏽 done", "😀"),
        ("see https://example.org/a_b?c=d", "example.org a_b"),
        ("e\u0301tude", "étude"),
        ("x" * 200, "x" * 200),
        ("don't", "don\u2019t"),
        ("<a> & b", "a b"),
    ],
)
async def test_words_are_found(stores: Stores, body: str, text: str) -> None:
    twice = await archived(stores, body, "other", body)
    assert await search(stores, text) == [twice[0], twice[2]]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("But soft! what light", "soft dark"),
        ("But soft", "bu"),
        ("我们明天见面", "天明"),
    ],
)
async def test_others_are_not(stores: Stores, body: str, text: str) -> None:
    await archived(stores, body, body)
    assert await search(stores, text) == []


async def test_what_is_not_to_be_searched_is_not_found(stores: Stores) -> None:
    await archived(stores, None, None)
    assert await search(stores, "None") == []


@pytest.mark.parametrize(
    "text",
    ['"', "*", "()", "--", "\0", " ", "\n", "^", "{}", "::", "'", "\u200b", "-", "_"],
)
async def test_a_text_without_a_word_finds_nothing(stores: Stores, text: str) -> None:
    await archived(stores, text + "x", "x", text)
    assert await search(stores, text) == []


@pytest.mark.parametrize(
    "text",
    [
        *('"love"', '"love', "love*", "lo*", "love OR hate"),
        *("love AND NOT hate", "NEAR(love hate)"),
        *("love NOT hate", "terms:love", "terms : love", "^love", "love + hate", "{terms}: love"),
        *('") OR ("', 'love" OR "hate', "love\0hate", "love'; DROP TABLE accounts; --", "1_love"),
        *("-love", "(love", "love)", "rank:love", "2c", "2@1", "love\ud7ffhate", "😀love"),
        *("\u0000love", "love" * 20_000, "love " * 20_000, "\U0010ffff", "\u202elove"),
    ],
)  # fmt: skip
async def test_nothing_is_an_operator(stores: Stores, text: str) -> None:
    """A search finds the body that has its words, and what has only some of them it does not."""
    stanzas = await archived(stores, "love", text, "hate", text)
    wanted = asked(text)
    expected = [
        stanza
        for stanza, body in zip(stanzas, ("love", text, "hate", text), strict=True)
        if wanted and wanted <= words(body)
    ]
    assert await search(stores, text) == expected
    assert not wanted or stanzas[1] in expected


async def test_words_of_others_are_not_seen(stores: Stores) -> None:
    """Numbers of archives stand before their words: 1 and "2c" is not 12 and "c"."""
    for number in range(12):
        owner = JID(f"person{number}", "verona.lit")
        body = "secret 2_secret 1 2c c"
        stores.archive.add(stores.archive.next_id(), owner, JULIET, STAMP, body, body=body)
    await stores.archive.purge(Keep())
    for number in range(12):
        page = await stores.archive.page(
            JID(f"person{number}", "verona.lit"), Query(text="secret c"), limit=99
        )
        assert len(page.entries) == 1


@given(st.text())
def test_who_asks_for_a_text_finds_it(text: str) -> None:
    assert asked(text) <= words(text)
    assert asked(text) <= words(f"before, {text}, behind")


@given(st.text(), st.text())
def test_a_text_has_the_words_of_its_parts(one: str, other: str) -> None:
    assert words(one) | words(other) <= words(f"{one} {other}")


@given(st.text())
def test_case_makes_no_difference(text: str) -> None:
    assert words(text) == words(text.casefold())


@given(st.text())
def test_words_are_no_syntax(text: str) -> None:
    for word in words(text):
        assert word
        assert not set(word) & set("\" '_@#\0")
        assert not any(char.isascii() and not char.isalnum() for char in word)


def test_a_text_has_only_so_many_words() -> None:
    many = " ".join(map(str, range(MOST + 100)))
    assert len(words(many)) == MOST
    assert len(words(many + " ä")) == MOST
    assert len(asked(many)) == ASKED
    assert words("x" * (SEARCHED + 1)) == {"x" * LONGEST}
    assert max(map(len, words("ä" * 1000))) == LONGEST


# --- paging ----------------------------------------------------------------------------

PEERS = [JULIET, JULIET.bare, JULIET.at("chamber"), JID.parse("nurse@capulet.lit/x")]
rows = st.tuples(
    st.sampled_from(PEERS), st.sampled_from(["", "a", "b", "a b"]), st.booleans(),
    st.integers(-2, 3),
)  # fmt: skip
queries = st.builds(
    Query,
    peer=st.none() | st.sampled_from(PEERS),
    text=st.sampled_from(["", "", "a", "b a", "c"]),
    is_groupchat=st.none() | st.booleans(),
    start=st.none() | st.integers(-5, 30).map(lambda n: STAMP + timedelta(seconds=n)),
    end=st.none() | st.integers(-5, 30).map(lambda n: STAMP + timedelta(seconds=n)),
)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_pages_are_the_whole(
    template: Path, tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    """Whatever is asked for, in pages of any size, from either end, and however much of it is
    in the index: the pages together are what a list with a condition would give."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(rows, max_size=25), queries, st.integers(1, 7), st.integers(1, 9))
    def check(
        messages: list[tuple[JID, str, bool, int]], query: Query, size: int, batch: int
    ) -> None:
        (tmp_path / "pyrite.db").write_bytes(template.read_bytes())
        for name in ("pyrite.db-wal", "pyrite.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        loop.run_until_complete(pages_are_the_whole(tmp_path, messages, query, size, batch))

    check()


async def pages_are_the_whole(
    folder: Path, messages: list[tuple[JID, str, bool, int]], query: Query, size: int, batch: int
) -> None:
    batching = Batching(window=0, index=batch)
    async with await open_stores(URL, folder, ManualClock(), batching=batching) as stores:
        expected = []
        moment = STAMP
        for number, (peer, body, is_groupchat, step) in enumerate(messages):
            moment += timedelta(seconds=step)  # or back: a clock that somebody sets
            clock = ManualClock(moment)
            stores.archive._clock = clock  # type: ignore[attr-defined]
            id, stanza = stores.archive.next_id(), f"<m n='{number}'>{body}</m>"
            done = stores.archive.add(
                id, ROMEO, peer, moment, stanza, body=body or None, is_groupchat=is_groupchat
            )
            if matches(query, peer, body, is_groupchat, moment):
                expected.append(Entry(id, moment, stanza))
            if number % 5 == 4:
                await asyncio.shield(done)
        assert await forwards(stores, query, size) == expected
        assert await backwards(stores, query, size) == expected
        assert await stores.archive.count(ROMEO, query) == len(expected)


def matches(query: Query, peer: JID, body: str, is_groupchat: bool, stamp: datetime) -> bool:
    return (
        (query.peer is None or query.peer in (peer, peer.bare))
        and set(query.text.split()) <= set(body.split())
        and query.is_groupchat in (None, is_groupchat)
        and (query.start is None or stamp >= query.start)
        and (query.end is None or stamp <= query.end)
    )


async def forwards(stores: Stores, query: Query, size: int) -> list[Entry]:
    found: list[Entry] = []
    is_last, after = False, None
    while not is_last:
        entries, is_last = await stores.archive.page(ROMEO, query, limit=size, after=after)
        assert len(entries) == size or is_last
        found += entries
        after = found[-1].id if found else None
    return found


async def backwards(stores: Stores, query: Query, size: int) -> list[Entry]:
    found: list[Entry] = []
    is_last, before = False, END
    while not is_last:
        entries, is_last = await stores.archive.page(ROMEO, query, limit=size, before=before)
        assert len(entries) == size or is_last
        found = entries + found
        before = found[0].id if found else END
    return found


@pytest.mark.parametrize("fresh", [0, 100, 1 << 20])  # nothing of it is remembered, some, all
async def test_what_is_taken_back_never_comes_into_the_index(tmp_path: Path, fresh: int) -> None:
    """What the index remembers of an entry is what stands in the archive."""
    batching = Batching(window=0, fresh=fresh)
    async with await open_stores(URL, tmp_path, ManualClock(), batching=batching) as stores:
        for body in ("alas", "poor yorick"):
            id, text = stores.archive.next_id(), f"<message><body>{body}</body></message>"
            await asyncio.shield(stores.archive.add(id, ROMEO, JULIET, STAMP, text, body=body))
        assert await stores.archive.replace(ROMEO, id, "<message/>")
        await stores.archive.purge(Keep())  # all is in the index now
        assert await found_in_index(stores, "1_alas") == 1
        assert await found_in_index(stores, "1_yorick") == 0
        octets = await stores.engine.read(lambda db: db.execute(OCTETS).fetchone())
        assert octets == (len("<message><body>alas</body></message>") + len("<message/>"),)


OCTETS = "SELECT bytes FROM archive_owners"
MATCHING = "SELECT count(*) FROM archive_terms WHERE archive_terms MATCH ?"


async def found_in_index(stores: Stores, term: str) -> int:
    row = (f'"{term}"',)
    (count,) = await stores.engine.read(lambda db: db.execute(MATCHING, row).fetchone())
    return int(count)
