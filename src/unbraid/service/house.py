"""What a running server consists of, and how its routes get at it."""

import asyncio
import contextlib
import logging
import secrets
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from filelock import FileLock, Timeout
from sqlalchemy.exc import OperationalError
from starlette.requests import HTTPConnection

from unbraid.errors import ResourceError
from unbraid.service.arrivals import Arrivals
from unbraid.service.batches import Batches
from unbraid.service.claims import Claims
from unbraid.service.db import Database, Job
from unbraid.service.gate import SignedIn
from unbraid.service.janitor import tidy
from unbraid.service.jobs import Jobs
from unbraid.service.queue import LocalQueue
from unbraid.service.quotas import Quotas
from unbraid.service.renders import Renders, made_folder
from unbraid.service.settings import GB, Settings
from unbraid.service.storage import Storage
from unbraid.service.watch import Watch
from unbraid.weights import ModelStore

TIDY_S = 2.0

log = logging.getLogger(__name__)


class House:
    """A server's parts; they work while `open` is entered."""

    def __init__(self, settings: Settings) -> None:
        """Put the parts together.

        Raises:
            MissingExtraError: the database's driver is not installed.
        """
        self.settings = settings
        self.database = Database(settings.database_url)
        self.jobs = Jobs(self.database, settings.max_queued, Quotas(settings.tiers))
        self.batches = Batches(self.jobs)
        self.storage = Storage(settings.data / "objects", settings.storage)
        self.arrivals = Arrivals(self.database, self.storage, settings.data / "incoming")
        self.renders = Renders(self.storage, made_folder(settings), round(settings.made_limit * GB))
        self.models = ModelStore(
            settings.models_dir, offline=settings.offline, mirror=settings.models_mirror
        )
        self.queue = LocalQueue(
            settings,
            Claims(self.database, lease_s=settings.lease_s, max_attempts=settings.max_attempts),
            _name_of(settings.data),
        )
        self.watch = Watch(self.jobs)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run the workers, and whatever else goes on in the background."""
        await asyncio.to_thread(self.queue.start)
        watching = asyncio.create_task(self.watch.run())
        closing = threading.Event()
        janitor = threading.Thread(target=self._tidy, args=(closing,), daemon=True)
        janitor.start()
        try:
            yield
        finally:
            closing.set()
            watching.cancel()
            await asyncio.to_thread(self.queue.stop)
            await asyncio.to_thread(janitor.join)
            self.database.close()

    def check_room(self, owner: str | None = None) -> None:
        """Refuse what there is no room for.

        Args:
            owner: for whom it would be stored, if for one.

        Raises:
            TooMany: what the owner may store is full.
            ResourceError: the disk, or what may be stored in all, is full.
        """
        if owner is not None:
            self.jobs.check_stored(owner)
        settings = self.settings
        free = shutil.disk_usage(settings.data).free
        most = settings.max_stored_gb
        if free < settings.min_free_gb * GB + settings.max_upload_bytes:
            raise ResourceError("the disk of the server is nearly full; try again later")
        if most is not None and self.jobs.stored_bytes() >= most * GB:
            raise ResourceError(f"the {most:g} GB of this server are full; remove some jobs first")

    def _tidy(self, closing: threading.Event) -> None:
        while not closing.wait(TIDY_S):
            try:
                tidy(self.jobs, self.storage, self.settings)
                self.arrivals.tidy()
                self.renders.tidy()
            except (OperationalError, OSError) as error:
                log.warning("what nobody needs is still there: %s", error)


@contextlib.contextmanager
def sole(data: Path) -> Iterator[None]:
    """Keep other servers from a data folder.

    Raises:
        ResourceError: another server has it, or it cannot be written.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            f"{data} cannot be made ({error.strerror}); choose another folder with --data"
        ) from error
    lock = FileLock(data / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ResourceError(
            "another server uses this data folder; stop it, or choose another with --data"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _name_of(data: Path) -> str:
    """The name of a data folder among those that may share a database; made at the first time."""
    file = data / "server-id"
    if not file.exists():
        file.write_text(secrets.token_hex(8), "ascii")
    return file.read_text("ascii")


def house_of(connection: HTTPConnection) -> House:
    """The server that a request came to."""
    house: House = connection.app.state.house
    return house


AtHouse = Annotated[House, Depends(house_of)]


def owner_of(caller: SignedIn) -> str:
    """To whom belongs what the caller makes."""
    return caller.owner


Owner = Annotated[str, Depends(owner_of)]


def own_job(job_id: str, house: AtHouse, owner: Owner) -> Job:
    """The job that a request names."""
    return house.jobs.get(owner, job_id)


OwnJob = Annotated[Job, Depends(own_job)]
