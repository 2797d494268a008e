"""Logging in (RFC 6120 §5, §6, §7): every way that slixmpp knows."""

import pytest

from .people import Cast, Refused, settle


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
async def test_logs_in_over_tls(cast: Cast, direct: bool) -> None:
    romeo = await cast.enter("romeo", direct=direct)
    assert romeo.client.transport
    assert romeo.client.transport.get_extra_info("ssl_object").version() == "TLSv1.3"
    await romeo.ping()


async def test_wrong_password(cast: Cast) -> None:
    jid = cast.account("romeo")
    romeo = cast.person(jid, password="a rose")
    with pytest.raises(Refused, match="not-authorized"):
        await romeo.log_in()


async def test_chat(cast: Cast) -> None:
    romeo, juliet = await cast.enter("romeo"), await cast.enter("juliet/balcony")
    sent = romeo.say(juliet.bare, "hello")
    got = await juliet.message("hello", sender=romeo.full)
    assert got["id"] == sent["id"]
    await settle(romeo, juliet)
