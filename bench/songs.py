"""Seeded songs with known stems: the demonstration's players, on tunes that chance writes.

Key, tempo, harmony, rhythm, instruments, registers, rooms and levels differ from seed to seed.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from unbraid.demo.drums import stroke
from unbraid.demo.instruments import bass_guitar, electric_piano
from unbraid.demo.room import RATE, Array, place, reverberate
from unbraid.demo.singer import sing
from unbraid.types import NoteEvent, Samples, StemName

STEMS: tuple[StemName, ...] = ("vocals", "drums", "bass", "other")
LENGTH = 8 * RATE
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
SYLLABLES = ("na", "lah", "doh", "mee", "say", "loh", "doo", "dee", "mah", "noh")
SPREAD_DB = 5.0  # standard deviation of the stems' levels

Instrument = Callable[[NoteEvent], Array]


def song(seed: int) -> Samples:
    """Write and play a song.

    Returns:
        float32 [stem, 2, time], in the order of `STEMS`; their sum is the mixture.
    """
    rng = np.random.default_rng(seed)
    beat_s = 60 / rng.uniform(80, 150)
    scale = SCALES[rng.integers(len(SCALES))]
    tonic = int(rng.integers(12))
    degrees = [
        int(each) for each in rng.integers(0, 7, 8)
    ]  # roots of the chords, one every four beats
    tracks = [
        _vocals(scale, tonic, beat_s, rng),
        _drums(beat_s, rng),
        _bass(scale, tonic, degrees, beat_s, rng),
        _other(scale, tonic, degrees, beat_s, rng),
    ]
    levels = 10 ** (rng.normal(0, SPREAD_DB, len(tracks)) / 20)
    stems = np.stack(
        [
            level * track / np.sqrt(np.mean(track**2))
            for level, track in zip(levels, tracks, strict=True)
        ]
    )
    played: Samples = (0.9 * stems / np.abs(stems.sum(axis=0)).max()).astype(np.float32)
    return played


def _pitch(scale: tuple[int, ...], tonic: int, degree: int) -> int:
    """MIDI number of a step of the scale; step 0 is the tonic above C1."""
    return 24 + tonic + scale[degree % 7] + 12 * (degree // 7)


def _line(
    degrees: Callable[[float], int],
    lengths: tuple[float, ...],
    rest: float,
    scale: tuple[int, ...],
    tonic: int,
    beat_s: float,
    rng: np.random.Generator,
) -> list[NoteEvent]:
    """One note after the other, with rests."""
    notes, now_s = [], beat_s * rng.choice((0.25, 0.5, 1.0))
    while now_s < LENGTH / RATE - 1:
        length_s = beat_s * float(rng.choice(lengths))
        if rng.random() >= rest:
            pitch = _pitch(scale, tonic, degrees(now_s / beat_s))
            end_s = min(now_s + 0.95 * length_s, LENGTH / RATE - 0.2)
            notes.append(NoteEvent(now_s, end_s, pitch, float(rng.uniform(0.5, 0.9))))
        now_s += length_s
    return notes


def _vocals(scale: tuple[int, ...], tonic: int, beat_s: float, rng: np.random.Generator) -> Array:
    octave = 7 * int(rng.choice((2, 3)))
    step = int(rng.integers(0, 7))

    def wander(beat: float) -> int:
        nonlocal step
        step = int(np.clip(step + rng.integers(-2, 3), -2, 9))
        return octave + step

    notes = _line(wander, (0.5, 0.5, 1.0, 2.0), 0.15, scale, tonic, beat_s, rng)
    syllables = [str(rng.choice(SYLLABLES)) for _ in notes]
    voice = sing(notes, syllables, LENGTH, rng)
    return reverberate(
        np.stack([voice, voice]), float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.4, 2.0)), rng
    )


def _drums(beat_s: float, rng: np.random.Generator) -> Array:
    track = np.zeros((2, LENGTH))
    cymbal = str(rng.choice(("hat", "ride")))
    kicks = rng.random(16) < np.tile((0.8, 0.1, 0.3, 0.15), 4)
    kicks[0] = True
    ghosts = rng.random(16) < 0.12
    spacing = int(rng.choice((1, 2, 4)))
    hits: list[Array] = []
    for step in range(int(LENGTH / RATE / beat_s * 4)):
        at_s, place_in_bar = step * beat_s / 4, step % 16
        played = [("kick", 0.9)] if kicks[place_in_bar] else []
        if place_in_bar in (4, 12):
            played.append(("snare", 0.95))
        elif ghosts[place_in_bar]:
            played.append((str(rng.choice(("snare", "tom"))), 0.5))
        if step % spacing == 0:
            played.append((cymbal, float(rng.uniform(0.3, 0.9))))
        for drum, level in played:
            if at_s < LENGTH / RATE - 0.1:
                sound = stroke(drum, level, rng)
                hits.append(sound)
                place(track, sound, at_s, float(rng.uniform(-0.3, 0.3)))
    return reverberate(track, float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.2, 1.5)), rng)


def _bass(
    scale: tuple[int, ...],
    tonic: int,
    degrees: list[int],
    beat_s: float,
    rng: np.random.Generator,
) -> Array:
    steps = (0, 0, 0, 4, 2, 7)

    def root(beat: float) -> int:
        return degrees[int(beat / 4) % len(degrees)] + int(rng.choice(steps))

    notes = _line(root, (0.5, 0.5, 1.0, 1.5), 0.1, scale, tonic, beat_s, rng)
    instrument = bass_guitar if rng.random() < 0.6 else _sawtooth(float(rng.uniform(0.03, 0.12)))
    return _play(notes, instrument, [0.0])


def _other(
    scale: tuple[int, ...],
    tonic: int,
    degrees: list[int],
    beat_s: float,
    rng: np.random.Generator,
) -> Array:
    """Chords on one or two instruments: electric piano, plucked strings, organ, soft sawtooth."""
    kinds: list[Instrument] = [
        electric_piano,
        bass_guitar,
        _organ,
        _sawtooth(float(rng.uniform(0.05, 0.4))),
    ]
    track = np.zeros((2, LENGTH))
    for which in rng.choice(len(kinds), int(rng.integers(1, 3)), replace=False):
        octave = 7 * int(rng.choice((2, 3)))
        rhythm = float(rng.choice((0.5, 1.0, 2.0, 4.0)))
        notes = []
        for k in range(int((LENGTH / RATE - 1) / beat_s / rhythm)):
            if rng.random() < 0.2:
                continue
            start_s, root = k * rhythm * beat_s, degrees[int(k * rhythm / 4) % len(degrees)]
            for third in (0, 2, 4):
                pitch = _pitch(scale, tonic, octave + root + third)
                end_s = start_s + rhythm * beat_s * 0.9
                notes.append(NoteEvent(start_s, end_s, pitch, float(rng.uniform(0.5, 0.8))))
        width = float(rng.uniform(0, 0.8))
        track += _play(notes, kinds[which], [-width, 0.0, width])
    return reverberate(track, float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.3, 2.0)), rng)


def _play(notes: list[NoteEvent], instrument: Instrument, pans: list[float]) -> Array:
    track = np.zeros((2, LENGTH))
    for k, note in enumerate(notes):
        place(track, instrument(note), note.start_s, pans[k % len(pans)])
    return track


def _organ(note: NoteEvent) -> Array:
    """Drawbars: five sines, switched on and off."""
    time = np.arange(round((note.end_s - note.start_s) * RATE)) / RATE
    angle = 2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * time
    drawbars = ((0.5, 0.6), (1, 1.0), (2, 0.7), (3, 0.4), (4, 0.3))
    tone = sum(level * np.sin(partial * angle) for partial, level in drawbars)
    return np.asarray(note.amplitude * tone * _gate(time))


def _sawtooth(softness: float) -> Instrument:
    """A synthesiser: a sawtooth through a one-pole low-pass."""

    def play(note: NoteEvent) -> Array:
        time = np.arange(round((note.end_s - note.start_s) * RATE)) / RATE
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        partials = np.arange(1, min(40, int(15000 / hertz)) + 1)[:, np.newaxis]
        tone = (np.sin(2 * np.pi * hertz * partials * time) / partials).sum(axis=0)
        soft = lfilter([softness], [1, softness - 1], tone)
        return np.asarray(note.amplitude * soft * _gate(time))

    return play


def _gate(time: Array) -> Array:
    return np.asarray(np.clip(time / 0.01, 0, 1) * np.clip((time[-1] - time) / 0.03, 0, 1))
