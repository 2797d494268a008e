"""How a store fails."""

from __future__ import annotations

from ..kit.outage import Outage


class StoreError(Outage):
    """What was asked was not done, and nothing of it is kept."""


class StoreBusy(StoreError):
    """Too much is waiting for the disk already; later it may work."""

    passes = True


class StoreClosed(StoreError):
    """The store is closed, or is just being closed."""


class SchemaError(StoreError):
    """The database is not one that this version can work with."""


class QuotaExceeded(Exception):
    """It would be more than may be kept; the store itself is well."""
