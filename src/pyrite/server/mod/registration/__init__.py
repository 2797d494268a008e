"""In-band registration, for everybody or for who was invited (XEP-0077, XEP-0445)."""

from .module import Registration

__all__ = ["Registration"]
