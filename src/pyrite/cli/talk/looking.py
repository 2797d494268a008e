"""Words for who looks around: what there is, what it can do, and whether it is there."""

from __future__ import annotations

import asyncio
from dataclasses import fields

from ...client.mod.disco import Disco
from ...client.mod.external import External
from ...client.mod.last import LastActivity
from ...client.mod.ping import Ping
from ...client.mod.pubsub import PubSub
from ...client.mod.time import Time
from ...client.mod.vcards import VCards
from ...core.errors import StanzaError
from ...core.jid import JID
from ...core.stanza import NS
from ...core.xml import Element, write
from ...wire.disco import Info, Item
from ...wire.version import Version
from .desk import Words, word

FEATURES = (Disco, External, LastActivity, Ping, PubSub, Time, VCards)
SHOWN = 20  # items of a node
ASKED = 5.0  # seconds for one of many services


class Looking(Words):
    """Questions to anybody."""

    @word("", "the session, and what the server offers beside it")
    async def features(self, _: str) -> None:
        self.show(f"  {self.client.jid}")
        acks = "acknowledged" if self.client.is_acknowledged else "not acknowledged"
        self.show(f"  what is sent is {acks}")
        for element in self.client.offered.elements if self.client.offered is not None else ():
            self.show(f"  {element.name.tag} {element.name.ns}")

    @word("[JID [NODE]]", "what somebody is and can do")
    async def info(self, text: str) -> None:
        jid, _, node = text.partition(" ")
        info = await self.client[Disco].info(self.desk.at(jid), node or None)
        self._is(info)
        for var in sorted(info.vars):
            self.show(f"  {var}")
        for form in info.forms:
            for field in form.fields:
                if field.var != "FORM_TYPE":
                    self.show(f"  {field.var} = {', '.join(field.values)}")

    @word("[JID [NODE]]", "what belongs to somebody")
    async def items(self, text: str) -> None:
        jid, _, node = text.partition(" ")
        for item in await self.client[Disco].items(self.desk.at(jid), node or None):
            self._item(item)

    @word("", "the server, what belongs to it, and what each of that is")
    async def services(self, _: str) -> None:
        server = self.desk.server
        items = await self.client[Disco].items(server)
        jids = [server, *(item.jid for item in items if item.node is None)]
        for jid, told in zip(jids, await asyncio.gather(*map(self._ask, jids)), strict=True):
            self.desk.note(jid)
            self.show(f"{jid}")
            if isinstance(told, str):
                self.show(f"  {told}")
            else:
                self._is(told)

    async def _ask(self, jid: JID) -> Info | str:
        try:
            async with asyncio.timeout(ASKED):
                return await self.client[Disco].info(jid)
        except (StanzaError, TimeoutError) as error:
            return str(error) or "no answer in time"

    def _is(self, info: Info) -> None:
        for one in info.identities:
            self.show(f"  {one.category}/{one.type} {one.name or ''}".rstrip())

    def _item(self, item: Item) -> None:
        self.desk.note(item.jid, item.node)
        self.show(f"  {item.jid} {item.node or ''} {item.name or ''}".rstrip())

    @word("JID NODE", "what is published there")
    async def node(self, text: str) -> None:
        jid, _, node = text.partition(" ")
        if not node:
            raise ValueError("node JID NODE")
        count = 0
        async for item in self.client[PubSub].at(self.desk.at(jid), node).items(Element):
            self.show(f"  {item.id} {write(item.payload, NS)}")
            if (count := count + 1) == SHOWN:
                break

    @word("[JID]", "which software somebody runs")
    async def version(self, text: str) -> None:
        told = await self.client.request(Version(), self.desk.at(text), expect=Version)
        self.show(f"  {told.name or '?'} {told.version or ''} {told.os or ''}".rstrip())

    @word("[JID]", "how long somebody takes to answer")
    async def ping(self, text: str) -> None:
        seconds = await self.client[Ping].ask(self.desk.at(text))
        self.show(f"  {seconds * 1000:.1f} ms")

    @word("[JID]", "what time it is there")
    async def time(self, text: str) -> None:
        self.show(
            f"  {(await self.client[Time].ask(self.desk.at(text))).isoformat(' ', 'seconds')}"
        )

    @word("[JID]", "since when somebody is idle or away, or a server runs")
    async def last(self, text: str) -> None:
        told = await self.client[LastActivity].ask(self.desk.at(text))
        self.show(f"  {told.seconds} seconds {told.status or ''}".rstrip())

    @word("[JID]", "what somebody says of themselves")
    async def card(self, text: str) -> None:
        card = await self.client[VCards].card(self.desk.at(text) if text else None)
        for field in fields(card):
            if value := getattr(card, field.name):
                self.show(f"  {field.name}: {value}")

    @word("", "servers for calls, as STUN and TURN")
    async def external(self, _: str) -> None:
        for one in await self.client[External].services():
            self.show(f"  {one.type} {one.host}:{one.port or ''} {one.transport or ''}".rstrip())
