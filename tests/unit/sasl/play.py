"""Both sides of an exchange in one place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from pyrite.core.errors import SaslError
from pyrite.core.sasl import (
    Advertised,
    Challenge,
    ClientMechanism,
    Keys,
    NeedKeys,
    Offer,
    Proven,
    ServerMechanism,
    Step,
    derive,
    digest_md5,
    fake_keys,
)

DOMAIN = "verona.lit"
ITERATIONS = 4096
BINDINGS = {"tls-exporter": b"exported" * 4, "tls-server-end-point": b"certified" * 3}
SECRET = b"secret of the server"

_numbers = count(1)


def nonce() -> str:
    return f"nonce-{next(_numbers):08d}"


def offer(*mechanisms: str, **more: object) -> Offer:
    return Offer(DOMAIN, mechanisms, nonce, **{"bindings": BINDINGS, **more})  # type: ignore[arg-type]


def advertised(offered: Offer, **more: object) -> Advertised:
    types = tuple(offered.bindings) if offered.binds else ()
    told = {"types": types, "bindings": BINDINGS, **more}
    return Advertised(DOMAIN, offered.mechanisms, **told)  # type: ignore[arg-type]


class Owner:
    """Who owns the accounts: name -> password."""

    def __init__(self, accounts: dict[str, str]) -> None:
        self.accounts = accounts

    def answer(self, step: Step) -> Challenge | Proven:
        while not isinstance(step, Challenge | Proven):
            if isinstance(step, NeedKeys):
                step = step.answer(self.keys(step))
            else:
                step = step.answer(self.accounts.get(step.username) == step.password)
        return step

    def keys(self, need: NeedKeys) -> Keys:
        password = self.accounts.get(need.username)
        if password is None:
            return fake_keys(SECRET, need.mechanism, need.username, ITERATIONS)
        if need.mechanism == digest_md5.NAME:
            return digest_md5.derive(need.username, DOMAIN, password)
        return derive(need.mechanism, password, b"salt of Verona", ITERATIONS)


def talk(client: ClientMechanism, server: ServerMechanism, owner: Owner) -> Proven:
    """What the server has found out; raises what either side raises."""
    step = owner.answer(server.step(client.start()))
    for _ in range(4):
        if isinstance(step, Proven):
            client.finish(step.data)
            return step
        step = owner.answer(server.step(client.step(step.data)))
    raise AssertionError("an exchange without end")


def outcome(call: Callable[..., object], *args: object) -> str:
    """The condition that `call` failed with; empty if it did not."""
    try:
        call(*args)
    except SaslError as error:
        return error.condition
    return ""
