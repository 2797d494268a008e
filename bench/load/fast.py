"""One round trip from the features to a session: XEP-0388 with a token (XEP-0484) and XEP-0386."""

import base64
import hmac
import re
import uuid

from .client import Client, Target, opened
from .scram import Exchange
from .stream import LoadError, Stream

MECHANISM = "HT-SHA-256-NONE"  # as with SCRAM: not bound to the channel
TAG = "bench"
STEP = re.compile(
    rb"<(challenge|success|failure)\b[^>]*xmlns=['\"]urn:xmpp:sasl:2['\"][^>]*>(.*?)</\1>", re.S
)
DATA = re.compile(rb"^([^<]+)|<additional-data>([^<]*)</additional-data>")
IDENTITY = re.compile(rb"<authorization-identifier>([^<]*)</authorization-identifier>")
TOKEN = re.compile(rb"<token\b[^>]*\btoken=['\"]([^'\"]+)['\"]")


class Device:
    """A client that asks for a token when it comes with its password, and comes by that later."""

    def __init__(self, target: Target, user: str, transport: str) -> None:
        self._target, self._user, self._transport = target, user, transport
        self._id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{user}.{target.domain}"))
        self._token = b""

    async def login(self) -> Client:
        """A bound session. Raises LoadError for whatever else the server answers."""
        async with opened(self._target, self._transport) as stream:
            by_token = self._by_token if self._token else self._by_password
            return Client(stream, await by_token(stream), self._target.domain)

    async def _by_password(self, stream: Stream) -> str:
        target = self._target
        exchange = Exchange(target.mechanism, self._user, target.password)
        wanted = f"<request-token xmlns='urn:xmpp:fast:0' mechanism='{MECHANISM}'/>"
        self._begin(stream, target.mechanism, exchange.first(), wanted)
        final = exchange.final(_data(await stream.until(STEP), b"challenge"))
        encoded = base64.b64encode(final).decode()
        stream.write(f"<response xmlns='urn:xmpp:sasl:2'>{encoded}</response>".encode())
        success = await stream.until(STEP)
        exchange.verify(_data(success, b"success"))
        token = TOKEN.search(success[2])
        if token is None:
            raise LoadError(f"no token: {success[0]!r}")
        self._token = token[1]
        return _identity(success)

    async def _by_token(self, stream: Stream) -> str:
        proof = hmac.digest(self._token, b"Initiator", "sha256")
        initial = self._user.encode() + b"\0" + proof
        self._begin(stream, MECHANISM, initial, "<fast xmlns='urn:xmpp:fast:0'/>")
        success = await stream.until(STEP)
        expected = hmac.digest(self._token, b"Responder", "sha256")
        if _data(success, b"success") != expected:
            raise LoadError("the server does not know the token")
        return _identity(success)

    def _begin(self, stream: Stream, mechanism: str, initial: bytes, wish: str) -> None:
        stream.write(
            f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>"
            f"<initial-response>{base64.b64encode(initial).decode()}</initial-response>"
            f"<user-agent id='{self._id}'><software>bench</software></user-agent>"
            f"<bind xmlns='urn:xmpp:bind:0'><tag>{TAG}</tag></bind>{wish}</authenticate>".encode()
        )


def _data(step: re.Match[bytes], kind: bytes) -> bytes:
    """What the mechanism says with a step that has to be of this kind."""
    data = DATA.search(step[2]) if step[1] == kind else None
    if data is None:
        raise LoadError(f"login refused: {step[0]!r}")
    return base64.b64decode(data[1] or data[2])


def _identity(success: re.Match[bytes]) -> str:
    identity = IDENTITY.search(success[2])
    if identity is None or b"/" not in identity[1]:
        raise LoadError(f"no session: {success[0]!r}")
    return identity[1].decode()
