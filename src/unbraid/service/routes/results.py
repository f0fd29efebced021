"""What jobs have made: files, and all of them as a ZIP."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from unbraid.export.manifest import Manifest
from unbraid.export.naming import safe_name
from unbraid.service.answers import StoredFile, file_answer, zip_answer
from unbraid.service.db import Job
from unbraid.service.downloads import download_name
from unbraid.service.house import AtHouse, Owner, OwnJob
from unbraid.service.jobs import Conflict, NotFound
from unbraid.service.schemas import CONTENT_TYPES, content_type
from unbraid.service.storage import Storage

router = APIRouter(prefix="/jobs/{job_id}", tags=["results"])

BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
UNKNOWN = "application/octet-stream"
ANY_FILE = dict.fromkeys(sorted({*CONTENT_TYPES.values(), UNKNOWN}), BYTES)
FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {"description": "The file.", "content": ANY_FILE},
    HTTPStatus.PARTIAL_CONTENT: {"description": "A part of it.", "content": ANY_FILE},
    HTTPStatus.NOT_MODIFIED: {"description": "It is the one that you have."},
}
ZIP_ANSWER: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {"description": "The archive.", "content": {"application/zip": BYTES}}
}


@router.get(
    "/files/{name:path}",
    response_class=Response,
    responses=FILE_ANSWERS,
)
def get_file(name: str, job: OwnJob, house: AtHouse, request: Request) -> Response:
    """Get a file of a result, or a range of its bytes."""
    files = finished(job)
    if name not in files:
        raise NotFound("there is no such file; the job lists those that there are")
    return file_answer(house.storage, files[name], request.headers)


@router.get("/input", response_class=Response, responses=FILE_ANSWERS)
def get_input(job: OwnJob, house: AtHouse, owner: Owner, request: Request) -> Response:
    """Get the recording as it was sent, or a range of its bytes; also before the job is done."""
    upload = house.jobs.upload(owner, job.upload_id)
    if not upload.sha256:
        raise Conflict("the recording has not been fetched from its link yet")
    kind = content_type(upload.file_name)
    file = StoredFile(
        key=upload.key,
        name=upload.file_name,
        content_type=kind if kind.startswith(("audio/", "video/")) else UNKNOWN,
        size_bytes=upload.size_bytes,
        etag=f'"{upload.sha256}"',
    )
    return file_answer(house.storage, file, request.headers)


@router.head("/input", include_in_schema=False)
def head_input(job: OwnJob, house: AtHouse, owner: Owner, request: Request) -> Response:
    """Say what the recording is."""
    return get_input(job, house, owner, request)


@router.head("/files/{name:path}", include_in_schema=False)
def head_file(name: str, job: OwnJob, house: AtHouse, request: Request) -> Response:
    """Say what a file of a result is."""
    return get_file(name, job, house, request)


@router.get(
    "/zip",
    response_class=Response,
    responses=ZIP_ANSWER,
)
def get_zip(job: OwnJob, house: AtHouse) -> Response:
    """Get the whole result as a ZIP."""
    track = track_of(job)
    files = [(f"{track}/{name}", file) for name, file in finished(job).items()]
    return zip_answer(house.storage, f"{track}.zip", files, job.finished or job.created)


def finished(job: Job) -> dict[str, StoredFile]:
    """The files of a job that is done, by name.

    Raises:
        Conflict: it is not done.
    """
    if job.state != "done":
        raise Conflict(f"the job is {job.state}; its result can be had once it is done")
    return {
        file["name"]: StoredFile(
            key=file["key"],
            name=download_name(track_of(job), file["name"]),
            content_type=content_type(file["name"]),
            size_bytes=file["size_bytes"],
            etag=f'"{file["key"].replace("/", "-")}"',
        )
        for file in job.files
    }


def manifest_of(job: Job, storage: Storage) -> Manifest:
    """The manifest of a job that is done.

    Raises:
        Conflict: it is not done.
    """
    return Manifest.model_validate_json(storage.load(finished(job)["manifest.json"].key))


def track_of(job: Job) -> str:
    """What downloads are named after."""
    return safe_name(job.title)
