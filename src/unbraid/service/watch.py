"""Waiting for events: one look at the database for all who watch jobs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from unbraid.service.db import Event
from unbraid.service.jobs import MAX_EVENTS, Jobs

LOOK_S = 0.2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _News:
    """What happened to a job, and whether that is all there will be."""

    events: Sequence[Event]
    last: bool


class Watch:
    """Tells those who wait for events of jobs, from within one event loop."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._waiting: dict[asyncio.Future[_News], tuple[str, int]] = {}
        self._closed = False

    async def run(self) -> None:
        """Look for events until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except OperationalError as error:
                log.warning("the database does not answer: %s", error.orig)

    def close(self) -> None:
        """End all streams of events; clients come back to the next server."""
        self._closed = True
        for future in self._waiting:
            if not future.done():
                future.set_result(_News([], last=True))

    async def events(self, job_id: str, after: int) -> AsyncIterator[Event]:
        """What happens to a job after an event, until it is at rest or gone."""
        news = await asyncio.to_thread(self._read, job_id, after)
        while True:
            for event in news.events:
                after = event.number
                yield event
            if news.last or self._closed:
                return
            if len(news.events) == MAX_EVENTS:
                news = await asyncio.to_thread(self._read, job_id, after)
            else:
                news = await self._next(job_id, after)

    async def _look(self) -> None:
        """Read once for all who know the same of a job."""
        waiting = set(self._waiting.values())
        ids = list({job_id for job_id, _ in waiting})
        if not ids:
            return
        last = await asyncio.to_thread(self._jobs.last_events, ids)
        for job_id, known in waiting:
            if last.get(job_id, known + 1) > known:
                news = await asyncio.to_thread(self._read, job_id, known)
                for future, place in self._waiting.items():
                    if place == (job_id, known) and not future.done():
                        future.set_result(news)

    def _read(self, job_id: str, after: int) -> _News:
        resting = not self._jobs.active([job_id])  # asked first, so that no event comes after
        events = self._jobs.events(job_id, after)
        if not resting and not self._jobs.active([job_id]):
            return self._read(job_id, after)  # it ended meanwhile, and nothing would tell so again
        return _News(events, resting and len(events) < MAX_EVENTS)

    async def _next(self, job_id: str, known: int) -> _News:
        future: asyncio.Future[_News] = asyncio.get_running_loop().create_future()
        self._waiting[future] = (job_id, known)
        try:
            return await future
        finally:
            del self._waiting[future]
