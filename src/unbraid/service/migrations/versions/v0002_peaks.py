"""The waveforms of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("job", sa.Column("peaks", sa.JSON))


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_column("job", "peaks")
