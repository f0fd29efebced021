"""What an operator can set by the environment, such as `UNBRAID_PORT`."""

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, TypeAdapter, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

from unbraid.inference import available_cores
from unbraid.service.tiers import STANDARD, TIERS, Tier

MB = 10**6
GB = 10**9

Mode = Literal["local", "server"]


def _separated(value: object) -> object:
    """The parts of a text that commas separate."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_separated)]


class Settings(BaseSettings):
    """The settings of a server; each field is described where it is declared."""

    model_config = SettingsConfigDict(env_prefix="UNBRAID_", frozen=True, validate_default=True)

    mode: Annotated[
        Mode,
        Field(description="local: for whoever uses this machine; server: for those with accounts"),
    ] = "local"
    host: Annotated[str, Field(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(description="port; 0 takes a free one", ge=0, le=65535)] = 8000
    secret: Annotated[
        SecretStr | None,
        Field(description="32 random characters or more, by which a server signs sessions"),
    ] = None
    hosts: Annotated[
        Names, Field(description="names that a server is reached by, separated by commas")
    ] = ()
    origins: Annotated[
        Names, Field(description="other sites whose pages may ask with keys, as https://name")
    ] = ()
    trusted_proxies: Annotated[
        Names, Field(description="addresses of proxies whose X-Forwarded headers are believed")
    ] = ()
    session_minutes: Annotated[
        float, Field(description="after which a session must be renewed", gt=0)
    ] = 60.0
    session_days: Annotated[
        float, Field(description="after which one must sign in again", gt=0)
    ] = 7.0
    tiers: Annotated[
        dict[str, Tier],
        Field(description="limits of accounts by tier, as JSON; there must be a tier `standard`"),
    ] = TIERS
    requests_per_minute: Annotated[
        int, Field(description="from an address that has not shown who it is", ge=1)
    ] = 60
    redis: Annotated[
        str | None,
        Field(description="redis://… where servers share their counts; by default in memory"),
    ] = None
    audit_days: Annotated[float, Field(description="that the audit log reaches back", ge=0)] = 90.0
    workers: Annotated[int, Field(description="songs at work at once", ge=0, le=256)] = 1
    quick_workers: Annotated[
        int,
        Field(description="workers for exports and transcription alone, beside those", ge=0, le=16),
    ] = 1
    threads: Annotated[
        int | None, Field(description="threads of each worker; by default its share of cores", ge=1)
    ] = None
    data: Annotated[Path, Field(description="folder of the database, uploads and results")] = (
        platformdirs.user_data_path("unbraid")
    )
    database: Annotated[
        str | None,
        Field(
            description="postgresql://user:password@host/name; by default SQLite in the data folder"
        ),
    ] = None
    storage: Annotated[
        str | None,
        Field(description="address of a bucket such as s3://name; by default the data folder"),
    ] = None
    cache_dir: Annotated[
        Path | None, Field(description="folder of the cache of results; by default the user's")
    ] = None
    cache_limit: Annotated[float, Field(description="size of the cache in GB", ge=0)] = 10.0
    models_dir: Annotated[
        Path | None, Field(description="folder of models; by default the user's")
    ] = None
    offline: Annotated[bool, Field(description="whether models are never pulled")] = False
    models_mirror: Annotated[
        str | None, Field(description="address that stands in for those of published models")
    ] = None
    networks_kept: Annotated[
        int, Field(description="networks that a worker keeps loaded between songs", ge=0)
    ] = 4
    max_upload_mb: Annotated[float, Field(description="size of a recording", gt=0)] = 100.0
    max_duration_s: Annotated[
        float, Field(description="length of a recording once decoded", gt=0)
    ] = 3600.0
    url_hosts: Annotated[
        Names,
        Field(
            description="hosts whose https links are fetched, separated by commas; .example.org "
            "takes those below it"
        ),
    ] = ()
    url_networks: Annotated[
        Networks,
        Field(description="addresses that are fetched from though not public, as 10.0.0.0/8"),
    ] = ()
    youtube: Annotated[bool, Field(description="whether links to YouTube are fetched")] = False
    fetch_s: Annotated[float, Field(description="that fetching a link may take", gt=0)] = 300.0
    keep_days: Annotated[
        float | None,
        Field(description="after which ended jobs are removed; by default never", ge=0),
    ] = None
    undo_minutes: Annotated[
        float, Field(description="in which a removed job can be restored", ge=0)
    ] = 10.0
    max_stored_gb: Annotated[
        float | None, Field(description="of recordings and results; by default what fits", gt=0)
    ] = None
    max_job_gb: Annotated[
        float | None, Field(description="of the result of a job; by default what it takes", gt=0)
    ] = None
    min_free_gb: Annotated[
        float, Field(description="of the disk that uploads leave free", ge=0)
    ] = 1.0
    made_limit: Annotated[
        float, Field(description="GB of mixes and stems in other formats that are kept", ge=0)
    ] = 2.0
    max_queued: Annotated[int, Field(description="jobs that may wait for one owner", ge=1)] = 1000
    max_attempts: Annotated[
        int, Field(description="times that a job may die before it gets further", ge=1)
    ] = 3
    lease_s: Annotated[
        float, Field(description="after which a worker that is not heard of is given up", gt=0)
    ] = 15.0
    stall_s: Annotated[
        float, Field(description="after which a worker that makes no progress is given up", gt=0)
    ] = 900.0
    grace_s: Annotated[
        float, Field(description="that a server which is stopped waits for its workers", ge=0)
    ] = 10.0

    @field_validator("tiers")
    @classmethod
    def _with_standard(cls, tiers: dict[str, Tier]) -> dict[str, Tier]:
        if STANDARD not in tiers:
            raise ValueError(f"there must be a tier {STANDARD!r}")
        return tiers

    @property
    def database_url(self) -> str:
        """The database, as SQLAlchemy names it."""
        if self.database is None:
            return f"sqlite:///{self.data / 'unbraid.sqlite'}"
        scheme, _, rest = self.database.partition("://")
        return (
            f"postgresql+psycopg://{rest}"
            if scheme in ("postgres", "postgresql")
            else (self.database)
        )

    @property
    def worker_threads(self) -> int:
        """Threads of each worker."""
        return self.threads or max(1, available_cores() // max(1, self.workers))

    @property
    def max_upload_bytes(self) -> int:
        """Size of a recording in bytes."""
        return round(self.max_upload_mb * MB)

    def explained(self) -> list[tuple[str, str, str]]:
        """The variable, value and meaning of each setting; passwords are hidden."""
        shown = {
            name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            for name, value in self
            if value is not None
        }
        shown["tiers"] = TypeAdapter(dict[str, Tier]).dump_json(self.tiers).decode()
        if self.redis:
            shown["redis"] = make_url(self.redis).render_as_string(hide_password=True)
        if self.database:
            shown["database"] = make_url(self.database).render_as_string(hide_password=True)
        return [
            (f"UNBRAID_{name}".upper(), shown.get(name, ""), field.description or "")
            for name, field in type(self).model_fields.items()
        ]
