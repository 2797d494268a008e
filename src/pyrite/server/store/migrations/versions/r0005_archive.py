"""The archive of messages: written in the order in which it grows, and indexed afterwards.

Entries lie in the order of their ids, whoever owns them, so that a write touches a few pages at
the end. What finds the entries of one owner, by peer, kind, name and words, is a full-text index
without content, filled in batches: ``mark`` is the id up to which it goes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

#: A row id. SQLite wants exactly INTEGER for it.
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _entries()
    _owners()
    _state()
    op.execute(
        """CREATE VIRTUAL TABLE archive_terms USING fts5(
        terms, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '_@#'")"""
    )
    op.execute("INSERT INTO archive_terms (archive_terms, rank) VALUES ('automerge', 16)")


def _entries() -> None:
    """``body_at`` says where in the stanza its body stands; one that does not is in ``body``."""
    op.create_table(
        "archive_entries",
        sa.Column("id", ID, primary_key=True, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.BigInteger, nullable=False),
        sa.Column("flags", sa.BigInteger, nullable=False),
        sa.Column("peer", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=True),
        sa.Column("body_at", sa.BigInteger, nullable=True),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("stanza", sa.Text, nullable=False),
    )


def _owners() -> None:
    """An archive has a number, never given twice; one whose owner is gone is an orphan.

    ``count`` and ``bytes`` are those of the entries that are indexed; all up to ``first`` are
    removed.
    """
    op.create_table(
        "archive_owners",
        sa.Column("number", ID, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.Text, nullable=False, unique=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "archive_orphans",
        sa.Column("number", ID, primary_key=True, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
    )
    op.execute(
        """CREATE TRIGGER archive_owners_deleted AFTER DELETE ON archive_owners BEGIN
        INSERT INTO archive_orphans (number, first) VALUES (old.number, old.first); END"""
    )


def _state() -> None:
    """One row. ``last``: the highest id. ``skew``: milliseconds that ids were ahead, at most."""
    names = ("last", "skew", "mark", "floor")
    op.create_table(
        "archive_state",
        sa.Column("one", ID, primary_key=True, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in names),
    )
    op.execute("INSERT INTO archive_state VALUES (1, 0, 0, 0, 0)")
