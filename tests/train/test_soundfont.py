import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from train import soundfont
from train.synthesis import sampler

FLUIDSYNTH = f"""#!{sys.executable}
import sys
import mido, numpy, soundfile
out, font, score = sys.argv[-3:]
samples, now = numpy.zeros(44_100 * 60), 0.0
for message in mido.MidiFile(score):
    now += message.time
    if message.type == "note_on" and message.velocity:
        time = numpy.arange(44_100) / 44_100
        hz = 440 * 2 ** ((message.note - 69) / 12)
        first = round(44_100 * now)
        tone = numpy.sin(2 * numpy.pi * hz * time)
        samples[first : first + 44_100] = message.velocity / 127 * tone
soundfile.write(out, samples[: round(44_100 * (now + 1))], 44_100)
"""


@pytest.fixture
def font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A soundfont in the material, and a fluidsynth that plays sines."""
    program = tmp_path / "bin/fluidsynth"
    program.parent.mkdir()
    program.write_text(FLUIDSYNTH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    font = tmp_path / "material/soundfonts/small-gm/small.sf2"
    font.parent.mkdir(parents=True)
    font.touch()
    return font


def test_presets_become_instruments_and_kits_of_the_sampler(
    font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soundfont, "PRESETS", {"lines": {"flute": (73, 60, 66)}})
    monkeypatch.setattr(soundfont, "KITS", {"standard": 0})
    monkeypatch.setattr(soundfont, "DRUMS", {36: "kick-a", 46: "open-hat"})
    material = tmp_path / "material"
    soundfont.write(font, material)
    (flute,) = sampler.instruments(material, "lines")
    assert {(each.pitch, each.layer) for each in sampler.samples(flute)} == {
        (pitch, layer) for pitch in (60, 63, 66) for layer in (0, 1)
    }
    played, rate = soundfile.read(flute / "flute_063_v1.flac")
    hz = np.argmax(np.abs(np.fft.rfft(played, 2**18))) * rate / 2**18
    assert hz == pytest.approx(311.1, abs=1)
    (kit,) = sampler.instruments(material, "drums")
    assert {(each.drum, each.layer) for each in sampler.strokes(kit)} == {
        (drum, layer) for drum in ("kick", "open hat") for layer in (0, 1)
    }


def test_the_sampler_knows_all_drums_by_their_names() -> None:
    assert all(sampler.drum_of(name) for name in soundfont.DRUMS.values())


def test_presets_that_are_there_stay(font: Path, tmp_path: Path) -> None:
    material = tmp_path / "material"
    groups = [(group, name) for group, presets in soundfont.PRESETS.items() for name in presets]
    groups += [("drums", name) for name in soundfont.KITS]
    for group, name in groups:
        (material / group / f"small-gm-{name}").mkdir(parents=True)
    soundfont.write(font, material)
    assert not list(material.rglob("*.flac"))


def test_without_a_soundfont_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["train.soundfont", str(tmp_path)])
    with pytest.raises(SystemExit, match="there are no soundfonts"):
        soundfont.main()
