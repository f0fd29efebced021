"""What owners use in a day, and how long jobs are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "usage",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("jobs", sa.Integer, nullable=False),
        sa.Column("audio_s", sa.Double, nullable=False),
    )
    op.add_column("job", sa.Column("audio_s", sa.Double))
    op.add_column("job", sa.Column("keep_days", sa.Double))


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_column("job", "keep_days")
    op.drop_column("job", "audio_s")
    op.drop_table("usage")
