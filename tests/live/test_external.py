"""Services beside the server, on every server that knows some (XEP-0215)."""

import asyncio

import pytest

from pyrite.client.mod.external import External

from .conftest import PATIENCE, Login


@pytest.mark.lacks(pyrite="not served yet")
async def test_where_stun_is(login: Login) -> None:
    async with login("romeo") as romeo, asyncio.timeout(PATIENCE):
        found = await romeo[External].services()
        assert ("stun", 3478) in [(one.type, one.port) for one in found]
        assert {one.type for one in await romeo[External].services("stun")} == {"stun"}
