import asyncio
from collections.abc import Sequence

from unbraid.service.db import Database, Event
from unbraid.service.jobs import Jobs
from unbraid.service.watch import Watch


class EndsWhileItIsRead(Jobs):
    """A job that ends between the question whether it is active and that for its events."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked = 0

    def active(self, job_ids: Sequence[str]) -> set[str]:
        self.asked += 1
        return set(job_ids) if self.asked == 1 else set()

    def events(self, job_id: str, after: int) -> Sequence[Event]:
        return [Event(job_id=job_id, number=1, at=0.0, kind="state", data={"state": "done"})]


def test_a_stream_ends_with_a_job_that_ends_while_it_is_read(database: Database) -> None:
    async def numbers() -> list[int]:
        watch = Watch(EndsWhileItIsRead(database))
        return [event.number async for event in watch.events("a", 0)]

    assert asyncio.run(asyncio.wait_for(numbers(), 10)) == [1]
