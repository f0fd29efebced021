"""Plucked and struck strings: guitars, harps, pianos, the double bass."""

from dataclasses import dataclass

import numpy as np
import scipy.fft

from train.synthesis.instruments import hertz
from unbraid.demo.room import RATE, Array


@dataclass(frozen=True)
class Strings:
    """Plucked or struck strings: partials that die away, the high ones first.

    A period of the sound is a spectrum times the losses so far; all periods are computed at once
    and read at the pitch. This is the string of Karplus and Strong (1983) with any loss one likes.

    Attributes:
        position: where the string is excited, as a part of its length.
        softness: ratio of a partial's level to that of the one below it.
        noise: irregularity of the excitation.
        ring_s: time constant of the fundamental of middle C.
        damping: how much sooner each partial dies than the one below.
        detune_cents: between two strings to a tone; 0 for one string.
    """

    position: float
    softness: float
    noise: float
    ring_s: float
    damping: float
    detune_cents: float = 0.0

    def tone(self, pitch: int, velocity: float, length_s: float) -> Array:
        """One tone [time]."""
        tone = self._string(hertz(pitch), velocity, length_s, pitch)
        if self.detune_cents:
            other = hertz(pitch) * 2 ** (self.detune_cents / 1200)
            tone = 0.6 * (tone + self._string(other, velocity, length_s, pitch + 128))
        attack = np.clip(np.arange(len(tone)) / (0.001 * RATE), 0, 1)
        return np.asarray(velocity * attack * tone)

    def _string(self, hz: float, velocity: float, length_s: float, seed: int) -> Array:
        rng = np.random.default_rng(seed)
        samples = round(length_s * RATE)
        period = int(scipy.fft.next_fast_len(int(np.ceil(RATE / hz)), real=True))
        periods = np.arange(int(np.ceil(samples * hz / RATE)) + 2)[:, np.newaxis]
        partials = np.arange(period // 2 + 1)
        softness = self.softness ** (1.4 - 0.6 * velocity)
        plucked = np.sin(np.pi * partials * self.position) * softness**partials
        rough = 1 + self.noise * (rng.standard_normal(len(partials)) - 1)
        loss = partials.clip(1) ** 0.5 * (1 + self.damping * partials) / hz
        loss *= (hz / 262) ** 0.4 / self.ring_s
        table = scipy.fft.irfft(-1j * plucked * rough * np.exp(-loss * periods), period)
        sound = table.ravel() * period / 2
        return np.interp(np.arange(samples) * hz * period / RATE, np.arange(sound.size), sound)


def draw_guitar(rng: np.random.Generator) -> Strings:
    """Nylon, steel, a harp, a banjo, or something between them."""
    return Strings(
        position=float(rng.uniform(0.08, 0.45)),
        softness=float(rng.uniform(0.75, 0.93)),
        noise=float(rng.uniform(0.05, 0.4)),
        ring_s=float(rng.uniform(0.4, 2.5)),
        damping=float(rng.uniform(0.05, 0.3)),
        detune_cents=float(rng.choice((0, 0, 4))),
    )


def draw_piano(rng: np.random.Generator) -> Strings:
    """A piano, good or worn."""
    return Strings(
        position=float(rng.uniform(0.09, 0.14)),
        softness=float(rng.uniform(0.72, 0.87)),
        noise=0.15,
        ring_s=float(rng.uniform(1.2, 2.5)),
        damping=float(rng.uniform(0.08, 0.2)),
        detune_cents=float(rng.uniform(0.8, 5)),
    )


def draw_upright(rng: np.random.Generator) -> Strings:
    """A double bass, plucked."""
    return Strings(
        position=float(rng.uniform(0.2, 0.45)),
        softness=float(rng.uniform(0.55, 0.72)),
        noise=0.3,
        ring_s=float(rng.uniform(0.25, 0.6)),
        damping=float(rng.uniform(0.15, 0.4)),
    )
