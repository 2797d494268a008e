"""Who is gone stays gone: what is still under way for a buried account is kept nowhere.

Whoever writes for an account has looked whether it is there, and that was a moment ago. So the
table itself looks, in the transaction that writes; such a row is dropped in silence.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

#: Every table whose rows belong to an account by ``owner``, but for the totals of the others.
OWNED = (
    "account_keys",
    "archive_owners",
    "client_tokens",
    "clients",
    "key_values",
    "last_activity",
    "log_entries",
    "offline",
    "privacy_defaults",
    "privacy_lists",
    "private_elements",
    "roster_items",
    "roster_removals",
    "rosters",
    "vcards",
)


def upgrade() -> None:
    op.execute("DELETE FROM tombstones WHERE jid IN (SELECT jid FROM accounts)")
    for table in OWNED:
        op.execute(f"DELETE FROM {table} WHERE owner IN (SELECT jid FROM tombstones)")  # noqa: S608
        op.execute(
            f"""CREATE TRIGGER {table}_buried BEFORE INSERT ON {table}
        WHEN EXISTS (SELECT 1 FROM tombstones WHERE jid = new.owner) BEGIN
        SELECT RAISE(IGNORE); END"""  # noqa: S608
        )
