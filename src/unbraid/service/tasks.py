"""The work on a result that is there: transcribed anew, exported, set right, scored."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from unbraid.comparing import compare_result
from unbraid.correcting import Correction, correct_result
from unbraid.errors import Cancelled, InputError
from unbraid.export.folder import ResultFolder
from unbraid.export.manifest import Manifest, read_manifest
from unbraid.exporting import export_result
from unbraid.retranscribing import transcribe_result
from unbraid.service.claims import Claim
from unbraid.service.downloads import stored_with
from unbraid.service.parts import parts_of
from unbraid.service.storage import task_key, upload_key
from unbraid.service.workshop import Workshop, work_folder
from unbraid.types import OnProgress, StemName

CORRECTION = TypeAdapter(Correction)


def work_on_result(claim: Claim, shop: Workshop, on_progress: OnProgress) -> Callable[[], object]:
    """Do a task.

    Args:
        claim: of the task.
        shop: what to work with.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Returns:
        What completes the task in the database.

    Raises:
        Cancelled: the result was removed.
        UnbraidError: what the work itself raises.
    """
    parent = shop.claims.parent(claim)
    if parent is None:
        raise Cancelled("the result was removed")
    folder = work_folder(shop.settings) / claim.job_id / "result"
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was killed
    for file in parent.files:
        shop.storage.place(file["key"], folder / file["name"])
    before = {file["name"]: _stamp(folder / file["name"]) for file in parent.files}
    if claim.kind == "score":
        scores = _score(folder, claim, shop, on_progress)
        return lambda: shop.claims.finish_task(claim, parent.files, parent.files, scores=scores)
    if claim.kind == "transcribe":
        warnings = _transcribe(folder, claim, shop, on_progress)
    elif claim.kind == "correct":
        correction = CORRECTION.validate_python(claim.wish)
        warnings = correct_result(folder, correction, on_progress).warnings
    else:
        warnings = _export(folder, claim, on_progress)
    files = _store(folder, claim, shop, parent.files, before)
    return lambda: shop.claims.finish_task(claim, parent.files, files, warnings)


def _transcribe(
    folder: Path, claim: Claim, shop: Workshop, on_progress: OnProgress
) -> Sequence[str]:
    threads = shop.settings.worker_threads
    stems = (claim.wish or {}).get("stems")
    return transcribe_result(
        folder, claim.options, stems=stems, threads=threads, on_progress=on_progress
    ).warnings


def _score(
    folder: Path, claim: Claim, shop: Workshop, on_progress: OnProgress
) -> dict[StemName, dict[str, float | None]]:
    truth = {}
    for number, (name, upload_id) in enumerate(claim.wish["stems"].items()):
        truth[name] = folder.with_name(f"truth {number}")
        truth[name].unlink(missing_ok=True)
        shop.storage.place(upload_key(upload_id), truth[name])
    scores = compare_result(folder, truth, on_progress, shop.open_recording)
    return {name: asdict(score) for name, score in scores.items()}


def _export(folder: Path, claim: Claim, on_progress: OnProgress) -> Sequence[str]:
    names = claim.wish["formats"]
    made = export_result(folder, names, on_progress=on_progress)
    problems = [f"{name}: {problem.message}" for name, problem in made.problems.items()]
    if len(problems) == len(names):
        raise InputError("; ".join(problems))
    return problems


def _store(
    folder: Path,
    claim: Claim,
    shop: Workshop,
    files: Sequence[Mapping[str, Any]],
    before: Mapping[str, tuple[int, int]],
) -> list[dict[str, Any]]:
    """Put what is new into the storage; gives all files of the result as it is now."""
    earlier = {file["name"]: dict(file) for file in files}
    parts = {part.file: part for part in parts_of(_manifest(folder))}
    stored = []
    for number, (name, part) in enumerate(parts.items()):
        if before.get(name) == _stamp(folder / name):
            stored.append(earlier[name])
            continue
        key = task_key(claim.parent_id or "", claim.job_id, number)
        size = shop.storage.put(key, folder / name, stored_with(claim.file_name, name))
        stored.append(
            {"name": name, "key": key, "size_bytes": size, "kind": part.kind, "of": part.of}
        )
    others = [file for name, file in earlier.items() if name not in parts and not file.get("kind")]
    return [*others, *stored]


def _stamp(file: Path) -> tuple[int, int]:
    """What changes when a file is written anew."""
    about = os.lstat(file)
    return about.st_ino, about.st_mtime_ns


def _manifest(folder: Path) -> Manifest:
    manifest = read_manifest(ResultFolder(folder).manifest)
    if manifest is None:
        raise InputError("the manifest of the result vanished; send the song again")
    return manifest
