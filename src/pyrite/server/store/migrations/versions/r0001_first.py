"""The first schema: accounts and what a server keeps for each.

Times are milliseconds since 1970 in UTC, sizes octets of UTF-8, JIDs prepared text. Every row
that belongs to an account has the account's bare JID as ``owner``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: A row id that is never given out twice. SQLite wants exactly INTEGER for it.
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _accounts()
    _roster()
    _totals()
    _offline()
    _profile()
    _blocking()
    _shapes()
    _settings()


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=null)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _table(name: str, keys: int, *columns: sa.Column[Any]) -> None:
    """A table whose rows lie in the order of the first `keys` columns, their primary key."""
    primary = sa.PrimaryKeyConstraint(*(column.name for column in columns[:keys]))
    op.create_table(name, *columns, primary, sqlite_with_rowid=False)


def _numbered(name: str, *columns: sa.Column[Any]) -> None:
    """A table whose rows are numbered as they come."""
    identity = sa.Column("id", ID, primary_key=True, autoincrement=True)
    op.create_table(name, identity, *columns, sqlite_autoincrement=True)


def _accounts() -> None:
    _table(
        "accounts",
        1,
        _text("jid"),
        _text("domain"),
        _number("created"),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    op.create_index("accounts_domain", "accounts", ["domain", "jid"])
    _table(
        "account_keys",
        2,
        _text("owner"),
        _text("mechanism"),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        _number("iterations"),
        sa.Column("stored_key", sa.LargeBinary, nullable=False),
        sa.Column("server_key", sa.LargeBinary, nullable=False),
    )
    _table("tombstones", 1, _text("jid"), _number("deleted"))


def _roster() -> None:
    """``rosters`` counts the items: those listed, and those that only hold a request."""
    counts = [_number(name) for name in ("version", "floor", "listed", "waiting")]
    _table("rosters", 1, _text("owner"), *counts)
    _table(
        "roster_items",
        2,
        _text("owner"),
        _text("jid"),
        _number("version"),
        _text("name", null=True),
        _text("group_names"),
        _text("subscription"),
        sa.Column("ask", sa.Boolean, nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        _text("request", null=True),
    )
    op.create_index("roster_items_version", "roster_items", ["owner", "version"])
    _table("roster_removals", 2, _text("owner"), _text("jid"), _number("version"))
    op.create_index("roster_removals_version", "roster_removals", ["owner", "version"])


def _totals() -> None:
    """How much of a kind an account has, kept by triggers, so that nobody has to count."""
    _table("totals", 2, _text("owner"), _text("kind"), _number("count"), _number("bytes"))


def _counted(table: str, kind: str) -> None:
    """Have triggers keep the total of `table`; `kind` is SQL in which ROW is the row."""
    new, old = kind.replace("ROW", "new"), kind.replace("ROW", "old")
    op.execute(
        f"""CREATE TRIGGER {table}_inserted AFTER INSERT ON {table} BEGIN
        INSERT INTO totals (owner, kind, count, bytes) VALUES (new.owner, {new}, 1, new.size)
        ON CONFLICT (owner, kind) DO UPDATE SET count = count + 1, bytes = bytes + new.size; END"""  # noqa: S608
    )
    op.execute(
        f"""CREATE TRIGGER {table}_updated AFTER UPDATE OF size ON {table} BEGIN
        UPDATE totals SET bytes = bytes + new.size - old.size
        WHERE owner = new.owner AND kind = {new}; END"""  # noqa: S608
    )
    op.execute(
        f"""CREATE TRIGGER {table}_deleted AFTER DELETE ON {table} BEGIN
        UPDATE totals SET count = count - 1, bytes = bytes - old.size
        WHERE owner = old.owner AND kind = {old};
        DELETE FROM totals WHERE owner = old.owner AND kind = {old} AND count = 0; END"""  # noqa: S608
    )


def _offline() -> None:
    columns = [_text("owner"), _text("sender"), _number("stamp"), _number("size"), _text("stanza")]
    _numbered("offline", *columns)
    op.create_index("offline_owner", "offline", ["owner", "id"])
    op.create_index("offline_stamp", "offline", ["stamp"])
    _counted("offline", "'offline'")


def _profile() -> None:
    columns = [_text("owner"), _text("namespace"), _text("name"), _number("size"), _text("element")]
    _table("private_elements", 3, *columns)
    _counted("private_elements", "'private'")
    _table("vcards", 1, _text("owner"), _text("photo", null=True), _text("element"))
    _table("last_activity", 1, _text("owner"), _number("stamp"), _text("status", null=True))


def _blocking() -> None:
    _numbered("blocks", _text("owner"), _text("jid"))
    op.create_index("blocks_owner", "blocks", ["owner", "jid"], unique=True)
    _table("privacy_lists", 2, _text("owner"), _text("name"), _text("rules"))
    _table("privacy_defaults", 1, _text("owner"), _text("name"))


def _shapes() -> None:
    """What a module gets without a migration of its own; ``namespace`` is the module's name."""
    columns = [_text("owner"), _text("namespace"), _text("name"), _number("size"), _text("value")]
    _table("key_values", 3, *columns)
    _counted("key_values", "'values ' || ROW.namespace")
    columns = [_text("owner"), _text("namespace"), _number("stamp"), _number("size")]
    _numbered("log_entries", *columns, _text("value"))
    op.create_index("log_entries_owner", "log_entries", ["owner", "namespace", "id"])
    _counted("log_entries", "'log ' || ROW.namespace")


def _settings() -> None:
    """What is changed while the server runs."""
    _table("settings", 1, _text("name"), _text("value"))
