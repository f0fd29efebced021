"""Waiting for events: one look at the database for all who watch jobs."""

import asyncio
import logging
from collections.abc import AsyncIterator

from sqlalchemy.exc import OperationalError

from unbraid.service.db import Event
from unbraid.service.jobs import MAX_EVENTS, Jobs

LOOK_S = 0.2

log = logging.getLogger(__name__)


class Watch:
    """Wakes those who wait for events of jobs, from within one event loop."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._waiting: dict[asyncio.Future[None], tuple[str, int]] = {}
        self._closed = False

    async def run(self) -> None:
        """Look for events until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._waiting:
                continue
            ids = list({job_id for job_id, _ in self._waiting.values()})
            try:
                last = await asyncio.to_thread(self._jobs.last_events, ids)
            except OperationalError as error:
                log.warning("the database does not answer: %s", error.orig)
                continue
            for future, (job_id, known) in list(self._waiting.items()):
                if not future.done() and last.get(job_id, known + 1) > known:
                    future.set_result(None)

    def close(self) -> None:
        """End all streams of events; clients come back to the next server."""
        self._closed = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def events(self, job_id: str, after: int) -> AsyncIterator[Event]:
        """What happens to a job after an event, until it is at rest or gone."""
        resting = False
        while not (resting or self._closed):
            resting = not await asyncio.to_thread(self._jobs.active, [job_id])
            events = await asyncio.to_thread(self._jobs.events, job_id, after)
            for event in events:
                after = event.number
                yield event
            if resting and len(events) == MAX_EVENTS:
                resting = False  # there may be more
            elif not resting and not events:
                await self._next(job_id, after)

    async def _next(self, job_id: str, known: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = (job_id, known)
        try:
            await future
        finally:
            del self._waiting[future]
