"""Writes songs: draws a plan, then the parts that follow it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from train.synthesis import melodies
from train.synthesis.accompaniment import ACCOMPANIMENTS, pad
from train.synthesis.basslines import DRAWN, bassline
from train.synthesis.grooves import drums
from train.synthesis.harmony import MODES, draw_chords, draw_mode
from train.synthesis.score import (
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    Event,
    Metre,
    Part,
    Plan,
    Role,
    Score,
    Section,
    Stem,
    perform,
)

# How often a song lacks a stem, or has what makes it harder.
WITHOUT: dict[Stem, float] = {"vocals": 0.22, "drums": 0.16, "bass": 0.14}
WITHOUT_OTHER = 0.05
CONFUSED = 0.4  # songs with a voice that have a confuser too
CONFUSED_WITHOUT_VOICE = 0.8
TOGETHER = 0.12  # of the confusers sound with the voice as well
SPOKEN = 0.18
CHOIR_ALONE = 0.08

METRES: dict[Metre, float] = {"4/4": 0.82, "3/4": 0.08, "6/8": 0.1}
TEMPI: dict[Metre, tuple[float, float]] = {"4/4": (62, 178), "3/4": (80, 190), "6/8": (44, 84)}
BARS_OF_SECTIONS = (2, 4, 4, 4, 8)
MARGIN_STEPS = 2  # between a voice and a confuser


def compose(rng: np.random.Generator, length_s: float) -> Score:
    """Write a song.

    Args:
        rng: source of all choices.
        length_s: in seconds.
    """
    absent: set[Stem] = set()
    for stem, chance in WITHOUT.items():
        if rng.random() < chance:
            absent.add(stem)
    if "vocals" not in absent and rng.random() < WITHOUT_OTHER:
        absent.add("other")
    plan = _plan(rng, length_s, absent)
    parts: list[Part] = []
    sung: list[Event] = []
    if "vocals" not in absent:
        for role, events in _voices(plan, rng):
            sung += events
            parts.append(perform(plan, "vocals", role, events, rng, 0.015))
    if "drums" not in absent:
        parts.append(perform(plan, "drums", "kit", drums(plan, rng), rng, 0.004))
    if "bass" not in absent:
        events = bassline(plan, str(rng.choice(DRAWN)), rng, int(rng.integers(26, 34)))
        parts.append(perform(plan, "bass", "bass", events, rng))
    if "other" not in absent:
        parts += _others(plan, sung, rng)
    return Score(plan, tuple(part for part in parts if part.notes))


def _plan(rng: np.random.Generator, length_s: float, absent: set[Stem]) -> Plan:
    metre: Metre = rng.choice(list(METRES), p=list(METRES.values())).item()
    low, high = TEMPI[metre]
    tempo_bpm = float(np.clip(rng.normal((low + high) / 2.1, (high - low) / 4.5), low, high))
    start_s = float(rng.uniform(0, 0.3))
    bar_s = 60 / tempo_bpm * STEPS_PER_BAR[metre] / STEPS_PER_BEAT[metre]
    sections = _form(int((length_s - start_s) / bar_s) + 1, rng, absent)
    swings = metre != "6/8" and rng.random() < 0.3
    mode, tonic = draw_mode(rng), int(rng.integers(12))
    return Plan(
        length_s=length_s,
        start_s=start_s,
        tempo_bpm=tempo_bpm,
        metre=metre,
        swing=float(rng.uniform(0.1, 0.34)) if swings else 0.0,
        swing_steps=int(rng.choice((1, 2))),
        tonic=tonic,
        scale=MODES[mode],
        sections=sections,
        chords=draw_chords(mode, tonic, [len(section.bars) for section in sections], rng),
    )


def _form(bars: int, rng: np.random.Generator, absent: set[Stem]) -> tuple[Section, ...]:
    """Sections in which stems enter and rest; a stem that the song has plays at least once."""
    sections: list[Section] = []
    start = 0
    while start < bars:
        stop = min(bars, start + int(rng.choice(BARS_OF_SECTIONS)))
        plays = rng.random(3) < (0.72, 0.88, 0.9)
        voices, kit, bass = (
            bool(on) and stem not in absent
            for on, stem in zip(plays, ("vocals", "drums", "bass"), strict=True)
        )
        sections.append(Section(start, stop, voices, kit, bass, float(rng.uniform(0.5, 1))))
        start = stop
    which = int(rng.integers(len(sections)))
    sections[which] = replace(
        sections[which],
        voices=sections[which].voices or "vocals" not in absent,
        drums=sections[which].drums or "drums" not in absent,
        bass=sections[which].bass or "bass" not in absent,
    )
    return tuple(sections)


def _voices(plan: Plan, rng: np.random.Generator) -> Iterable[tuple[Role, list[Event]]]:
    """All that is sung or spoken."""
    centre = int(rng.integers(48, 72))
    sections = [section for section in plan.sections if section.voices]
    if rng.random() < CHOIR_ALONE:
        bars = [bar for section in sections for bar in section.bars]
        yield "choir", _choir(plan, bars, rng)
        return
    spoken = rng.random() < SPOKEN
    phrasing = melodies.draw_phrasing(centre, rng)
    lead: list[Event] = []
    for section in sections:
        lead += (
            melodies.speech(plan, section.bars, centre, rng)
            if spoken
            else melodies.line(plan, section.bars, phrasing, rng)
        )
    lead = melodies.with_words(lead, rng)
    yield ("speech" if spoken else "lead"), lead
    loud = [
        event
        for section in sections
        if section.level > 0.7
        for event in lead
        if int(event.step) // plan.bar_steps in section.bars
    ]
    if rng.random() < 0.3:
        yield "double", (loud or lead)
    if not spoken and rng.random() < 0.3:
        for degrees in rng.choice((2, -3, 4, 7, -7), int(rng.integers(1, 3)), replace=False):
            yield "harmony", melodies.parallel(plan, loud or lead, int(degrees))
    if rng.random() < 0.15:
        section = sections[int(rng.integers(len(sections)))]
        yield "choir", _choir(plan, section.bars, rng)
    if rng.random() < 0.2:
        yield "ad-lib", melodies.ad_libs(lead, centre, rng)


def _choir(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    word = str(rng.choice(("hah", "hoo", "hoh", "moo", "lah")))
    return [replace(event, word=word) for event in pad(plan, bars, rng)]


def _others(plan: Plan, sung: Sequence[Event], rng: np.random.Generator) -> Iterable[Part]:
    """One to four accompaniments, perhaps a melody, perhaps a confuser."""
    roles = list(ACCOMPANIMENTS)
    for index in rng.choice(len(roles), int(rng.choice((1, 2, 2, 3, 4))), replace=False):
        bars = _some(plan, 0.8, rng)
        events = ACCOMPANIMENTS[roles[index]](plan, bars, rng)
        yield perform(plan, "other", roles[index], events, rng)
    if rng.random() < 0.2:
        events = _line(plan, _some(plan, 0.5, rng), rng)
        yield perform(plan, "other", "melody", events, rng, 0.01)
    if rng.random() < (CONFUSED if sung else CONFUSED_WITHOUT_VOICE):
        events = _line(plan, range(len(plan.chords)), rng)
        if rng.random() >= TOGETHER:
            events = _apart(events, sung)
        yield perform(plan, "other", "confuser", events, rng, 0.015)


def _some(plan: Plan, chance: float, rng: np.random.Generator) -> list[int]:
    """Bars of some of the sections."""
    chosen = [section for section in plan.sections if rng.random() < chance]
    return [bar for section in chosen or plan.sections for bar in section.bars]


def _line(plan: Plan, bars: Sequence[int], rng: np.random.Generator) -> list[Event]:
    phrasing = melodies.draw_phrasing(int(rng.integers(55, 80)), rng)
    return melodies.line(plan, bars, phrasing, rng)


def _apart(events: Sequence[Event], sung: Sequence[Event]) -> list[Event]:
    """Those events during which nobody sings."""
    return [
        event
        for event in events
        if not any(
            event.step < other.step + other.steps + MARGIN_STEPS
            and other.step < event.step + event.steps + MARGIN_STEPS
            for other in sung
        )
    ]
