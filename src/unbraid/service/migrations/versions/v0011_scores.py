"""How close results come to true stems."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.add_column("job", sa.Column("scores", sa.JSON))


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_column("job", "scores")
