"""What the client of a session can do, for whoever acts on it; `mod/caps.py` finds it out."""

from __future__ import annotations

from ..wire.disco import Info
from .session import Key

#: What the client has said of itself; ``None`` while it is not known.
CAPABILITIES: Key[Info | None] = Key("capabilities", default=None)
