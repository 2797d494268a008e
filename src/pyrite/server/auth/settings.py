"""How clients prove who they are, how often they may try, and what names and passwords may be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ...core.sasl import STRENGTH
from ...kit.config import DAY, MINUTE, Duration, Table, Wrong

Count = Annotated[int, Meta(ge=1, le=100_000)]


class AuthSettings(Table):
    """How clients prove who they are."""

    mechanisms: tuple[str, ...] = (
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-512-PLUS",
        "SCRAM-SHA-512",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-1",
        "PLAIN",
    )
    """The SASL mechanisms that are offered, in whatever order: clients hear of the strongest
    first. EXTERNAL, DIGEST-MD5 and ANONYMOUS are there too, for those who need them."""
    plain_without_tls: bool = False
    """Offer PLAIN on an unencrypted channel. `true` is for tests on loopback only."""
    confirm_offer: bool = True
    """Repeat what was offered inside SCRAM, so that clients notice who has changed it on the way
    (XEP-0474). `false` for clients that still expect an older draft of it."""
    iterations: Annotated[int, Meta(ge=4096, le=1_000_000)] = 10_000
    """How many times a new password is hashed. More slows down whoever has stolen the store,
    and each login of each phone, which hashes as often. 10,000 is what servers and clients
    have agreed on in practice; the least that RFC 7677 allows is 4,096."""
    free_attempts: Count = 5
    """Failed attempts on an account that are answered at once."""
    attempts: Count = 10
    """Failed attempts on an account after which it is locked for the address that made them, and
    for all others that it has not been used from before."""
    address_factor: Count = 10
    """How many times more attempts an address has (IPv6: a /64), for all accounts together."""
    backoff: Duration = Duration(0.5)
    """How long the first attempt has to wait that is not free; each further one twice as long."""
    backoff_limit: Duration = Duration(MINUTE)
    """The longest that an attempt has to wait before the account is locked."""
    lockout: Duration = Duration(5 * MINUTE)
    """How long an account stays locked."""
    memory: Duration = Duration(15 * MINUTE)
    """How long failed attempts are remembered after the last of them."""
    password_length: Annotated[int, Meta(ge=1, le=256)] = 8
    """The fewest characters of a password that a user chooses. Operators may set any."""
    common_passwords: bool = False
    """Let users choose passwords that everybody tries first."""
    reserved_names: tuple[str, ...] = ()
    """Names that nobody may register, nor any that look like them."""
    mixed_scripts: bool = False
    """Let users register names that mix Latin, Cyrillic, Greek and other scripts that look
    alike."""
    name_rest: Duration = Duration(90 * DAY)
    """How long nobody may register the name of a deleted account."""
    tokens: bool = True
    """Give tokens to clients that ask for one, to log in by the next time (XEP-0484): in one
    round trip, and with no password kept on the device. Another password ends them."""
    token_life: Duration = Duration(30 * DAY)
    """How long a token is good for. A device that is off for longer needs the password again."""
    token_rotation: Duration = Duration(DAY)
    """The age at which a token that is used is replaced by a new one."""
    client_memory: Duration = Duration(90 * DAY)
    """How long a client that does not come any more stays in its user's list of clients
    (XEP-0494). Never shorter than `token-life`."""
    client_addresses: bool = False
    """Remember the address from which each client came last."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.mechanisms if name not in STRENGTH]
        if unknown:
            raise Wrong(f"there is no mechanism {unknown[0]}", "mechanisms")
        if not self.mechanisms:
            raise Wrong("nobody could log in", "mechanisms")
        if self.attempts <= self.free_attempts:
            raise Wrong("has to be more than free-attempts", "attempts")
        if self.token_rotation >= self.token_life:
            raise Wrong("has to be less than token-life", "token-rotation")
