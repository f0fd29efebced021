"""Batches: jobs that were sent together."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Response
from fastapi.concurrency import run_in_threadpool

from unbraid.service.archives import open_archive
from unbraid.service.db import Batch, Upload
from unbraid.service.house import AtHouse, House, Owner
from unbraid.service.jobs import ACTIVE
from unbraid.service.orders import check_order
from unbraid.service.recordings import keep
from unbraid.service.routes.jobs import order_of
from unbraid.service.schemas import BatchRequest, BatchSummary, BatchView
from unbraid.service.storage import CHUNK_BYTES

UNPACKED_UPLOADS = 20  # as large as an upload may be, that an archive may hold

router = APIRouter(prefix="/batches", tags=["batches"])


def own_batch(batch_id: str, house: AtHouse, owner: Owner) -> Batch:
    """The batch that a request names."""
    return house.jobs.batch(owner, batch_id)


OwnBatch = Annotated[Batch, Depends(own_batch)]


@router.post("", status_code=HTTPStatus.CREATED)
async def submit(wish: BatchRequest, house: AtHouse, owner: Owner, response: Response) -> BatchView:
    """Queue many recordings, or those of a ZIP archive that was sent as one, all alike."""
    upload_ids, skipped = wish.upload_ids, list[str]()
    source = await run_in_threadpool(
        house.jobs.upload, owner, wish.archive_id or wish.upload_ids[0]
    )
    await run_in_threadpool(check_order, order_of(wish.job(source.id)), house.models)
    if wish.archive_id:
        upload_ids, skipped = await _unpack(house, owner, source)
    name = wish.name or PurePosixPath(source.file_name).stem
    orders = [order_of(wish.job(upload_id)) for upload_id in upload_ids]
    batch = await run_in_threadpool(house.jobs.submit_batch, owner, name, orders, skipped)
    await run_in_threadpool(house.queue.enqueue, batch.id)
    response.headers["Location"] = f"/api/v1/batches/{batch.id}"
    return await run_in_threadpool(_view, house, batch)


@router.get("")
def list_batches(house: AtHouse, owner: Owner) -> list[BatchSummary]:
    """List batches, the newest first."""
    return [
        BatchSummary.of(batch, house.jobs.of_batch(batch)) for batch in house.jobs.batches(owner)
    ]


@router.get("/{batch_id}")
def get_batch(batch: OwnBatch, house: AtHouse) -> BatchView:
    """Say how far a batch is."""
    return _view(house, batch)


@router.post("/{batch_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(batch: OwnBatch, house: AtHouse, owner: Owner) -> BatchView:
    """Stop those jobs of a batch that wait or run."""
    for job in house.jobs.of_batch(batch):
        if job.state in ACTIVE:
            house.jobs.cancel(owner, job.id)
            house.queue.cancel(job.id)
    return _view(house, batch)


def _view(house: House, batch: Batch) -> BatchView:
    return BatchView.whole(batch, house.jobs.of_batch(batch))


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
