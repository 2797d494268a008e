"""Rates, caches and ids: what they allow, and that they stay small."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.kit.cache import Cache
from pyrite.kit.clock import ManualClock
from pyrite.kit.ids import Ids
from pyrite.kit.rate import Bucket, Buckets, Limit


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(Limit(rate=2, burst=3))
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.delay(100.0) == pytest.approx(0.5)
    assert not bucket.take(100.4)
    assert bucket.take(100.5)
    assert bucket.is_full(102.0)


def test_what_was_spent_already_is_a_debt() -> None:
    bucket = Bucket(Limit(rate=10, burst=10))
    assert bucket.spend(0.0, 10) == 0.0
    assert bucket.spend(0.0, 5) == pytest.approx(0.5)
    assert not bucket.take(0.5)
    assert bucket.take(0.6)


def test_what_never_fits_is_never_due() -> None:
    bucket = Bucket(Limit(rate=1, burst=2))
    assert bucket.delay(0.0, 3) == float("inf")
    assert not bucket.take(1000.0, 3)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (1, 0), (-1, 1)])
def test_a_limit_is_above_zero(rate: float, burst: float) -> None:
    with pytest.raises(ValueError):
        Limit(rate, burst)


@given(
    st.floats(0.1, 100),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 5)), max_size=60),
)
def test_never_more_than_burst_and_rate(
    rate: float, burst: int, asked: list[tuple[float, int]]
) -> None:
    bucket, now, taken = Bucket(Limit(rate, burst)), 1e6, 0
    for pause, amount in asked:
        now += pause
        expected = bucket.delay(now, amount) == 0.0
        assert bucket.take(now, amount) is expected
        taken += amount if expected else 0
    assert taken <= burst + rate * (now - 1e6) + 1e-3


def test_keys_have_buckets_of_their_own() -> None:
    buckets = Buckets[str](Limit(1, 1))
    assert buckets.take("a", 0.0)
    assert not buckets.take("a", 0.0)
    assert buckets.take("b", 0.0)
    assert buckets.delay("a", 0.0) == pytest.approx(1.0)
    assert buckets.delay("unseen", 0.0) == 0.0
    buckets.forget("a")
    assert buckets.take("a", 0.0)
    assert buckets.spend("b", 1.0, 3) == pytest.approx(2.0)


def test_the_table_of_buckets_is_bounded_and_keeps_the_busy() -> None:
    buckets = Buckets[int](Limit(1, 1), size=10)
    for key in range(100):
        buckets.take(key, 0.0)
        assert buckets.take(-1, 0.0) is (key == 0)  # always asked for, never forgotten
        assert len(buckets) <= 10


def test_buckets_that_are_full_again_go_by_themselves() -> None:
    buckets = Buckets[int](Limit(1, 1), size=1000)
    for key in range(100):
        buckets.take(key, 0.0)
    for key in range(100, 200):
        buckets.take(key, 5.0)
    assert len(buckets) == 100


def test_a_cache_forgets_what_was_longest_unused() -> None:
    cache = Cache[str, int](2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(key, 0) for key in "abc"] == [1, 0, 3]
    assert (cache.hits, cache.misses) == (3, 1)
    cache.pop("a")
    cache.pop("a")
    assert len(cache) == 1
    cache.clear()
    assert len(cache) == 0


def test_a_cache_forgets_with_time() -> None:
    clock = ManualClock()
    cache = Cache[str, int](2, ttl=10, monotonic=clock.monotonic)
    cache.put("a", 1)
    clock.advance(9.9)
    assert cache.get("a") == 1
    clock.advance(0.1)
    assert cache.get("a") is None
    assert len(cache) == 0


def test_a_value_may_be_false() -> None:
    cache = Cache[str, int | None](2)
    cache.put("none", None)
    assert cache.get("none", 5) is None


@given(st.lists(st.integers(0, 20), max_size=100))
def test_a_cache_never_holds_more_than_its_size(keys: list[int]) -> None:
    cache = Cache[int, int](5)
    for key in keys:
        cache.put(key, -key)
        assert cache.get(key) == -key
        assert len(cache) <= 5


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError):
        Cache[int, int](0)
    with pytest.raises(ValueError):
        Cache[int, int](1, ttl=5)
    with pytest.raises(ValueError):
        Buckets[int](Limit(1, 1), 0)


def test_ids_are_url_safe_and_differ() -> None:
    ids = Ids()
    made = {ids() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", one) for one in made)


def test_chance_is_given() -> None:
    assert Ids(Random(1).randbytes)() == Ids(Random(1).randbytes)()
    assert Ids(bytes)() == "A" * 22
    assert Ids(bytes).octets(3) == b"\0\0\0"


def test_a_look_is_no_use() -> None:
    cache: Cache[str, int] = Cache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert (cache.peek("a"), cache.peek("c")) == (1, None)
    assert (cache.hits, cache.misses) == (0, 0)
    cache.put("c", 3)
    assert cache.peek("a") is None
