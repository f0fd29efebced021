"""A click track on a song's beats."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from unbraid.audio import Tags, open_writer
from unbraid.errors import InputError
from unbraid.export.levels import stretches
from unbraid.types import BeatGrid, BitDepth, Samples

CLICK_S = 0.03
EIGHTHS_OF_A_DOTTED_BEAT = 3
Accent = Literal["downbeat", "beat", "eighth"]
_SOUNDS: dict[Accent, tuple[float, float]] = {  # frequency in Hz, level
    "downbeat": (1760.0, 0.8),
    "beat": (1320.0, 0.5),
    "eighth": (880.0, 0.2),
}


@dataclass(frozen=True, order=True)
class Click:
    """One click.

    Attributes:
        sample: where it begins in the file.
        accent: how it sounds.
    """

    sample: int
    accent: Accent


def write_click(
    path: Path,
    grid: BeatGrid | None,
    length: int,
    sample_rate: int,
    *,
    format: Literal["wav", "flac"] = "wav",
    bit_depth: BitDepth = "24",
    count_in: bool = False,
) -> float:
    """Write a mono file that clicks on each beat, higher on downbeats; in 6/8 softly on eighths.

    With a count-in, one bar is clicked before the first beat, and the file begins before the song
    if the song has no room for it; the file's title says so.

    Args:
        path: the file to write.
        grid: beats of the song; None if it has none.
        length: samples of the song.
        sample_rate: samples per second.
        format: of the file.
        bit_depth: of the file.
        count_in: whether to click a bar before the first beat.

    Returns:
        How long before the song the file begins, in seconds.

    Raises:
        InputError: there are no beats.
        ResourceError: the file cannot be written.
    """
    if grid is None:
        raise InputError(
            "a click track needs beats, and none are known of this song; `unbraid process` looks "
            "for them, or takes its tempo by --midi-tempo"
        )
    bar_before_s = grid.seconds(-grid.beats_per_bar)
    lead = max(0, round(-bar_before_s * sample_rate)) if count_in else 0
    clicks = _clicks(grid, sample_rate, lead, count_in)
    lead_s = lead / sample_rate
    title = f"Click, begins {lead_s:.6f} s before the song" if lead else "Click"
    sounds = {accent: _sound(*sound, sample_rate) for accent, sound in _SOUNDS.items()}
    with open_writer(
        path, sample_rate, 1, format, bit_depth, Tags(title=title), length=lead + length
    ) as writer:
        for start, stop in stretches(lead + length):
            writer.write(_rendered(clicks, sounds, start, stop))
    return lead_s


def _clicks(grid: BeatGrid, sample_rate: int, lead: int, count_in: bool) -> list[Click]:
    """All clicks, in order."""
    bar = grid.beats_per_bar

    def at(beat: float, accent: Accent) -> Click:
        return Click(lead + round(grid.seconds(beat) * sample_rate), accent)

    beats = range(-bar if count_in else 0, len(grid.beats_s))
    clicks = [
        at(beat, "beat" if (beat - grid.first_downbeat) % bar else "downbeat") for beat in beats
    ]
    if grid.metre == "6/8":
        parts = range(1, EIGHTHS_OF_A_DOTTED_BEAT)
        clicks += [
            at(beat + part / EIGHTHS_OF_A_DOTTED_BEAT, "eighth")
            for beat in beats[:-1]
            for part in parts
        ]
    return sorted(clicks)


def _sound(frequency_hz: float, level: float, sample_rate: int) -> Samples:
    """A tone that is loud at once and then decays, float32 [time]."""
    time_s = np.arange(round(CLICK_S * sample_rate)) / sample_rate
    decay = np.exp(-5 * time_s / CLICK_S) * (1 - time_s / CLICK_S)
    return (level * decay * np.cos(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def _rendered(
    clicks: Sequence[Click], sounds: dict[Accent, Samples], start: int, stop: int
) -> Samples:
    """Samples [start, stop) of the file, float32 [1, time]."""
    samples = np.zeros((1, stop - start), np.float32)
    longest = max(map(len, sounds.values()))
    first = bisect_right(clicks, start - longest, key=lambda click: click.sample)
    last = bisect_left(clicks, stop, key=lambda click: click.sample)
    for click in clicks[first:last]:
        sound = sounds[click.accent]
        begin, end = max(start, click.sample), min(stop, click.sample + len(sound))
        samples[0, begin - start : end - start] += sound[begin - click.sample : end - click.sample]
    return samples
