"""Chords and figures that carry a song: one function a way of playing."""

from collections.abc import Callable, Sequence

import numpy as np

from train.synthesis.harmony import pitches
from train.synthesis.score import Chord, Event, Plan, Role

Accompaniment = Callable[[Plan, Sequence[int], np.random.Generator], list[Event]]
"""Writes a part for some bars of a song."""

LOWEST_OF_CHORDS = (48, 64)  # lowest notes are drawn from between
LOWEST_OF_PIANOS = (33, 46)  # seldom


def voicing(chord: Chord, lowest: int) -> list[int]:
    """Each tone of a chord once, from a lowest pitch on."""
    return pitches(chord.pitch_classes, lowest, lowest + 11)


def _lowest(rng: np.random.Generator) -> int:
    low, high = LOWEST_OF_PIANOS if rng.random() < 0.12 else LOWEST_OF_CHORDS
    return int(rng.integers(low, high))


def comping(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """Chords in a rhythm that comes back every bar, struck together or strummed."""
    lowest = _lowest(rng)
    strum = float(rng.choice((0.0, 0.0, 0.1)))  # steps between the strings
    length = float(rng.uniform(0.35, 1.0))
    onsets = [
        step
        for step in range(plan.bar_steps)
        if step == 0 or rng.random() < (0.3 if step % 2 == 0 else 0.08)
    ]
    spans = list(zip(onsets, [*onsets[1:], plan.bar_steps], strict=True))
    events = []
    for bar in bars:
        tones = voicing(plan.chords[bar], lowest)
        for start, stop in spans:
            velocity = float(rng.uniform(0.5, 0.85))
            struck = [*tones, tones[0] + 12] if strum else tones
            for k, pitch in enumerate(struck):
                step = bar * plan.bar_steps + start + k * strum
                events.append(Event(step, length * (stop - start), pitch, velocity))
    return events


def power_chords(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """Root, fifth and octave, held or in eighths."""
    steps = int(rng.choice((2, 2, plan.bar_steps // 2, plan.bar_steps)))
    length = float(rng.uniform(0.5, 1.0)) * steps
    events = []
    for bar in bars:
        root = 40 + (plan.chords[bar].root - 40) % 12
        for step in range(0, plan.bar_steps, steps):
            if steps > 2 or rng.random() < 0.85:
                events += [
                    Event(bar * plan.bar_steps + step, length, root + above, 0.8)
                    for above in (0, 7, 12)
                ]
    return events


def arpeggio(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """The tones of the chord, one after the other in an order that comes back."""
    lowest = int(rng.integers(*LOWEST_OF_CHORDS))
    steps = int(rng.choice((1, 2, 2)))
    order = [int(each) for each in rng.integers(0, 6, plan.bar_steps // steps)]
    if rng.random() < 0.5:
        order = [(0, 1, 2, 3, 4, 3, 2, 1)[k % 8] for k in range(len(order))]
    ring = float(rng.uniform(0.8, 4))
    events = []
    for bar in bars:
        tones = voicing(plan.chords[bar], lowest)
        tones += [tone + 12 for tone in tones]
        for k, which in enumerate(order):
            pitch = tones[which % len(tones)]
            accent = 0.15 if k == 0 else 0.0
            step = bar * plan.bar_steps + k * steps
            events.append(Event(step, ring * steps, pitch, 0.6 + accent))
    return events


def riff(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """A short figure from the scale, again and again."""
    lowest = int(rng.integers(48, 66))
    ladder = pitches([(plan.tonic + step) % 12 for step in plan.scale], lowest, lowest + 14)
    span = plan.bar_steps * int(rng.choice((1, 2)))
    density = float(rng.uniform(0.25, 0.6))
    figure = [
        (step, int(rng.integers(len(ladder)))) for step in range(span) if rng.random() < density
    ]
    length = float(rng.uniform(0.8, 2.5))
    period = span // plan.bar_steps
    return [
        Event(bar * plan.bar_steps + step % plan.bar_steps, length, ladder[k])
        for bar in bars
        for step, k in figure
        if step // plan.bar_steps == bar % period
    ]


def pad(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """Held chords."""
    return _held(plan, bars, int(rng.integers(*LOWEST_OF_CHORDS)))


def strings(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """Held chords, high."""
    return _held(plan, bars, int(rng.integers(60, 73)))


def _held(plan: Plan, bars: Sequence[int], lowest: int) -> list[Event]:
    return [
        Event(bar * plan.bar_steps, plan.bar_steps, pitch, 0.6)
        for bar in bars
        for pitch in voicing(plan.chords[bar], lowest)
    ]


def brass(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    """Short chords, few and off the beat, in every second bar."""
    lowest = int(rng.integers(55, 65))
    stabs = [
        (step, int(rng.choice((1, 2, 4))))
        for step in range(0, plan.bar_steps, 2)
        if rng.random() < 0.3
    ] or [(0, 2)]
    every = int(rng.choice((1, 2)))
    return [
        Event(bar * plan.bar_steps + step, steps, pitch, 0.85)
        for bar in bars
        if bar % every == 0
        for step, steps in stabs
        for pitch in voicing(plan.chords[bar], lowest)
    ]


ACCOMPANIMENTS: dict[Role, Accompaniment] = {
    "comping": comping,
    "power chords": power_chords,
    "arpeggio": arpeggio,
    "riff": riff,
    "pad": pad,
    "strings": strings,
    "brass": brass,
}
