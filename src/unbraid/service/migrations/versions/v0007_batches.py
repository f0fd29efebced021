"""Jobs that were sent together."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "batch",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("skipped", sa.JSON, nullable=False),
    )
    op.create_index("ix_batch_owner", "batch", ["owner"])
    op.add_column("job", sa.Column("batch_id", sa.String))
    op.create_index("job_by_batch", "job", ["batch_id"])


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_index("job_by_batch", "job")
    op.drop_column("job", "batch_id")
    op.drop_table("batch")
