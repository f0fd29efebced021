"""A recording and what to make of it, sent in one form."""

from fastapi import UploadFile
from fastapi.concurrency import run_in_threadpool

from unbraid.service.db import Job
from unbraid.service.house import House
from unbraid.service.jobs import Order
from unbraid.service.orders import check_order
from unbraid.service.recordings import keep_form
from unbraid.types import ProcessOptions


async def submit_form(
    house: House, owner: str, file: UploadFile, options: ProcessOptions, key: str | None = None
) -> Job:
    """Queue a recording.

    Args:
        house: of the job.
        owner: of the job.
        file: the recording.
        options: what to make of it.
        key: by which the job can be found again.

    Raises:
        InputError: options that do not fit together.
        ModelError: there is no such model.
        ResourceError: there is no room for the recording.
        QueueFull: too many jobs of the owner wait.
    """
    await run_in_threadpool(check_order, Order(None, options), house.models)
    upload = await keep_form(house, owner, file)
    job = await run_in_threadpool(house.jobs.submit, owner, Order(upload.id, options), key)
    house.queue.enqueue(job.id)
    return job
