"""Privileged entity: a component that may do things for the accounts of its server."""

from __future__ import annotations

from typing import Literal

from ..core.payload import attr, child, children, payload
from ..core.xml import Element
from . import Spec
from .forward import Forwarded

SPEC = Spec("XEP-0356", "0.4.1", "Privileged Entity")
NS = "urn:xmpp:privilege:2"


@payload(NS, "namespace")
class Namespace:
    """Requests of that namespace (§6.2)."""

    ns: str = attr()
    type: Literal["get", "set", "both"] = attr()


@payload(NS, "perm")
class Permission:
    """What it may do, and of what kind (§4.2, §5.2, §6.2, §7.2)."""

    access: Literal["iq", "message", "presence", "roster"] = attr()
    type: str | None = attr(default=None)
    push: bool | None = attr(default=None)  # of a roster: whether it hears of changes
    namespaces: tuple[Namespace, ...] = children(default=())


@payload(NS, "privilege")
class Privilege:
    """From the server: what it may do. From it: a message in the name of an account (§5.3)."""

    permissions: tuple[Permission, ...] = children(default=())
    forwarded: Forwarded | None = child(default=None)


@payload(NS, "privileged_iq")
class PrivilegedIq:
    """A request in the name of the account that it is sent to (§6.3)."""

    iq: Element = child()
