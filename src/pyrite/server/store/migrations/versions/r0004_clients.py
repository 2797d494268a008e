"""Clients by which accounts are used, and the tokens that they log in by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("owner", sa.Text, primary_key=True, nullable=False),
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("software", sa.Text),
        sa.Column("device", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("password", sa.Boolean, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("clients_by_last_seen", "clients", ["last_seen"])
    op.create_table(
        "client_tokens",
        sa.Column("owner", sa.Text, primary_key=True, nullable=False),
        sa.Column("client", sa.Text, primary_key=True, nullable=False),
        sa.Column("used", sa.Boolean, primary_key=True, nullable=False),  # one of each
        sa.Column("mechanism", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.execute(
        """CREATE TRIGGER clients_deleted AFTER DELETE ON clients BEGIN
        DELETE FROM client_tokens WHERE owner = old.owner AND client = old.id; END"""
    )
