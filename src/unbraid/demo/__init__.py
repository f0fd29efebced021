"""An original song with known truth: its stems, notes, tempo, key, chords and beats.

Everything is synthesised, so anyone may have the song, and what is found in it can be scored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from unbraid.demo import score
from unbraid.demo.drums import stroke
from unbraid.demo.instruments import bass_guitar, electric_piano
from unbraid.demo.room import RATE, Array, place, reverberate
from unbraid.demo.score import Event
from unbraid.demo.singer import sing
from unbraid.types import AudioSignal, ChordSegment, NoteEvent, StemName, Stems

__all__ = ["DemoSong", "demo_song"]

SEED = 1
LENGTH = 32 * RATE
PEAK = 0.9
TIMING_S = 0.01  # how far players stray from the beat at most
GAP_S = 0.012  # between a note and the next
STRUM_S = 0.005  # between the notes of a chord
LEVELS = {"vocals": 1.2, "drums": 1.1, "bass": 1.0, "other": 1.1}  # RMS, before the peak is set
PIANO_PAN = (-0.75, -0.3, 0.3, 0.75)  # low notes left, high notes right
DRUM_PAN = {"kick": 0.0, "snare": 0.05, "tom": -0.3, "hat": 0.35, "ride": -0.4, "crash": -0.3}


@dataclass(frozen=True)
class DemoSong:
    """A song and the truth about it.

    Attributes:
        stems: vocals, drums, bass and other, stereo at 44.1 kHz.
        mixture: the sum of the stems, sample by sample.
        notes: the notes of vocals, bass and other, in order of time.
        tempo_bpm: beats per minute, the same throughout.
        key: tonic and mode.
        chords: the harmony, without gaps from the first downbeat on.
        beats_s: times of the beats in seconds.
        downbeats_s: times of the first beats of the bars in seconds.
    """

    stems: Stems
    mixture: AudioSignal
    notes: dict[StemName, tuple[NoteEvent, ...]]
    tempo_bpm: float
    key: str
    chords: tuple[ChordSegment, ...]
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]


def demo_song() -> DemoSong:
    """Play the song: 32 seconds, the same samples every time on the same machine.

    Example:
        >>> song = demo_song()
        >>> song.key, song.tempo_bpm, list(song.stems)
        ('D major', 128.0, ['vocals', 'drums', 'bass', 'other'])
    """
    rng = np.random.default_rng(SEED)
    parts = {"vocals": score.melody(), "bass": score.bass(), "other": score.comping()}
    notes = {name: _perform(events, rng) for name, events in parts.items()}
    tracks = {
        "vocals": _vocals(notes["vocals"], [event.syllable for event in parts["vocals"]], rng),
        "drums": _drums(score.drums(), rng),
        "bass": _bass(notes["bass"]),
        "other": _piano(notes["other"], rng),
    }
    stems = _balance(tracks)
    mixture = np.sum([stem.samples for stem in stems.values()], axis=0)
    return DemoSong(
        stems=stems,
        mixture=AudioSignal(mixture, RATE),
        notes=notes,
        tempo_bpm=score.TEMPO_BPM,
        key=score.KEY,
        chords=score.chord_segments(),
        beats_s=score.beats_s(),
        downbeats_s=score.downbeats_s(),
    )


def _perform(events: Iterable[Event], rng: np.random.Generator) -> tuple[NoteEvent, ...]:
    """Turn the score into notes, a little early or late, a little loud or soft."""
    notes = []
    for event in events:
        start_s = max(0.0, score.seconds(event.beat) + rng.uniform(-TIMING_S, TIMING_S))
        end_s = score.seconds(event.beat + event.beats) - GAP_S
        for k, pitch in enumerate(score.pitches(event.what)):
            amplitude = float(np.clip(event.level + rng.normal(0, 0.03), 0.1, 1.0))
            notes.append(NoteEvent(start_s + k * STRUM_S, end_s, pitch, amplitude))
    return tuple(notes)


def _vocals(
    notes: Sequence[NoteEvent], syllables: Sequence[str], rng: np.random.Generator
) -> Array:
    voice = sing(notes, syllables, LENGTH, rng)
    return reverberate(np.stack([voice, voice]), 0.2, 1.0, rng)


def _drums(strokes: Iterable[Event], rng: np.random.Generator) -> Array:
    track = np.zeros((2, LENGTH))
    for event in strokes:
        at_s = max(0.0, score.seconds(event.beat) + rng.uniform(-TIMING_S, TIMING_S) / 2)
        place(track, stroke(event.what, event.level, rng), at_s, DRUM_PAN[event.what])
    return reverberate(track, 0.15, 0.5, rng)


def _bass(notes: Iterable[NoteEvent]) -> Array:
    track = np.zeros((2, LENGTH))
    for note in notes:
        place(track, bass_guitar(note), note.start_s)
    return track


def _piano(notes: Sequence[NoteEvent], rng: np.random.Generator) -> Array:
    track = np.zeros((2, LENGTH))
    for k, note in enumerate(notes):
        place(track, electric_piano(note), note.start_s, PIANO_PAN[k % len(PIANO_PAN)])
    return reverberate(track, 0.25, 0.8, rng)


def _balance(tracks: dict[StemName, Array]) -> Stems:
    """Bring the tracks to their levels, and their sum to its peak."""
    levelled = {
        name: track * (LEVELS[name] / np.sqrt(np.mean(track**2))) for name, track in tracks.items()
    }
    gain = PEAK / np.abs(sum(levelled.values())).max()
    return {
        name: AudioSignal((gain * track).astype(np.float32), RATE)
        for name, track in levelled.items()
    }
