"""Instruments that play several notes at once, and what is needed to play them.

An instrument gives tones, which do not know when they will be let go; `play` cuts them there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from train.synthesis.filters import high_pass
from unbraid.demo.instruments import bass_guitar, electric_piano
from unbraid.demo.room import RATE, Array, place
from unbraid.types import NoteEvent

Tone = Callable[[int, float, float], Array]
"""Gives float64 [time] for a pitch, a velocity from 0 to 1 and a length in seconds."""

LAYERS = 4  # of velocity: notes of one pitch and layer are cut from the same tone
SPREAD_SEMITONES = 24  # from the middle of the keyboard to where it stands quite aside


@dataclass(frozen=True)
class Instrument:
    """What gives tones.

    Attributes:
        tone: the tones.
        release_s: how long one needs to fall silent.
    """

    tone: Tone
    release_s: float = 0.05


def play(instrument: Instrument, notes: Sequence[NoteEvent], length: int, width: float) -> Array:
    """Play notes.

    Args:
        instrument: what to play them on.
        notes: in any order.
        length: samples to return.
        width: 0 puts all notes into the middle; 1 and -1 spread low and high ones to the sides.

    Returns:
        float64 [2, length].
    """
    track = np.zeros((2, length))
    alike: dict[tuple[int, int], list[NoteEvent]] = {}
    for note in notes:
        alike.setdefault((note.pitch, int(np.ceil(note.amplitude * LAYERS))), []).append(note)
    for (pitch, layer), each in alike.items():
        longest_s = max(note.end_s - note.start_s for note in each) + instrument.release_s
        velocity = layer / LAYERS
        tone = instrument.tone(pitch, velocity, longest_s)
        pan = float(np.clip(width * (pitch - 60) / SPREAD_SEMITONES, -1, 1))
        for note in each:
            heard = _let_go(tone, note.end_s - note.start_s, instrument.release_s)
            place(track, note.amplitude / velocity * heard, note.start_s, pan)
    return track


def _let_go(tone: Array, held_s: float, release_s: float) -> Array:
    heard = tone[: round((held_s + release_s) * RATE)].copy()
    held = round(held_s * RATE)
    if len(heard) > held:
        heard[held:] *= np.linspace(1, 0, round(release_s * RATE) + 1)[: len(heard) - held] ** 2
    return heard


def hertz(pitch: float) -> float:
    """Frequency of a MIDI number."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def seconds(length_s: float) -> Array:
    """Times of the samples of a tone."""
    return np.arange(round(length_s * RATE)) / RATE


BARS = {  # partials of what is struck with mallets
    "marimba": (1.0, 3.93, 9.2),
    "vibraphone": (1.0, 4.0, 10.1),
    "glockenspiel": (1.0, 2.76, 5.4, 8.93),
    "bell": (0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 3.0),
    "kalimba": (1.0, 5.4, 8.2),
}


def draw_bars(rng: np.random.Generator) -> Tone:
    """Bars struck with mallets."""
    ratios = np.array(BARS[str(rng.choice(list(BARS)))])[:, np.newaxis]
    ring_s, hardness = float(rng.uniform(0.3, 1.8)), float(rng.uniform(0.2, 0.7))

    def tone(pitch: int, velocity: float, length_s: float) -> Array:
        time, hz = seconds(length_s), hertz(pitch) * ratios
        levels = hardness ** np.arange(len(ratios))[:, np.newaxis] * (hz < RATE / 2.2)
        modes = levels * np.sin(2 * np.pi * hz * time) * np.exp(-time * ratios**0.7 / ring_s)
        return np.asarray(velocity * modes.sum(axis=0))

    return tone


def draw_organ(rng: np.random.Generator) -> Tone:
    """An organ with drawbars."""
    ratios = np.array((0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0))[:, np.newaxis]
    levels = rng.uniform(0, 1, ratios.shape) * (rng.random(ratios.shape) < 0.7)
    levels[1] = 1
    tremolo, rate_hz = float(rng.choice((0.0, 0.25))), float(rng.choice((0.8, 6.5)))

    def tone(pitch: int, velocity: float, length_s: float) -> Array:
        time, hz = seconds(length_s), hertz(pitch) * ratios
        sound = (levels * (hz < 16000) * np.sin(2 * np.pi * hz * time)).sum(axis=0) / levels.sum()
        gate = np.clip(time / 0.006, 0, 1) * (1 + tremolo * np.sin(2 * np.pi * rate_hz * time))
        return np.asarray(velocity * gate * sound)

    return tone


def draw_fm(rng: np.random.Generator) -> Tone:
    """Frequency modulation with a ratio and an index: bells, clavinets, hollow and harsh tones."""
    ratio = float(rng.choice((0.5, 1, 2, 3, 5, 7, 1.41, 3.5)))
    index, decay_s = float(rng.uniform(0.5, 4)), float(rng.uniform(0.1, 1))
    ring_s = float(rng.uniform(0.3, 2.5))

    def tone(pitch: int, velocity: float, length_s: float) -> Array:
        time = seconds(length_s)
        angle = 2 * np.pi * hertz(pitch) * time
        depth = index * velocity * np.exp(-time / decay_s)
        attack = np.clip(time / 0.004, 0, 1)
        sound = np.sin(angle + depth * np.sin(ratio * angle))
        return np.asarray(velocity * attack * np.exp(-time / ring_s) * sound)

    return tone


def draw_808(rng: np.random.Generator) -> Tone:
    """A long low sine that falls to its pitch, driven into saturation."""
    fall, drive = float(rng.uniform(0, 0.8)), float(rng.uniform(0.5, 4))
    ring_s = float(rng.uniform(0.5, 2))

    def tone(pitch: int, velocity: float, length_s: float) -> Array:
        time = seconds(length_s)
        cycles = hertz(pitch) * time + fall * (1 - np.exp(-time / 0.03))
        level = np.clip(time / 0.003, 0, 1) * np.exp(-time / ring_s)
        sound = np.tanh(drive * level * np.sin(2 * np.pi * cycles)) / np.tanh(drive)
        return np.asarray(velocity * sound)

    return tone


def demo_bass(pitch: int, velocity: float, length_s: float) -> Array:
    """The demonstration's bass guitar."""
    return bass_guitar(NoteEvent(0.0, length_s, pitch, velocity))[: round(length_s * RATE)]


def demo_piano(pitch: int, velocity: float, length_s: float) -> Array:
    """The demonstration's electric piano."""
    return electric_piano(NoteEvent(0.0, length_s, pitch, velocity))[: round(length_s * RATE)]


def growl(tone: Tone, drive: float) -> Tone:
    """The same tones through an amplifier that is turned up."""

    def driven(pitch: int, velocity: float, length_s: float) -> Array:
        sound = tone(pitch, velocity, length_s)
        return high_pass(np.tanh(drive * sound) / np.sqrt(drive), 30)

    return driven
