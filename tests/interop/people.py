"""People who talk through a server, each by a slixmpp client that notes all it receives."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from xml.etree import ElementTree

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError
from slixmpp.stanza import Iq, Message, Presence
from slixmpp.xmlstream import StanzaBase

from .servers import VERONA, Server

PATIENCE = 60.0  # seconds that anything expected may take, on a machine that is busy
PASSWORD = "O, be some other name!"
MEMORY = 10_000  # stanzas that one person remembers

Stanza = Message | Presence | Iq


class Refused(Exception):
    """The login failed: the SASL condition, or what ended the connection."""


def attribute(stanza: StanzaBase, name: str) -> str:
    """An attribute as it was on the wire, empty if absent."""
    return stanza.xml.get(name, "")


def child(stanza: StanzaBase, ns: str, tag: str) -> ElementTree.Element | None:
    return stanza.xml.find(f".//{{{ns}}}{tag}")


class Person:
    """One account's client. `heard` holds what arrived and was not yet asked for."""

    def __init__(self, server: Server, jid: str, password: str, plugins: Iterable[str]) -> None:
        self.server = server
        self.password = password
        self.client = ClientXMPP(jid, password)
        client = self.client
        client.use_ipv6 = False
        client.whitespace_keepalive = False
        client.end_session_on_disconnect = True
        client.ssl_context = ssl.create_default_context(cafile=str(server.ca))
        client.roster.auto_authorize = None
        client.roster.auto_subscribe = False
        for plugin in plugins:
            client.register_plugin(plugin)
        self.heard: list[Stanza] = []
        self._news = asyncio.Event()
        client.add_filter("in", self._note)

    def _note(self, stanza: StanzaBase) -> StanzaBase:
        if isinstance(stanza, Message | Presence | Iq):
            assert len(self.heard) < MEMORY
            self.heard.append(stanza)
            self._news.set()
        return stanza

    @property
    def full(self) -> str:
        return str(self.client.boundjid.full)

    @property
    def bare(self) -> str:
        return str(self.client.boundjid.bare)

    def __getitem__(self, plugin: str) -> Any:
        return self.client.plugin[plugin]

    # Coming and going

    async def log_in(
        self,
        *,
        mechanism: str | None = "PLAIN",  # the cheapest; stories about mechanisms choose their own
        direct: bool = False,
        presence: bool = True,
        roster: bool = True,
    ) -> Person:
        """Connect and bind; then, if wanted, ask for the roster and become available.

        Raises `Refused`.
        """
        client = self.client
        client.plugin["feature_mechanisms"].use_mech = mechanism
        client.enable_direct_tls, client.enable_starttls = direct, not direct
        port = self.server.c2s_tls if direct else self.server.c2s
        await self._outcome(lambda: client.connect("127.0.0.1", port))
        if roster:
            await client.get_roster(timeout=PATIENCE)
        if presence:
            await self.appear()
        return self

    async def _outcome(self, start: Callable[[], object]) -> None:
        result: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failure = "disconnected"

        def succeed(_: object) -> None:
            if not result.done():
                result.set_result(None)

        def note(stanza: Any) -> None:
            nonlocal failure
            failure = stanza["condition"]

        def fail(_: object) -> None:
            if not result.done():
                result.set_exception(Refused(failure))

        events = {
            "session_start": succeed,
            "failed_auth": note,
            "stream_error": note,
            "connection_failed": fail,
            "disconnected": fail,
        }
        for name, handler in events.items():
            self.client.add_event_handler(name, handler)
        try:
            start()
            await asyncio.wait_for(result, PATIENCE)
        finally:
            for name, handler in events.items():
                self.client.del_event_handler(name, handler)

    async def appear(self, **presence: Any) -> None:
        """Send presence and wait for the server's copy of it."""
        self.client.send_presence(**presence)
        await self.presence(sender=self.full)

    async def leave(self) -> None:
        """Close the stream and wait until the connection is gone."""
        if self.client.is_connected():
            gone = self.is_gone()
            self.client.disconnect(wait=PATIENCE)
            await gone

    async def break_off(self) -> None:
        """Lose the connection without a word."""
        gone = self.is_gone()
        assert self.client.transport
        self.client.transport.abort()
        await gone

    def is_gone(self) -> Awaitable[None]:
        """To be awaited: the end of the connection that there is now."""
        return asyncio.wait_for(asyncio.shield(self.client.disconnected), PATIENCE)

    # Saying

    def say(self, to: str, body: str, **more: Any) -> Message:
        message = self.client.make_message(mto=to, mbody=body, **{"mtype": "chat", **more})
        message.send()
        return message

    def send_presence(self, to: str | None = None, kind: str | None = None, **more: Any) -> None:
        self.client.send_presence(pto=to, ptype=kind, **more)

    async def ask(self, kind: str, xml: str, to: str | None = None) -> Iq:
        """An IQ with the payload `xml`; its result. Raises slixmpp's IqError."""
        iq: Iq = self.client.make_iq(ito=to, itype=kind)
        iq.append(ElementTree.fromstring(xml))
        result: Iq = await iq.send(timeout=PATIENCE)
        return result

    async def ping(self) -> None:
        """Return when the server has handled all that was sent, and its deliveries arrived."""
        with contextlib.suppress(IqError):  # an answer all the same
            await self.ask("get", "<ping xmlns='urn:xmpp:ping'/>", self.client.boundjid.domain)

    # Hearing

    async def hear(self, wanted: Callable[[Stanza], bool], *, patience: float = PATIENCE) -> Any:
        """The first stanza not yet asked for that is `wanted`; it is then taken."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    for index, stanza in enumerate(self.heard):
                        if wanted(stanza):
                            return self.heard.pop(index)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            heard = "\n".join(map(str, self.heard)) or "nothing"
            raise AssertionError(f"{self.full} heard only:\n{heard}") from None

    async def message(self, body: str | None = None, sender: str | None = None) -> Any:
        return await self.hear(
            lambda s: (
                isinstance(s, Message)
                and (body is None or s["body"] == body)
                and (sender is None or attribute(s, "from") == sender)
            )
        )

    async def presence(
        self, kind: str = "", sender: str | None = None, *, patience: float = PATIENCE
    ) -> Any:
        """`sender` is a full or bare address, as it must stand in ``from``."""

        def is_wanted(stanza: Stanza) -> bool:
            if not isinstance(stanza, Presence) or attribute(stanza, "type") != kind:
                return False
            return sender is None or attribute(stanza, "from") == sender

        return await self.hear(is_wanted, patience=patience)

    async def push(self, jid: str | None = None) -> ElementTree.Element:
        """The next roster push (of that contact): its item."""
        iq = await self.hear(
            lambda s: (
                isinstance(s, Iq)
                and attribute(s, "type") == "set"
                and (item := child(s, "jabber:iq:roster", "item")) is not None
                and jid in (None, item.get("jid"))
            )
        )
        item = child(iq, "jabber:iq:roster", "item")
        assert item is not None
        return item

    def unheard(self, kind: type[Stanza]) -> list[str]:
        """What else arrived, as text; `settle` first."""
        return [str(s) for s in self.heard if isinstance(s, kind)]

    def forget(self) -> None:
        self.heard.clear()

    async def roster(self) -> dict[str, ElementTree.Element]:
        """The roster as the server has it: address -> item."""
        result = await self.ask("get", "<query xmlns='jabber:iq:roster'/>")
        items = result.xml.findall(".//{jabber:iq:roster}item")
        return {item.get("jid", ""): item for item in items}


async def settle(*people: Person) -> None:
    """Return when all that these people caused so far has reached all of them."""
    for _ in range(2):
        for person in people:
            await person.ping()


async def befriend(one: Person, other: Person) -> None:
    """Both subscribe to each other, and have heard everything that this causes."""
    for asker, asked in ((one, other), (other, one)):
        asker.send_presence(asked.bare, "subscribe")
        await asked.presence("subscribe", asker.bare)
        asked.send_presence(asker.bare, "subscribed")
        await asker.presence("subscribed", asked.bare)
    await settle(one, other)
    one.forget()
    other.forget()


class Cast:
    """Gives each story people with new accounts, and sends them home when it ends."""

    def __init__(self, server: Server, story: int) -> None:
        self.server = server
        self._story = story
        self._people: list[Person] = []

    def account(self, name: str, domain: str = VERONA, password: str = PASSWORD) -> str:
        """A new account of which `name` is the beginning."""
        jid = f"{name}-{self._story}@{domain}"
        self.server.add(jid, password)
        return jid

    def person(self, jid: str, *, password: str = PASSWORD, plugins: Iterable[str] = ()) -> Person:
        """A client of an account that exists; not yet connected."""
        person = Person(self.server, jid, password, plugins)
        self._people.append(person)
        return person

    async def enter(
        self, name: str, domain: str = VERONA, *, plugins: Iterable[str] = (), **how: Any
    ) -> Person:
        """A new account, logged in. The name may carry a resource: ``romeo/orchard``."""
        name, _, resource = name.partition("/")
        jid = self.account(name, domain)
        return await self.person(f"{jid}/{resource}".rstrip("/"), plugins=plugins).log_in(**how)

    async def again(
        self, person: Person, resource: str = "", *, plugins: Iterable[str] = (), **how: Any
    ) -> Person:
        """One more client of the same account."""
        jid = f"{person.bare}/{resource}".rstrip("/")
        other = self.person(jid, password=person.password, plugins=plugins)
        return await other.log_in(**how)

    async def go_home(self) -> None:
        await asyncio.gather(*(person.leave() for person in self._people))
