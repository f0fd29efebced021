"""Batches: jobs that were sent together."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Collection
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Response
from fastapi.concurrency import run_in_threadpool

from unbraid.export.naming import safe_name
from unbraid.service.answers import zip_answer
from unbraid.service.archives import open_archive
from unbraid.service.batches import BatchOrder, Once
from unbraid.service.db import Batch, Job, Upload
from unbraid.service.house import AtHouse, House, Owner
from unbraid.service.jobs import ACTIVE, Conflict
from unbraid.service.links import check_link, name_of
from unbraid.service.orders import check_order
from unbraid.service.recordings import keep
from unbraid.service.routes.jobs import Key, order_of
from unbraid.service.routes.results import ZIP_ANSWER, finished, track_of
from unbraid.service.schemas import BatchRequest, BatchSummary, BatchView
from unbraid.service.storage import CHUNK_BYTES

UNPACKED_UPLOADS = 20  # as large as an upload may be, that an archive may hold

router = APIRouter(prefix="/batches", tags=["batches"])


def own_batch(batch_id: str, house: AtHouse, owner: Owner) -> Batch:
    """The batch that a request names."""
    return house.batches.get(owner, batch_id)


OwnBatch = Annotated[Batch, Depends(own_batch)]


@router.post("", status_code=HTTPStatus.CREATED)
async def submit(
    wish: BatchRequest, house: AtHouse, owner: Owner, response: Response, key: Key = None
) -> BatchView:
    """Queue many recordings, all alike: sent one by one, or as a ZIP archive, or linked to."""
    asked = hashlib.sha256(wish.model_dump_json().encode()).hexdigest()
    once = Once(key, asked) if key else None
    batch = await run_in_threadpool(house.batches.find, owner, once) if once else None
    if batch is None:
        order = await _order(wish, house, owner)
        batch = await run_in_threadpool(house.batches.submit, owner, order, once)
        await run_in_threadpool(house.queue.enqueue, batch.id)
    response.headers["Location"] = f"/api/v1/batches/{batch.id}"
    return await run_in_threadpool(_view, house, batch)


@router.get("")
def list_batches(house: AtHouse, owner: Owner) -> list[BatchSummary]:
    """List batches, the newest first."""
    return [
        BatchSummary.of(batch, house.batches.jobs(batch)) for batch in house.batches.list(owner)
    ]


@router.get("/{batch_id}")
def get_batch(batch: OwnBatch, house: AtHouse) -> BatchView:
    """Say how far a batch is."""
    return _view(house, batch)


@router.get("/{batch_id}/zip", response_class=Response, responses=ZIP_ANSWER)
def get_zip(batch: OwnBatch, house: AtHouse) -> Response:
    """Get the results of all jobs that are done as a ZIP, with a folder for each."""
    folders = dict[str, Job]()
    for job in house.batches.jobs(batch):
        if job.state == "done":
            folders[_unlike(track_of(job), folders)] = job
    if not folders:
        raise Conflict("no job of the batch is done; its results can be had once some are")
    files = [
        (f"{folder}/{name}", file)
        for folder, job in folders.items()
        for name, file in finished(job).items()
    ]
    made = max(job.finished or job.created for job in folders.values())
    return zip_answer(house.storage, f"{safe_name(batch.name)}.zip", files, made)


def _unlike(name: str, others: Collection[str]) -> str:
    """A name with a number, where others have it already."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    taken = {each.casefold() for each in others}
    return next(each for each in itertools.chain([name], numbered) if each.casefold() not in taken)


@router.post("/{batch_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(batch: OwnBatch, house: AtHouse, owner: Owner) -> BatchView:
    """Stop those jobs of a batch that wait or run."""
    for job in house.batches.jobs(batch):
        if job.state in ACTIVE:
            house.jobs.cancel(owner, job.id)
            house.queue.cancel(job.id)
    return _view(house, batch)


def _view(house: House, batch: Batch) -> BatchView:
    return BatchView.whole(batch, house.batches.jobs(batch))


async def _order(wish: BatchRequest, house: House, owner: str) -> BatchOrder:
    """What is to be queued; an archive is unpacked."""
    if wish.urls:
        orders = [order_of(wish, None, url) for url in wish.urls]
        await run_in_threadpool(check_order, orders[0], house.models)
        for url in wish.urls:
            check_link(url, house.settings)
        return BatchOrder(wish.name or PurePosixPath(name_of(wish.urls[0])).stem, orders)
    first_id = wish.archive_id or wish.upload_ids[0]
    source = await run_in_threadpool(house.jobs.upload, owner, first_id)
    await run_in_threadpool(check_order, order_of(wish, first_id), house.models)
    upload_ids, skipped = wish.upload_ids, list[str]()
    if wish.archive_id:
        upload_ids, skipped = await _unpack(house, owner, source)
    return BatchOrder(
        wish.name or PurePosixPath(source.file_name).stem,
        [order_of(wish, upload_id) for upload_id in upload_ids],
        skipped,
    )


async def _unpack(house: House, owner: str, packed: Upload) -> tuple[list[str], list[str]]:
    """Keep the recordings of an archive; gives their ids, and the names of what else it holds."""
    limit = UNPACKED_UPLOADS * house.settings.max_upload_bytes
    with (
        TemporaryDirectory(dir=house.settings.data) as scratch,
        house.storage.borrowed(packed.key, Path(scratch)) as path,
        open_archive(path, limit) as archive,
    ):
        kept = []
        for number, name in enumerate(archive.recordings):
            with archive.open(number) as file:
                kept.append((await keep(house, owner, name, _chunks(file))).id)
        return kept, list(archive.skipped)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk
