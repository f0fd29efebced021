"""Names of jobs, and removed ones that may come back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("job", sa.Column("name", sa.String))
    op.add_column("job", sa.Column("purge_at", sa.Double))


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_column("job", "name")
    op.drop_column("job", "purge_at")
