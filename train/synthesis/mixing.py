"""The mixing desk: a chain of effects for each stem, another for the whole.

What is done to the whole is the same gain or filter for every stem, so the stems always sum to the
mixture.
"""

import numpy as np

from train.synthesis import filters
from train.synthesis.dynamics import (
    compressor_gain,
    levelled,
    saturate,
    saturation_gain,
)
from train.synthesis.media import telephone, through_mp3, wow
from train.synthesis.score import STEMS, Plan, Role, Stem
from train.synthesis.space import Room, aside, chorus, echo, in_room, widened
from unbraid.demo.room import Array
from unbraid.types import Samples

STEM_LEVELS: dict[Stem, float] = {"vocals": -20.0, "drums": -20.0, "bass": -22.0, "other": -21.0}
STEM_SPREAD_DB = 3.5
PART_LEVELS: dict[Role, float] = {  # against what is loudest in the stem, in dB
    "double": -7.0,
    "harmony": -6.0,
    "choir": -5.0,
    "ad-lib": -4.0,
    "comping": -3.0,
    "arpeggio": -4.0,
    "pad": -7.0,
    "strings": -6.0,
    "brass": -2.0,
    "riff": -2.0,
}
PART_SPREAD_DB = 2.5
VOICES: tuple[Role, ...] = ("lead", "double", "harmony", "choir", "speech", "ad-lib")
CHORUSED: tuple[Role, ...] = ("bass", "comping", "arpeggio", "pad", "strings", "melody", "double")

DUCKED = 0.12  # of the songs duck bass and other under the kick drum
ROOMY_DRUMS = 0.25  # of the kits are heard through the room more than directly
LONG_REVERB = 0.15  # of the voices
MONO = 0.07
TAPE = 0.1
PHONE = 0.03
MP3 = 0.08
LOUDNESS_DB = (-24.0, -9.0)  # RMS of the mixture, from old records to loud ones


def mix_part(track: Array, role: Role, rng: np.random.Generator) -> Array:
    """One part on its channel strip, at its level in the stem, float64 [2, time]."""
    track = levelled(track, -12)
    if role == "power chords":
        track = saturate(track, float(10 ** rng.uniform(0.5, 1.8)))
        track = filters.low_pass(filters.high_pass(track, 80), float(rng.uniform(3000, 7000)))
    elif rng.random() < 0.15:
        track = saturate(track, float(rng.uniform(1, 4)))
    if role == "bass":
        if rng.random() < 0.5:
            track = filters.low_pass(track, float(10 ** rng.uniform(2.7, 3.7)))
    elif role != "kit":
        track = filters.high_pass(track, float(rng.uniform(40, 140)))
    if role in VOICES:
        track = filters.high_shelf(track, float(rng.uniform(4000, 8000)), float(rng.uniform(0, 14)))
    track = _equalised(track, rng)
    if rng.random() < 0.6:
        track = _compressed(track, rng)
    if role in CHORUSED and rng.random() < 0.2:
        depth_s, rate_hz = rng.uniform(0.001, 0.004), rng.uniform(0.2, 2)
        track = chorus(track, float(depth_s), float(rate_hz), float(rng.uniform(0.3, 0.9)))
    if role in ("comping", "arpeggio", "riff", "melody", "confuser", "power chords"):
        track = aside(track, float(rng.uniform(-1, 1) * rng.choice((0.2, 0.9))))
    level_db = PART_LEVELS.get(role, 0.0) + float(rng.normal(0, PART_SPREAD_DB))
    return levelled(track, level_db - 12)


def mix_stem(track: Array, stem: Stem, plan: Plan, rng: np.random.Generator) -> Array:
    """A stem with its echo, its room and its level, float64 [2, time]."""
    if (stem == "vocals" and rng.random() < 0.25) or (stem == "other" and rng.random() < 0.2):
        beats = float(rng.choice((0.25, 0.5, 0.75, 1)))
        feedback, wet = rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.35)
        ping_pong = bool(rng.random() < 0.4)
        track = echo(track, beats * 60 / plan.tempo_bpm, float(feedback), float(wet), ping_pong)
    room = _room(stem, rng)
    if room:
        track = in_room(track, room, rng)
    if stem == "drums" and rng.random() < 0.5:
        track = _compressed(track, rng)
    if rng.random() < 0.2:
        track = widened(track, float(rng.uniform(0, 1.4)))
    return levelled(track, STEM_LEVELS[stem] + float(rng.normal(0, STEM_SPREAD_DB)))


def _room(stem: Stem, rng: np.random.Generator) -> Room | None:
    damping = float(rng.uniform(0.3, 0.85))
    size_s, early = float(rng.uniform(0.015, 0.08)), float(rng.choice((0.0, 0.3, 0.6)))
    if stem == "drums" and rng.random() < ROOMY_DRUMS:
        wet, decay_s = rng.uniform(0.5, 1.5), rng.uniform(0.3, 1.2)
    elif stem == "vocals" and rng.random() < LONG_REVERB:
        wet, decay_s = rng.uniform(0.3, 1.0), rng.uniform(2, 4)
    elif rng.random() < {"vocals": 0.75, "drums": 0.6, "bass": 0.1, "other": 0.7}[stem]:
        wet, decay_s = 10 ** rng.uniform(-1.5, -0.3), rng.uniform(0.3, 2.2)
    else:
        return None
    return Room(float(wet), float(decay_s), damping, early, size_s)


def _equalised(track: Array, rng: np.random.Generator) -> Array:
    """Some shelves and peaks, none of them extreme."""
    if rng.random() < 0.4:
        track = filters.high_shelf(track, float(rng.uniform(2500, 9000)), float(rng.normal(0, 4)))
    if rng.random() < 0.3:
        track = filters.low_shelf(track, float(rng.uniform(80, 350)), float(rng.normal(0, 3)))
    for _ in range(int(rng.integers(0, 3))):
        hz, q = float(10 ** rng.uniform(2.2, 3.9)), float(rng.uniform(0.5, 3))
        track = filters.peak(track, hz, float(rng.normal(0, 4)), q)
    return track


def _compressed(track: Array, rng: np.random.Generator) -> Array:
    return track * compressor_gain(
        track,
        threshold_db=float(rng.uniform(-22, -6)),
        ratio=float(rng.uniform(2, 8)),
        attack_s=float(rng.uniform(0.001, 0.03)),
        release_s=float(rng.uniform(0.04, 0.3)),
    )


def master(tracks: dict[Stem, Array], rng: np.random.Generator) -> Samples:
    """All stems as the finished record has them.

    Args:
        tracks: float64 [2, time] each.
        rng: source of the choices.

    Returns:
        float32 [stem, 2, time] in the order of `STEMS`; a silent stem is exactly zero.
    """
    stems = np.stack([tracks[stem] for stem in STEMS])
    if rng.random() < DUCKED:
        kick = filters.low_pass(tracks["drums"], 120)
        depth, release_s = float(rng.uniform(2, 6)), float(rng.uniform(0.1, 0.3))
        stems[2:] *= compressor_gain(kick, -30, depth, 0.003, release_s)
    present = [k for k, stem in enumerate(stems) if stem.any()]
    finished = np.zeros(stems.shape, np.float32)
    if not present:
        return finished
    stems = stems[present]
    if rng.random() < MONO:
        stems = np.repeat(stems.mean(axis=1, keepdims=True), 2, axis=1)
    if rng.random() < 0.5:
        stems = _equalised(stems, rng)
    if rng.random() < 0.5:
        stems *= compressor_gain(stems.sum(axis=0), float(rng.uniform(-24, -8)), 2.5, 0.01, 0.2)
    if rng.random() < TAPE:
        stems = _taped(stems, rng)
    if rng.random() < PHONE:
        stems = telephone(stems)
    stems = _loud(stems, rng)
    finished[present] = stems
    if rng.random() < MP3:
        compression = float(rng.uniform(0.5, 0.95))
        for k in present:
            finished[k] = through_mp3(finished[k], compression)
    return finished


def _taped(stems: Array, rng: np.random.Generator) -> Array:
    """Unsteady tape that loses treble; its hiss goes into the last stem of the song."""
    stems = wow(stems, float(rng.uniform(0.0003, 0.002)), float(rng.uniform(0.4, 6)))
    stems = filters.low_pass(stems, float(rng.uniform(8000, 16000)))
    hiss = rng.standard_normal(stems.shape[1:])
    stems[-1] += 10 ** (rng.uniform(-75, -60) / 20) * hiss
    return stems


def _loud(stems: Array, rng: np.random.Generator) -> Array:
    """Bring the sum to a loudness, then its peaks below full scale: by a soft limiter, or not."""
    mixture = stems.sum(axis=0)
    gain = 10 ** (rng.uniform(*LOUDNESS_DB) / 20) / max(np.sqrt(np.mean(mixture**2)), 1e-6)
    stems = gain * stems
    if rng.random() < 0.8:
        stems *= compressor_gain(gain * mixture, -3, np.inf, 0.0005, 0.08)
        stems *= saturation_gain(stems.sum(axis=0), 0.7)
    peak = float(np.abs(stems.sum(axis=0)).max())
    return np.asarray(stems * min(1.0, 0.99 / max(peak, 1e-6)))
