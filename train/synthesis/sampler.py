"""Instruments and drum kits from folders of samples, where there are any.

A folder of material holds `drums`, `bass`, `chords` and `lines`; each of these has a folder for
every kit or instrument. The pitch of a sample stands in its name as a note (`cello_A#3_f.wav`,
`harp-Eb4.flac`) or as a MIDI number set apart (`piano_060.wav`), its velocity as a dynamic (`pp`,
`mf`, `ff`) or as a layer (`v2`, `vl3`). A drum's name stands in that of its file.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from train.synthesis.instruments import Instrument
from train.synthesis.kits import Strike
from unbraid.demo.room import RATE, Array

Group = Literal["drums", "bass", "chords", "lines"]

SUFFIXES = (".wav", ".flac", ".ogg", ".aif", ".aiff")
LONGEST_S = 8.0
SILENCE = 0.01  # of the peak: what comes before is cut

_PITCH_CLASSES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_NOTE = re.compile(r"(?<![a-z])([a-g])([#sb]?)(\d)(?!\d)")
_NUMBER = re.compile(r"(?<![a-z\d])(\d{2,3})(?!\d)")
_DYNAMICS = ("ppp", "pp", "p", "mp", "mf", "f", "ff", "fff")
_DYNAMIC = re.compile(r"(?<![a-z])(ppp|pp|p|mp|mf|f|ff|fff)(?![a-z\d#])")
_LAYER = re.compile(r"(?<![a-z])(?:v|vl|vel|layer)(\d+)(?!\d)")
_DRUMS = (  # the first that fits is meant
    ("crash", r"crash|splash|china"),
    ("ride", r"ride"),
    ("open hat", r"open.?h|h.*open|ohh|hho"),
    ("hat", r"hat|hh"),
    ("rim", r"rim|stick|clave|wood"),
    ("clap", r"clap|snap"),
    ("conga", r"conga|bongo|djembe|tabla"),
    ("high tom", r"hi.?tom|tom.?hi|rack"),
    ("low tom", r"low?.?tom|tom.?low?|floor"),
    ("tom", r"tom"),
    ("snare", r"snare|(?<![a-z])s[dn](?![a-z])"),
    ("kick", r"kick|bass.?drum|k.?drum|(?<![a-z])bd"),
    ("shaker", r"shak|maraca|cabasa"),
    ("tambourine", r"tamb"),
    ("cowbell", r"cow.?bell|agogo"),
)


@dataclass(frozen=True)
class Sample:
    """One recording of an instrument.

    Attributes:
        path: where it lies.
        pitch: MIDI number, or -1 for a drum.
        layer: place among the dynamics of its instrument; the softest has the least.
        drum: what it is a stroke on, or nothing.
    """

    path: Path
    pitch: int = -1
    layer: int = 0
    drum: str = ""


def instruments(material: Path, group: Group) -> tuple[Path, ...]:
    """Folders of the instruments of a group, in order of their names."""
    return tuple(sorted(path for path in (material / group).glob("*") if path.is_dir()))


def pitch_of(name: str) -> int | None:
    """MIDI number that a file's name tells, C4 being 60, or nothing."""
    name = name.lower()
    if note := _NOTE.search(name):
        letter, accidental, octave = note.groups()
        shift = {"": 0, "b": -1}.get(accidental, 1)
        return 12 * (int(octave) + 1) + _PITCH_CLASSES[letter] + shift
    numbers = [int(number) for number in _NUMBER.findall(name)]
    return next((number for number in numbers if 21 <= number <= 108), None)


def layer_of(name: str) -> int:
    """Place among the dynamics that a file's name tells; 0 if it tells none."""
    name = name.lower()
    if layer := _LAYER.search(name):
        return int(layer[1])
    dynamic = _DYNAMIC.search(name)
    return _DYNAMICS.index(dynamic[1]) if dynamic else 0


def drum_of(name: str) -> str:
    """Drum that a file's name tells, or nothing."""
    name = name.lower()
    return next((drum for drum, pattern in _DRUMS if re.search(pattern, name)), "")


@lru_cache(maxsize=512)
def samples(folder: Path) -> tuple[Sample, ...]:
    """All samples of a folder whose pitch is known."""
    known = ((path, pitch_of(path.stem)) for path in _files(folder))
    return tuple(
        Sample(path, pitch, layer_of(path.stem)) for path, pitch in known if pitch is not None
    )


@lru_cache(maxsize=512)
def strokes(folder: Path) -> tuple[Sample, ...]:
    """All samples of a folder that are strokes on a known drum."""
    known = ((path, drum_of(path.stem)) for path in _files(folder))
    return tuple(Sample(path, layer=layer_of(path.stem), drum=drum) for path, drum in known if drum)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


@lru_cache(maxsize=256)
def load(path: Path) -> Array:
    """A sample in mono at 44.1 kHz, float64 [time], from its attack on, with a peak of 1."""
    rate = soundfile.info(path).samplerate
    recorded = soundfile.read(path, frames=int(LONGEST_S * rate), always_2d=True)[0].mean(axis=1)
    sound = np.asarray(soxr.resample(recorded, rate, RATE))
    level = np.abs(sound)
    if not level.any():
        return sound
    first = int(np.argmax(level > SILENCE * level.max()))
    return np.asarray(sound[max(0, first - 20) :] / level.max())


def instrument(folder: Path, rng: np.random.Generator) -> Instrument:
    """What plays the samples of a folder, each note with the nearest one."""
    known = samples(folder)
    seed = int(rng.integers(2**31))

    def tone(pitch: int, velocity: float, length_s: float) -> Array:
        nearest = min(abs(sample.pitch - pitch) for sample in known)
        layers = sorted({s.layer for s in known if abs(s.pitch - pitch) == nearest})
        layer = layers[min(int(velocity * len(layers)), len(layers) - 1)]
        fitting = [s for s in known if abs(s.pitch - pitch) == nearest and s.layer == layer]
        sample = fitting[(seed + pitch) % len(fitting)]
        ratio = 2 ** ((pitch - sample.pitch) / 12)
        sound = load(sample.path)
        if ratio != 1:
            sound = np.asarray(soxr.resample(sound, RATE * ratio, RATE))
        return np.asarray(velocity * sound[: round(length_s * RATE)])

    return Instrument(tone, release_s=float(rng.uniform(0.05, 0.3)))


def kit(folder: Path, otherwise: Strike) -> Strike:
    """What strikes the samples of a folder, or another kit where a drum is missing."""
    known = strokes(folder)

    def strike(drum: str, velocity: float, rng: np.random.Generator) -> Array:
        fitting = sorted((s for s in known if s.drum == drum), key=lambda sample: sample.layer)
        if not fitting:
            return otherwise(drum, velocity, rng)
        count = len(fitting)
        near = int(velocity * count) + int(rng.integers(-1, 2))
        return velocity * load(fitting[int(np.clip(near, 0, count - 1))].path)

    return strike
