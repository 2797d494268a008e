"""The errors the protocol itself knows: what to send, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .xml import Element

ErrorType = Literal["auth", "cancel", "continue", "modify", "wait"]

#: The type that RFC 6120 §8.3.3 gives each stanza error condition.
TYPE_OF: dict[str, ErrorType] = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}

#: Every way to end a stream (RFC 6120 §4.9.3).
STREAM_CONDITIONS = frozenset(
    "bad-format bad-namespace-prefix conflict connection-timeout host-gone host-unknown"
    " improper-addressing internal-server-error invalid-from invalid-namespace invalid-xml"
    " not-authorized not-well-formed policy-violation remote-connection-failed reset"
    " resource-constraint restricted-xml see-other-host system-shutdown undefined-condition"
    " unsupported-encoding unsupported-feature unsupported-stanza-type unsupported-version".split()
)

#: Every way for an authentication to fail (RFC 6120 §6.5).
SASL_CONDITIONS = frozenset(
    "aborted account-disabled credentials-expired encryption-required incorrect-encoding"
    " invalid-authzid invalid-mechanism malformed-request mechanism-too-weak not-authorized"
    " temporary-auth-failure".split()
)

MAX_ERROR_TEXT = 512  # characters of explanation that are sent to a peer


class StanzaError(Exception):
    """Refuses one stanza: its sender gets an error stanza, the stream goes on (RFC 6120 §8.3).

    `app` is the one application-specific condition that may stand beside the defined one.
    Raises `KeyError` for a condition that RFC 6120 §8.3.3 does not define.
    """

    def __init__(
        self,
        condition: str,
        text: str = "",
        *,
        type: ErrorType | None = None,
        app: Element | None = None,
    ) -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        self.type: ErrorType = type or TYPE_OF[condition]
        self.condition, self.text, self.app = condition, text[:MAX_ERROR_TEXT], app


class StreamError(Exception):
    """Ends the stream: the peer gets a stream error and the footer (RFC 6120 §4.9)."""

    def __init__(self, condition: str, text: str = "", *, app: Element | None = None) -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        if condition not in STREAM_CONDITIONS:
            raise KeyError(condition)
        self.condition, self.text, self.app = condition, text[:MAX_ERROR_TEXT], app


class SaslError(Exception):
    """Ends one authentication attempt: the peer gets ``<failure/>`` (RFC 6120 §6.5)."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        if condition not in SASL_CONDITIONS:
            raise KeyError(condition)
        self.condition, self.text = condition, text[:MAX_ERROR_TEXT]
