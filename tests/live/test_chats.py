"""A conversation with all that people do in one, on every server."""

import asyncio

from pyrite.client.mod.carbons import Carbons
from pyrite.client.mod.chats import Chats, Corrected, Reacted, Retracted, Said, StateChanged
from pyrite.client.mod.receipts import Receipts
from pyrite.core.jid import JID
from pyrite.wire.chatstates import Composing
from pyrite.wire.ping import Ping

from .conftest import PATIENCE, Login

FEATURES = (Chats, Carbons, Receipts)
ROMEO, JULIET = (JID.parse(f"{name}@verona.example") for name in ("romeo", "juliet"))


async def test_a_conversation(login: Login) -> None:
    async with (
        login("romeo", features=FEATURES) as romeo,
        login("juliet", features=FEATURES) as juliet,
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(juliet.jid) as his,
        juliet[Chats].with_(romeo.jid) as hers,
    ):
        await asyncio.gather(romeo.request(Ping()), juliet.request(Ping()))
        events = his.events()
        first = await his.say("yonder airlock")
        await first.delivered
        said = await hers.next()
        await his.correct(first, "yonder window")
        changed = await hers.next()
        assert isinstance(changed, Corrected)
        assert (changed.text, changed.replaces) == ("yonder window", said.id)
        await hers.react(said, "👋")
        await hers.show(Composing())
        await hers.say("Ay me!", reply_to=said)
        told = [await events.next() for _ in range(4)]
        kinds = [type(one) for one in told]
        assert kinds == [Reacted, StateChanged, StateChanged, Said]
        answer = told[3]
        assert isinstance(answer, Said)
        assert answer.text == "Ay me!"
        assert answer.reply is not None
        assert answer.reply.id == first.message.id
        assert his.to == juliet.jid
        changes = juliet.hear(Retracted)
        await his.retract(first)
        assert (await changes.next()).id == first.message.id
        assert not romeo.forged
        assert not juliet.forged


async def test_the_users_other_client_sees_it_all(login: Login) -> None:
    """Copies are sent for what has no words, too, where the server knows what it is."""
    async with (
        login("romeo", features=FEATURES) as romeo,
        login("romeo", features=FEATURES) as phone,
        login("juliet", features=FEATURES) as juliet,
        asyncio.timeout(PATIENCE),
        romeo[Chats].with_(juliet.jid) as his,
        phone[Chats].with_(juliet.jid) as there,
    ):
        await asyncio.gather(*(one.request(Ping()) for one in (romeo, phone, juliet)))
        first = await his.say("But soft!")
        said = await there.next()
        assert said.outgoing
        assert said.message.id == first.message.id
        await there.correct(said, "But hark!")
        changed = await his.next()
        assert isinstance(changed, Corrected)
        assert changed.outgoing
        assert changed.is_known
        await juliet.send(phone.jid.bare, "Ay me!")
        for chat in (his, there):
            assert (await chat.next()).text == "Ay me!"
