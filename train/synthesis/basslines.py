"""Bass lines: one style to a song."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from train.synthesis.score import Event, Plan

LOWEST = 28  # E1
Bar = Callable[[Plan, int, int, np.random.Generator], list[Event]]
"""Writes a bar, given its number and the pitch of the chord's root."""


def bassline(plan: Plan, style: str, rng: np.random.Generator, lowest: int = LOWEST) -> list[Event]:
    """A bass line for the sections that have one.

    Args:
        plan: the song.
        style: one of `STYLES`.
        rng: source of the choices.
        lowest: pitch of the lowest root.
    """
    if style == "syncopated":
        write = _syncopated(plan, rng)
    elif style == "riff":
        write = _riff(plan, rng)
    else:
        write = STYLES[style]
    events = []
    for section in plan.sections:
        for bar in section.bars if section.bass else ():
            root = lowest + (plan.chords[bar].root - lowest) % 12
            start = bar * plan.bar_steps
            events += [
                replace(
                    event,
                    step=start + event.step,
                    velocity=event.velocity * (0.7 + 0.3 * section.level),
                )
                for event in write(plan, bar, root, rng)
            ]
    return events


def _eighths(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    return [
        Event(step, 2, root, 0.8 if step % plan.beat_steps == 0 else 0.65)
        for step in range(0, plan.bar_steps, 2)
    ]


def _quarters(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    steps = plan.beat_steps
    return [Event(step, 0.9 * steps, root, 0.75) for step in range(0, plan.bar_steps, steps)]


def _octaves(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    return [
        Event(step, 1.6, root + 12 * (step // 2 % 2), 0.75) for step in range(0, plan.bar_steps, 2)
    ]


def _root_and_fifth(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    half = plan.bar_steps / 2
    return [Event(0, 0.85 * half, root, 0.8), Event(half, 0.85 * half, root + 7, 0.7)]


def _held(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    """A long note, as an 808 plays it, now and then with one more."""
    if rng.random() < 0.5:
        return [Event(0, plan.bar_steps, root, 0.9)]
    late = plan.bar_steps - int(rng.choice((2, 4, 6)))
    return [Event(0, late, root, 0.9), Event(late, plan.bar_steps - late, root, 0.8)]


def _walking(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    """Chord tones on the beats; the last one leads to the next root by a semitone."""
    chord = plan.chords[bar]
    following = plan.chords[(bar + 1) % len(plan.chords)]
    tones = [root + interval for interval in chord.intervals] + [root + 12]
    steps = 2 if plan.beat_steps == 6 else 4
    places = range(0, plan.bar_steps, steps)
    walk = [root, *(int(rng.choice(tones)) for _ in places[1:])]
    target = root + (following.root - root + 5) % 12 - 5
    walk[-1] = target + int(rng.choice((-1, 1, 2)))
    return [
        Event(step, 0.95 * steps, max(LOWEST - 4, pitch), 0.75)
        for step, pitch in zip(places, walk, strict=True)
    ]


def _arpeggiated(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
    tones = (root, root + 7, root + 12, root + 7)
    return [Event(step, 1.9, tones[step // 2 % 4], 0.7) for step in range(0, plan.bar_steps, 2)]


def _syncopated(plan: Plan, rng: np.random.Generator) -> Bar:
    """One rhythm with off-beats, throughout."""
    onsets = [0, *(step for step in range(1, plan.bar_steps) if rng.random() < 0.3)]
    ends = [*onsets[1:], plan.bar_steps]
    offsets = [0, *(int(each) for each in rng.choice((0, 0, 0, 7, 10, 12), len(onsets) - 1))]
    length = float(rng.uniform(0.5, 1.0))

    def write(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
        return [
            Event(step, max(1.0, length * (end - step)), root + offset, 0.75)
            for step, end, offset in zip(onsets, ends, offsets, strict=True)
        ]

    return write


def _riff(plan: Plan, rng: np.random.Generator) -> Bar:
    """The same pentatonic figure in every bar, whatever the chord."""
    minor = 4 not in plan.scale
    degrees = (0, 3, 5, 7, 10) if minor else (0, 2, 4, 7, 9)
    figure = [
        (step, int(rng.choice(degrees)))
        for step in range(0, plan.bar_steps, 2)
        if step == 0 or rng.random() < 0.6
    ]

    def write(plan: Plan, bar: int, root: int, rng: np.random.Generator) -> list[Event]:
        tonic = LOWEST + (plan.tonic - LOWEST) % 12
        return [Event(step, 1.8, tonic + degree, 0.75) for step, degree in figure]

    return write


STYLES: dict[str, Bar] = {
    "eighths": _eighths,
    "quarters": _quarters,
    "octaves": _octaves,
    "root and fifth": _root_and_fifth,
    "held": _held,
    "walking": _walking,
    "arpeggiated": _arpeggiated,
}
DRAWN = (*STYLES, "syncopated", "syncopated", "riff")
