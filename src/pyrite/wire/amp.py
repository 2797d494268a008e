"""Advanced message processing: what is to become of a message that cannot be delivered at once."""

from __future__ import annotations

from typing import Literal

from ..core.jid import JID
from ..core.payload import attr, children, payload
from . import Spec

SPEC = Spec("XEP-0079", "1.2", "Advanced Message Processing")
NS = "http://jabber.org/protocol/amp"
NS_ERRORS = f"{NS}#errors"
NS_FEATURE = "http://jabber.org/features/amp"

Action = Literal["alert", "drop", "error", "notify"]


@payload(NS_FEATURE, "amp")
class Feature:
    """The stream feature (§8)."""


@payload(NS, "rule")
class Rule:
    """If it is so, then do this (§4.2)."""

    action: Action = attr()
    condition: str = attr()  # "deliver", "expire-at", "match-resource" or another
    value: str = attr()


@payload(NS, "amp")
class Amp:
    """The rules of a message; with a status, why its sender hears of it (§4.1)."""

    status: Action | None = attr(default=None)
    sender: JID | None = attr("from", default=None)
    to: JID | None = attr(default=None)
    per_hop: bool = attr("per-hop", default=False)
    rules: tuple[Rule, ...] = children(default=())


@payload(NS, "invalid-rules")
class InvalidRules:
    """In an error: rules that the server does not take (§6.1)."""

    rules: tuple[Rule, ...] = children(default=())


@payload(NS, "unsupported-actions")
class UnsupportedActions:
    """In an error: rules with actions that it does not know (§6.1)."""

    rules: tuple[Rule, ...] = children(default=())


@payload(NS, "unsupported-conditions")
class UnsupportedConditions:
    """In an error: rules with conditions that it does not know (§6.1)."""

    rules: tuple[Rule, ...] = children(default=())


@payload(NS_ERRORS, "rule")
class FailedRule:
    """One that was so, and wanted an error."""

    action: Action = attr()
    condition: str = attr()
    value: str = attr()


@payload(NS_ERRORS, "failed-rules")
class FailedRules:
    """In an error: why there is one (§6.1)."""

    rules: tuple[FailedRule, ...] = children(default=())
