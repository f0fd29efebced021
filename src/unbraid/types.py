"""The values that travel between Unbraid's stages."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from unbraid.errors import InputError
from unbraid.spelling import Mode, key_symbol, pitch_class, signature, tonic_name

Samples: TypeAlias = npt.NDArray[np.float32]
"""Audio samples, full scale 1.0."""

Read: TypeAlias = Callable[[int, int], Samples]
"""Gives samples [start, stop) of a song or a stem as float32 [2, time]."""

StemName: TypeAlias = str
"""A part of a song. Models name their own; the usual ones are in `STEM_NAMES`."""

STEM_NAMES: tuple[StemName, ...] = ("vocals", "drums", "bass", "other", "guitar", "piano")

AudioFormat = Literal["wav", "flac", "mp3", "ogg", "opus"]
BitDepth = Literal["16", "24", "32f"]
ClipMode = Literal["float", "rescale", "limit"]
ResidualMode = Literal["file", "other", "off"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["exact", "fast"]
Metre = Literal["3/4", "4/4", "6/8"]
Drum = Literal[
    "kick",
    "snare",
    "side stick",
    "closed hi-hat",
    "open hi-hat",
    "low tom",
    "mid tom",
    "high tom",
    "ride",
    "crash",
]
BEATS_PER_BAR: dict[Metre, int] = {"3/4": 3, "4/4": 4, "6/8": 2}
QUARTERS_PER_BEAT: dict[Metre, float] = {"3/4": 1.0, "4/4": 1.0, "6/8": 1.5}
Subdivision = Literal["1/4", "1/4T", "1/8", "1/8T", "1/16", "1/16T", "1/32"]
MAX_SWING = 0.75
MIN_SEGMENT_S, MAX_SEGMENT_S = 1.0, 600.0
Stage = Literal["fetch", "decode", "pull", "separate", "judge", "analyse", "transcribe", "export"]


@dataclass(frozen=True)
class AudioSignal:
    """A recording in memory.

    Attributes:
        samples: float32 [channel, time], full scale 1.0.
        sample_rate: samples per second.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise InputError(
                f"samples must be float32 [channel, time], got {self.samples.dtype} of shape "
                f"{self.samples.shape}; did you mean samples[np.newaxis].astype(np.float32)?"
            )
        if self.samples.shape[0] > self.samples.shape[1] > 0 and self.samples.shape[0] > 64:
            raise InputError(
                f"samples must be [channel, time], got shape {self.samples.shape}; "
                "did you mean samples.T?"
            )

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Samples per channel."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.length / self.sample_rate


Stems: TypeAlias = dict[StemName, AudioSignal]
"""A song taken apart: every stem as long as the song, in the order of its model."""


@dataclass(frozen=True)
class NoteEvent:
    """One note of a stem.

    Attributes:
        start_s: onset in seconds.
        end_s: offset in seconds.
        pitch: MIDI note number, 60 is C4.
        amplitude: mean activation, 0 to 1.
        bends: pitch deviation in semitones, evenly spaced over [start_s, end_s]; empty for none.
        level_db: RMS level of the recording while the note sounds, in dBFS; None if unknown.
    """

    start_s: float
    end_s: float
    pitch: int
    amplitude: float
    bends: tuple[float, ...] = ()
    level_db: float | None = None

    @property
    def velocity(self) -> int:
        """MIDI velocity, 1 to 127."""
        return min(127, max(1, round(127 * self.amplitude)))


@dataclass(frozen=True)
class DrumStroke:
    """One stroke on a drum kit.

    Attributes:
        time_s: onset in seconds.
        drum: what is struck.
        velocity: how hard, 0 to 1.
    """

    time_s: float
    drum: Drum
    velocity: float


@dataclass(frozen=True)
class BeatGrid:
    """Where the beats of a song are, at a tempo that may drift.

    Attributes:
        beats_s: times of the beats in seconds, rising; at least two.
        first_downbeat: index of the first beat of a bar.
        metre: the time signature; in 6/8 a beat is a dotted quarter, otherwise a quarter.
        confidence: of the beats, 0 to 1.

    Example:
        >>> grid = BeatGrid((1.0, 1.5, 2.0, 2.5, 3.0), 0, "4/4", confidence=1.0)
        >>> grid.beat_at(1.75), grid.seconds(-1.0), grid.downbeats_s
        (1.5, 0.5, (1.0, 3.0))
    """

    beats_s: tuple[float, ...]
    first_downbeat: int
    metre: Metre
    confidence: float

    def __post_init__(self) -> None:
        if len(self.beats_s) < 2 or np.any(np.diff(self.beats_s) <= 0):
            raise InputError("a beat grid needs two beats or more, in order of time")

    @classmethod
    def steady(cls, tempo_bpm: float, duration_s: float) -> "BeatGrid":
        """Quarters at one tempo from 0 to beyond a duration, four to the bar."""
        beats = 2 + int(duration_s * tempo_bpm / 60)
        return cls(tuple(60 / tempo_bpm * beat for beat in range(beats)), 0, "4/4", confidence=1.0)

    @property
    def tempo_bpm(self) -> float:
        """The median tempo in beats per minute."""
        return float(60 / np.median(np.diff(self.beats_s)))

    @property
    def beats_per_bar(self) -> int:
        """Beats of a bar."""
        return BEATS_PER_BAR[self.metre]

    @property
    def quarters_per_beat(self) -> float:
        """Quarter notes of a beat."""
        return QUARTERS_PER_BEAT[self.metre]

    @property
    def downbeats_s(self) -> tuple[float, ...]:
        """Times of the first beats of bars in seconds."""
        return self.beats_s[self.first_downbeat :: self.beats_per_bar]

    def beat_at(self, time_s: float) -> float:
        """Position in beats from the first one; before and after all beats, at their pace there."""
        return _extended(time_s, self.beats_s, range(len(self.beats_s)))

    def seconds(self, beat: float) -> float:
        """Time of a position in beats."""
        return _extended(beat, range(len(self.beats_s)), self.beats_s)


def _extended(x: float, known: Sequence[float], values: Sequence[float]) -> float:
    """Draw lines between known values, the first and the last one on beyond them."""
    k = min(max(bisect.bisect_right(known, x) - 1, 0), len(known) - 2)
    share = (x - known[k]) / (known[k + 1] - known[k])
    return values[k] + share * (values[k + 1] - values[k])


@dataclass(frozen=True)
class ChordSegment:
    """A chord and the time it rules.

    Attributes:
        start_s: first moment in seconds.
        end_s: last moment in seconds.
        label: chord in Harte's notation, such as `F#:min7` or `C:maj/3`; `N` for none.
    """

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class Tempo:
    """How fast the beats of a song follow each other.

    Attributes:
        bpm: beats per minute, a whole number where it can hardly be told from one; None without
            beats, and in rubato.
        steady: whether it is kept from beginning to end.
        rubato: whether the beats follow no tempo at all.
        confidence: of the beats, 0 to 1; 0 without.
        curve: seconds and the beats per minute there, at each beat.
    """

    bpm: float | None
    steady: bool
    rubato: bool
    confidence: float
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Rhythm:
    """The beats of a song.

    Attributes:
        tempo: how fast they are.
        grid: where they are; None where there are none.
    """

    tempo: Tempo
    grid: BeatGrid | None


@dataclass(frozen=True)
class KeySegment:
    """A key and the time it rules.

    Attributes:
        start_s: first moment in seconds.
        end_s: last moment in seconds.
        tonic: such as `F#` or `Eb`.
        mode: major or minor.
    """

    start_s: float
    end_s: float
    tonic: str
    mode: Mode


@dataclass(frozen=True)
class Key:
    """The key of a song.

    Attributes:
        tonic: spelled as its signature has it, such as `F#` or `Eb`.
        mode: major or minor.
        confidence: 0 to 1.
        alternatives: what else it could be, the likeliest first; the relative and the parallel key
            are always among them. They have no alternatives and no segments.
        segments: the keys that the song goes through, from its beginning to its end.

    Example:
        >>> key = Key("A", "major", confidence=0.8)
        >>> key.name, key.relative, key.parallel, key.sharps, key.camelot
        ('A major', 'F# minor', 'A minor', 3, '11B')
    """

    tonic: str
    mode: Mode
    confidence: float
    alternatives: tuple["Key", ...] = ()
    segments: tuple[KeySegment, ...] = ()

    @property
    def name(self) -> str:
        """Such as `D minor`."""
        return f"{self.tonic} {self.mode}"

    @property
    def sharps(self) -> int:
        """Of the signature; negative for flats."""
        return signature(self.tonic, self.mode)

    @property
    def symbol(self) -> str:
        """As a chord is written, `F#m`."""
        return key_symbol(self.tonic, self.mode)

    @property
    def camelot(self) -> str:
        """Place on the wheel that disc jockeys mix by, such as `8B`."""
        return f"{(7 + self.sharps) % 12 + 1}{'B' if self.mode == 'major' else 'A'}"

    @property
    def relative(self) -> str:
        """Name of the key of the other mode with the same signature."""
        third = 9 if self.mode == "major" else 3
        return self._other(pitch_class(self.tonic) + third)

    @property
    def parallel(self) -> str:
        """Name of the key of the other mode on the same tonic."""
        return self._other(pitch_class(self.tonic))

    def _other(self, pitch: int) -> str:
        mode: Mode = "minor" if self.mode == "major" else "major"
        return f"{tonic_name(pitch, mode)} {mode}"


@dataclass(frozen=True)
class TranscriptionOptions:
    """What counts as a note.

    Attributes:
        onset_threshold: least onset activation that begins a note, 0 to 1.
        frame_threshold: least activation that keeps a note sounding, 0 to 1.
        min_note_duration_s: shorter notes are dropped.
        min_frequency_hz: lower notes are dropped (32.7 Hz is C1).
        max_frequency_hz: notes of this frequency or higher are dropped (2093 Hz is C7).
        pitch_bends: whether notes carry their pitch deviation.
    """

    onset_threshold: float = 0.5
    frame_threshold: float = 0.3
    min_note_duration_s: float = 0.125
    min_frequency_hz: float = 32.7
    max_frequency_hz: float = 2093.0
    pitch_bends: bool = True

    def __post_init__(self) -> None:
        for name in ("onset_threshold", "frame_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be between 0 and 1, got {getattr(self, name):g}")
        if not 0 <= self.min_note_duration_s <= 60:
            raise InputError(
                f"min_note_duration_s must be 0 to 60 seconds, got {self.min_note_duration_s:g}; "
                "did you give milliseconds?"
            )
        if not 0 < self.min_frequency_hz < self.max_frequency_hz:
            raise InputError(
                "min_frequency_hz must be above 0 and below max_frequency_hz, got "
                f"{self.min_frequency_hz:g} and {self.max_frequency_hz:g} Hz"
            )


@dataclass(frozen=True)
class CleanupOptions:
    """Which notes of a stem are dropped or joined.

    Attributes:
        ghost_level: notes weaker than this part of the stem's strong ones are dropped; 0 for none.
        ghost_db: notes so much softer than where the stem is loud are dropped: the network evens
            out levels, and hears notes in what is left of other stems.
        floor_db: notes so much softer than the song are dropped, for where nobody sings or plays,
            all of a stem is what is left of others.
        echo_level: notes weaker than this part of another that sounds an octave, a twelfth or
            another overtone below are dropped; 0 for none.
        join_splits: whether a softer note at the end of one of its pitch is its continuation.
        monophonic: stems in which one note sounds at a time.
        min_velocity: softer notes are dropped, 1 to 127.
        velocity_curve: exponent of the amplitudes; below 1 soft notes become louder.
    """

    ghost_level: float = 0.5
    ghost_db: float = 15.0
    floor_db: float = 20.0
    echo_level: float = 0.9
    join_splits: bool = True
    monophonic: tuple[StemName, ...] = ("bass",)
    min_velocity: int = 1
    velocity_curve: float = 1.0

    def __post_init__(self) -> None:
        if min(self.ghost_level, self.ghost_db, self.floor_db, self.echo_level) < 0:
            raise InputError("ghost_level, ghost_db, floor_db, echo_level must not be negative")
        if not 1 <= self.min_velocity <= 127:
            raise InputError(f"min_velocity must be 1 to 127, got {self.min_velocity}")
        if not 0 < self.velocity_curve <= 10:
            raise InputError(
                f"velocity_curve must be above 0 and at most 10, got {self.velocity_curve:g}"
            )


@dataclass(frozen=True)
class QuantiseOptions:
    """Where notes are moved to.

    Attributes:
        grid: length of a step, in parts of a whole note; T is a triplet's.
        strength: how much of the way to the nearest step, 0 to 1.
        swing: how much later the second of two steps comes, as a part of their length: 0 is even,
            1/3 is as long as two of a triplet.
        swing_grid: length of the steps that swing; those between lie evenly. None for `grid`.
    """

    grid: Subdivision = "1/16"
    strength: float = 1.0
    swing: float = 0.0
    swing_grid: Subdivision | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise InputError(f"strength must be 0 to 1, got {self.strength:g}")
        if not 0 <= self.swing <= MAX_SWING:
            raise InputError(
                f"swing must be 0 to {MAX_SWING}, a part of a step, got {self.swing:g}; "
                "did you give per cent?"
            )
        if self.swing and "T" in f"{self.swing_grid or self.grid}":
            raise InputError("triplets do not swing; give --swing a grid such as 1/8 or 1/16")


@dataclass(frozen=True)
class SeparationOptions:
    """How a model goes through a song.

    Attributes:
        shifts: times that the song is separated, each time shifted by up to half a second, for the
            mean of all; 0 separates it once as it is.
        seed: of the shifts.
        weights: of several models in the mean of a stem, a number for each; they count alike in
            stems that are not named.
        device: where the networks compute; `auto` takes a GPU that is large enough, else the CPU.
        precision: `exact` computes in float32; `fast` in shorter numbers where that is faster.
        segment_s: seconds of a segment; None takes what suits the model and the device.
        overlap: share of a segment that neighbours share; None takes what suits the model.
    """

    shifts: int = 0
    seed: int = 0
    weights: Mapping[StemName, tuple[float, ...]] = field(default_factory=dict)
    device: Device = "auto"
    precision: Precision = "exact"
    segment_s: float | None = None
    overlap: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.shifts <= 100:
            raise InputError(f"shifts must be 0 to 100, got {self.shifts}")
        if self.segment_s is not None and not MIN_SEGMENT_S <= self.segment_s <= MAX_SEGMENT_S:
            raise InputError(
                f"segment_s must be {MIN_SEGMENT_S:g} to {MAX_SEGMENT_S:g} seconds, "
                f"got {self.segment_s:g}; did you give samples?"
            )
        if self.overlap is not None and not 0 <= self.overlap <= 0.5:
            raise InputError(f"overlap must be 0 to 0.5 of a segment, got {self.overlap:g}")


@dataclass(frozen=True)
class ProcessOptions:
    """What to make of a song, and how to write it.

    Attributes:
        model: name of a separation model, or a folder that holds one; several are joined by +.
        separation: how the model goes through the song.
        stems: stems to keep; None keeps all.
        with_rest: also write `rest`, the mixture without the kept stems.
        midi: transcribe the stems.
        analysis: find beats, key, chords and drum strokes, and write them down.
        tags: Audio Spectrogram Transformer, on the hub or in a folder, that names the sounds of the
            analysis; None names the stems.
        midi_tempo: beats per minute of the MIDI files; None takes the song's own.
        transcription: what counts as a note.
        cleanup: which notes are dropped or joined; those before it are written too.
        quantise: where the notes are moved to, in a song with a beat; None leaves them.
        format: audio format of the stems.
        bit_depth: sample format of WAV and FLAC.
        clip: what happens to stems beyond full scale: `float` keeps them by writing 32-bit float
            WAV, `rescale` lowers all stems alike, `limit` turns the peaks down.
        name: file name of a stem without its extension; `{stem}` and tags are filled in.
        residual: where mixture minus stems goes when it is above -60 dB: into a file of its own,
            into the stem `other`, or nowhere.
    """

    model: str = "lite"
    separation: SeparationOptions = field(default_factory=SeparationOptions)
    stems: tuple[StemName, ...] | None = None
    with_rest: bool = False
    midi: bool = True
    analysis: bool = True
    tags: str | None = None
    midi_tempo: float | None = None
    transcription: TranscriptionOptions = field(default_factory=TranscriptionOptions)
    cleanup: CleanupOptions = field(default_factory=CleanupOptions)
    quantise: QuantiseOptions | None = None
    format: AudioFormat = "wav"
    bit_depth: BitDepth = "24"
    clip: ClipMode = "float"
    name: str = "{stem}"
    residual: ResidualMode = "file"


@dataclass(frozen=True)
class Progress:
    """How far a song has come.

    Attributes:
        stage: what is being done; `fetch`, of a recording from a link, is for services alone.
        done_s: seconds of audio finished in this stage.
        total_s: seconds of audio of the whole stage; None while the length is unknown.
        fraction: of all work on the song, by what its stages usually take, 0 to 1; None while its
            length is unknown.
    """

    stage: Stage
    done_s: float
    total_s: float | None
    fraction: float | None = None


OnProgress: TypeAlias = Callable[[Progress], None]
"""Called between units of work, from the thread that works; raise `Cancelled` in it to stop."""
