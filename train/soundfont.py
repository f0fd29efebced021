"""Plays soundfonts note by note: their presets become folders of samples like those of instruments.

python -m train.soundfont MATERIAL
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import mido
import numpy as np
import soundfile

from train.synthesis.sampler import Group
from unbraid.demo.room import RATE
from unbraid.types import Samples

FONTS = "soundfonts"  # the group of the material that holds them
HELD_S, NOTE_S = 3.5, 4.2
VELOCITIES = (60, 105)
SPACING = 3  # semitones
TICKS_PER_S = 960  # of the MIDI files: 120 beats per minute, 480 ticks each
PERCUSSION = 9  # channel

PRESETS: dict[Group, dict[str, tuple[int, int, int]]] = {
    "bass": {
        name: (program, 28, 58)
        for program, name in enumerate(
            ("upright", "finger", "pick", "fretless", "slap-a", "slap-b", "synth-a", "synth-b"), 32
        )
    },
    "chords": {
        "grand": (0, 30, 96), "bright": (1, 30, 96), "honky-tonk": (3, 36, 90),
        "rhodes": (4, 33, 90), "fm-piano": (5, 33, 90), "clavinet": (7, 33, 84),
        "celesta": (8, 60, 96), "vibes": (11, 53, 89), "marimba": (12, 45, 89),
        "drawbars": (16, 36, 90), "percussive-organ": (17, 36, 90), "rock-organ": (18, 36, 90),
        "church-organ": (19, 36, 90), "accordion": (21, 48, 88), "nylon": (24, 40, 83),
        "steel": (25, 40, 83), "jazz-guitar": (26, 40, 83), "clean-guitar": (27, 40, 83),
        "muted-guitar": (28, 40, 79), "overdriven": (29, 40, 83), "distorted": (30, 40, 83),
        "harp": (46, 36, 91), "strings": (48, 36, 91), "slow-strings": (49, 36, 91),
        "synth-strings": (50, 36, 91), "brass": (61, 40, 82), "synth-brass": (62, 40, 84),
        "fantasia": (88, 40, 88), "warm-pad": (89, 40, 88), "polysynth": (90, 40, 88),
        "bowed-pad": (92, 40, 88), "sweep": (95, 40, 88), "sitar": (104, 45, 79),
        "banjo": (105, 48, 84), "koto": (107, 48, 84), "kalimba": (108, 55, 88),
    },
    "lines": {
        "harmonica": (22, 55, 93), "tango": (23, 53, 91), "violin": (40, 55, 96),
        "viola": (41, 48, 84), "trumpet": (56, 54, 86), "trombone": (57, 40, 74),
        "muted-trumpet": (59, 54, 84), "horn": (60, 41, 77), "soprano-sax": (64, 56, 87),
        "alto-sax": (65, 49, 80), "tenor-sax": (66, 44, 75), "oboe": (68, 58, 91),
        "english-horn": (69, 52, 81), "bassoon": (70, 36, 72), "clarinet": (71, 50, 91),
        "flute": (73, 60, 96), "recorder": (74, 60, 96), "pan-flute": (75, 60, 94),
        "shakuhachi": (77, 55, 84), "whistle": (78, 60, 96), "ocarina": (79, 60, 91),
        "square-lead": (80, 48, 91), "saw-lead": (81, 48, 91), "fifths-lead": (86, 45, 84),
        "guitar-lead": (29, 47, 86), "guitar-solo": (30, 47, 86), "fiddle": (110, 55, 93),
        "shanai": (111, 55, 88),
    },
}  # fmt: skip
"""Of General MIDI: program, lowest and highest note."""

KITS = {"standard": 0, "room": 8, "power": 16, "electronic": 24, "808": 25, "jazz": 32, "brush": 40}
DRUMS = {
    35: "kick-a", 36: "kick-b", 37: "rim", 38: "snare-a", 39: "clap", 40: "snare-b",
    41: "low-tom-a", 42: "hat-a", 43: "low-tom-b", 44: "hat-b", 45: "tom-a", 46: "open-hat",
    47: "tom-b", 48: "hi-tom-a", 49: "crash-a", 50: "hi-tom-b", 51: "ride-a", 54: "tambourine",
    55: "splash", 56: "cowbell", 57: "crash-b", 59: "ride-b", 62: "conga-a", 63: "conga-b",
    64: "conga-c", 70: "maraca",
}  # fmt: skip
"""Of General MIDI, by the names that the sampler knows."""


def play(font: Path, program: int, channel: int, pitches: Iterable[int]) -> Iterator[Samples]:
    """Have fluidsynth play notes one after the other, each at all velocities.

    Args:
        font: a soundfont.
        program: of General MIDI, counted from 0.
        channel: 9 plays drums.
        pitches: MIDI numbers.

    Yields:
        A note in mono, float32 [time].

    Raises:
        OSError: fluidsynth is not installed.
        subprocess.CalledProcessError: it failed.
    """
    track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)])
    notes = [(pitch, velocity) for pitch in pitches for velocity in VELOCITIES]
    rest = 0
    for pitch, velocity in notes:
        on = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=rest)
        track += [on, mido.Message("note_off", channel=channel, note=pitch, time=_ticks(HELD_S))]
        rest = _ticks(NOTE_S) - _ticks(HELD_S)
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        mido.MidiFile(tracks=[track], ticks_per_beat=TICKS_PER_S // 2).save(score)
        dry = ["-R", "0", "-C", "0", "-q", "-g", "0.6", "-r", str(RATE)]
        command = ["fluidsynth", "-ni", *dry, "-F", str(sound), str(font), str(score)]
        subprocess.run(command, check=True, capture_output=True)
        samples = soundfile.read(sound, dtype="float32", always_2d=True)[0].mean(axis=1)
    length = round(NOTE_S * RATE)
    samples = np.pad(samples, (0, max(0, len(notes) * length - len(samples))))
    yield from samples[: len(notes) * length].reshape(len(notes), length)


def _ticks(seconds: float) -> int:
    return round(seconds * TICKS_PER_S)


def write(font: Path, material: Path) -> None:
    """Write the presets of a soundfont into the folders of their groups; those there stay."""
    source = font.parent.name
    for group, presets in PRESETS.items():
        for name, (program, low, high) in presets.items():
            pitches = range(low, high + 1, SPACING)
            names = [f"{name}_{pitch:03d}" for pitch in pitches]
            _write(play(font, program, 0, pitches), names, material / group / f"{source}-{name}")
    for name, program in KITS.items():
        folder = material / "drums" / f"{source}-{name}"
        _write(play(font, program, PERCUSSION, DRUMS), list(DRUMS.values()), folder)


def _write(notes: Iterator[Samples], names: list[str], folder: Path) -> None:
    if folder.exists():
        return
    unfinished = folder.with_name(f".{folder.name}")
    unfinished.mkdir(parents=True, exist_ok=True)
    layers = [f"{name}_v{layer}" for name in names for layer in range(len(VELOCITIES))]
    for name, samples in zip(layers, notes, strict=True):
        if (peak := np.abs(samples).max()) > 0:
            soundfile.write(unfinished / f"{name}.flac", 0.9 * samples / peak, RATE)
    unfinished.rename(folder)


def main() -> None:
    """Play all soundfonts of the material."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    material = Path(sys.argv[1])
    fonts = sorted((material / FONTS).rglob("*.sf2"))
    if not fonts:
        raise SystemExit(f"there are no soundfonts in {material / FONTS}: fetch them first")
    for font in fonts:
        write(font, material)
        print(f"{font.name}: done")


if __name__ == "__main__":
    main()
