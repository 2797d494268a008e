"""SCRAM: the vectors of its RFCs, a foreign implementation, and each way to fail."""

import base64
import re

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from pyrite.core.errors import SaslError
from pyrite.core.sasl import (
    HASHES,
    MAX_MESSAGE,
    Challenge,
    Credentials,
    Keys,
    NeedKeys,
    PrepError,
    Proven,
    UntrustedServer,
    choose,
    derive,
    encode_base64,
    fake_keys,
    protection,
    server,
)
from pyrite.core.sasl.scram import CLIENT_FINAL, Transcript, quote, unquote
from pyrite.core.sasl.scram_client import ScramClient, Seen
from pyrite.core.sasl.scram_server import _check_proof
from unit.sasl.play import BINDINGS, ITERATIONS, Owner, advertised, offer, outcome, talk

ROMEO = Credentials("romeo", "wherefore")
OWNER = Owner({"romeo": "wherefore", "a,b=c": "x"})
PLAIN_AND_PLUS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")

# RFC 5802 §5, RFC 7677 §3
VECTORS = {
    "SCRAM-SHA-1": (
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": (
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}


@pytest.mark.parametrize("mechanism", VECTORS)
def test_the_examples_of_the_specifications(mechanism: str) -> None:
    nonce, server_first, client_final, server_final = VECTORS[mechanism]
    client = ScramClient(mechanism, Credentials("user", "pencil"), nonce, Seen((mechanism,)))
    assert client.start() == f"n,,n=user,r={nonce}".encode()
    assert client.step(server_first.encode()) == client_final.encode()
    client.finish(server_final.encode())


@pytest.mark.parametrize("mechanism", VECTORS)
def test_stored_keys_fit_the_examples(mechanism: str) -> None:
    nonce, server_first, client_final, server_final = VECTORS[mechanism]
    salt = base64.b64decode(server_first.split(",s=")[1].split(",")[0])
    keys = derive(mechanism, "pencil", salt, 4096)
    bare, _, proof = client_final.rpartition(",p=")
    said = Transcript(HASHES[mechanism], f"n=user,r={nonce}", server_first, bare)
    _check_proof(keys.stored_key, said, base64.b64decode(proof))
    assert f"v={encode_base64(said.sign(keys.server_key))}" == server_final


# XEP-0474 §4.3
CLIENT_FIRST_0474 = "n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6"
SERVER_FIRST_0474 = (
    "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,"
    "s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08="
)
CLIENT_FINAL_0474 = (
    "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,"
    "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,"
    "x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4="
)


def test_the_example_of_downgrade_protection() -> None:
    mechanisms = ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-1")
    hashed = protection("sha1", mechanisms, ("tls-server-end-point", "tls-exporter"))
    assert hashed == "G6k/rBLDqgOhRRaCuuatSDFkJ08="
    keys = derive("SCRAM-SHA-1", "pencil", base64.b64decode("QSXCR+Q6sek8bf92"), 4096)
    final = CLIENT_FINAL.fullmatch(CLIENT_FINAL_0474)
    assert final is not None
    said = Transcript("sha1", CLIENT_FIRST_0474, SERVER_FIRST_0474, final["bare"])
    _check_proof(keys.stored_key, said, base64.b64decode(final["proof"]))
    assert encode_base64(said.sign(keys.server_key)) == "MQrMPvv7yv4x4Cq4W4Ih25EqS2c="


def test_without_binding_types_only_mechanisms_are_hashed() -> None:
    assert protection("sha1", ("A", "B"), ()) == protection("sha1", ("B", "A"), ())
    assert protection("sha1", ("A", "B"), ("B",)) != protection("sha1", ("A",), ("B", "B"))


# --- scramp as the other side ------------------------------------------------------------


def scramp_client(mechanism: str, binding: str | None) -> scramp.ScramClient:
    bound = None if binding is None else (binding, BINDINGS[binding])
    return scramp.ScramClient([mechanism], "romeo", "wherefore", channel_binding=bound)


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("binding", [None, "tls-server-end-point"])
def test_our_server_with_a_foreign_client(hash_name: str, binding: str | None) -> None:
    mechanism = f"{hash_name}-PLUS" if binding else hash_name
    offered = (mechanism, hash_name) if binding else (hash_name,)
    ours, theirs = server(mechanism, offer(*offered)), scramp_client(mechanism, binding)
    step = OWNER.answer(ours.step(theirs.get_client_first().encode()))
    assert isinstance(step, Challenge)
    theirs.set_server_first(step.data.decode())
    done = OWNER.answer(ours.step(theirs.get_client_final().encode()))
    assert isinstance(done, Proven)
    assert done.username == "romeo"
    assert done.data is not None
    theirs.set_server_final(done.data.decode())


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("binding", [None, "tls-server-end-point"])
def test_our_client_with_a_foreign_server(hash_name: str, binding: str | None) -> None:
    mechanism = f"{hash_name}-PLUS" if binding else hash_name
    bound = None if binding is None else (binding, BINDINGS[binding])
    made = scramp.ScramMechanism(mechanism)
    salt, stored_key, server_key, iterations = made.make_auth_info("wherefore", ITERATIONS)
    theirs = made.make_server(
        lambda username: (salt, stored_key, server_key, iterations), channel_binding=bound
    )
    seen = Seen(
        (mechanism,), flag=f"p={binding}" if binding else "n", binding=(bound or ("", b""))[1]
    )
    ours = ScramClient(mechanism, ROMEO, "abcdefghijkl", seen)
    theirs.set_client_first(ours.start().decode())
    theirs.set_client_final(ours.step(theirs.get_server_first().encode()).decode())
    ours.finish(theirs.get_server_final().encode())


@pytest.mark.parametrize("mechanism", HASHES)
def test_keys_are_those_of_a_foreign_library(mechanism: str) -> None:
    made = scramp.ScramMechanism(mechanism)
    salt, stored_key, server_key, iterations = made.make_auth_info(
        "I\u00adX\u00aa", 4096, b"salt of Verona"
    )
    assert derive(mechanism, "IXa", b"salt of Verona", 4096) == Keys(
        mechanism, salt, iterations, stored_key, server_key
    )


# --- ours with ours ----------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", [*HASHES, *(f"{name}-PLUS" for name in HASHES)])
@pytest.mark.parametrize("binding", BINDINGS)
def test_both_sides_agree(mechanism: str, binding: str) -> None:
    offered = offer(mechanism)
    seen = advertised(offered, bindings={binding: BINDINGS[binding]})
    if not offered.binds:
        seen = advertised(offered, bindings={})
    client = choose(seen, ROMEO, "abcdefghijkl")
    assert client.name == mechanism
    assert talk(client, server(mechanism, offered), OWNER).username == "romeo"


def names() -> st.SearchStrategy[str]:
    return st.text("abc,=2C3D xyz\u00e9\u05d0\U0001f511", min_size=1, max_size=12)


@given(names())
def test_quoting_is_undone(name: str) -> None:
    assert unquote(quote(name)) == name
    assert re.fullmatch("(?:[^,=]|=2C|=3D)+", quote(name))


def test_names_with_commas_and_equal_signs() -> None:
    client = choose(advertised(offer("SCRAM-SHA-1")), Credentials("a,b=c", "x"), "abcdefghijkl")
    with pytest.raises(SaslError):  # it can bind, and believes that the server cannot
        talk(client, server("SCRAM-SHA-1", offer(*HASHES, "SCRAM-SHA-1-PLUS")), OWNER)
    client = choose(advertised(offer("SCRAM-SHA-1")), Credentials("a,b=c", "x"), "abcdefghijkl")
    assert talk(client, server("SCRAM-SHA-1", offer("SCRAM-SHA-1")), OWNER).username == "a,b=c"


@pytest.mark.parametrize("password", ["wrong", "Wherefore", "wherefore "])
@pytest.mark.parametrize("username", ["romeo", "nobody"])
def test_a_wrong_password_and_a_stranger_fail_alike(username: str, password: str) -> None:
    client = choose(advertised(offer("SCRAM-SHA-1")), Credentials(username, password), "a" * 12)
    with pytest.raises(SaslError) as raised:
        talk(client, server("SCRAM-SHA-1", offer("SCRAM-SHA-1")), OWNER)
    assert (raised.value.condition, raised.value.text) == ("not-authorized", "")


def test_fake_keys_stay_the_same_and_look_like_real_ones() -> None:
    fake = fake_keys(b"s", "SCRAM-SHA-512", "nobody", 10_000)
    assert fake == fake_keys(b"s", "SCRAM-SHA-512", "nobody", 10_000)
    assert fake.salt != fake_keys(b"s", "SCRAM-SHA-512", "nobodz", 10_000).salt
    assert fake.salt != fake_keys(b"t", "SCRAM-SHA-512", "nobody", 10_000).salt
    real = derive("SCRAM-SHA-512", "x", b"0123456789abcdef", 10_000)
    for name in ("salt", "stored_key", "server_key"):
        assert len(getattr(fake, name)) == len(getattr(real, name))


@pytest.mark.parametrize("password", ["", "\u00ad", "\ud800"])
def test_no_keys_for_no_password(password: str) -> None:
    with pytest.raises(PrepError):
        derive("SCRAM-SHA-1", password, b"salt", 4096)


def test_keys_and_passwords_are_not_shown() -> None:
    assert "stored" not in repr(derive("SCRAM-SHA-1", "wherefore", b"salt", 4096))
    assert "wherefore" not in repr(ROMEO)


# --- what a server refuses ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("mechanism", "message", "expected"),
    [
        ("SCRAM-SHA-256", "n,,n=romeo,r=abcdefgh", None),
        ("SCRAM-SHA-256", "n,a=romeo@verona.lit,n=romeo,r=abcdefgh,z=ignored", None),
        ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=romeo,r=abcdefgh", None),
        ("SCRAM-SHA-256", "y,,n=romeo,r=abcdefgh", "not-authorized"),
        ("SCRAM-SHA-256", "p=tls-exporter,,n=romeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256-PLUS", "n,,n=romeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256-PLUS", "y,,n=romeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=romeo,r=abcdefgh", "not-authorized"),
        ("SCRAM-SHA-256-PLUS", "p=,,n=romeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=romeo", "malformed-request"),
        ("SCRAM-SHA-256", "n,,r=abcdefgh,n=romeo", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=ro=meo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=ro=2cmeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=romeo,r=", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=romeo,r=short", "malformed-request"),
        ("SCRAM-SHA-256", f"n,,n=romeo,r={'x' * 257}", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=romeo,r=abc defgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,m=x,n=romeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=romeo,r=abcdefgh,m=x", "malformed-request"),
        ("SCRAM-SHA-256", "x,,n=romeo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=ro\0meo,r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", "n,,n=ro\x07meo,r=abcdefgh", "not-authorized"),
        ("SCRAM-SHA-256", "n,,n=\u00ad,r=abcdefgh", "not-authorized"),
        ("SCRAM-SHA-256", f"n,,n={'x' * 1024},r=abcdefgh", "malformed-request"),
        ("SCRAM-SHA-256", f"n,,n=romeo,r=abcdefgh,x={'x' * MAX_MESSAGE}", "malformed-request"),
    ],
)
def test_the_first_message(mechanism: str, message: str, expected: str | None) -> None:
    ours = server(mechanism, offer(*PLAIN_AND_PLUS))
    if expected is None:
        assert isinstance(ours.step(message.encode()), NeedKeys)
        return
    with pytest.raises(SaslError) as raised:
        ours.step(message.encode())
    assert raised.value.condition == expected


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(SaslError) as raised:
        server("SCRAM-SHA-1", offer("SCRAM-SHA-1")).step(b"n,,n=\xff,r=abcdefgh")
    assert raised.value.condition == "malformed-request"


def test_y_is_fine_where_no_binding_is_offered() -> None:
    client = choose(advertised(offer("SCRAM-SHA-1")), ROMEO, "abcdefghijkl")
    assert client.start() == b"y,,n=romeo,r=abcdefghijkl"
    assert talk(client, server("SCRAM-SHA-1", offer("SCRAM-SHA-1")), OWNER).username == "romeo"


def test_without_an_initial_response_the_client_is_asked_for_one() -> None:
    ours = server("SCRAM-SHA-1", offer("SCRAM-SHA-1"))
    assert ours.step(None) == Challenge(b"")
    assert isinstance(ours.step(b"n,,n=romeo,r=abcdefgh"), NeedKeys)


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        (r"c=[^,]*", "c=biws", "not-authorized"),  # binding taken off
        (r"c=[^,]*", "c=eSws", "not-authorized"),
        (r"c=[^,]*", "c=b!", "malformed-request"),
        (r"c=[^,]*", "c=bi", "malformed-request"),
        (r"(r=[^,]*)", r"\1x", "not-authorized"),
        (r"r=[^,]*", "r=abcdefghijkl", "not-authorized"),  # ours is missing
        (r",p=.*", "", "malformed-request"),
        (r",p=.*", ",p=YQ==", "malformed-request"),
        (r",p=.*", f",p={base64.b64encode(bytes(32)).decode()}", "not-authorized"),
        (r",p=", ",x=changed,p=", "not-authorized"),
        (r",p=", ",m=x,p=", "malformed-request"),
        (r".*", "", "malformed-request"),
    ],
)
def test_the_final_message(pattern: str, replacement: str, expected: str) -> None:
    offered = offer(*PLAIN_AND_PLUS)
    ours, client = server(PLAIN_AND_PLUS[0], offered), choose(advertised(offered), ROMEO, "a" * 12)
    step = OWNER.answer(ours.step(client.start()))
    assert isinstance(step, Challenge)
    final = re.sub(pattern, replacement, client.step(step.data).decode(), count=1)
    with pytest.raises(SaslError) as raised:
        OWNER.answer(ours.step(final.encode()))
    assert raised.value.condition == expected


def test_another_channel_is_noticed() -> None:
    offered = offer(*PLAIN_AND_PLUS)
    seen = advertised(offered, bindings={"tls-exporter": b"of the man in the middle"})
    with pytest.raises(SaslError) as raised:
        talk(choose(seen, ROMEO, "a" * 12), server(PLAIN_AND_PLUS[0], offered), OWNER)
    assert raised.value.condition == "not-authorized"


def test_an_exchange_is_used_once() -> None:
    offered = offer("SCRAM-SHA-1")
    ours, client = server("SCRAM-SHA-1", offered), choose(advertised(offered), ROMEO, "a" * 12)
    first = client.start()
    assert first is not None
    step = OWNER.answer(ours.step(first))
    assert isinstance(step, Challenge)
    final = client.step(step.data)
    assert isinstance(OWNER.answer(ours.step(final)), Proven)
    for again in (final, first, b"", None):
        with pytest.raises(SaslError):
            ours.step(again)


def test_a_proof_is_worth_nothing_in_another_exchange() -> None:
    offered = offer("SCRAM-SHA-1")
    client = choose(advertised(offered), ROMEO, "a" * 12)
    first = client.start()
    recorded, replayed = server("SCRAM-SHA-1", offered), server("SCRAM-SHA-1", offered)
    step = OWNER.answer(recorded.step(first))
    assert isinstance(step, Challenge)
    final = client.step(step.data)
    OWNER.answer(replayed.step(first))
    with pytest.raises(SaslError) as raised:
        OWNER.answer(replayed.step(final))
    assert raised.value.condition == "not-authorized"


# --- what a client refuses ---------------------------------------------------------------


def after_start(seen: Seen | None = None) -> ScramClient:
    client = ScramClient("SCRAM-SHA-1", ROMEO, "abcdefghijkl", seen or Seen(("SCRAM-SHA-1",)))
    client.start()
    return client


GOOD = "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=4096"


@pytest.mark.parametrize(
    "server_first",
    [
        "",
        "r=abcdefghijkl,s=QSXCR+Q6sek8bf92,i=4096",  # adds nothing
        "r=abcdefghijklshort,s=QSXCR+Q6sek8bf92,i=4096",
        "r=Xbcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=4096",
        f"r=abcdefghijkl{'x' * 512},s=QSXCR+Q6sek8bf92,i=4096",
        "r=abcdefghijklmnopqrst,s=,i=4096",
        "r=abcdefghijklmnopqrst,s=!!!!,i=4096",
        f"r=abcdefghijklmnopqrst,s={base64.b64encode(bytes(1025)).decode()},i=4096",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=4095",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=1",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=0",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=-5000",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=\u0665\u0665\u0665\u0665",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=10000001",
        "r=abcdefghijklmnopqrst,s=QSXCR+Q6sek8bf92,i=99999999999999999999",
        f"m=x,{GOOD}",
        f"{GOOD},m=x",
        f"{GOOD},h=AAAA",  # somebody changed the list of mechanisms
        f"{GOOD},h=\u00e9",
        "e=other-error",
    ],
)
def test_a_client_refuses_a_challenge(server_first: str) -> None:
    with pytest.raises(UntrustedServer) as raised:
        after_start().step(server_first.encode())
    assert raised.value.condition == "aborted"


def test_a_client_wants_the_server_to_prove_itself() -> None:
    for last in (None, b"", b"v=", b"v=AAAA", b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", b"x", b"\xff"):
        client = after_start()
        client.step(GOOD.encode())
        with pytest.raises(UntrustedServer):
            client.finish(last)


def test_success_without_an_exchange_is_an_attack() -> None:
    for last in (None, b"", b"v="):
        with pytest.raises(UntrustedServer):
            after_start().finish(last)


def test_an_error_of_the_server_is_a_failure() -> None:
    client = after_start()
    client.step(GOOD.encode())
    with pytest.raises(SaslError) as raised:
        client.finish(b"e=invalid-proof")
    assert (raised.value.condition, raised.value.text) == ("not-authorized", "invalid-proof")


def test_a_proof_in_a_challenge_counts_too() -> None:
    client = ScramClient(
        "SCRAM-SHA-1", Credentials("user", "pencil"), VECTORS["SCRAM-SHA-1"][0], Seen(())
    )
    client.start()
    client.step(VECTORS["SCRAM-SHA-1"][1].encode())
    assert client.step(VECTORS["SCRAM-SHA-1"][3].encode()) == b""
    client.finish(None)
    with pytest.raises(UntrustedServer):
        client.finish(VECTORS["SCRAM-SHA-1"][3].encode())


def test_a_changed_offer_is_noticed_by_the_client() -> None:
    offered = offer("SCRAM-SHA-512", "SCRAM-SHA-1", bindings={})
    stripped = advertised(offer("SCRAM-SHA-1", bindings={}), bindings={})
    with pytest.raises(UntrustedServer, match="changed on its way"):
        talk(choose(stripped, ROMEO, "a" * 12), server("SCRAM-SHA-1", offered), OWNER)


def test_an_offer_may_go_unconfirmed() -> None:
    offered = offer(*PLAIN_AND_PLUS, confirms=False)
    ours, client = server(PLAIN_AND_PLUS[0], offered), choose(advertised(offered), ROMEO, "a" * 12)
    step = OWNER.answer(ours.step(client.start()))
    assert isinstance(step, Challenge)
    assert b",h=" not in step.data
    assert isinstance(OWNER.answer(ours.step(client.step(step.data))), Proven)


def test_a_changed_protection_is_noticed_by_the_server() -> None:
    offered = offer("SCRAM-SHA-512", "SCRAM-SHA-1", bindings={})
    stripped = advertised(offer("SCRAM-SHA-1", bindings={}), bindings={})
    ours, client = server("SCRAM-SHA-1", offered), choose(stripped, ROMEO, "a" * 12)
    step = OWNER.answer(ours.step(client.start()))
    assert isinstance(step, Challenge)
    forged = f"h={protection('sha1', ['SCRAM-SHA-1'], ())}".encode()
    final = client.step(re.sub(rb"h=.*", forged, step.data))
    with pytest.raises(SaslError) as raised:
        ours.step(final)
    assert raised.value.condition == "not-authorized"


@pytest.mark.parametrize("name", HASHES)
@given(data=st.binary(max_size=60) | st.text("nyp=,rsicvh0abc+/=", max_size=60).map(str.encode))
def test_any_message_at_any_step_is_answered_or_refused(name: str, data: bytes) -> None:
    offered = offer(name, bindings={})
    fresh, waiting = server(name, offered), server(name, offered)
    OWNER.answer(waiting.step(b"n,,n=romeo,r=abcdefgh"))
    for ours in (fresh, waiting):
        failed = outcome(lambda ours=ours: OWNER.answer(ours.step(data)))
        assert failed in ("", "malformed-request", "not-authorized")
    for step in (after_start().step, after_start().finish):
        with pytest.raises(SaslError):
            step(data)
