"""Programs are tested with the real server, and without a net.

    async with MemoryServer(users=["a", "b"]) as srv, srv.client("a") as a, srv.client("b") as b:
        heard = b.messages()
        await a.send(b.jid, "hi")
        assert (await heard.next()).message.body == "hi"

Not imported by `pyrite.client`: programs do not carry a server with them.
"""

from .server import MemoryConnector, MemoryServer
from .story import Actor, Script

__all__ = ["Actor", "MemoryConnector", "MemoryServer", "Script"]
