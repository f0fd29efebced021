"""Drum kits: every stroke a few decaying modes and a band of noise, no two kits alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from train.synthesis.filters import high_pass, low_pass
from train.synthesis.instruments import seconds
from unbraid.demo.drums import stroke
from unbraid.demo.room import RATE, Array, place
from unbraid.types import NoteEvent

Strike = Callable[[str, float, np.random.Generator], Array]
"""Gives a stroke, float64 [time], on a drum at a velocity from 0 to 1."""

TAKES = 3  # sounds of a drum that take turns
LAYERS = (0.4, 0.7, 0.95)  # velocities at which they are struck
DEMO_DRUMS = ("kick", "snare", "tom", "hat", "ride", "crash")
DEMO_KITS = 0.3  # of the kits are the demonstration's, tuned differently
CHOKE_S = 0.01
PAN = {
    "hat": 0.35,
    "open hat": 0.35,
    "ride": -0.4,
    "crash": -0.5,
    "high tom": 0.3,
    "tom": 0.0,
    "low tom": -0.4,
    "snare": 0.05,
    "tambourine": 0.5,
    "shaker": -0.6,
    "conga": -0.5,
    "cowbell": 0.4,
}


@dataclass(frozen=True)
class Drum:
    """How a drum sounds.

    Attributes:
        hz: frequencies of its modes.
        ring_s: time constant of the lowest one; higher ones die sooner.
        bend: how many cycles the pitch falls through at the beginning.
        bend_s: in which time it does so.
        tone: level of the modes.
        noise: level of the noise.
        noise_s: time constant of the noise.
        low_hz: where the noise begins.
        high_hz: where it ends.
        bursts: how many times the noise starts, 10 ms apart, as in a clap.
    """

    hz: tuple[float, ...]
    ring_s: float
    bend: float = 0.0
    bend_s: float = 0.02
    tone: float = 1.0
    noise: float = 0.3
    noise_s: float = 0.05
    low_hz: float = 1000.0
    high_hz: float = 9000.0
    bursts: int = 1

    def strike(self, velocity: float, rng: np.random.Generator) -> Array:
        """One stroke [time]."""
        last_s = min(3.0, 6 * max(self.ring_s * (self.tone > 0), self.noise_s) + 0.02)
        time = seconds(last_s)
        fallen = self.bend * (1 - np.exp(-time / self.bend_s))
        sound = np.zeros(len(time))
        for hz in self.hz:
            ratio = hz / self.hz[0]
            mode = np.sin(2 * np.pi * ratio * (self.hz[0] * time + fallen))
            sound += mode * np.exp(-time * ratio**0.5 / self.ring_s) / len(self.hz) ** 0.5
        envelope = sum(
            np.exp(-(time - late).clip(0) / self.noise_s) * (time >= late)
            for late in 0.01 * np.arange(self.bursts)
        )
        hiss = low_pass(
            high_pass(rng.standard_normal(len(time)) * envelope, self.low_hz), self.high_hz
        )
        struck = self.tone * sound + self.noise * (0.5 + 0.6 * velocity) * hiss
        fade = np.clip((last_s - time) / (0.1 * last_s), 0, 1)
        return np.asarray(velocity * np.clip(time / 0.0005, 0, 1) * fade * struck)


ACOUSTIC: dict[str, Drum] = {
    "kick": Drum((55,), 0.11, 1.5, 0.018, 1.0, 0.4, 0.006, 1500, 7000),
    "snare": Drum((187, 332, 471), 0.05, 0.1, 0.02, 0.6, 0.5, 0.09, 1000, 11000),
    "rim": Drum((410, 1680, 2900), 0.02, tone=0.7, noise=0.3, noise_s=0.008),
    "clap": Drum((900,), 0.01, tone=0.0, noise=0.7, noise_s=0.03, low_hz=900, bursts=3),
    "hat": Drum((4100,), 0.02, tone=0.02, noise=0.3, noise_s=0.03, low_hz=7000, high_hz=17000),
    "open hat": Drum((4100,), 0.1, tone=0.02, noise=0.3, noise_s=0.2, low_hz=6000, high_hz=17000),
    "ride": Drum((3150, 4230, 5320, 7110), 0.2, tone=0.06, noise=0.1, noise_s=0.2, low_hz=5000),
    "crash": Drum((2310, 3790, 5510), 0.5, tone=0.05, noise=0.3, noise_s=0.5, low_hz=3000),
    "high tom": Drum((160, 254), 0.14, 0.5, 0.04, 0.8, 0.2, 0.01, 1000, 5000),
    "tom": Drum((120, 190), 0.17, 0.5, 0.04, 0.8, 0.2, 0.01, 1000, 5000),
    "low tom": Drum((88, 140), 0.2, 0.5, 0.04, 0.8, 0.2, 0.01, 1000, 5000),
    "tambourine": Drum((7600, 9100), 0.05, tone=0.05, noise=0.3, noise_s=0.06, low_hz=6500),
    "cowbell": Drum((562, 845), 0.07, tone=0.5, noise=0.05, noise_s=0.01),
    "conga": Drum((210, 330), 0.1, 0.2, 0.01, 0.7, 0.2, 0.008, 1500, 6000),
    "shaker": Drum((5000,), 0.01, tone=0.0, noise=0.25, noise_s=0.03, low_hz=5000, high_hz=15000),
}
ELECTRONIC: dict[str, Drum] = ACOUSTIC | {
    "kick": Drum((48,), 0.3, 2.0, 0.03, 1.0, 0.15, 0.003, 1500, 7000),
    "snare": Drum((180, 330), 0.07, 0.2, 0.02, 0.5, 0.5, 0.07, 1500, 14000),
    "clap": Drum((900,), 0.01, tone=0.0, noise=0.9, noise_s=0.06, low_hz=800, bursts=4),
    "hat": Drum((5403, 6127, 8001), 0.03, tone=0.2, noise=0.2, noise_s=0.02, low_hz=8000),
    "open hat": Drum((5403, 6127, 8001), 0.2, tone=0.2, noise=0.2, noise_s=0.15, low_hz=8000),
    "high tom": Drum((165,), 0.2, 1.0, 0.06, 0.9, 0.05, 0.01),
    "tom": Drum((120,), 0.25, 1.0, 0.06, 0.9, 0.05, 0.01),
    "low tom": Drum((85,), 0.3, 1.0, 0.06, 0.9, 0.05, 0.01),
}


def draw_kit(rng: np.random.Generator) -> Strike:
    """A kit whose drums differ in tuning, ring and noise from those of any other."""
    basis = ACOUSTIC if rng.random() < 0.6 else ELECTRONIC
    kit = {name: _vary(drum, rng) for name, drum in basis.items()}
    tuning = {name: float(np.exp(rng.normal(0, 0.2))) for name in DEMO_DRUMS}
    demo = bool(rng.random() < DEMO_KITS)

    def strike(drum: str, velocity: float, rng: np.random.Generator) -> Array:
        if demo and drum in DEMO_DRUMS:
            sound = stroke(drum, velocity, rng)
            read = np.arange(0, len(sound) - 1, tuning[drum])
            return np.asarray(np.interp(read, np.arange(len(sound)), sound))
        return kit[drum].strike(velocity, rng)

    return strike


def _vary(drum: Drum, rng: np.random.Generator) -> Drum:
    tuning, ring, noise, rattle = np.exp(rng.normal(0, (0.15, 0.35, 0.4, 0.35)))
    spread = np.exp(rng.normal(0, 0.08, len(drum.hz)))
    return replace(
        drum,
        hz=tuple(float(hz * tuning * each) for hz, each in zip(drum.hz, spread, strict=True)),
        ring_s=float(drum.ring_s * ring),
        bend=drum.bend * float(rng.uniform(0.5, 1.5)),
        noise=float(drum.noise * noise),
        noise_s=float(drum.noise_s * rattle),
        low_hz=drum.low_hz * float(rng.uniform(0.7, 1.4)),
    )


def play_kit(
    strike: Strike,
    notes: Sequence[NoteEvent],
    drums: Sequence[str],
    length: int,
    width: float,
    rng: np.random.Generator,
) -> Array:
    """Play strokes; a struck hi-hat ends the ringing of an open one.

    Args:
        strike: the kit.
        notes: the strokes, in order of time.
        drums: what each strikes.
        length: samples to return.
        width: 1 has the drums where a drummer has them, 0 in the middle.
        rng: source of the differences between strokes.

    Returns:
        float64 [2, length].
    """
    track = np.zeros((2, length))
    takes: dict[tuple[str, int], Array] = {}
    hats = [note.start_s for note, drum in zip(notes, drums, strict=True) if "hat" in drum]
    for note, drum in zip(notes, drums, strict=True):
        layer = int(np.searchsorted(LAYERS[:-1], note.amplitude))
        take = layer * TAKES + int(rng.integers(1 if drum == "crash" else TAKES))
        if (drum, take) not in takes:
            takes[drum, take] = strike(drum, LAYERS[layer], rng)
        sound = takes[drum, take] * (note.amplitude / LAYERS[layer])
        if drum == "open hat":
            after = next((time for time in hats if time > note.start_s), np.inf)
            sound = _choked(sound, after - note.start_s)
        place(track, sound, note.start_s, width * PAN.get(drum, 0.0))
    return track


def _choked(sound: Array, after_s: float) -> Array:
    if after_s * RATE >= len(sound):
        return sound
    time = np.arange(len(sound)) / RATE
    return np.asarray(sound * np.exp(-(time - after_s).clip(0) / CHOKE_S))
