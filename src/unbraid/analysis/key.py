"""The key of a song, and where it changes.

Pitch classes are correlated with profiles of the 24 keys (Krumhansl, Cognitive Foundations of
Musical Pitch, 1990; the profiles are Krumhansl's and Kessler's of 1982); chords speak for the keys
that have their tones, and most of all for the one whose tonic they are. Which of the keys that
share these a stretch is in follows from the order of its chords.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import scipy  # its parts load at first use

from unbraid.analysis.chords import QUALITIES
from unbraid.analysis.hearing import Hearing
from unbraid.analysis.onsets import FloatArray
from unbraid.analysis.progressions import key_odds
from unbraid.spelling import Mode, pitch_class, tonic_name
from unbraid.types import ChordSegment, Key, KeySegment

MODES: tuple[Mode, Mode] = ("major", "minor")
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
TONICS = ({"maj", "maj7", "7"}, {"min", "min7"})  # qualities of the chord on the tonic
PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
LIKENESS, DIATONIC, TONIC = 5.0, 5.2, 2.3  # weights, as composed songs have them
BESIDE_ORDER = 0.25  # what these count beside the order of the chords
CHANGE_COST = 8.0
CHANGE_S = 8.0  # of evidence like that of a whole song
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

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


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
        lasting[stretch.key] += stretch.length_s
    main = max((s for s in stretches if s.key == lasting.argmax()), key=lambda s: s.length_s)
    chordal = sum(_length_s(chord) for chord in chords if ":" in chord.label) / hearing.duration_s
    tonal = strength**2 / (strength**2 + TONAL**2)
    confidences = main.chances * tonal * (1 + chordal) / 2
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
        chances = scipy.special.softmax(_odds(hearing, part))
        stretch = _Stretch(part[0].start_s, part[-1].end_s, chances)
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
        total = np.maximum(total, change) + gains * _length_s(chord) / CHANGE_S
    path = [int(total.argmax())]
    for sources in came[:0:-1]:
        path.append(int(sources[path[-1]]))
    return path[::-1]


def _odds(hearing: Hearing, chords: Sequence[ChordSegment]) -> FloatArray:
    """Of each key [key], from all that speaks for it in a stretch."""
    evidence = _evidence(hearing, chords)
    order = [(*_read(chord), _length_s(chord)) for chord in chords if ":" in chord.label]
    return key_odds(order) + BESIDE_ORDER * evidence if order else evidence


def _evidence(hearing: Hearing, chords: Sequence[ChordSegment]) -> FloatArray:
    """What pitch classes and chords say for each key [key], majors first."""
    starts, ends = (np.array([edge]) for edge in (chords[0].start_s, chords[-1].end_s))
    evidence = LIKENESS * _likeness(hearing.harmony.between(starts, ends)[0])
    sounding = [chord for chord in chords if ":" in chord.label]
    for chord in sounding:
        share = _length_s(chord) / sum(map(_length_s, sounding))
        evidence += share * (DIATONIC * _diatonic(chord) + TONIC * _is_tonic(chord))
    return evidence


def _likeness(strengths: FloatArray) -> FloatArray:
    """Correlation with the profiles of all keys [key]."""
    profiles = np.stack([np.roll(profile, k) for profile in PROFILES for k in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    salient = strengths - strengths.mean()
    norms = np.linalg.norm(profiles, axis=1) * np.linalg.norm(salient)
    return np.asarray(profiles @ salient / (norms + 1e-9))


def _length_s(chord: ChordSegment) -> float:
    return chord.end_s - chord.start_s


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
