"""Links that recordings come from."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("upload", sa.Column("url", sa.String))


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_column("upload", "url")
