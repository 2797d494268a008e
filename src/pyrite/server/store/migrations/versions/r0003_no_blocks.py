"""Block lists are views of the default privacy lists: nothing was ever kept in their own table."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_table("blocks")
