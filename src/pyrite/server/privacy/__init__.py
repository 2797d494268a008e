"""Whom people want nothing from: one rule engine for privacy lists and for blocking.

A block list is a view of the default privacy list: its rules that deny an address everything
(XEP-0191 §6). So there is one store, and what one kind of client changes the other kind sees.
An account's own resources and its server are never kept from it.
"""

from .lists import Privacy
from .rules import ACTIVE, BlocksChanged, ListChanged, Rules

__all__ = ["ACTIVE", "BlocksChanged", "ListChanged", "Privacy", "Rules"]
