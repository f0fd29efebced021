"""The database: its tables, and how it is read and written.

SQLite runs in WAL mode, where readers never wait; its writers begin with BEGIN IMMEDIATE, so that
two of them queue up instead of failing halfway. PostgreSQL locks rows.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from unbraid.errors import MissingExtraError, ResourceError
from unbraid.types import Stage

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x756E6272  # any number of our own
BUSY_S = 30.0

JobKind = Literal["process", "transcribe", "export", "correct", "score"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
StepState = Literal["queued", "running", "done", "failed", "cancelled", "skipped"]
EventKind = Literal["state", "progress"]


class Base(DeclarativeBase):
    """Base of the tables; times are seconds since 1970."""

    type_annotation_map = {  # noqa: RUF012  as SQLAlchemy asks for it
        float: sa.Double(),
        dict[str, Any]: sa.JSON(none_as_null=True),
        list[dict[str, Any]]: sa.JSON(),
        JobKind: sa.String(16),
        JobState: sa.String(16),
        StepState: sa.String(16),
        EventKind: sa.String(16),
        Stage: sa.String(16),
    }


class Upload(Base):
    """A recording; its bytes lie in the storage under `key`.

    One that comes from a `url` has no hash until a worker has fetched it.
    """

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    file_name: Mapped[str]
    key: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str]
    created: Mapped[float]
    url: Mapped[str | None]


class Arrival(Base):
    """A recording of which not all has come yet."""

    __tablename__ = "arrival"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)


class Batch(Base):
    """Jobs that were sent together; `skipped` are files of their archive that are no recordings."""

    __tablename__ = "batch"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    created: Mapped[float]
    skipped: Mapped[list[str]] = mapped_column(sa.JSON)
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str | None]

    __table_args__ = (sa.Index("batch_by_key", "owner", "idempotency_key", unique=True),)


class Job(Base):
    """A song to take apart, or a task: work on the result of another job, its `parent_id`.

    A task keeps what it `replaced` among the files of its parent until it is cleared away itself;
    `undoing` has the files that its parent `is` by it, with those and the options that there were
    before, the other way round once it is `undone`.

    `turn` orders the jobs of one priority fairly: see `jobs.submit`. A running job belongs to the
    `worker` that claimed it under `token`, as long as that renews the lease.
    """

    __tablename__ = "job"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    kind: Mapped[JobKind] = mapped_column(server_default="process")
    parent_id: Mapped[str | None]
    batch_id: Mapped[str | None]
    wish: Mapped[dict[str, Any] | None]
    state: Mapped[JobState]
    priority: Mapped[int]
    turn: Mapped[int]
    upload_id: Mapped[str] = mapped_column(sa.ForeignKey("upload.id"))
    file_name: Mapped[str]
    name: Mapped[str | None]
    options: Mapped[dict[str, Any]]
    fallback: Mapped[str | None]
    origin: Mapped[dict[str, Any] | None]
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str]
    created: Mapped[float]
    started: Mapped[float | None]
    finished: Mapped[float | None]
    claimed: Mapped[float | None]
    not_before: Mapped[float]
    worked_s: Mapped[float]
    attempts: Mapped[int]
    worker: Mapped[str | None]
    token: Mapped[str | None]
    lease_until: Mapped[float | None]
    cancel_asked: Mapped[bool]
    removed: Mapped[bool]
    purge_at: Mapped[float | None]
    fraction: Mapped[float | None]
    last_event: Mapped[int]
    error: Mapped[dict[str, Any] | None]
    files: Mapped[list[dict[str, Any]]]
    result_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    peaks: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))
    replaced: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))
    undoing: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    scores: Mapped[dict[str, Any] | None]
    warnings: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    audio_s: Mapped[float | None]
    keep_days: Mapped[float | None]

    __table_args__ = (
        sa.UniqueConstraint("owner", "idempotency_key"),
        sa.Index("job_by_turn", "state", "priority", "turn"),
        sa.Index("job_by_owner", "owner", "created"),
        sa.Index("job_by_parent", "parent_id"),
        sa.Index("job_by_batch", "batch_id"),
    )

    def become(
        self,
        files: list[dict[str, Any]],
        options: dict[str, Any],
        task: "Job",
        *,
        undone: bool = False,
    ) -> None:
        """Have other files and options by a task, done or undone, which keeps those before."""
        kept = {file["key"] for file in files}
        task.replaced = [file for file in self.files if file["key"] not in kept]
        task.result_bytes = sum(file["size_bytes"] for file in task.replaced)
        was = {"files": self.files, "options": self.options}
        task.undoing = {"undone": undone, "is": files, "was": was}
        self.files, self.options = files, options
        self.result_bytes = sum(file["size_bytes"] for file in files)

    @property
    def title(self) -> str:
        """How its owner calls it, or else the recording without its extension."""
        return self.name or PurePosixPath(self.file_name).stem


class Step(Base):
    """A stage of a job, and how far it has come."""

    __tablename__ = "step"

    job_id: Mapped[str] = mapped_column(
        sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[Stage] = mapped_column(primary_key=True)
    state: Mapped[StepState]
    attempts: Mapped[int]
    done_s: Mapped[float]
    total_s: Mapped[float | None]
    started: Mapped[float | None]
    finished: Mapped[float | None]


class Event(Base):
    """Something that happened to a job; they are numbered from 1 without gaps."""

    __tablename__ = "event"

    job_id: Mapped[str] = mapped_column(
        sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    kind: Mapped[EventKind]
    data: Mapped[dict[str, Any]]


class Account(Base):
    """Someone who may use a server; sessions of an earlier `epoch` have ended."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    tier: Mapped[str]
    epoch: Mapped[int]
    created: Mapped[float]


class ApiKey(Base):
    """What a program of an account's shows; of its secret part there is only a digest."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str]
    digest: Mapped[str]
    scopes: Mapped[str]
    created: Mapped[float]
    last_used: Mapped[float | None]


class Usage(Base):
    """What an owner has used on a day, counted from 1970."""

    __tablename__ = "usage"

    owner: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    jobs: Mapped[int]
    audio_s: Mapped[float]


class AuditEntry(Base):
    """Something that an operator may have to look into later."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(index=True)
    event: Mapped[str]
    owner: Mapped[str | None]
    subject: Mapped[str]
    address: Mapped[str]


class Database:
    """Gives sessions, each of which is a transaction."""

    def __init__(self, url: str) -> None:
        """Name a database; nothing is opened yet.

        Raises:
            MissingExtraError: the driver of PostgreSQL is not installed.
        """
        sqlite = url.startswith("sqlite")
        connect: dict[str, Any] = {"timeout": BUSY_S} if sqlite else {"connect_timeout": 10}
        try:
            self.engine = sa.create_engine(url, connect_args=connect, pool_pre_ping=not sqlite)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"{url.partition(':')[0]} needs a driver: pip install 'psycopg[binary]'"
            ) from error
        if sqlite:
            sa.event.listen(self.engine, "connect", _set_up)
            sa.event.listen(self.engine, "begin", _begin)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that reads; what it gave stays usable."""
        reader = self.engine.execution_options(reading=True)
        with Session(reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that writes, and is committed at the end of the block."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the tables to what this version needs.

        Raises:
            ResourceError: the database cannot be reached.
        """
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        try:
            with self.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except sa.exc.OperationalError as error:
            raise ResourceError(f"the database cannot be reached: {error.orig}") from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def lock_owner(session: Session, owner: str) -> None:
    """Let one transaction at a time count what an owner has; SQLite writes one at a time anyway."""
    if session.bind and session.bind.dialect.name == "postgresql":
        number = int.from_bytes(
            hashlib.sha256(json.dumps(owner).encode()).digest()[:8], signed=True
        )
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _set_up(connection: Any, _: object) -> None:
    connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's knows ASCII alone
    connection.isolation_level = None  # transactions begin where `_begin` says so
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _lower(text: str | None) -> str | None:
    return text and text.lower()


def _begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
