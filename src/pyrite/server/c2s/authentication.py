"""Authentication by XEP-0388, and the session that a client gets along with it.

One request says who the client is and all that its stream is to be: an old session that goes on
(XEP-0198 §9), or a new one with features of its own (XEP-0386), and a token to come by the next
time (XEP-0484). With a token the answer is all there: one round trip from the features to the
session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ...core.errors import SaslError, StanzaError, StreamError
from ...core.jid import JID
from ...core.negotiate import Act, Phase, features
from ...core.payload import decode, encode, name_of
from ...core.sasl import SALT_SIZE, derive_salted
from ...core.stream import Stream
from ...core.xml import Element
from ...kit.outage import Outage
from ...wire import bind2, fast, sasl2, upgrade
from ..auth import LOGIN, Caller, Challenge, Channel, Exchange, Login, Success
from ..session import Session

if TYPE_CHECKING:
    from ..hosts import Host
    from .entry import Entry

P = TypeVar("P")

MAX_WISHES = 16  # elements in a request, and in what it says of binding

#: The hashes that an account may be brought keys of. Never SHA-1: that would be no upgrade.
UPGRADES = ("SCRAM-SHA-256", "SCRAM-SHA-512")


def offer(host: Host, channel: Channel) -> sasl2.Authentication:
    """The stream feature. It is the same for every account, and for none (XEP-0388 §3)."""
    mechanisms = host.authenticator.mechanisms(channel)
    inline = [*host.offered_inline(), encode(_bind_offer(host))]
    if tokens := host.authenticator.token_mechanisms(channel):
        inline.append(encode(fast.Fast(tokens)))
    has_password = any(Login(name).by_password for name in mechanisms)
    tasks = tuple(upgrade.Upgrade(upgrade.task_for(name)) for name in UPGRADES if has_password)
    return sasl2.Authentication(mechanisms, sasl2.Inline(tuple(inline)), tasks)


def _bind_offer(host: Host) -> bind2.Bind:
    return bind2.Bind(bind2.Inline(tuple(map(bind2.Feature, host.inline()))))


class Authentication:
    """One request, until the client has its session or is refused."""

    __slots__ = (
        *("_additional", "_caller", "_client", "_entry", "_exchange", "_host", "_request"),
        *("_salt", "_server", "_stream", "_success", "_upgrades"),
    )

    def __init__(self, entry: Entry, host: Host, request: sasl2.Authenticate) -> None:
        self._entry, self._host, self._request = entry, host, request
        self._client, self._server = entry.client, entry.server
        self._stream: Stream = entry.client.stream
        self._caller = Caller()
        self._exchange: Exchange | None = None
        self._success: Success | None = None
        self._additional: str | None = None  # what the mechanism has yet to say
        self._upgrades: list[str] = []  # the mechanisms whose keys are still to come
        self._salt = b""

    async def begin(self) -> None:
        try:
            await self._begin()
        except SaslError as error:
            self._fail(error)

    async def take(self, act: Act, element: Element) -> None:
        """Go on with what the client answers."""
        try:
            match act:
                case Act.ANSWER:
                    await self._answer(_decoded(sasl2.Response, element))
                case Act.NEXT:
                    self._next(_decoded(sasl2.Next, element))
                case Act.TASK_DATA:
                    await self._task_data(_decoded(sasl2.TaskData, element))
                case _:
                    raise SaslError("aborted")
        except SaslError as error:
            self._fail(error)

    def _fail(self, error: SaslError) -> None:
        self._entry.failed(encode(sasl2.failure(error)))

    # --- the proof -------------------------------------------------------------------

    async def _begin(self) -> None:
        request, entry = self._request, self._entry
        wanted = self._wish(bind2.Bind) or bind2.Bind()
        for wishes in (request.wishes, request.upgrades, wanted.wishes):
            if len(wishes) > MAX_WISHES:
                raise SaslError("malformed-request", f"more than {MAX_WISHES} elements")
        self._caller = self._read_caller()
        initial = None if request.initial is None else sasl2.unpack(request.initial)
        exchange = self._host.authenticator.exchange(entry.channel(), self._caller)
        self._exchange = entry.exchange = exchange
        entry.phase = Phase.CHALLENGED
        await self._advance(await exchange.start(request.mechanism, initial))

    def _read_caller(self) -> Caller:
        """What the request says of the client, and of tokens."""
        agent = self._request.user_agent or sasl2.UserAgent()
        token, wanted = self._wish(fast.Fast), self._wish(fast.RequestToken)
        return Caller(
            sender=self._entry.sender,
            client=sasl2.client_id(agent),
            software=sasl2.described(agent.software),
            device=sasl2.described(agent.device),
            is_token=token is not None,
            count=token.count if token else None,
            ends=token is not None and token.invalidate,
            wants=wanted.mechanism if wanted else None,
        )

    def _wish(self, kind: type[P]) -> P | None:
        """The first wish of a kind, if there is one."""
        name = name_of(kind)
        found = next((wish for wish in self._request.wishes if wish.name == name), None)
        return None if found is None else _decoded(kind, found)

    async def _answer(self, response: sasl2.Response) -> None:
        if self._exchange is None:
            raise SaslError("malformed-request", "no exchange is going on")
        await self._advance(await self._exchange.respond(sasl2.unpack(response.encoded)))

    async def _advance(self, step: Challenge | Success) -> None:
        if self._stream.is_closed:
            return  # it took too long
        if isinstance(step, Challenge):
            self._stream.send(encode(sasl2.Challenge(sasl2.pack(step.data) or "")))
            return
        self._success, self._additional = step, sasl2.pack(step.data)
        self._upgrades = await self._lacking(step)
        await self._go_on(step)

    async def _go_on(self, success: Success) -> None:
        """To the next task, or to the end."""
        if not self._upgrades:
            return await self._finish(success)
        task = upgrade.task_for(self._upgrades[0])
        told = sasl2.Continue(self._additional, sasl2.Tasks((task,)))
        self._additional, self._entry.phase = None, Phase.CONTINUED
        self._stream.send(encode(told))
        return None

    # --- tasks: keys that the account lacks (XEP-0480) -------------------------------

    async def _lacking(self, success: Success) -> list[str]:
        """What the client can bring. It has to have proven the password, and no token of it.

        Else whoever has a token could set another password.
        """
        if not Login(success.mechanism).by_password:
            return []
        wanted = [upgrade.mechanism_of(each.task) for each in self._request.upgrades]
        names = [name for name in UPGRADES if name in wanted]
        try:
            return [n for n in names if await self._server.accounts.lacks_keys(success.jid, n)]
        except Outage:
            return []  # another time

    def _next(self, chosen: sasl2.Next) -> None:
        if chosen.task != upgrade.task_for(self._upgrades[0]):
            raise SaslError("malformed-request", "that task was not offered")
        self._salt = self._host.ids.octets(SALT_SIZE)
        salt = upgrade.Salt(self._salt, self._server.settings.auth.iterations)
        self._entry.phase = Phase.TASK
        self._stream.send(encode(sasl2.TaskData((encode(salt),))))

    async def _task_data(self, answer: sasl2.TaskData) -> None:
        success, mechanism = self._success, self._upgrades[0]
        name = name_of(upgrade.Hash)
        found = next((one for one in answer.data if one.name == name), None)
        if success is None or found is None:
            raise SaslError("malformed-request", "no hash")
        salted = upgrade.salted(mechanism, _decoded(upgrade.Hash, found))
        accounts = self._server.accounts
        if accounts.changes.is_void(success.jid, success.mark):
            raise SaslError("not-authorized", "changed meanwhile")
        keys = derive_salted(mechanism, salted, self._salt, self._server.settings.auth.iterations)
        try:
            await accounts.complete_keys(success.jid, keys)
        except Outage:
            raise SaslError("temporary-auth-failure") from None
        if not self._stream.is_closed:
            self._upgrades.pop(0)
            await self._go_on(success)

    # --- the end ---------------------------------------------------------------------

    async def _finish(self, success: Success) -> None:
        """Keep that the client was here, give it its session, and tell it (XEP-0388 §2.6.1)."""
        issued = await self._exchange.enter(success) if self._exchange else None
        if self._stream.is_closed:
            return  # it took too long
        results: list[Element] = []
        session = await self._resumed(success.jid, results)
        is_resumed = session is not None
        if session is None and (wanted := self._wish(bind2.Bind)) is not None:
            session = await self._bound(success.jid, wanted, results)
        if self._server.accounts.changes.is_void(success.jid, success.mark):
            if session is not None and not is_resumed:  # one that is waits for its client
                await self._server.part(session)
            raise SaslError("not-authorized", "changed meanwhile")
        if issued:
            results.append(encode(fast.Token(issued.token, issued.expires)))
        if not self._stream.is_closed:
            self._settle(success, session, results)
            if not is_resumed:  # which has none to tell (XEP-0198 §9.2)
                self._stream.send(features(self._features(session)))
        elif is_resumed:
            return  # it took too long; the session waits for its client once more
        if session is not None:
            session[LOGIN] = Login(success.mechanism, self._caller.client)
            self._attach(session, is_resumed=is_resumed)

    def _settle(self, success: Success, session: Session | None, results: list[Element]) -> None:
        """The client is who it says it is, and is told so. The stream goes on as it is."""
        entry = self._entry
        entry.exchange = entry.authentication = None
        entry.phase, entry.mechanism = Phase.AUTHENTICATED, success.mechanism
        self._client.jid = success.jid
        self._stream.limit(self._server.settings.limits.after_authentication())
        identity = session.jid if session else success.jid
        self._stream.send(encode(sasl2.Success(self._additional, identity, tuple(results))))

    def _attach(self, session: Session, *, is_resumed: bool) -> None:
        wake = session.wake
        self._client.attach(session)
        if not is_resumed:  # a feature may have put itself before the connection's own
            session.wake = wake

    def _features(self, session: Session | None) -> list[Element]:
        """Of the stream as it is now (XEP-0388 §2.6.1)."""
        if session is None:
            return self._entry.offers(self._host)
        return self._host.offered(Phase.AUTHENTICATED, secure=True)

    async def _resumed(self, account: JID, results: list[Element]) -> Session | None:
        """The session that the client asks for in place of a new one, if there is one.

        Whoever called this gives it a connection, without waiting.
        """
        for wish in self._request.wishes:
            if self._host.takes_early(wish.name):
                answer, session = await self._host.take_early(wish, account)
                results.append(answer)
                if session is not None:
                    return session
        return None

    async def _bound(self, account: JID, wanted: bind2.Bind, results: list[Element]) -> Session:
        """A new session, with what the client wants of it (XEP-0386 §3.2)."""
        client, ids = self._caller.client, self._host.ids
        rest = self._server.clients.resource(account, client) if client else ids()
        resource = bind2.resource(wanted.tag, rest)
        if client:
            await self._end_earlier(account, client)
        try:
            session = await self._server.bind(account, resource, lang=self._client.lang)
        except StanzaError as error:
            raise SaslError("temporary-auth-failure", error.text) from None
        session.wake = self._entry.connection.wake
        try:
            told = await self._host.bound(session, wanted.wishes)
        except BaseException:
            await self._server.part(session)
            raise
        results.append(encode(bind2.Bound(tuple(told))))
        return session

    async def _end_earlier(self, account: JID, client: str) -> None:
        """A client has one session: what it had before is a connection that it has lost.

        What that had yet to take waits for the new one by then.
        """
        for session in tuple(self._server.sessions.of(account).values()):
            login = session[LOGIN]
            if login is not None and login.client == client:
                session.end(StreamError("conflict", "the client has come again"))
                await self._server.part(session)


def _decoded(kind: type[P], element: Element) -> P:
    try:
        return decode(kind, element)
    except StanzaError as error:
        raise SaslError("malformed-request", error.text) from None
