"""The work on a claimed job: `pipeline.process` with its progress stored and its result kept."""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import stamina
from sqlalchemy.exc import OperationalError

from unbraid.audio import AudioReader
from unbraid.errors import Cancelled, InputError, ResourceError, UnbraidError
from unbraid.export.naming import safe_name
from unbraid.inference import loaded_sessions
from unbraid.pipeline import Result, process
from unbraid.separation.cache import FileCache
from unbraid.service.claims import Claim, Standing
from unbraid.service.downloads import stored_with
from unbraid.service.parts import parts_of
from unbraid.service.peaks import MIX, Outline, draw
from unbraid.service.settings import GB
from unbraid.service.storage import Stored, peaks_key, result_key, upload_key
from unbraid.service.tasks import work_on_result
from unbraid.service.tracing import StageSpans
from unbraid.service.worker_metrics import MODELS, SEGMENTS, label_of
from unbraid.service.workshop import Workshop, too_long, work_folder
from unbraid.types import Progress
from unbraid.weights import ModelStore

log = logging.getLogger(__name__)

REPORT_S = 0.25  # least time between two reports of one stage
PATHS = re.compile(r"(?<![\w.:/])/(?:[^/\s:;,()'\"]+/)+")


class HandedBack(Cancelled):
    """The worker is asked to stop; another will go on."""


class Lost(Cancelled):
    """Another worker has this job now."""


def run_step(claim: Claim, shop: Workshop, stopping: threading.Event) -> None:
    """Do the work of a claim, and store what became of it.

    Args:
        claim: the job.
        shop: what to work with.
        stopping: hands the job back at the next report once it is set.
    """
    try:
        with _kept(claim, shop) as tick:
            finish = _work(claim, shop, lambda progress: tick(progress, stopping))
    except HandedBack:
        _surely(lambda: shop.claims.hand_back(claim))
    except Lost:
        log.warning("job %s was taken by another worker", claim.job_id)
    except Cancelled:
        _surely(lambda: shop.claims.cancelled(claim))
    except Exception as error:
        again = isinstance(error, ResourceError) or not isinstance(error, UnbraidError)
        if not isinstance(error, UnbraidError):
            log.exception("job %s met an unknown error", claim.job_id)
        told = describe(error)
        _surely(lambda: shop.claims.fail(claim, told, again=again))
    else:
        _surely(finish)


def describe(error: Exception) -> dict[str, Any]:
    """What a user is told of an error: never a path of the server or a stack."""
    if not isinstance(error, UnbraidError):
        return {
            "type": "internal",
            "detail": "the work ended in an error that is not your fault; "
            "the operator finds it in the log under the id of the job",
        }
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()
    return {"type": kind, "detail": PATHS.sub("", str(error))}


@contextmanager
def _kept(claim: Claim, shop: Workshop) -> Iterator[Callable[[Progress, threading.Event], None]]:
    """Renew the lease while the block runs, as long as it makes progress; gives where to report."""
    ticker = _Ticker(claim, shop)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(shop.settings.lease_s / 4) and not ticker.stalled:
            ticker.update(lambda: shop.claims.renew(claim))

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield ticker.tick
    finally:
        ended.set()
        thread.join()
        ticker.spans.close()


class _Ticker:
    """Takes the reports of the work: stores them now and then, and stops it where need be."""

    def __init__(self, claim: Claim, shop: Workshop) -> None:
        self._claim, self._shop = claim, shop
        self.spans = StageSpans()
        self._standing: Standing = "held"
        self._place: tuple[str, bool] | None = None
        self._unsent: Progress | None = None
        self._length_s: float | None = None
        self._sent = self._seen = time.monotonic()

    @property
    def stalled(self) -> bool:
        """Whether nothing was heard of the work for too long."""
        return time.monotonic() - self._seen > self._shop.settings.stall_s

    def update(self, ask: Callable[[], Standing]) -> None:
        """Ask the database; while it cannot answer, the work goes on."""
        try:
            self._standing = ask()
        except OperationalError as error:
            log.warning("the database does not answer: %s", error.orig)

    def tick(self, progress: Progress, stopping: threading.Event) -> None:
        """Take a report."""
        self._seen = now = time.monotonic()
        longest_s = self._shop.settings.max_duration_s
        if progress.stage == "decode" and progress.done_s > longest_s:
            raise too_long(longest_s)
        if progress.stage == "decode":
            self._length_s = progress.done_s
        elif self._length_s is not None:
            self._count(self._length_s)
        if stopping.is_set():
            raise HandedBack("the worker is asked to stop")
        if progress.stage == "separate" and self._place and self._place[0] == "separate":
            SEGMENTS.labels(label_of(self._claim.options.model)).inc()
        self.spans.enter(progress.stage)
        MODELS.set(loaded_sessions())
        place = progress.stage, progress.done_s > 0  # where a stage goes on is said at once
        if self._unsent and self._unsent.stage != progress.stage:
            self._send(self._unsent)  # how far the stage before came
        if place != self._place or now - self._sent > REPORT_S:
            self._place, self._sent = place, now
            self._send(progress)
        else:
            self._unsent = progress
        if self._standing == "lost":
            raise Lost("another worker has this job")
        if self._standing == "cancel asked":
            raise Cancelled("cancelled")

    def _count(self, length_s: float) -> None:
        """Count the recording against what its owner may use."""
        try:
            self._shop.claims.count_audio(self._claim, length_s)
            self._length_s = None
        except OperationalError as error:
            log.warning("the database does not answer: %s", error.orig)

    def _send(self, progress: Progress) -> None:
        self._unsent = None
        self.update(lambda: self._shop.claims.report(self._claim, progress))


def _work(
    claim: Claim, shop: Workshop, on_progress: Callable[[Progress], None]
) -> Callable[[], object]:
    """Do what a claim is about; gives what tells the database so."""
    if claim.parent_id:
        return work_on_result(claim, shop, on_progress)
    latest = Progress("decode", 0.0, None)

    def report(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        on_progress(progress)

    claim = _fetched(claim, shop, report)
    result, mix = _process(claim, shop, report)
    files = _store(claim, shop, result, lambda: report(latest))
    peaks = _draw(claim, shop, result, mix)
    return lambda: shop.claims.finish(claim, files, peaks, result.manifest.warnings)


def _process(
    claim: Claim, shop: Workshop, on_progress: Callable[[Progress], None]
) -> tuple[Result, Outline]:
    """Take the recording apart, or go on with it; its waveform is drawn as it is decoded."""
    mix: Outline

    def open_recording(path: Path) -> AudioReader:
        nonlocal mix
        reader = shop.open_recording(path)
        mix = Outline(reader)
        return reader

    settings, recording = shop.settings, _recording(claim, shop)
    recording.parent.mkdir(parents=True, exist_ok=True)
    if not recording.exists():
        shop.storage.fetch(upload_key(claim.upload_id), recording)
    result = process(
        recording,
        work_folder(settings) / claim.job_id / "out",
        claim.options,
        fallback=claim.fallback,
        threads=settings.worker_threads,
        store=ModelStore(
            settings.models_dir, offline=settings.offline, mirror=settings.models_mirror
        ),
        cache=FileCache(settings.cache_dir, round(settings.cache_limit * GB)),
        open_recording=open_recording,
        on_progress=on_progress,
    )
    return result, mix


def _recording(claim: Claim, shop: Workshop) -> Path:
    """Where the recording lies while it is worked on."""
    return work_folder(shop.settings) / claim.job_id / "input" / safe_name(claim.file_name)


def _fetched(claim: Claim, shop: Workshop, on_progress: Callable[[Progress], None]) -> Claim:
    """The claim with its recording in the storage, under the name that its link gives it."""
    if claim.url is None:
        return claim
    folder = _recording(claim, shop).parent
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as apart:
        fetched = shop.fetcher.fetch(
            claim.url, Path(apart), lambda: on_progress(Progress("fetch", 0.0, None))
        )
        with fetched.file.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = shop.storage.put(upload_key(claim.upload_id), fetched.file)
        if not shop.claims.fetched(claim, fetched.name, Stored(size, sha256)):
            raise Lost("another worker has this job")
        fetched.file.replace(folder / safe_name(fetched.name))
    return replace(claim, file_name=fetched.name, url=None)


def _store(
    claim: Claim, shop: Workshop, result: Result, going_on: Callable[[], None]
) -> list[dict[str, Any]]:
    """Put the files of a result into the storage, the manifest last; tells before each."""
    parts = list(parts_of(result.manifest))
    size = sum((result.folder / part.file).stat().st_size for part in parts)
    most = shop.settings.max_job_gb
    if most is not None and size > most * GB:
        raise InputError(
            f"the result has {size / GB:.2g} GB, of {most:g} that are allowed; "
            "choose a smaller format or fewer stems"
        )
    stored = []
    for number, part in enumerate(parts):
        going_on()
        key, file = result_key(claim.job_id, number), result.folder / part.file
        size_bytes = shop.storage.put(key, file, stored_with(claim.file_name, part.file))
        facts = {"name": part.file, "key": key, "size_bytes": size_bytes}
        stored.append(facts | {"kind": part.kind, "of": part.of})
    return stored


def _draw(claim: Claim, shop: Workshop, result: Result, mix: Outline) -> list[dict[str, Any]]:
    """Put the peaks of the recording and its stems into the storage."""
    file = work_folder(shop.settings) / claim.job_id / "peaks"
    stems = result.manifest.stems
    with ThreadPoolExecutor(shop.settings.worker_threads) as pool:
        outlines = pool.map(lambda stem: Outline.of(result.folder / stem.file), stems.values())
        drawn = draw({MIX: mix, **dict(zip(stems, outlines, strict=True))}, file)
    shop.storage.put(peaks_key(claim.job_id), file)
    return drawn


@stamina.retry(on=OperationalError, attempts=None, timeout=60)
def _surely(write: Callable[[], object]) -> None:
    """Write to a database that may be away for a while; later, the lease runs out."""
    write()
