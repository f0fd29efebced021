"""What is played: a song's plan on a grid of sixteenths, and the notes of its parts.

Chords are written in Harte's notation, drums by the names of `train.synthesis.kits`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unbraid.types import ChordSegment, NoteEvent

Stem = Literal["vocals", "drums", "bass", "other"]
STEMS: tuple[Stem, ...] = ("vocals", "drums", "bass", "other")

Role = Literal[
    "lead",  # the sung melody
    "double",  # the same, sung again
    "harmony",  # in parallel with the lead
    "choir",
    "speech",  # rhythmic speech, as in rap
    "ad-lib",  # between the phrases of the lead
    "kit",
    "bass",
    "comping",
    "power chords",
    "arpeggio",
    "riff",
    "pad",
    "strings",
    "brass",
    "melody",  # an instrument's
    "confuser",  # an instrument phrased like a voice, mostly heard while no voice sounds
]
Metre = Literal["4/4", "3/4", "6/8"]

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
STEPS_PER_BAR: dict[Metre, int] = {"4/4": 16, "3/4": 12, "6/8": 12}
STEPS_PER_BEAT: dict[Metre, int] = {"4/4": 4, "3/4": 4, "6/8": 6}
SHORTEST_S = 0.04


@dataclass(frozen=True)
class Chord:
    """A chord.

    Attributes:
        root: pitch class, 0 is C.
        intervals: semitones above the root.
        quality: in Harte's notation, such as `min7`.
    """

    root: int
    intervals: tuple[int, ...]
    quality: str

    @property
    def label(self) -> str:
        """Such as `F#:min7`."""
        return f"{PITCH_CLASSES[self.root]}:{self.quality}"

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Of its tones, the root's first."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)


@dataclass(frozen=True)
class Section:
    """A stretch of bars in which the same parts play.

    Attributes:
        start: first bar.
        stop: the bar after the last one.
        voices: whether anyone sings.
        drums: whether the drums play.
        bass: whether the bass plays.
        level: loudness of all, 0 to 1.
    """

    start: int
    stop: int
    voices: bool
    drums: bool
    bass: bool
    level: float

    @property
    def bars(self) -> range:
        """Its bars."""
        return range(self.start, self.stop)


@dataclass(frozen=True)
class Plan:
    """What all players agree upon.

    Attributes:
        length_s: of the song, in seconds.
        start_s: time of the first downbeat.
        tempo_bpm: beats per minute; in 6/8 a beat is a dotted quarter.
        metre: the time signature.
        swing: how much later the second of two notes comes, as a part of their length; 0 is even.
        swing_steps: length of the notes that swing, in sixteenths: 1 or 2.
        tonic: pitch class, 0 is C.
        scale: semitones above the tonic.
        sections: the form, without gaps.
        chords: one for each bar.
    """

    length_s: float
    start_s: float
    tempo_bpm: float
    metre: Metre
    swing: float
    swing_steps: int
    tonic: int
    scale: tuple[int, ...]
    sections: tuple[Section, ...]
    chords: tuple[Chord, ...]

    @property
    def bar_steps(self) -> int:
        """Sixteenths in a bar."""
        return STEPS_PER_BAR[self.metre]

    @property
    def beat_steps(self) -> int:
        """Sixteenths in a beat."""
        return STEPS_PER_BEAT[self.metre]

    @property
    def key(self) -> str:
        """Such as `D minor`: major or minor, as the third of the scale has it."""
        return f"{PITCH_CLASSES[self.tonic]} {'major' if 4 in self.scale else 'minor'}"

    def seconds(self, step: float) -> float:
        """Time of a step, swing included."""
        pair = 2 * self.swing_steps
        within = step % pair
        late = min(within, pair - within) * self.swing
        return self.start_s + (step + late) * 60 / self.tempo_bpm / self.beat_steps

    @property
    def beats_s(self) -> tuple[float, ...]:
        """Times of the beats in seconds."""
        return self._times_s(self.beat_steps)

    @property
    def downbeats_s(self) -> tuple[float, ...]:
        """Times of the first beats of the bars in seconds."""
        return self._times_s(self.bar_steps)

    def _times_s(self, spacing: int) -> tuple[float, ...]:
        steps = range(0, len(self.chords) * self.bar_steps, spacing)
        times = (self.seconds(step) for step in steps)
        return tuple(time for time in times if time < self.length_s)

    @property
    def chord_segments(self) -> tuple[ChordSegment, ...]:
        """The harmony from the first downbeat to the end; equal neighbours are one."""
        segments: list[ChordSegment] = []
        for bar, chord in enumerate(self.chords):
            start_s = self.seconds(bar * self.bar_steps)
            end_s = min(self.seconds((bar + 1) * self.bar_steps), self.length_s)
            if start_s >= self.length_s:
                break
            if segments and segments[-1].label == chord.label:
                start_s = segments.pop().start_s
            segments.append(ChordSegment(start_s, end_s, chord.label))
        return tuple(segments)


@dataclass(frozen=True)
class Event:
    """Something to play, on the grid.

    Attributes:
        step: when, in sixteenths from the first downbeat.
        steps: for how long.
        pitch: MIDI number.
        velocity: 0 to 1.
        word: syllable of a sung note, drum of a stroke.
    """

    step: float
    steps: float
    pitch: int
    velocity: float = 0.7
    word: str = ""


@dataclass(frozen=True)
class Part:
    """What one player plays.

    Attributes:
        stem: where it is heard.
        role: what it is in the song.
        notes: in order of time.
        words: a syllable for each sung note, a drum for each stroke; empty for all else.
    """

    stem: Stem
    role: Role
    notes: tuple[NoteEvent, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """A song as written.

    Attributes:
        plan: what all players agree upon.
        parts: what each of them plays.
    """

    plan: Plan
    parts: tuple[Part, ...]


def perform(
    plan: Plan,
    stem: Stem,
    role: Role,
    events: Iterable[Event],
    rng: np.random.Generator,
    spread_s: float = 0.006,
) -> Part:
    """Play events as people do: a little early or late, a little loud or soft.

    Args:
        plan: says when a step is.
        stem: where it is heard.
        role: what it is in the song.
        events: in any order; those beyond the song's end are left out.
        rng: source of all that is irregular.
        spread_s: standard deviation of the onsets.
    """
    played: list[tuple[NoteEvent, str]] = []
    for event in sorted(events, key=lambda event: (event.step, event.pitch)):
        onset_s = max(0.0, plan.seconds(event.step) + rng.normal(0, spread_s))
        offset_s = min(plan.seconds(event.step + event.steps) - 0.01, plan.length_s)
        velocity = float(np.clip(event.velocity * rng.normal(1, 0.06), 0.05, 1))
        if offset_s - onset_s >= SHORTEST_S:
            played.append((NoteEvent(onset_s, offset_s, event.pitch, velocity), event.word))
    played.sort(key=lambda each: each[0].start_s)
    words = tuple(word for _, word in played)
    return Part(stem, role, tuple(note for note, _ in played), words if any(words) else ())
