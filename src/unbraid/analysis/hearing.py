"""What the analysis keeps of a song: onsets and pitch classes, heard once, block by block."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from unbraid.analysis.chroma import BASS, TREBLE, Chromagram, PitchClasses, tuning
from unbraid.analysis.onsets import FloatArray, OnsetEnvelope, salient
from unbraid.types import Read, StemName

BLOCK_S = 10
APART: tuple[StemName, ...] = ("drums", "bass", "vocals")  # all other stems are heard together
ACCENTS = ("kick", "snare", "cymbals", "bass", "vocals", "other", "mixture")
STRENGTHS = (0.62, 0.62, 0.31, 0.5, 0.15, 0.4, 0.5)  # of each accent in the pulse
BESIDE = 0.25  # what voices and bass count in the harmony, beside the other stems


@dataclass(frozen=True)
class Hearing:
    """A song as the analysis knows it.

    Attributes:
        duration_s: its length.
        frame_rate: of level and accents, frames per second.
        level: loudness of all, logarithmic and 0 in silence [frame].
        accents: salience of onsets [accent, frame], in the order of `ACCENTS`.
        harmony: all pitch classes.
        bass: those of the bass.
        tuning: semitones above 440 Hz.
    """

    duration_s: float
    frame_rate: float
    level: FloatArray
    accents: FloatArray
    harmony: PitchClasses
    bass: PitchClasses
    tuning: float

    @property
    def strength(self) -> FloatArray:
        """Of all onsets together [frame]."""
        return np.asarray(np.array(STRENGTHS) @ self.accents)


def hear(
    mixture: Read,
    stems: Mapping[StemName, Read],
    length: int,
    sample_rate: int,
    on_progress: Callable[[float], None] | None = None,
) -> Hearing:
    """Listen to a song, in the memory of a block.

    Args:
        mixture: the song.
        stems: its parts; unless drums, bass, vocals and others are among them, the mixture alone
            is heard, its onsets as those of drums.
        length: samples of the song.
        sample_rate: samples per second.
        on_progress: gets the seconds heard; what it raises ends the work.
    """
    others = [read for name, read in stems.items() if name not in APART]
    taken_apart = bool(others) and stems.keys() >= set(APART)
    onsets = {name: OnsetEnvelope(sample_rate) for name in (*APART, "other", "mixture")}
    pitches = {
        name: Chromagram(sample_rate, *(BASS if name == "bass" else TREBLE))
        for name in ("bass", "vocals", "other")
    }
    block = BLOCK_S * sample_rate
    for start in range(0, length, block):
        stop = min(length, start + block)
        song = mixture(start, stop)
        if taken_apart:
            parts = {name: stems[name](start, stop) for name in APART}
            parts["other"] = np.sum([read(start, stop) for read in others], axis=0)
            struck, sounding = {**parts, "mixture": song}, parts
        else:
            struck, sounding = {"drums": song, "mixture": song}, {"bass": song, "other": song}
        for name, samples in struck.items():
            onsets[name].push(samples)
        for name, chromagram in pitches.items():
            if name in sounding:
                chromagram.push(sounding[name])
        if on_progress:
            on_progress(stop / sample_rate)
    return gathered(onsets, pitches, length / sample_rate)


def gathered(
    onsets: Mapping[str, OnsetEnvelope], pitches: Mapping[str, Chromagram], duration_s: float
) -> Hearing:
    """Put together what was heard, block by block, of each part of a song."""
    drums = onsets["drums"]
    envelopes = {name: onsets[name].envelope() for name in ("bass", "vocals", "other", "mixture")}
    silence = np.zeros(drums.bands().shape[1])
    rows = [*drums.bands(), *(each if each.size else silence for each in envelopes.values())]
    thirds = {name: chromagram.frames() for name, chromagram in pitches.items()}
    harmony = thirds["other"] + BESIDE * thirds["bass"]
    if len(thirds["vocals"]):
        harmony += BESIDE * thirds["vocals"]
    offset = tuning(pitches.values())
    return Hearing(
        duration_s,
        drums.frame_rate,
        onsets["mixture"].level(),
        np.stack([salient(row, drums.frame_rate) for row in rows]),
        PitchClasses.tuned(harmony, offset),
        PitchClasses.tuned(thirds["bass"], offset),
        offset,
    )
