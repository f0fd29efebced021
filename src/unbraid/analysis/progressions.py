"""Which keys a progression of chords may be in.

A small network hears the chords of a stretch as seen from each tonic: how long each lasts, which
follows which, where they begin and end. `train.key` fits it to composed progressions.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from unbraid.analysis.chords import QUALITIES
from unbraid.analysis.onsets import FloatArray
from unbraid.inference import open_session

NETWORK = Path(__file__).parents[1] / "data" / "key.onnx"
INPUT, OUTPUT = "features", "odds"
ORDER = {quality: k for k, quality in enumerate(QUALITIES)}

Chord = tuple[int, str, float]
"""Root as a pitch class, quality as in Harte's notation, length in any unit."""


def key_odds(chords: Sequence[Chord]) -> FloatArray:
    """Logarithmic odds of each key [key], majors first.

    Args:
        chords: at least one.
    """
    (odds,) = open_session(NETWORK, 1).run([OUTPUT], {INPUT: features(chords)[np.newaxis]})
    return np.asarray(odds[0], np.float64)


def features(chords: Sequence[Chord]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The progression as seen from each tonic, float32 [tonic, feature].

    Args:
        chords: at least one; neighbours that are the same count as one.
    """
    steps = [chords[0], *(here for last, here in pairwise(chords) if here[:2] != last[:2])]
    shares, first = np.zeros((len(QUALITIES), 12)), np.zeros((len(QUALITIES), 12))
    changes, last = np.zeros((12, 12)), np.zeros(12)
    for root, quality, length in chords:
        shares[ORDER[quality], root] += length
    for (before, *_), (after, *_) in pairwise(steps):
        changes[before, after] += 1
    first[ORDER[steps[0][1]], steps[0][0]] = 1
    last[steps[-1][0]] = 1
    shares /= shares.sum()
    changes /= max(1, changes.sum())
    seen = [
        np.concatenate(
            [
                *(np.roll(part, -tonic, axis=-1).ravel() for part in (shares, first)),
                np.roll(changes, (-tonic, -tonic), axis=(0, 1)).ravel(),
                np.roll(last, -tonic),
            ]
        )
        for tonic in range(12)
    ]
    return np.array(seen, np.float32)
