"""What the API takes and gives."""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from unbraid.correcting import Correction
from unbraid.exporting import ExportName
from unbraid.presets import PRESETS, PresetName
from unbraid.scoring import StemScore
from unbraid.service.archives import MAX_RECORDINGS
from unbraid.service.db import (
    Batch,
    Event,
    EventKind,
    Job,
    JobKind,
    JobState,
    Step,
    StepState,
    Upload,
)
from unbraid.service.jobs import ACTIVE, OPTIONS, PRIORITIES, Priority, Undo, undo_of
from unbraid.service.networks import Branch, LayerKind
from unbraid.service.parts import PartKind
from unbraid.service.waiting import Wait
from unbraid.spelling import Mode
from unbraid.types import (
    AudioFormat,
    BitDepth,
    ChordSegment,
    CleanupOptions,
    NoteEvent,
    ProcessOptions,
    QuantiseOptions,
    Stage,
    StemName,
    TranscriptionOptions,
)

CONTENT_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "oga": "audio/ogg",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mid": "audio/midi",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "txt": "text/plain; charset=utf-8",
    "cho": "text/plain; charset=utf-8",
    "json": "application/json",
    "html": "text/html",
}

Url = Annotated[str, StringConstraints(max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]

SCORES = TypeAdapter(dict[StemName, StemScore] | None)

EXAMPLE_ID = "3q2-7wEBAgMEBQYHCAkK"


class UploadView(BaseModel):
    """A recording that was sent."""

    id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    file_name: Annotated[str, Field(examples=["song.mp3"])]
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, upload: Upload) -> Self:
        """The view of an upload."""
        return cls(
            id=upload.id,
            file_name=upload.file_name,
            size_bytes=upload.size_bytes,
            sha256=upload.sha256,
        )


class Choice(BaseModel):
    """What to make of recordings."""

    options: Annotated[
        ProcessOptions | None, Field(description="what to make of it; those not given are usual")
    ] = None
    preset: Annotated[
        PresetName | None, Field(description="options for a purpose, in place of `options`")
    ] = None
    fallback: Annotated[
        str | None, Field(description="model to take if that of the options cannot be had")
    ] = None

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.options and self.preset:
            raise ValueError("give options or a preset, not both")
        return self

    @property
    def wanted(self) -> ProcessOptions:
        """The options that are meant."""
        if self.preset:
            return PRESETS[self.preset].options
        return self.options or ProcessOptions()


class Submission(Choice):
    """What to make of recordings, and when."""

    priority: Annotated[Priority, Field(description="before or after other jobs")] = "normal"
    keep_days: Annotated[
        float | None,
        Field(
            ge=0, le=36_500, description="that it stays after its end, unless the server keeps less"
        ),
    ] = None


class JobRequest(Submission):
    """A job to queue."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"upload_id": EXAMPLE_ID},
                {"upload_id": EXAMPLE_ID, "options": {"stems": ["vocals"], "format": "flac"}},
                {"upload_id": EXAMPLE_ID, "preset": "karaoke", "fallback": "lite"},
                {"url": "https://example.org/song.mp3"},
            ]
        },
    )

    upload_id: Annotated[str | None, Field(description="the recording")] = None
    url: Annotated[
        Url | None, Field(description="a link to it, in place of `upload_id`; see `GET limits`")
    ] = None

    @model_validator(mode="after")
    def _one_recording(self) -> Self:
        if (self.upload_id is None) == (self.url is None):
            raise ValueError("give an upload_id or a url")
        return self


class RetryRequest(Choice):
    """A recording to take apart once more; what is not given is as it was."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{}, {"options": {"model": "htdemucs"}}]},
    )

    priority: Priority | None = None

    def applied_to(self, job: Job) -> JobRequest:
        """The job to queue."""
        same = OPTIONS.validate_python(job.options)
        names = {number: name for name, number in PRIORITIES.items()}
        return JobRequest(
            upload_id=job.upload_id,
            options=None if self.preset else self.options or same,
            preset=self.preset,
            fallback=self.fallback or job.fallback,
            priority=self.priority or names[job.priority],
            keep_days=job.keep_days,
        )


class RenameRequest(BaseModel):
    """What to change of a job."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Song"}]})

    name: Name


class TranscribeRequest(BaseModel):
    """How to transcribe a result anew; what is not given stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"transcription": {"onset_threshold": 0.6, "min_note_duration_s": 0.1}},
                {"quantise": {"grid": "1/16", "swing": 0.2}, "midi_tempo": None},
                {"stems": ["bass"], "transcription": {"onset_threshold": 0.4}},
            ]
        },
    )

    transcription: TranscriptionOptions = Field(
        default_factory=TranscriptionOptions, description="what counts as a note"
    )
    cleanup: CleanupOptions = Field(
        default_factory=CleanupOptions, description="which notes are dropped or joined"
    )
    quantise: QuantiseOptions | None = Field(
        default=None, description="where notes are moved to; null leaves them"
    )
    midi_tempo: float | None = Field(
        default=None, description="beats per minute of the MIDI files; null is the song's own"
    )
    stems: Annotated[
        list[StemName] | None,
        Field(
            min_length=1,
            max_length=100,
            description="those to transcribe; null for all. Others keep their notes",
        ),
    ] = None

    @model_validator(mode="after")
    def _one_tempo(self) -> Self:
        if self.stems is not None and "midi_tempo" in self.model_fields_set:
            raise ValueError("midi_tempo is for all stems; leave stems out, or the tempo")
        return self

    def applied_to(self, options: ProcessOptions) -> ProcessOptions:
        """Options with what was given."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"stems"}}
        return replace(options, **given)


class ChordRequest(BaseModel):
    """A chord and the seconds in which it rules."""

    model_config = ConfigDict(extra="forbid")

    start: float
    end: float
    label: Annotated[str, Field(max_length=64, examples=["F#:min7"], description="as Harte writes")]


class NoteRequest(BaseModel):
    """A note and the seconds in which it sounds."""

    model_config = ConfigDict(extra="forbid")

    start: float
    end: float
    pitch: Annotated[int, Field(ge=0, le=127, description="of MIDI; 60 is C4")]
    velocity: Annotated[int, Field(ge=1, le=127)] = 96


class KeyRequest(BaseModel):
    """A key."""

    model_config = ConfigDict(extra="forbid")

    tonic: Annotated[str, Field(examples=["F#"], max_length=2)]
    mode: Mode


class CorrectRequest(BaseModel):
    """What to set right in a result; what is not given stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"tempo": "half"},
                {"downbeat": 1, "key": {"tonic": "F#", "mode": "minor"}},
                {"notes": {"bass": [{"start": 1.0, "end": 1.5, "pitch": 40, "velocity": 90}]}},
            ]
        },
    )

    tempo: Annotated[
        Literal["double", "half"] | None, Field(description="count twice or half as fast")
    ] = None
    downbeat: Annotated[
        int, Field(ge=-12, le=12, description="beats by which bars begin later")
    ] = 0
    key: KeyRequest | None = None
    chords: Annotated[
        list[ChordRequest] | None,
        Field(max_length=10_000, description="all chords; between them there is none"),
    ] = None
    notes: Annotated[
        dict[StemName, Annotated[list[NoteRequest], Field(max_length=50_000)]],
        Field(max_length=100, description="all notes of those stems"),
    ] = {}

    @property
    def correction(self) -> Correction:
        """What is meant.

        Raises:
            InputError: something makes no sense.
        """
        chords = None
        if self.chords is not None:
            chords = tuple(ChordSegment(each.start, each.end, each.label) for each in self.chords)
        return Correction(
            tempo=self.tempo,
            downbeat=self.downbeat,
            tonic=self.key.tonic if self.key else None,
            mode=self.key.mode if self.key else "major",
            chords=chords,
            notes={
                name: tuple(
                    NoteEvent(each.start, each.end, each.pitch, each.velocity / 127)
                    for each in notes
                )
                for name, notes in self.notes.items()
            },
        )


class ScoreRequest(BaseModel):
    """True stems to compare with."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"stems": {"vocals": EXAMPLE_ID}}]}
    )

    stems: Annotated[
        dict[StemName, str],
        Field(min_length=1, max_length=20, description="an upload for each, the more the better"),
    ]


class ExportRequest(BaseModel):
    """Exports to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"formats": ["musicxml", "dawproject"]}]}
    )

    formats: Annotated[list[ExportName], Field(min_length=1, max_length=20)]


class BatchRequest(Submission):
    """Jobs to queue together."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"upload_ids": [EXAMPLE_ID], "options": {"stems": ["vocals"]}},
                {"archive_id": EXAMPLE_ID, "preset": "karaoke", "name": "An album"},
                {"urls": ["https://example.org/1.mp3", "https://example.org/2.mp3"]},
            ]
        },
    )

    upload_ids: Annotated[
        list[str], Field(max_length=MAX_RECORDINGS, description="the recordings")
    ] = []
    archive_id: Annotated[
        str | None, Field(description="in their place: an upload that is a ZIP archive of them")
    ] = None
    urls: Annotated[
        list[Url],
        Field(max_length=MAX_RECORDINGS, description="or links to them; see `GET limits`"),
    ] = []
    name: Annotated[
        Name | None, Field(description="by default that of the archive, or of the first recording")
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(map(bool, (self.upload_ids, self.archive_id, self.urls))) != 1:
            raise ValueError("give upload_ids, archive_id or urls, one of them")
        return self


class FileView(BaseModel):
    """A file of a result."""

    name: Annotated[str, Field(examples=["stems/vocals.wav"])]
    kind: Annotated[PartKind | None, Field(description="null of results of earlier versions")]
    of: Annotated[
        str | None,
        Field(description="which stem, or export; `all` of the MIDI file with all stems"),
    ]
    size_bytes: int
    content_type: str
    url: str
    version: Annotated[str, Field(description="another one whenever the file changes")]


class StepView(BaseModel):
    """A stage of a job."""

    stage: Stage
    state: StepState
    attempts: int
    done_s: Annotated[float, Field(description="seconds of audio that are done")]
    total_s: Annotated[float | None, Field(description="of how many; null while that is unknown")]
    started: datetime.datetime | None
    finished: datetime.datetime | None

    @classmethod
    def of(cls, step: Step) -> Self:
        """The view of a step."""
        return cls(
            stage=step.stage,
            state=step.state,
            attempts=step.attempts,
            done_s=step.done_s,
            total_s=step.total_s,
            started=moment(step.started),
            finished=moment(step.finished),
        )


class WaitView(BaseModel):
    """What a queued job may expect."""

    position: Annotated[int, Field(description="jobs that come before it")]
    seconds: Annotated[
        float | None,
        Field(description="estimate until it begins; null where there is nothing to judge by"),
    ]


class JobError(BaseModel):
    """Why a job failed."""

    type: str
    detail: str


class JobSummary(BaseModel):
    """A job, in short."""

    id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    kind: Annotated[JobKind, Field(description="`process`, or what a task does")]
    parent_id: Annotated[str | None, Field(description="of a task: the job whose result it is")]
    batch_id: str | None
    state: JobState
    upload_id: Annotated[str, Field(description="its recording, which other jobs may use too")]
    file_name: str
    name: Annotated[str, Field(description="how it is called", examples=["song"])]
    priority: Priority
    fraction: Annotated[float | None, Field(description="of the work that is done, 0 to 1")]
    created: datetime.datetime
    started: datetime.datetime | None
    finished: datetime.datetime | None
    error: JobError | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The short view of a job."""
        return cls(**_facts(job))


class TaskView(JobSummary):
    """A task, in short."""

    undo: Annotated[
        Undo | None,
        Field(description="what undoing it would do; null where the result has changed since"),
    ]

    @classmethod
    def within(cls, job: Job, task: Job) -> Self:
        """The short view of a task of a job."""
        return cls(**_facts(task), undo=undo_of(task, job))


class JobView(JobSummary):
    """A job."""

    options: ProcessOptions
    fallback: str | None
    steps: list[StepView]
    wait: Annotated[WaitView | None, Field(description="of a queued job")]
    files: Annotated[list[FileView], Field(description="of the result, once the job is done")]
    scores: Annotated[
        dict[StemName, StemScore] | None,
        Field(description="of the stems, in dB, where true ones were sent"),
    ]
    warnings: Annotated[list[str], Field(description="what one should know of the result")]
    tasks: Annotated[
        list[TaskView], Field(description="work on the result, of the last day, the latest first")
    ]
    last_event: Annotated[int, Field(description="number of the latest event")]

    @classmethod
    def whole(cls, job: Job, steps: list[Step], wait: Wait | None, tasks: list[Job]) -> Self:
        """The view of a job."""
        return cls(
            **_facts(job),
            options=OPTIONS.validate_python(job.options),
            fallback=job.fallback,
            steps=[StepView.of(step) for step in steps],
            wait=WaitView(position=wait.position, seconds=wait.seconds) if wait else None,
            files=[
                FileView(
                    name=file["name"],
                    kind=file.get("kind"),
                    of=file.get("of"),
                    size_bytes=file["size_bytes"],
                    content_type=content_type(file["name"]),
                    url=f"/api/v1/jobs/{job.id}/files/{quote(file['name'])}",
                    version=file["key"].rpartition("/")[2],
                )
                for file in job.files
            ],
            scores=SCORES.validate_python(job.scores),
            warnings=job.warnings or [],
            tasks=[TaskView.within(job, task) for task in tasks],
            last_event=job.last_event,
        )


class JobPage(BaseModel):
    """Some jobs, the newest first."""

    jobs: list[JobSummary]
    total: Annotated[int, Field(description="jobs on all pages")]
    offset: int
    limit: int


class BatchSummary(BaseModel):
    """Jobs that were sent together, in short."""

    id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    name: str
    created: datetime.datetime
    fraction: Annotated[float, Field(description="of the work that is done or given up, 0 to 1")]
    states: Annotated[dict[JobState, int], Field(description="jobs in each state")]

    @classmethod
    def of(cls, batch: Batch, jobs: Sequence[Job]) -> Self:
        """The short view of a batch."""
        return cls(**_batch_facts(batch, jobs))


class BatchView(BatchSummary):
    """Jobs that were sent together."""

    jobs: list[JobSummary]
    skipped: Annotated[list[str], Field(description="files of the archive that are no recordings")]

    @classmethod
    def whole(cls, batch: Batch, jobs: Sequence[Job]) -> Self:
        """The view of a batch."""
        return cls(
            **_batch_facts(batch, jobs),
            jobs=[JobSummary.of(job) for job in jobs],
            skipped=batch.skipped,
        )


class PreviewView(BaseModel):
    """What can be heard of a job that is not done yet."""

    stems: list[str]
    chunk_s: Annotated[float, Field(description="length of a chunk")]
    chunks: Annotated[int, Field(description="that are there; they count from 0")]
    whole: Annotated[bool, Field(description="whether there will be no more")]


class FaderRequest(BaseModel):
    """How a stem goes into a mix."""

    model_config = ConfigDict(extra="forbid")

    gain_db: Annotated[float, Field(ge=-120, le=24, description="how much louder")] = 0.0
    pan: Annotated[float, Field(ge=-1, le=1, description="from -1, left, to 1, right")] = 0.0
    mute: Annotated[bool, Field(description="leaves it out")] = False


class MixRequest(BaseModel):
    """A mix to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"stems": {"drums": {}, "bass": {"gain_db": -3, "pan": -0.2}}, "format": "mp3"}
            ]
        },
    )

    stems: Annotated[
        dict[StemName, FaderRequest], Field(description="those that are heard", max_length=100)
    ]
    format: AudioFormat = "wav"
    bit_depth: Annotated[BitDepth, Field(description="of WAV and FLAC")] = "24"


class LevelView(BaseModel):
    """Peaks in one zoom."""

    samples_per_peak: Annotated[int, Field(examples=[256])]
    peaks: Annotated[int, Field(description="that there are, each of two numbers")]
    url: str


class SpectrogramLevelView(BaseModel):
    """A spectrogram in one zoom."""

    samples_per_column: Annotated[int, Field(examples=[1024])]
    columns: Annotated[int, Field(description="that there are")]
    url: str


class SpectrogramView(BaseModel):
    """The spectrogram of the recording or of a stem."""

    bands: Annotated[int, Field(description="bytes of a column, the lowest tones first")]
    highest_hz: Annotated[float, Field(description="where the last band ends; they divide mel")]
    loudest: Annotated[int, Field(description="of its bytes; 255 is full scale, 5 are 2 dB")]
    levels: Annotated[list[SpectrogramLevelView], Field(description="the finest first")]


class WaveformView(BaseModel):
    """The waveform of the recording or of a stem, and its spectrogram."""

    name: Annotated[str, Field(description="of the stem; `mix` is the recording")]
    sample_rate: Annotated[int, Field(examples=[44100])]
    length: Annotated[int, Field(description="in samples")]
    levels: Annotated[list[LevelView], Field(description="the finest first")]
    spectrogram: Annotated[
        SpectrogramView | None, Field(description="null for a result of an older version")
    ]


Speed = Annotated[
    float | None,
    Field(
        description="seconds of songs that this server has taken apart with it per second of work, "
        "all stems and stages; null before any"
    ),
]


class ModelView(BaseModel):
    """A separation model."""

    name: str
    summary: str
    stems: tuple[str, ...]
    sample_rate: int
    licence: str
    non_commercial: bool
    present: Annotated[bool, Field(description="whether its files are here")]
    speed: Speed


class LayerView(BaseModel):
    """A layer of a network."""

    model_config = ConfigDict(from_attributes=True)

    name: Annotated[str, Field(examples=["spectrum encoder 1"])]
    kind: LayerKind
    branch: Annotated[Branch, Field(description="in which domain it works")]
    channels: Annotated[int, Field(description="features that it has")]
    extent: Annotated[float, Field(description="length of its features, 1 for the input's")]
    hears: Annotated[tuple[str, ...], Field(description="layers whose output is its input")]


class PresetView(BaseModel):
    """Options for a purpose."""

    name: str
    purpose: str
    options: ProcessOptions
    speed: Speed


class Allowance(BaseModel):
    """What one may still do; null is without limit."""

    limit: float | None
    left: float | None
    more_in_s: Annotated[float | None, Field(description="seconds until there is more")] = None


class Allowances(BaseModel):
    """What one may still do with an account of this tier."""

    tier: str
    requests: Annotated[Allowance, Field(description="in this minute")]
    jobs: Annotated[Allowance, Field(description="today, which ends at 0:00 UTC")]
    audio_minutes: Annotated[Allowance, Field(description="taken apart today")]
    stored_gb: Annotated[Allowance, Field(description="of recordings and results")]
    keep_days: Annotated[float | None, Field(description="that ended jobs stay")]


class Limits(BaseModel):
    """What is refused beyond."""

    max_upload_bytes: int
    max_duration_s: float
    max_queued: int
    url_hosts: Annotated[
        tuple[str, ...], Field(description="whose links are fetched; .a.org takes those below it")
    ]
    youtube: Annotated[bool, Field(description="whether links to YouTube are fetched")]
    keep_days: float | None
    allowances: Annotated[
        Allowances | None, Field(description="of who asks; null in local mode, which has none")
    ]


class Health(BaseModel):
    """That the server answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """That jobs can be taken and done."""

    status: Literal["ready"] = "ready"
    workers: int


class StateEvent(BaseModel):
    """What `data` of an event named `state` holds."""

    at: datetime.datetime
    state: JobState
    attempt: int | None = None
    error: JobError | None = None


class ProgressEvent(BaseModel):
    """What `data` of an event named `progress` holds."""

    at: datetime.datetime
    stage: Stage
    done_s: float
    total_s: float | None
    fraction: float | None


EVENTS: dict[EventKind, type[StateEvent] | type[ProgressEvent]] = {
    "state": StateEvent,
    "progress": ProgressEvent,
}


def told(event: Event) -> StateEvent | ProgressEvent:
    """What an event says."""
    return EVENTS[event.kind].model_validate({**event.data, "at": moment(event.at)})


def event_data(event: Event) -> dict[str, Any]:
    """What an event says, as JSON."""
    return told(event).model_dump(mode="json", exclude_unset=True)


def content_type(name: str) -> str:
    """The media type of a file."""
    return CONTENT_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def _facts(job: Job) -> dict[str, Any]:
    names = {number: name for name, number in PRIORITIES.items()}
    return {
        "id": job.id,
        "kind": job.kind,
        "parent_id": job.parent_id,
        "batch_id": job.batch_id,
        "state": job.state,
        "upload_id": job.upload_id,
        "file_name": job.file_name,
        "name": job.title,
        "priority": names[job.priority],
        "fraction": job.fraction,
        "created": moment(job.created),
        "started": moment(job.started),
        "finished": moment(job.finished),
        "error": job.error,
    }


def _batch_facts(batch: Batch, jobs: Sequence[Job]) -> dict[str, Any]:
    done = [job.fraction or 0.0 if job.state in ACTIVE else 1.0 for job in jobs]
    return {
        "id": batch.id,
        "name": batch.name,
        "created": moment(batch.created),
        "fraction": round(sum(done) / max(1, len(done)), 4),
        "states": Counter(job.state for job in jobs),
    }


def moment(time_s: float | None) -> datetime.datetime | None:
    """A time as the API gives it."""
    return None if time_s is None else datetime.datetime.fromtimestamp(time_s, datetime.UTC)
