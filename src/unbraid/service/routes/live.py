"""A job over a WebSocket: its events, and the wish to stop it."""

import asyncio
import contextlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, ValidationError

from unbraid.service.house import AtHouse, House, Owner
from unbraid.service.jobs import NotFound
from unbraid.service.schemas import event_data

router = APIRouter(prefix="/jobs/{job_id}")

NO_SUCH_JOB, NOT_UNDERSTOOD = 4404, 4400  # codes of our own


class Wish(BaseModel):
    """What a client may send."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["cancel"]


@router.websocket("/ws")
async def live(
    websocket: WebSocket,
    job_id: str,
    house: AtHouse,
    owner: Owner,
    after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> None:
    """Send the events of a job after the given one, until it is at rest; take `cancel`."""
    await websocket.accept()
    try:
        await run_in_threadpool(house.jobs.get, owner, job_id)
    except NotFound as error:
        await websocket.close(NO_SUCH_JOB, str(error))
        return
    tasks = [
        asyncio.create_task(_tell(websocket, house, job_id, after)),
        asyncio.create_task(_listen(websocket, house, owner, job_id)),
    ]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    with contextlib.suppress(WebSocketDisconnect, asyncio.CancelledError):
        await asyncio.gather(*tasks)


async def _tell(websocket: WebSocket, house: House, job_id: str, after: int) -> None:
    async for event in house.watch.events(job_id, after):
        told = {"number": event.number, "event": event.kind, "data": event_data(event)}
        await websocket.send_json(told)
    await websocket.close()


async def _listen(websocket: WebSocket, house: House, owner: str, job_id: str) -> None:
    while True:
        try:
            Wish.model_validate_json(await websocket.receive_text())
        except (ValidationError, KeyError):  # a KeyError is a message that is no text
            await websocket.close(NOT_UNDERSTOOD, 'send {"type": "cancel"}')
            return
        await run_in_threadpool(house.jobs.cancel, owner, job_id)
        house.queue.cancel(job_id)
