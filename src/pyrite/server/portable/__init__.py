"""Accounts carried to other servers, and brought in from them (XEP-0227)."""

from .exporting import Exported, export
from .importing import Importer, Outcome, Total

__all__ = ["Exported", "Importer", "Outcome", "Total", "export"]
