"""Drum grooves written as text: sixteen or twelve steps a bar, `X` loud, `x` middling, `o` a ghost.

Lines and levels are those of `unbraid.demo.score`.
"""

import numpy as np

from train.synthesis.score import Event, Metre, Plan, Section
from unbraid.demo.score import STEP_LEVELS

Groove = dict[str, str]

GM_DRUMS = {  # MIDI numbers in General MIDI
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "low tom": 43,
    "tom": 45,
    "high tom": 48,
    "hat": 42,
    "open hat": 46,
    "crash": 49,
    "ride": 51,
    "tambourine": 54,
    "cowbell": 56,
    "conga": 63,
    "shaker": 70,
}

GROOVES: dict[Metre, dict[str, Groove]] = {
    "4/4": {
        "rock": {
            "kick": "X.....x.x.......",
            "snare": "....X.......X...",
            "hat": "X.x.X.x.X.x.X.x.",
        },
        "driving": {
            "kick": "X.....X.X.....x.",
            "snare": "....X.......X...",
            "ride": "X.x.X.x.X.x.X.x.",
        },
        "ballad": {
            "kick": "X.........x.....",
            "rim": "....X.......X...",
            "hat": "x...x...x...x...",
        },
        "half time": {
            "kick": "X.....x...x.....",
            "snare": "........X.......",
            "hat": "X.x.x.x.X.x.x.x.",
        },
        "house": {
            "kick": "X...X...X...X...",
            "clap": "....X.......X...",
            "hat": "x.o.x.o.x.o.x.o.",
            "open hat": "..x...x...x...x.",
        },
        "disco": {
            "kick": "X...X...X...X...",
            "snare": "....X.......X...",
            "hat": "xox.xox.xox.xox.",
            "open hat": "..X...X...X...X.",
        },
        "funk": {
            "kick": "X.X.......x..x..",
            "snare": "....X..o.o..X..o",
            "hat": "XoxoXoxoXoxoXoxo",
        },
        "hip hop": {
            "kick": "X......x..X.....",
            "snare": "....X.......X..o",
            "hat": "x.x.x.x.x.x.x.xo",
        },
        "trap": {
            "kick": "X......X..x.....",
            "clap": "........X.......",
            "hat": "x.x.xxx.x.x.xoxo",
            "open hat": "......x.........",
        },
        "breakbeat": {
            "kick": "X.X.......XX....",
            "snare": "....X..o.o..X..o",
            "ride": "X.x.X.x.X.x.X.x.",
        },
        "drum and bass": {
            "kick": "X.........X.....",
            "snare": "....X.......X...",
            "hat": "x.x.x.x.x.x.x.x.",
            "shaker": "oooooooooooooooo",
        },
        "motown": {
            "kick": "X.....x.x.x.....",
            "snare": "X...X...X...X...",
            "tambourine": "x.o.X.o.x.o.X.o.",
        },
        "one drop": {
            "kick": "........X.......",
            "rim": "........X.......",
            "hat": "..x...x...x...x.",
        },
        "bossa": {
            "kick": "X..xX..xX..xX..x",
            "rim": "X..x..x...x..x..",
            "shaker": "xoxoxoxoxoxoxoxo",
        },
        "swing": {
            "kick": "o...o...o...o...",
            "ride": "X...X.x.X...X.x.",
            "hat": "....x.......x...",
        },
        "train": {"kick": "X...x...X...x...", "snare": "oxoXoxoXoxoXoxoX"},
        "toms": {
            "kick": "X...X...X...X...",
            "low tom": "X..x..x.X..x..x.",
            "tom": "......x.......xx",
        },
    },
    "3/4": {
        "waltz": {"kick": "X...........", "snare": "....x...x...", "hat": "x...x...x..."},
        "country waltz": {"kick": "X...........", "rim": "....X...X...", "ride": "X.x.X.x.X.x."},
        "jazz waltz": {"kick": "o.......o...", "ride": "X...X.x.X...", "hat": "....x......."},
        "rock waltz": {"kick": "X.....x.....", "snare": "........X...", "hat": "X.x.x.x.x.x."},
    },
    "6/8": {
        "slow": {"kick": "X.......x...", "snare": "......X.....", "hat": "X.x.x.X.x.x."},
        "ballad": {"kick": "X...........", "rim": "......X.....", "hat": "x.o.o.x.o.o."},
        "shuffle": {"kick": "X...x.x...x.", "snare": "......X.....", "ride": "X...x.X...x."},
        "afro": {"kick": "X.....X.....", "conga": "x.xx.xx.xx.x", "shaker": "xoxoxoxoxoxo"},
    },
}
FILL_DRUMS = ("snare", "high tom", "tom", "low tom")
TIME_KEEPERS = ("hat", "ride", "shaker")


def drums(plan: Plan, rng: np.random.Generator) -> list[Event]:
    """The strokes of a song: two grooves that vary, fills before new sections, crashes after."""
    names = list(GROOVES[plan.metre])
    verse, chorus = (_varied(GROOVES[plan.metre][str(rng.choice(names))], rng) for _ in range(2))
    if rng.random() < 0.5:
        chorus = verse
    ghosts = float(rng.choice((0.0, 0.0, 0.05, 0.12)))
    crashes = float(rng.uniform(0, 1))
    events: list[Event] = []
    for section in plan.sections:
        if not section.drums:
            continue
        groove = chorus if section.level > 0.8 else verse
        for bar in section.bars:
            last = bar == section.stop - 1 or (bar % 4 == 3 and rng.random() < 0.4)
            fill = plan.bar_steps * float(rng.choice((0.5, 0.75, 0.0))) if last else np.inf
            events += _bar(plan, section, bar, groove, fill, ghosts, rng)
            if bar == section.start and rng.random() < crashes:
                events.append(_stroke(bar * plan.bar_steps, "crash", 0.8))
    return events


def _varied(groove: Groove, rng: np.random.Generator) -> Groove:
    """The groove with a few kicks more and perhaps another instrument that keeps the time."""
    varied = dict(groove)
    if "kick" in varied and rng.random() < 0.6:
        varied["kick"] = "".join(
            "x" if sign == "." and rng.random() < 0.07 else sign for sign in varied["kick"]
        )
    keeper = next((name for name in TIME_KEEPERS if name in varied), None)
    if keeper and rng.random() < 0.3:
        varied[str(rng.choice(("hat", "ride", "shaker", "open hat", "tambourine")))] = varied.pop(
            keeper
        )
    if rng.random() < 0.15:
        length = len(next(iter(varied.values())))
        signs = rng.choice(list(".xo"), length, p=(0.6, 0.25, 0.15))
        varied[str(rng.choice(("conga", "cowbell", "tambourine", "shaker")))] = "".join(signs)
    return varied


def _bar(
    plan: Plan,
    section: Section,
    bar: int,
    groove: Groove,
    fill: float,
    ghosts: float,
    rng: np.random.Generator,
) -> list[Event]:
    """A bar of the groove, and of a fill from one of its steps on."""
    start = bar * plan.bar_steps
    events = [
        _stroke(start + step, drum, STEP_LEVELS[sign] * (0.75 + 0.25 * section.level))
        for drum, signs in groove.items()
        for step, sign in enumerate(signs)
        if sign in STEP_LEVELS and (step < fill or drum == "kick")
    ]
    taken = {event.step for event in events if event.word in ("snare", "rim", "clap")}
    events += [
        _stroke(step, "snare", 0.25)
        for step in range(start, start + plan.bar_steps)
        if step < start + fill and step not in taken and rng.random() < ghosts
    ]
    if fill < plan.bar_steps:
        events += _fill(start + int(fill), start + plan.bar_steps, rng)
    return events


def _fill(start: int, stop: int, rng: np.random.Generator) -> list[Event]:
    """Down the toms, or a roll on the snare."""
    density = float(rng.uniform(0.5, 1.0))
    roll = rng.random() < 0.3
    events = []
    for step in range(start, stop):
        if rng.random() < density:
            drum = "snare" if roll else FILL_DRUMS[(step - start) * 4 // (stop - start)]
            events.append(_stroke(step, drum, float(rng.uniform(0.5, 0.95))))
    return events


def _stroke(step: float, drum: str, velocity: float) -> Event:
    return Event(step, 1, GM_DRUMS[drum], velocity, drum)
