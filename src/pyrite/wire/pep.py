"""Personal eventing: publish-subscribe at an account, and how its nodes have to be."""

from __future__ import annotations

from collections.abc import Mapping

from . import Spec
from .dataforms import Value

SPEC = Spec("XEP-0163", "1.2.2", "Personal Eventing Protocol")
SPEC_PUBLIC = Spec("XEP-0222", "1.0", "Persistent Storage of Public Data via PubSub")
SPEC_PRIVATE = Spec("XEP-0223", "1.1.1", "Persistent Storage of Private Data via PubSub")

#: A node that keeps things for all who may see them, and is told of new ones alone (XEP-0222 §2).
PUBLIC: Mapping[str, Value] = {"persist_items": True, "send_last_published_item": "never"}

#: A node that keeps things for its owner alone (XEP-0223 §2).
PRIVATE: Mapping[str, Value] = {"persist_items": True, "access_model": "whitelist"}
