"""Work on results that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = ("kind", "parent_id", "wish", "replaced", "warnings")


def upgrade() -> None:
    """Bring the database to this version."""
    kind = sa.Column("kind", sa.String(16), nullable=False, server_default="process")
    op.add_column("job", kind)
    op.add_column("job", sa.Column("parent_id", sa.String))
    for name in ("wish", "replaced", "warnings"):
        op.add_column("job", sa.Column(name, sa.JSON))
    op.create_index("job_by_parent", "job", ["parent_id"])


def downgrade() -> None:
    """Bring the database to the version before."""
    op.drop_index("job_by_parent", "job")
    for name in COLUMNS:
        op.drop_column("job", name)
