"""The servers under test: how each is prepared, started and stopped."""

from .base import Server
from .ejabberd import Ejabberd
from .prosody import Prosody
from .pyrite import Pyrite

__all__ = ["SERVERS", "Server"]

SERVERS: dict[str, type[Server]] = {each.name: each for each in (Pyrite, Prosody, Ejabberd)}
