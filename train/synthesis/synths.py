"""Subtractive synthesisers, which also stand for sections of strings and brass."""

from dataclasses import dataclass

import numpy as np

from train.synthesis.filters import band_pass, low_pass
from train.synthesis.instruments import hertz, seconds
from unbraid.demo.room import RATE, Array


def sawtooth(cycles: Array, rate: float | Array) -> Array:
    """A sawtooth with smoothed edges: Välimäki and Huovilainen, PolyBLEP (2007).

    Args:
        cycles: phase [time], 1 is a period.
        rate: cycles per sample.
    """
    phase = cycles % 1
    wave = 2 * phase - 1
    rates = np.broadcast_to(rate, phase.shape)
    after, before = phase < rates, phase > 1 - rates
    late = phase[after] / rates[after]
    early = (phase[before] - 1) / rates[before]
    wave[after] -= 2 * late - late**2 - 1
    wave[before] -= early**2 + 2 * early + 1
    return np.asarray(wave)


def pulse(cycles: Array, rate: float | Array, width: float) -> Array:
    """A rectangular wave whose high part lasts `width` of a period."""
    return sawtooth(cycles, rate) - sawtooth(cycles + width, rate)


@dataclass(frozen=True)
class Synth:
    """A subtractive synthesiser: oscillators, a filter that moves, an amplifier.

    Attributes:
        detune: of each oscillator, in cents.
        width: of the pulses; 0 is a sawtooth.
        sub: level of a sine an octave below.
        cutoff_hz: where the filter rests.
        opening: how many times higher it stands when open.
        q: of the filter.
        rises: whether the filter opens, as a trumpet does, rather than closes.
        attack_s: time to full level.
        decay_s: time in which level and filter settle.
        sustain: level that remains.
        noise: breath or bow against the oscillators.
    """

    detune: tuple[float, ...]
    width: float
    sub: float
    cutoff_hz: float
    opening: float
    q: float
    rises: bool
    attack_s: float
    decay_s: float
    sustain: float
    noise: float = 0.0

    def tone(self, pitch: int, velocity: float, length_s: float) -> Array:
        """One tone [time]."""
        time, hz = seconds(length_s), hertz(pitch)
        raw = self.sub * np.sin(np.pi * hz * time)
        for k, cents in enumerate(self.detune):
            each = hz * 2 ** (cents / 1200)
            cycles = each * time + 0.37 * k
            wave = (
                pulse(cycles, each / RATE, self.width)
                if self.width
                else sawtooth(cycles, each / RATE)
            )
            raw = raw + wave / len(self.detune)
        if self.noise:
            hiss = np.random.default_rng(pitch).standard_normal(len(time))
            raw = raw + self.noise * band_pass(hiss, 3000, 0.7)
        dark = low_pass(raw, max(self.cutoff_hz, 1.2 * hz), self.q)
        bright = low_pass(raw, max(self.cutoff_hz, hz) * (1 + self.opening * velocity), self.q)
        settled = np.exp(-time / self.decay_s)
        openness = 1 - settled if self.rises else settled
        level = np.clip(time / self.attack_s, 0, 1) * (self.sustain + (1 - self.sustain) * settled)
        return np.asarray(velocity * level * (dark + openness * (bright - dark)))


def draw_synth(rng: np.random.Generator, attack_s: float, sustain: float, decay_s: float) -> Synth:
    """A synthesiser with an envelope about as given."""
    count = int(rng.choice((1, 2, 3, 5)))
    return Synth(
        detune=tuple(float(each) for each in rng.uniform(-14, 14, count)),
        width=float(rng.choice((0, 0, rng.uniform(0.1, 0.5)))),
        sub=float(rng.choice((0, 0.5))),
        cutoff_hz=float(10 ** rng.uniform(2.5, 3.8)),
        opening=float(rng.uniform(0, 6)),
        q=float(rng.uniform(0.6, 3)),
        rises=False,
        attack_s=attack_s * float(rng.uniform(0.7, 1.5)),
        decay_s=decay_s * float(rng.uniform(0.6, 1.6)),
        sustain=sustain,
    )


def draw_section(rng: np.random.Generator, brass: bool) -> Synth:
    """A section of bowed strings or of brass."""
    return Synth(
        detune=tuple(float(each) for each in rng.normal(0, 7, 4)),
        width=0.0,
        sub=0.0,
        cutoff_hz=float(rng.uniform(500, 1200) if brass else rng.uniform(1500, 4500)),
        opening=float(rng.uniform(4, 9) if brass else rng.uniform(0, 1)),
        q=0.7,
        rises=brass,
        attack_s=float(rng.uniform(0.01, 0.05) if brass else rng.uniform(0.04, 0.35)),
        decay_s=0.07 if brass else 0.5,
        sustain=0.85,
        noise=float(rng.uniform(0.01, 0.06)),
    )
