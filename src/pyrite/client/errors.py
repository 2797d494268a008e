"""Why there is no session, or no longer one: each kind of reason is a class of its own."""

from __future__ import annotations

from ..core.errors import SaslError, StreamError
from ..core.sasl import UntrustedServer
from ..net.dns import DnsError
from ..net.tls import TlsError

__all__ = [
    "AuthenticationFailed",
    "ClientError",
    "ConnectionFailed",
    "DnsError",
    "NotAcknowledged",
    "SessionClosed",
    "SessionReset",
    "StreamError",
    "TlsError",
    "UntrustedServer",
]


class ClientError(Exception):
    """Base of the errors that only a client has."""


class ConnectionFailed(ClientError, OSError):
    """No host of the domain could be reached. `reasons` are those of each way that was tried."""

    def __init__(self, text: str, reasons: tuple[Exception, ...] = ()) -> None:
        super().__init__(text)
        self.reasons = reasons


class AuthenticationFailed(ClientError):
    """The server does not let us in. `condition` is SASL's, `text` the server's own words."""

    def __init__(self, error: SaslError) -> None:
        super().__init__(str(error))
        self.condition, self.text = error.condition, error.text

    @property
    def is_final(self) -> bool:
        """Whether trying again with the same credentials is of no use."""
        return self.condition not in ("temporary-auth-failure", "aborted")


class ResumeUnanswered(ClientError, TimeoutError):
    """The server says nothing to who comes back to a session: a new one, then."""


class SessionReset(ClientError):
    """The session was lost before the answer came: whether it was done is not known."""


class NotAcknowledged(ClientError):
    """The server does not say what it has: a session without XEP-0198, as each component's."""


class SessionClosed(ClientError):
    """The client has been closed, or has given up."""


def alone(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error in the group, where it has just one."""
    if len(group.exceptions) != 1:
        return group
    first = group.exceptions[0]
    return alone(first) if isinstance(first, BaseExceptionGroup) else first
