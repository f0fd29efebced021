"""Instruments that play one line as a voice would: gliding, swelling, with vibrato and breath.

The pitch moves as the demonstration's singer has it; what sounds is a reed, a bow, a pipe, a slid
string or a synthesiser. These are what a separator takes for voices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d

from train.synthesis.filters import band_pass, high_pass, low_pass, peak
from train.synthesis.phrases import Phrase, phrases
from train.synthesis.synths import pulse, sawtooth
from unbraid.demo.instruments import cosine_series
from unbraid.demo.room import RATE, Array, place
from unbraid.demo.singer import FRAME_RATE, HOP, WOMAN, Singer, intone
from unbraid.types import NoteEvent

Peaks = tuple[tuple[float, float, float], ...]
"""Resonances: centre in Hz, gain in dB, q."""


@dataclass(frozen=True)
class Line:
    """An instrument for lines.

    Attributes:
        wave: what vibrates.
        manner: how the pitch moves.
        peaks: its body.
        late_peaks: what the body turns into and back, as in a wah-wah; nothing for most.
        cutoff_hz: where the treble ends when played softly.
        brightness: how many times higher it ends when played loudly.
        breath: noise of air or bow against the tone.
        attack_s: how long a note takes to speak.
        tremolo: depth of the hand's or the bellows' tremolo.
        ring_s: time constant of a plucked string; infinite for what is blown or bowed.
        drive: how much the amplifier distorts.
        stop: frequency of a second string or reed against the first; 0 for none.
        octave: transposition in octaves.
    """

    wave: Literal["saw", "pulse", "sine", "string"]
    manner: Singer = WOMAN
    peaks: Peaks = ()
    late_peaks: Peaks = ()
    cutoff_hz: float = 6000.0
    brightness: float = 1.0
    breath: float = 0.02
    attack_s: float = 0.03
    tremolo: float = 0.0
    ring_s: float = np.inf
    drive: float = 0.0
    stop: float = 0.0
    octave: int = 0


def play_line(
    line: Line, notes: Sequence[NoteEvent], length: int, rng: np.random.Generator
) -> Array:
    """Play notes, one at a time.

    Returns:
        float64 [length].
    """
    track = np.zeros((2, length))
    for phrase in phrases(notes):
        place(track, _phrase(line, phrase, rng), phrase.start_s, -1.0)
    return np.asarray(track[0])


def _phrase(line: Line, phrase: Phrase, rng: np.random.Generator) -> Array:
    samples = np.arange(round(phrase.length_s * RATE))
    frames = len(samples) // HOP + 2
    at = samples / HOP
    f0 = np.interp(at, np.arange(frames), intone(phrase.notes, frames, rng, line.manner))
    f0 *= 2.0**line.octave
    level = np.interp(at, np.arange(frames), _levels(line, phrase, frames))
    sound = _source(line, f0, phrase)
    if line.stop:
        sound = sound + 0.6 * _source(line, line.stop * f0, phrase)
    if line.drive:
        sound = np.tanh(line.drive * sound * (0.3 + level))
    soft = low_pass(sound, line.cutoff_hz)
    sound = soft + level * (low_pass(sound, line.cutoff_hz * (1 + line.brightness)) - soft)
    middle_hz = float(np.clip(3 * np.median(f0), 1500, 6000))
    sound = sound + line.breath * band_pass(rng.standard_normal(len(samples)), middle_hz, 0.6)
    resonant = _resound(sound, line.peaks)
    if line.late_peaks:
        turn = 0.5 - 0.5 * np.cos(2 * np.pi * rng.uniform(0.3, 3) * samples / RATE)
        resonant += turn * (_resound(sound, line.late_peaks) - resonant)
    shaking = 1 + line.tremolo * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * samples / RATE)
    return high_pass(resonant * level * shaking, 60)


def _levels(line: Line, phrase: Phrase, frames: int) -> Array:
    """Level of the line [frame]: each note swells a little, then ends or is tied to the next."""
    levels = np.zeros(frames)
    for note in phrase.notes:
        start, end = (round(time * FRAME_RATE) for time in (note.start_s, note.end_s))
        course = np.linspace(-1, 1, max(1, end - start))
        levels[start:end] = note.amplitude * (1 - 0.25 * course**2)[: len(levels[start:end])]
    return np.asarray(gaussian_filter1d(levels, max(0.004, line.attack_s / 2) * FRAME_RATE))


def _source(line: Line, f0: Array, phrase: Phrase) -> Array:
    rate = f0 / RATE
    cycles = np.cumsum(rate)
    if line.wave == "saw":
        return sawtooth(cycles, rate)
    if line.wave == "pulse":
        return pulse(cycles, rate, 0.35)
    if line.wave == "sine":
        return np.asarray(np.sin(2 * np.pi * cycles) + 0.1 * np.sin(4 * np.pi * cycles))
    onsets = np.array([note.start_s for note in phrase.notes]) * RATE
    time = np.arange(len(f0))
    last = onsets[np.searchsorted(onsets, time, side="right").clip(1) - 1]
    age_s = (time - last).clip(0) / RATE
    softness = 0.8 * np.exp(-age_s / (2 * line.ring_s))
    string = cosine_series(2 * np.pi * (cycles - 0.1), softness) - cosine_series(
        2 * np.pi * (cycles + 0.1), softness
    )
    return np.asarray(string * np.exp(-age_s / line.ring_s))


def _resound(sound: Array, peaks: Peaks) -> Array:
    for hz, gain_db, q in peaks:
        sound = peak(sound, hz, gain_db, q)
    return sound
