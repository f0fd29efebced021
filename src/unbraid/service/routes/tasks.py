"""Work on a result that is there: transcribed anew, exported, set right, scored."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from unbraid.export.tempo_map import check_tempo
from unbraid.service.house import AtHouse, House, Owner, OwnJob
from unbraid.service.jobs import OPTIONS, Task
from unbraid.service.routes.jobs import job_view
from unbraid.service.schemas import (
    CorrectRequest,
    ExportRequest,
    JobView,
    ScoreRequest,
    TranscribeRequest,
)
from unbraid.service.tasks import CORRECTION

router = APIRouter(prefix="/jobs/{job_id}", tags=["tasks"])


@router.post("/transcribe", status_code=HTTPStatus.CREATED)
def transcribe(
    wish: TranscribeRequest, job: OwnJob, house: AtHouse, owner: Owner, response: Response
) -> JobView:
    """Transcribe the stems anew with other options; exports with notes follow.

    Makes a task: a job of its own, with progress and events, after which the files of this one are
    new. A task that fails or is cancelled changes nothing.
    """
    if wish.midi_tempo is not None:
        check_tempo(wish.midi_tempo)
    options = wish.applied_to(OPTIONS.validate_python(job.options))
    stems = {"stems": wish.stems} if wish.stems else None
    return _task(house, owner, job.id, Task("transcribe", options, stems), response)


@router.post("/exports", status_code=HTTPStatus.CREATED)
def export(
    wish: ExportRequest, job: OwnJob, house: AtHouse, owner: Owner, response: Response
) -> JobView:
    """Make exports; a task, after which they are among the files of this job."""
    task = Task("export", wish={"formats": list(dict.fromkeys(wish.formats))})
    return _task(house, owner, job.id, task, response)


@router.patch("/analysis", status_code=HTTPStatus.CREATED)
def correct(
    wish: CorrectRequest, job: OwnJob, house: AtHouse, owner: Owner, response: Response
) -> JobView:
    """Set tempo, bars, key, chords or notes right; a task, after which MIDI and exports follow."""
    correction = CORRECTION.dump_python(wish.correction, mode="json")
    return _task(house, owner, job.id, Task("correct", wish=correction), response)


@router.post("/scores", status_code=HTTPStatus.CREATED)
def score(
    wish: ScoreRequest, job: OwnJob, house: AtHouse, owner: Owner, response: Response
) -> JobView:
    """Compare the stems with true ones that were sent; a task, after which the job has `scores`."""
    for upload_id in wish.stems.values():
        house.jobs.upload(owner, upload_id)
    return _task(house, owner, job.id, Task("score", wish={"stems": wish.stems}), response)


@router.post("/undo")
def undo(job_id: str, house: AtHouse, owner: Owner) -> JobView:
    """Undo this task, the latest that changed its result: that is at once as it was before.

    Once more, and it is as the task had made it. Gives the job whose result it is.
    """
    return job_view(house, house.jobs.undo(owner, job_id))


def _task(house: House, owner: str, job_id: str, task: Task, response: Response) -> JobView:
    house.check_room(owner)
    made = house.jobs.add_task(owner, job_id, task)
    house.queue.enqueue(made.id)
    response.headers["Location"] = f"/api/v1/jobs/{made.id}"
    return job_view(house, made)
