"""What came of a job, in the form of the route that it came in by.

The bass extractor and the separation gateway have the same address for it: of the one it is JSON
with the tempo and the notes, of the other all stems in one WAV file.
"""

import base64
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from unbraid.service.answers import file_answer
from unbraid.service.compat.gateway import RequestId, key_of
from unbraid.service.db import Job
from unbraid.service.house import AtHouse, House, Owner
from unbraid.service.renders import Render
from unbraid.service.routes.renders import made, stems_of
from unbraid.service.routes.results import BYTES, finished, manifest_of, track_of

router = APIRouter(prefix="/api", tags=["bass extractor", "separation gateway"])


class Bass(BaseModel):
    """What a song's bass plays."""

    bpm: Annotated[float, Field(description="of the notes; the song's own where it has a beat")]
    midi_b64: Annotated[str, Field(description="a MIDI file in Base64")]
    filename: Annotated[str, Field(examples=["song - bass.mid"])]


@router.get(
    "/result/{job_id}",
    response_model=Bass,
    responses={
        HTTPStatus.OK: {"description": "The result.", "content": {"audio/wav": BYTES}},
        HTTPStatus.PARTIAL_CONTENT: {"description": "A part.", "content": {"audio/wav": BYTES}},
        HTTPStatus.NOT_MODIFIED: {"description": "It is the one that you have."},
    },
)
async def result(job_id: RequestId, request: Request, house: AtHouse, owner: Owner) -> Response:
    """Get what came of a job or request.

    As JSON, or, of requests and where the header `Accept` asks for `audio/wav`, all stems as the
    channels of a WAV file, with its name, percent-encoded, in `X-Result-Filename`.
    """
    requested = await run_in_threadpool(house.jobs.find, owner, key_of(job_id))
    job = requested if requested else await run_in_threadpool(house.jobs.get, owner, job_id)
    if _wants_sound(request.headers.get("accept", ""), usual=requested is not None):
        fused = Render(job.id, stems_of(job), None, "wav", "32f")
        file = await made(house, job, fused, f"{track_of(job)} - stems.wav")
        answer = file_answer(house.renders.made, file, request.headers)
        answer.headers["X-Result-Filename"] = quote(file.name, safe=" ()")
        return answer
    return JSONResponse((await run_in_threadpool(_bass, house, job)).model_dump())


def _wants_sound(accept: str, *, usual: bool) -> bool:
    """Whether a header asks for a WAV file, by what it names first."""
    for each in accept.lower().split(","):
        kind = each.partition(";")[0].strip()
        if kind in ("audio/wav", "audio/x-wav", "audio/wave", "audio/*"):
            return True
        if kind == "application/json":
            return False
    return usual


def _bass(house: House, job: Job) -> Bass:
    """The bass of a song, or, of a job that has no bass, all its notes."""
    files = finished(job)
    midi = manifest_of(job, house.storage).midi
    if midi is None:
        raise HTTPException(
            HTTPStatus.NOT_ACCEPTABLE, "this job wrote no MIDI; ask for it with Accept: audio/wav"
        )
    name = "bass" if "bass" in midi.files else "all"
    return Bass(
        bpm=round(midi.tempo_bpm, 2),
        midi_b64=base64.b64encode(house.storage.load(files[midi.files[name]].key)).decode(),
        filename=f"{track_of(job)} - {name}.mid",
    )
