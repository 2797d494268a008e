"""Accounts are counted as they come and go: counting them took longer the more there were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "account_counts",
        sa.Column("domain", sa.Text, primary_key=True, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        """INSERT INTO account_counts (domain, count)
        SELECT domain, count(*) FROM accounts GROUP BY domain"""
    )
    op.execute(
        """CREATE TRIGGER accounts_inserted AFTER INSERT ON accounts BEGIN
        INSERT INTO account_counts (domain, count) VALUES (new.domain, 1)
        ON CONFLICT (domain) DO UPDATE SET count = count + 1; END"""
    )
    op.execute(
        """CREATE TRIGGER accounts_deleted AFTER DELETE ON accounts BEGIN
        UPDATE account_counts SET count = count - 1 WHERE domain = old.domain; END"""
    )
