"""The key of a song, and where it changes.

Pitch classes are correlated with profiles of the 24 keys (Krumhansl, Cognitive Foundations of
Musical Pitch, 1990; the profiles are those of Albrecht and Shanahan, The Use of Large Corpora to
Train a New Type of Key-Finding Algorithm, 2013); chords speak for the keys that have their tones,
and most of all for the one whose tonic they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import scipy  # its parts load at first use

from unbraid.analysis.chords import QUALITIES
from unbraid.analysis.hearing import Hearing
from unbraid.analysis.onsets import FloatArray
from unbraid.spelling import Mode, pitch_class, tonic_name
from unbraid.types import ChordSegment, Key, KeySegment

MODES: tuple[Mode, Mode] = ("major", "minor")
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
TONICS = ({"maj", "maj7", "7"}, {"min", "min7"})  # qualities of the chord on the tonic
PROFILES = (
    (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
)
LIKENESS, DIATONIC, TONIC, FIRST = 5.3, 7.2, 4.1, 2.2  # weights, as composed songs have them
CHANGE_COST = 12.0
CHANGE_S = 8.0  # for as long another key has to fit clearly better
TONAL = 3.0  # strength of pitch classes half of which would be noise's
ALTERNATIVES = 3


@dataclass(frozen=True)
class _Stretch:
    """A part of a song that keeps a key: when, and the chances of each key there."""

    start_s: float
    end_s: float
    chances: FloatArray

    @property
    def key(self) -> int:
        return int(self.chances.argmax())


def find_key(hearing: Hearing, chords: Sequence[ChordSegment]) -> Key | None:
    """Find the key that a song is in, or is in for longest.

    Args:
        hearing: the song.
        chords: its chords, from the beginning of the song to its end.

    Returns:
        The key, with little confidence where hardly anything is tonal; None in silence.
    """
    if not chords or not np.any(hearing.harmony.frames):
        return None
    strength = float(np.linalg.norm(hearing.harmony.frames, axis=1).mean())
    stretches = _stretches(hearing, chords)
    lasting = np.zeros(24)
    for stretch in stretches:
        lasting[stretch.key] += stretch.end_s - stretch.start_s
    main = int(lasting.argmax())
    chances = max(
        (s for s in stretches if s.key == main), key=lambda s: s.end_s - s.start_s
    ).chances
    confidences = chances * strength**2 / (strength**2 + TONAL**2)
    keys = [Key(*_name(k), round(float(confidences[k]), 3)) for k in np.argsort(-confidences)]
    best, others = keys[0], keys[1:]
    near = {best.relative, best.parallel, *(key.name for key in others[:ALTERNATIVES])}
    return replace(
        best,
        alternatives=tuple(key for key in others if key.name in near),
        segments=tuple(KeySegment(s.start_s, s.end_s, *_name(s.key)) for s in stretches),
    )


def _name(key: int) -> tuple[str, Mode]:
    mode = MODES[key // 12]
    return tonic_name(key % 12, mode), mode


def _stretches(hearing: Hearing, chords: Sequence[ChordSegment]) -> list[_Stretch]:
    """Parts of the song that keep a key each."""
    found: list[_Stretch] = []
    path = _best_path(np.stack([_evidence(hearing, [chord]) for chord in chords]), chords)
    for _, group in groupby(range(len(chords)), key=lambda k: path[k]):
        part = [chords[k] for k in group]
        evidence = _evidence(hearing, part) + FIRST * _first(part)
        stretch = _Stretch(part[0].start_s, part[-1].end_s, scipy.special.softmax(evidence))
        if found and found[-1].key == stretch.key:
            stretch = replace(found.pop(), end_s=stretch.end_s)
        found.append(stretch)
    return found


def _best_path(evidence: FloatArray, chords: Sequence[ChordSegment]) -> list[int]:
    """A key for each chord, from the evidence of each, so that keys rarely change."""
    total, came = np.zeros(24), []
    for chord, gains in zip(chords, evidence, strict=True):
        best = int(total.argmax())
        change = total[best] - CHANGE_COST
        came.append(np.where(total >= change, np.arange(24), best))
        total = np.maximum(total, change) + gains * (chord.end_s - chord.start_s) / CHANGE_S
    path = [int(total.argmax())]
    for sources in came[:0:-1]:
        path.append(int(sources[path[-1]]))
    return path[::-1]


def _evidence(hearing: Hearing, chords: Sequence[ChordSegment]) -> FloatArray:
    """What pitch classes and chords say for each key [key], majors first."""
    starts, ends = (np.array([edge]) for edge in (chords[0].start_s, chords[-1].end_s))
    evidence = LIKENESS * _likeness(hearing.harmony.between(starts, ends)[0])
    sounding = sum(chord.end_s - chord.start_s for chord in chords if ":" in chord.label)
    for chord in chords:
        if ":" in chord.label:
            share = (chord.end_s - chord.start_s) / sounding
            evidence += share * (DIATONIC * _diatonic(chord) + TONIC * _is_tonic(chord))
    return evidence


def _likeness(strengths: FloatArray) -> FloatArray:
    """Correlation with the profiles of all keys [key]."""
    profiles = np.stack([np.roll(profile, k) for profile in PROFILES for k in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    salient = strengths - strengths.mean()
    norms = np.linalg.norm(profiles, axis=1) * np.linalg.norm(salient)
    return np.asarray(profiles @ salient / (norms + 1e-9))


def _read(chord: ChordSegment) -> tuple[int, str]:
    """Root and quality."""
    root, _, quality = chord.label.partition("/")[0].partition(":")
    return pitch_class(root), quality


def _diatonic(chord: ChordSegment) -> FloatArray:
    """Share of its tones in the scale of each key [key]."""
    root, quality = _read(chord)
    tones = root + np.array(QUALITIES[quality])
    within = [np.isin((tones - tonic) % 12, scale) for scale in SCALES for tonic in range(12)]
    return np.asarray(np.mean(within, axis=1))


def _is_tonic(chord: ChordSegment) -> FloatArray:
    """1 for the keys whose tonic it is [key]."""
    root, quality = _read(chord)
    return np.concatenate([(np.arange(12) == root) * (quality in tonics) for tonics in TONICS])


def _first(chords: Sequence[ChordSegment]) -> FloatArray:
    """1 for the keys that the chords begin on the tonic of [key]."""
    return next((_is_tonic(chord) for chord in chords if ":" in chord.label), np.zeros(24))
