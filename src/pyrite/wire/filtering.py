"""PubSub type filtering: only nodes of some kinds are wanted."""

from __future__ import annotations

from ..core.payload import child, payload
from . import Spec
from .dataforms import Form, Value, submission

SPEC = Spec("XEP-0462", "0.1.1", "PubSub Type Filtering")
NS = "urn:xmpp:pubsub-filter:0"


@payload(NS, "filter")
class Filter:
    """In a question for a service's nodes (§3.2)."""

    form: Form | None = child(default=None)


def only(*types: str) -> Filter:
    """Those of one of these types; ``""``: those of none (§3.2)."""
    return _filter("included-types", types)


def without(*types: str) -> Filter:
    """Those of none of these types (§3.2)."""
    return _filter("excluded-types", types)


def _filter(field: str, types: tuple[str, ...]) -> Filter:
    values: dict[str, Value] = {field: types}
    return Filter(submission(NS, values))
