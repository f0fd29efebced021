"""Lines with phrases and rests, for voices and for instruments that play like them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from train.synthesis.harmony import pitches
from train.synthesis.score import Event, Metre, Plan
from unbraid.demo.singer import CONSONANTS, VOWELS

# Lengths of notes in sixteenths, and how often each is taken, for slow, middling and fast lines.
LENGTHS: dict[Metre, tuple[tuple[int, ...], ...]] = {
    "4/4": ((4, 4, 6, 8, 8, 12), (2, 2, 2, 4, 4, 6, 8), (1, 1, 2, 2, 2, 3, 4)),
    "3/4": ((4, 8, 8, 12), (2, 4, 4, 8), (2, 2, 2, 4)),
    "6/8": ((4, 6, 6, 12), (2, 2, 4, 6), (2, 2, 2, 1, 4)),
}
STEPWISE = (-3, -2, -1, -1, 0, 1, 1, 2, 3)
SHOUTS = ("hay", "yay", "hoh", "woh", "hah", "goh")


@dataclass(frozen=True)
class Phrasing:
    """How a line goes.

    Attributes:
        centre: MIDI number around which it moves.
        reach: semitones up and down from there.
        pace: 0 slow, 1 middling, 2 fast.
        bars: to a phrase.
        rest: part of each phrase that is silent at its end.
    """

    centre: int
    reach: int
    pace: int
    bars: int
    rest: float


def draw_phrasing(centre: int, rng: np.random.Generator) -> Phrasing:
    """A manner of playing around a pitch."""
    return Phrasing(
        centre=centre,
        reach=int(rng.integers(6, 11)),
        pace=int(rng.choice(3, p=(0.25, 0.5, 0.25))),
        bars=int(rng.choice((1, 2, 2, 4))),
        rest=float(rng.uniform(0.1, 0.4)),
    )


def line(
    plan: Plan, bars: Sequence[int], phrasing: Phrasing, rng: np.random.Generator
) -> list[Event]:
    """A melody over some bars: two rhythms take turns, pitches follow the scale and the chords."""
    rhythms = [_rhythm(plan, phrasing, rng) for _ in range(2)]
    ladder = pitches(
        [(plan.tonic + step) % 12 for step in plan.scale],
        phrasing.centre - phrasing.reach,
        phrasing.centre + phrasing.reach,
    )
    at = len(ladder) // 2
    events = []
    for first in bars[:: phrasing.bars]:
        for step, steps in rhythms[int(rng.random() < 0.4)]:
            now = first * plan.bar_steps + step
            bar = now // plan.bar_steps
            if bar not in bars:
                continue
            at = int(np.clip(at + rng.choice(STEPWISE), 0, len(ladder) - 1))
            if steps >= plan.beat_steps or step % plan.beat_steps == 0:
                at = _nearest(ladder, at, plan.chords[bar].pitch_classes)
            accent = 0.08 if step % plan.beat_steps == 0 else 0.0
            events.append(Event(now, steps, ladder[at], 0.65 + accent))
    return events


def _rhythm(plan: Plan, phrasing: Phrasing, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Onsets and lengths of one phrase, in sixteenths."""
    end = phrasing.bars * plan.bar_steps * (1 - phrasing.rest)
    step = int(rng.choice((0, 0, 0, 2, 4)))
    rhythm = []
    while step < end:
        steps = int(rng.choice(LENGTHS[plan.metre][phrasing.pace]))
        if rng.random() > 0.12:
            rhythm.append((step, min(steps, 2 * plan.bar_steps)))
        step += steps
    return rhythm


def _nearest(ladder: Sequence[int], at: int, classes: Sequence[int]) -> int:
    """Place in the ladder of the chord tone that lies nearest."""
    fitting = [k for k, pitch in enumerate(ladder) if pitch % 12 in classes]
    return min(fitting, key=lambda k: abs(k - at)) if fitting else at


def speech(plan: Plan, bars: Sequence[int], centre: int, rng: np.random.Generator) -> list[Event]:
    """Syllables in rhythm, on falling pitches, with a breath at the end of each bar or two."""
    events = []
    groups: tuple[tuple[int, ...], ...] = (
        (1, 1, 2),
        (2, 1, 1),
        (1, 1, 1, 1),
        (2, 2),
        (3, 1),
        (1, 2, 1),
    )
    if plan.beat_steps == 6:
        groups = ((2, 2, 2), (2, 1, 1, 2), (4, 2), (3, 3))
    for bar in bars:
        beats = plan.bar_steps // plan.beat_steps
        spoken = beats if bar % 2 == 0 else beats - 1
        for beat in range(spoken):
            step = bar * plan.bar_steps + beat * plan.beat_steps
            for steps in groups[rng.integers(len(groups))]:
                pitch = centre + round(2 - 4 * beat / beats + rng.normal(0, 1.6))
                events.append(Event(step, steps, pitch, float(rng.uniform(0.55, 0.9))))
                step += steps
    return events


def ad_libs(events: Sequence[Event], centre: int, rng: np.random.Generator) -> list[Event]:
    """Shouts into the rests of a line."""
    shouted = []
    for event, following in itertools.pairwise(events):
        gap = following.step - event.step - event.steps
        if gap >= 3 and rng.random() < 0.6:
            word = str(rng.choice(SHOUTS))
            pitch = centre + int(rng.integers(-2, 6))
            shouted.append(Event(event.step + event.steps + 1, min(gap - 1, 4), pitch, 0.7, word))
    return shouted


def parallel(plan: Plan, events: Sequence[Event], degrees: int) -> list[Event]:
    """The same line, some degrees of the scale higher or lower."""
    ladder = pitches([(plan.tonic + step) % 12 for step in plan.scale], 0, 127)
    return [
        replace(event, pitch=ladder[int(np.searchsorted(ladder, event.pitch)) + degrees])
        for event in events
    ]


def with_words(events: Sequence[Event], rng: np.random.Generator) -> list[Event]:
    """The same line with syllables, some of which come back."""
    vowels = [str(vowel) for vowel in rng.choice(list(VOWELS), 8)]
    text = [str(rng.choice(list(CONSONANTS))) + vowel for vowel in vowels]
    return [
        replace(event, word=event.word or text[k % 8 if rng.random() < 0.7 else rng.integers(8)])
        for k, event in enumerate(events)
    ]
