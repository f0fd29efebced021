"""Voices: the demonstration's singer with many throats, alone, doubled or as a choir."""

from dataclasses import replace

import numpy as np

from train.synthesis.filters import band_pass
from train.synthesis.phrases import phrases
from train.synthesis.score import Part
from unbraid.demo.room import RATE, Array, place
from unbraid.demo.singer import Singer, sing
from unbraid.types import NoteEvent

INHALED = 0.35  # of the singers breathe audibly before a phrase
INHALE = 0.01  # level of that
MIDDLE = 60  # pitch sung by a throat of middling length


def draw_singer(pitch: float, spoken: bool, rng: np.random.Generator) -> Singer:
    """Someone whose voice lies well for a pitch.

    Args:
        pitch: MIDI number in the middle of what is to be sung.
        spoken: whether it is speech, with a restless pitch and no vibrato.
        rng: source of the choices.
    """
    size = 0.93 * 2 ** (0.012 * (pitch - MIDDLE))
    soft = bool(rng.random() < 0.3)
    return Singer(
        formant_scale=float(np.clip(size * rng.normal(1, 0.05), 0.78, 1.2)),
        upper_formants=int(rng.integers(16, 30)),
        dull_hz=float(rng.uniform(7000, 16000)),
        tilt_hz=float(rng.uniform(250, 500) if soft else rng.uniform(500, 1500)),
        breath=float(rng.uniform(0, 0.01)),
        air=float(rng.uniform(0.1, 0.5) if soft else rng.uniform(0.02, 0.15)),
        jitter=float(rng.uniform(0.003, 0.012)),
        shimmer=float(rng.uniform(0.02, 0.1)),
        vibrato_semitones=0.0 if spoken else float(rng.choice((0.1, 0.3, 0.5, 0.8))),
        vibrato_hz=float(rng.uniform(4.6, 6.6)),
        scoop_semitones=float(rng.uniform(-1, 3) if spoken else rng.uniform(0, 2.5)),
        glide_s=float(rng.uniform(0.015, 0.05)),
        drift=float(rng.uniform(2, 5) if spoken else rng.uniform(0.2, 1)),
        consonant_s=float(rng.uniform(0.04, 0.09)),
    )


def sing_part(part: Part, length: int, rng: np.random.Generator) -> Array:
    """All notes of a sung part.

    Returns:
        float64 [2, length].
    """
    track = np.zeros((2, length))
    middle = float(np.median([note.pitch for note in part.notes]))
    if part.role == "choir":
        for voice in range(3):
            singer = replace(draw_singer(middle, False, rng), unison=int(rng.integers(2, 4)))
            notes, words = _voice(part, voice)
            _sing(track, notes, words, singer, float(rng.uniform(-0.8, 0.8)), rng)
        return track
    singer = draw_singer(middle, part.role == "speech", rng)
    aside = 0.0 if part.role in ("lead", "speech") else float(rng.uniform(-0.9, 0.9))
    _sing(track, part.notes, part.words, singer, aside, rng)
    return track


def _voice(part: Part, which: int) -> tuple[list[NoteEvent], list[str]]:
    """One voice of a chorale: at each chord the tone of its place, from below."""
    chords: list[list[tuple[NoteEvent, str]]] = []
    for note, word in zip(part.notes, part.words, strict=True):
        if chords and note.start_s - chords[-1][0][0].start_s < 0.15:
            chords[-1].append((note, word))
        else:
            chords.append([(note, word)])
    chosen = [sorted(chord, key=lambda each: each[0].pitch)[which % len(chord)] for chord in chords]
    return [note for note, _ in chosen], [word for _, word in chosen]


def _sing(
    track: Array,
    notes: tuple[NoteEvent, ...] | list[NoteEvent],
    words: tuple[str, ...] | list[str],
    singer: Singer,
    pan: float,
    rng: np.random.Generator,
) -> None:
    inhales = bool(rng.random() < INHALED)
    for phrase in phrases(notes, words):
        length = round(phrase.length_s * RATE)
        place(track, sing(phrase.notes, phrase.words, length, rng, singer), phrase.start_s, pan)
        if inhales:
            _inhale(track, phrase.start_s, pan, rng)


def _inhale(track: Array, until_s: float, pan: float, rng: np.random.Generator) -> None:
    """Air through an open mouth just before a phrase."""
    length_s = float(rng.uniform(0.15, 0.35))
    if until_s > length_s:
        time = np.linspace(0, 1, round(length_s * RATE))
        air = band_pass(rng.standard_normal(len(time)), float(rng.uniform(1500, 3500)), 0.5)
        place(track, INHALE * time * np.sin(np.pi * time) * air, until_s - length_s, pan)
