"""The loop is the program's: no step of connecting holds it for long."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.peer import PASSWORD
from tests.service import serving

TURN = 0.005  # seconds that the loop may be held

#: Run alone, so that nothing is loaded yet, and nobody else has the loop.
PROGRAM = """
import asyncio, gc, sys, time
from pathlib import Path
from pyrite.client.account import Trust
from pyrite.client.app import Client
from pyrite.client.connector import Tcp
from pyrite.net.dns import Target

port, direct, folder = int(sys.argv[1]), sys.argv[2] == "True", Path(sys.argv[3])
slow = []
run = asyncio.Handle._run

def timed(handle):
    began = time.thread_time()
    run(handle)
    took = time.thread_time() - began
    if took > float(sys.argv[4]):
        slow.append(f"{took * 1000:.1f} ms: {handle!r}")

async def main():
    here = Tcp([Target("127.0.0.1", port, direct)])
    trust = Trust(authorities=folder / "ca.pem")
    me = Client("romeo@verona.lit", sys.argv[5], trust=trust, connector=here)
    asyncio.Handle._run = timed
    try:
        async with me:
            pass
    finally:
        asyncio.Handle._run = run

gc.collect()
gc.freeze()
asyncio.run(main())
print("\\n".join(slow))
"""


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
async def test_connecting(tmp_path: Path, direct: bool) -> None:
    async with serving(tmp_path) as service:
        port = service.server.listeners.ports["c2s-tls" if direct else "c2s"]
        words = [str(port), str(direct), str(service.folder), str(TURN), PASSWORD]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        async with asyncio.timeout(20.0):
            out, errors = await process.communicate()
        assert (out.decode().strip(), errors.decode()) == ("", "")
        assert process.returncode == 0
