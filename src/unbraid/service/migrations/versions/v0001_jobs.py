"""Uploads, jobs, their steps and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this version."""
    op.create_table(
        "upload",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("upload_id", sa.String, sa.ForeignKey("upload.id"), nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("fallback", sa.String),
        sa.Column("idempotency_key", sa.String),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
        sa.Column("claimed", sa.Double),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("worked_s", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String),
        sa.Column("token", sa.String),
        sa.Column("lease_until", sa.Double),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("fraction", sa.Double),
        sa.Column("last_event", sa.Integer, nullable=False),
        sa.Column("error", sa.JSON),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("result_bytes", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("owner", "idempotency_key"),
    )
    op.create_index("job_by_turn", "job", ["state", "priority", "turn"])
    op.create_index("job_by_owner", "job", ["owner", "created"])
    op.create_table(
        "step",
        sa.Column(
            "job_id", sa.String, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("stage", sa.String(16), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("done_s", sa.Double, nullable=False),
        sa.Column("total_s", sa.Double),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
    )
    op.create_table(
        "event",
        sa.Column(
            "job_id", sa.String, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Bring the database to the version before."""
    for table in ("event", "step", "job", "upload"):
        op.drop_table(table)
