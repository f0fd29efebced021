"""Batches that are made once."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("batch", sa.Column("idempotency_key", sa.String))
    op.add_column("batch", sa.Column("fingerprint", sa.String))
    op.create_index("batch_by_key", "batch", ["owner", "idempotency_key"], unique=True)


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_index("batch_by_key", "batch")
    op.drop_column("batch", "fingerprint")
    op.drop_column("batch", "idempotency_key")
