"""Plays a score: draws an instrument for each part, and hands what it plays to the mixing desk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from train.synthesis import sampler, strings, synths
from train.synthesis.instruments import (
    Instrument,
    demo_bass,
    demo_piano,
    draw_808,
    draw_bars,
    draw_fm,
    draw_organ,
    growl,
    play,
)
from train.synthesis.kits import draw_kit, play_kit
from train.synthesis.lines import play_line
from train.synthesis.mixing import master, mix_part, mix_stem
from train.synthesis.score import STEMS, Part, Role, Score
from train.synthesis.soloists import KINDS, draw_fretless, draw_line
from train.synthesis.voices import sing_part
from unbraid.demo.room import RATE, Array
from unbraid.types import Samples

SAMPLED = 0.6  # of the parts are played on material where there is any
LINES: tuple[Role, ...] = ("melody", "confuser")

Draw = Callable[[np.random.Generator], Instrument]


def render(score: Score, rng: np.random.Generator, material: Path | None) -> Samples:
    """Play a song.

    Args:
        score: what is played.
        rng: source of instruments, of the players' irregularities, of the mix.
        material: folder of samples as `train.synthesis.sampler` describes it.

    Returns:
        float32 [stem, 2, time]: vocals, drums, bass, other.
    """
    length = round(score.plan.length_s * RATE)
    tracks = {stem: np.zeros((2, length)) for stem in STEMS}
    for part in score.parts:
        tracks[part.stem] += mix_part(_play(part, length, rng, material), part.role, rng)
    for stem in {part.stem: None for part in score.parts}:
        tracks[stem] = mix_stem(tracks[stem], stem, score.plan, rng)
    return master(tracks, rng)


def _play(part: Part, length: int, rng: np.random.Generator, material: Path | None) -> Array:
    if part.stem == "vocals":
        return sing_part(part, length, rng)
    group: sampler.Group = "chords"
    if part.stem == "drums":
        group = "drums"
    elif part.stem == "bass":
        group = "bass"
    elif part.role in LINES:
        group = "lines"
    folder = _folder(material, group, rng)
    if part.stem == "drums":
        kit = draw_kit(rng)
        if folder:
            kit = sampler.kit(folder, kit)
        width = float(rng.choice((0.0, 0.5, 1.0)))
        return play_kit(kit, part.notes, part.words, length, width, rng)
    if folder:
        instrument = sampler.instrument(folder, rng)
    elif part.role in LINES or (part.stem == "bass" and rng.random() < FRETLESS):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        line = draw_fretless(rng) if part.stem == "bass" else draw_line(kind, rng)
        played = play_line(line, part.notes, length, rng)
        return np.stack([played, played])
    else:
        drawn = PLAYERS[part.role]
        instrument = drawn[int(rng.integers(len(drawn)))](rng)
    width = 0.0 if part.stem == "bass" else float(rng.choice((0.0, 0.4, 0.8, -0.8)))
    return play(instrument, part.notes, length, width)


def _folder(material: Path | None, group: sampler.Group, rng: np.random.Generator) -> Path | None:
    folders = sampler.instruments(material, group) if material else ()
    if folders and rng.random() < SAMPLED:
        return folders[int(rng.integers(len(folders)))]
    return None


def _piano(rng: np.random.Generator) -> Instrument:
    return Instrument(strings.draw_piano(rng).tone, 0.15)


def _electric_piano(rng: np.random.Generator) -> Instrument:
    return Instrument(demo_piano, 0.05)


def _guitar(rng: np.random.Generator) -> Instrument:
    return Instrument(strings.draw_guitar(rng).tone, 0.1)


def _bars(rng: np.random.Generator) -> Instrument:
    return Instrument(draw_bars(rng), 0.4)


def _organ(rng: np.random.Generator) -> Instrument:
    return Instrument(draw_organ(rng), 0.02)


def _fm(rng: np.random.Generator) -> Instrument:
    return Instrument(draw_fm(rng), 0.1)


def _stab(rng: np.random.Generator) -> Instrument:
    synth = synths.draw_synth(rng, 0.003, float(rng.uniform(0, 0.6)), 0.25)
    return Instrument(synth.tone, float(rng.uniform(0.03, 0.3)))


def _swell(rng: np.random.Generator) -> Instrument:
    synth = synths.draw_synth(rng, float(rng.uniform(0.1, 0.8)), 0.8, 1.0)
    return Instrument(synth.tone, float(rng.uniform(0.2, 0.8)))


def _string_section(rng: np.random.Generator) -> Instrument:
    return Instrument(synths.draw_section(rng, brass=False).tone, 0.2)


def _brass_section(rng: np.random.Generator) -> Instrument:
    return Instrument(synths.draw_section(rng, brass=True).tone, 0.06)


def _bass_guitar(rng: np.random.Generator) -> Instrument:
    return Instrument(demo_bass, 0.01)


def _growling_bass(rng: np.random.Generator) -> Instrument:
    return Instrument(growl(demo_bass, float(rng.uniform(1, 5))), 0.03)


def _picked_bass(rng: np.random.Generator) -> Instrument:
    return Instrument(strings.draw_guitar(rng).tone, 0.06)


def _upright_bass(rng: np.random.Generator) -> Instrument:
    return Instrument(strings.draw_upright(rng).tone, 0.08)


def _synth_bass(rng: np.random.Generator) -> Instrument:
    synth = synths.draw_synth(rng, 0.004, float(rng.uniform(0.2, 1)), 0.3)
    return Instrument(synth.tone, 0.04)


def _808(rng: np.random.Generator) -> Instrument:
    return Instrument(draw_808(rng), 0.06)


FRETLESS = 0.1  # of the basses

PLAYERS: dict[Role, tuple[Draw, ...]] = {
    "bass": (
        _bass_guitar, _growling_bass, _picked_bass, _upright_bass, _synth_bass, _synth_bass, _808,
    ),
    "comping": (_piano, _piano, _electric_piano, _guitar, _guitar, _organ, _fm, _stab),
    "power chords": (_guitar,),
    "arpeggio": (_guitar, _guitar, _piano, _bars, _fm, _stab, _stab),
    "riff": (_guitar, _guitar, _stab, _fm, _organ, _brass_section, _piano),
    "pad": (_swell, _swell, _organ, _string_section),
    "strings": (_string_section,),
    "brass": (_brass_section,),
}  # fmt: skip
