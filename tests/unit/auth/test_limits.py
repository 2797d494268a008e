"""Guessing passwords: how often, from where, and that it tells nobody who exists."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import SaslError
from pyrite.core.jid import JID
from pyrite.kit.clock import ManualClock
from pyrite.server.auth import BackendDown, Hasher, Limits
from pyrite.server.auth.hashing import MAX_WAITING, WORKERS
from pyrite.server.auth.limits import Failures, Rule
from unit.auth.world import JULIET, PASSWORD, ROMEO, SECURE, World, options

HERE, THERE = "192.0.2.1", "198.51.100.7"
RULE = Rule(free=3, attempts=8, backoff=1, backoff_limit=5, lockout=60, memory=600)
REFUSED = "temporary-auth-failure"


@pytest.fixture
async def verona(world: World) -> World:
    await world.accounts.create(ROMEO, PASSWORD)
    return world


def at(address: str) -> dict[str, object]:
    return {"channel": replace(SECURE, address=address)}


async def fail(world: World, username: str, times: int, address: str = HERE, **more: str) -> None:
    """Fail so often, and wait each time until one may."""
    for _ in range(times):
        failure = await world.failure(username, "wrong", **more, **at(address))
        assert failure.condition == "not-authorized"
        world.clock.advance(61)


@pytest.mark.parametrize(
    ("failures", "delay"),
    [(0, 0), (2, 0), (3, 1), (4, 2), (5, 4), (6, 5), (7, 5), (8, 60), (9, 60), (10_000, 60)],
)
def test_waiting_doubles_and_ends_in_a_lock(failures: int, delay: float) -> None:
    assert RULE.delay(failures) == delay


@pytest.mark.parametrize("username", ["romeo", "nobody"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "PLAIN"])
async def test_back_off_and_lock(
    verona: World, username: str, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same for one who exists and one who does not, and for a right password."""
    verona.configure(options(free_attempts=3, attempts=5, backoff=2.0))
    caplog.set_level("INFO")
    seen = []
    for advance in (0, 0, 0, 0, 1.9, 0.2, 3.9, 0.2, 0, 299.0, 2.0):
        verona.clock.advance(advance)
        seen.append((await verona.failure(username, "wrong", mechanism)).condition)
    denied = "not-authorized"
    assert seen == [
        *(denied, denied, denied),
        *(REFUSED, REFUSED, denied),  # two seconds
        *(REFUSED, denied),  # four seconds
        *(REFUSED, REFUSED, denied),  # five minutes
    ]
    assert (await verona.failure(username, PASSWORD, mechanism)).condition == REFUSED
    locked = [vars(one) for one in caplog.records if one.getMessage() == "log-in locked"]
    account = f"{username}@verona.lit"
    assert [(one["failures"], str(one["account"])) for one in locked] == [
        (5, account),
        (6, account),
    ]


async def test_failures_are_forgotten(verona: World) -> None:
    await fail(verona, "romeo", 9)
    verona.clock.advance(900)
    await fail(verona, "romeo", 9)
    assert (await verona.login("romeo", PASSWORD)).jid == ROMEO


async def test_mechanisms_count_together(verona: World, caplog: pytest.LogCaptureFixture) -> None:
    for mechanism in ("PLAIN", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"):
        await fail(verona, "romeo", 2, mechanism=mechanism)
    await fail(verona, "ROMEO", 2)
    assert (await verona.failure("romeo", PASSWORD)).condition == REFUSED
    caplog.clear()


async def test_strangers_do_not_lock_the_owner_out(
    verona: World, caplog: pytest.LogCaptureFixture
) -> None:
    await verona.login("romeo", PASSWORD, **at(HERE))
    await fail(verona, "romeo", 10, THERE)
    assert (await verona.failure("romeo", PASSWORD, **at(THERE))).condition == REFUSED
    assert (await verona.login("romeo", PASSWORD, **at(HERE))).jid == ROMEO
    caplog.clear()


async def test_the_owners_address_is_limited_too(
    verona: World, caplog: pytest.LogCaptureFixture
) -> None:
    await verona.login("romeo", PASSWORD)
    await fail(verona, "romeo", 10)
    assert (await verona.failure("romeo", PASSWORD)).condition == REFUSED
    assert (await verona.login("romeo", PASSWORD, **at(THERE))).jid == ROMEO
    caplog.clear()


async def test_a_success_makes_up_for_the_owners_own_mistakes(verona: World) -> None:
    await verona.login("romeo", PASSWORD)
    for _ in range(3):
        await fail(verona, "romeo", 9)
        assert (await verona.login("romeo", PASSWORD)).jid == ROMEO


async def test_an_address_is_limited_for_all_accounts_together(verona: World) -> None:
    verona.configure(options(free_attempts=2, attempts=3, address_factor=2))
    for number in range(4):
        assert (await verona.failure(f"nobody{number}", "x")).condition == "not-authorized"
    assert (await verona.failure("nobody5", "x")).condition == REFUSED
    assert (await verona.failure("romeo", PASSWORD)).condition == REFUSED
    assert (await verona.login("romeo", PASSWORD, **at(THERE))).jid == ROMEO


async def test_a_right_password_does_not_clear_an_address(verona: World) -> None:
    verona.configure(options(free_attempts=2, attempts=3, address_factor=2))
    for number in range(4):
        await verona.login("romeo", PASSWORD)
        assert (await verona.failure(f"nobody{number}", "x")).condition == "not-authorized"
    assert (await verona.failure("nobody5", "x")).condition == REFUSED


async def test_many_at_once_get_no_more_guesses(
    verona: World, caplog: pytest.LogCaptureFixture
) -> None:
    guesses = [verona.plain(f"\0romeo\0guess {n}".encode()) for n in range(40)]
    results = await asyncio.gather(*guesses)
    assert results.count("not-authorized") <= 10
    assert results.count(REFUSED) >= 30
    caplog.clear()


async def test_concurrent_proofs_are_counted_too(verona: World) -> None:
    """Exchanges that were begun before the lock end with it (many proofs, one challenge each)."""
    from pyrite.core.sasl import Advertised, Challenge, Credentials, choose

    begun = []
    for _ in range(20):
        exchange = verona.authenticator.exchange(SECURE)
        told = Advertised(
            "verona.lit",
            verona.authenticator.mechanisms(SECURE),
            verona.authenticator.binding_types(SECURE),
            SECURE.bindings,
        )
        client = choose(told, Credentials("romeo", "wrong"), "client-nonce")
        step = await exchange.start(client.name, client.start())
        assert isinstance(step, Challenge)
        begun.append((exchange, client.step(step.data)))
    results = []
    for exchange, proof in begun:
        with pytest.raises(SaslError) as raised:
            await exchange.respond(proof)
        results.append(raised.value.condition)
    assert results == ["not-authorized"] * 5 + [REFUSED] * 15


async def test_an_exchange_that_ends_without_proof_is_no_guess(verona: World) -> None:
    for _ in range(30):
        await verona.authenticator.exchange(SECURE).start(
            "SCRAM-SHA-1", b"n,,n=romeo,r=abcdefghijkl"
        )
        assert await verona.plain(b"juliet@verona.lit\0romeo\0x") == "invalid-authzid"
    assert (await verona.login("romeo", PASSWORD)).jid == ROMEO


async def test_hosts_share_what_they_have_seen(verona: World) -> None:
    limits = Limits(options(), verona.clock)
    limits.failed(ROMEO, HERE)
    limits.configure(options(free_attempts=1, attempts=2))
    with pytest.raises(SaslError):
        limits.check(ROMEO, HERE)
    limits.check(JULIET, HERE)


def test_one_network_is_one_address() -> None:
    limits = Limits(options(free_attempts=1, attempts=2, address_factor=1), ManualClock())
    limits.failed(ROMEO, "2001:db8::1")
    with pytest.raises(SaslError):
        limits.check(JULIET, "2001:db8::ffff")
    limits.check(JULIET, "2001:db8:0:1::1")


def test_the_tables_are_bounded() -> None:
    failures = Failures(RULE, size=3)
    for key in "abcde":
        failures.add(key, 0.0)
    assert [failures.count(key, 0.0) for key in "abcde"] == [0, 0, 1, 1, 1]
    failures.add("c", 1.0)  # failed again: d is the oldest now
    failures.add("f", 1.0)
    assert [failures.count(key, 1.0) for key in "cdef"] == [2, 0, 1, 1]
    assert len(failures) == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1000)), max_size=60))
def test_nobody_waits_longer_than_the_lock(steps: list[tuple[str, float]]) -> None:
    failures, now = Failures(RULE, size=2), 0.0
    for key, seconds in steps:
        now += seconds
        failures.add(key, now)
        assert 0 <= failures.wait(key, now) <= RULE.lockout
        assert failures.wait(key, now + RULE.lockout) == 0
        assert len(failures) <= 2


def test_a_lock_ends_after_its_time() -> None:
    clock = ManualClock()
    limits = Limits(options(free_attempts=1, attempts=2, lockout=30.0, memory=10.0), clock)
    for _ in range(9):
        limits._accounts.add(str(ROMEO), clock.monotonic())
    clock.advance(29.9)
    with pytest.raises(SaslError):
        limits.check(ROMEO, HERE)
    clock.advance(0.2)
    limits.check(ROMEO, HERE)


# --- the work itself ---------------------------------------------------------------------


async def test_hashing_is_bounded_and_beside_the_loop() -> None:
    import threading

    hasher, gate, running = Hasher(), threading.Event(), threading.Semaphore(0)

    def work() -> int:
        running.release()
        gate.wait(10)
        return threading.get_ident()

    tasks = [asyncio.create_task(hasher.run(work, 1)) for _ in range(WORKERS + MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(BackendDown):
        await hasher.run(work, 1)
    await asyncio.to_thread(running.acquire)
    tasks[0].cancel()  # gives up waiting, but its thread is still at it
    await asyncio.sleep(0)
    assert hasher.iterations == WORKERS
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert threading.get_ident() not in results
    assert hasher.iterations == WORKERS + MAX_WAITING


async def test_too_many_at_once_are_told_to_come_again(
    verona: World, caplog: pytest.LogCaptureFixture
) -> None:
    everyone = [
        verona.plain(
            f"\0nobody{n}\0x".encode(), replace(SECURE, address=f"10.0.{n // 250}.{n % 250}")
        )
        for n in range(MAX_WAITING + WORKERS + 20)
    ]
    results = await asyncio.gather(*everyone)
    assert set(results) <= {"not-authorized", REFUSED}
    assert results.count("not-authorized") >= MAX_WAITING
    caplog.clear()


def test_jids_of_other_hosts_are_other_accounts() -> None:
    limits = Limits(options(free_attempts=1, attempts=2), ManualClock())
    limits.failed(ROMEO, HERE)
    limits.check(JID.parse("romeo@mantua.lit"), THERE)
