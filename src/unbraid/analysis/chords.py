"""The chords of a song.

Each half beat is compared with templates of chords whose tones have overtones (Gómez, Tonal
Description of Music Audio Signals, 2006) and with the bass; of all sequences of chords, the one is
chosen that fits best and changes least, where changes are to be expected (Mauch and Dixon,
Simultaneous Estimation of Chords and Musical Context from Audio, 2010). Labels are in the notation
of Harte et al., Symbolic Representation of Musical Chords (2005).
"""

from collections.abc import Iterable
from itertools import groupby

import numpy as np
import numpy.typing as npt

from unbraid.analysis.chroma import FRAMES_PER_SECOND, PitchClasses
from unbraid.analysis.hearing import Hearing
from unbraid.analysis.onsets import FloatArray
from unbraid.spelling import pitch_class, root_name
from unbraid.types import BeatGrid, ChordSegment, Key

IntArray = npt.NDArray[np.int_]

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "hdim7": (0, 3, 6, 10),
}
RARITY = {"7": 1.2, "maj7": 2, "min7": 1, "sus2": 3.5, "sus4": 3, "dim": 3, "aug": 6, "hdim7": 4}
NO_CHORD = "N"
DEGREES = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "#5", "6", "b7", "7")

OVERTONES, DECAY = 4, 0.6  # of a tone in a template, each weaker than the one before
ROOT_IN_BASS, TONE_IN_BASS = 9.0, 3.0  # gains where all of the bass is there
EVENNESS = 0.7  # exponent of strengths: tones of a chord are not equally loud
FIT = 44.0  # gain of a template that fits exactly, in half a second
FAINT = 1.0  # strength from which pitch classes count; noise has about as much
NOTHING = 24.0  # gain of no chord
LONE_TONE = -6.0  # beside a chord that would fit as well
CHANGE_COSTS = (4.0, 10.0, 16.0)  # on a downbeat, on another beat, between beats
UNIT_S = 0.5
SHORTEST_S = 0.05
FAMILIAR = 0.05  # share of a song from which a chord is taken to be one of the song's


def find_chords(hearing: Hearing, beats: BeatGrid | None = None) -> tuple[ChordSegment, ...]:
    """Find which chord sounds when.

    Args:
        hearing: the song.
        beats: its beats; where there are none, chords change every half second at most.

    Returns:
        Segments from the beginning of the song to its end, without gaps.
    """
    if hearing.duration_s <= 0:
        return ()
    edges, costs = _spans(hearing.duration_s, beats)
    lengths = np.diff(edges)[:, np.newaxis] / UNIT_S
    gains = lengths * _gains(_strengths(hearing.harmony, edges), _strengths(hearing.bass, edges))
    path = _best_path(gains, costs)
    for _ in range(2):  # songs return to their chords
        shares = np.bincount(path, lengths[:, 0], gains.shape[1]) / lengths.sum()
        path = _best_path(gains + lengths * np.log1p(shares / FAMILIAR), costs)
    segments = []
    for chord, group in groupby(range(len(path)), key=lambda span: int(path[span])):
        spans = list(group)
        start_s, end_s = edges[spans[0]], edges[spans[-1] + 1]
        bass = hearing.bass.between(np.array([start_s]), np.array([end_s]))[0]
        segments.append(ChordSegment(float(start_s), float(end_s), _label(chord, bass)))
    return tuple(segments)


def respelled(chords: Iterable[ChordSegment], key: Key) -> tuple[ChordSegment, ...]:
    """Write the roots of chords as they are written in a key."""
    written = []
    for chord in chords:
        root, colon, quality = chord.label.partition(":")
        name = root_name(pitch_class(root), key.tonic) if colon else root
        written.append(ChordSegment(chord.start_s, chord.end_s, name + colon + quality))
    return tuple(written)


def _spans(duration_s: float, beats: BeatGrid | None) -> tuple[FloatArray, FloatArray]:
    """Edges of half beats, and the costs of a change at the beginning of each span."""
    if beats is None:
        starts = np.arange(0, max(duration_s - SHORTEST_S, SHORTEST_S), UNIT_S)
        edges = np.append(starts, duration_s)
        return edges, np.full(len(edges) - 1, CHANGE_COSTS[1])
    first, last = (int(np.floor(2 * beats.beat_at(at_s))) for at_s in (0.0, duration_s))
    halves = np.arange(first, last + 1)
    at_s = np.array([beats.seconds(half / 2) for half in halves])
    bar = 2 * beats.beats_per_bar
    kinds = np.where(halves % 2, 2, np.where((halves - 2 * beats.first_downbeat) % bar, 1, 0))
    inside = (at_s > SHORTEST_S) & (at_s < duration_s - SHORTEST_S)
    costs = np.array(CHANGE_COSTS)[kinds[inside]]
    return np.concatenate([[0.0], at_s[inside], [duration_s]]), np.concatenate([[0.0], costs])


def _strengths(pitches: PitchClasses, edges: FloatArray) -> FloatArray:
    """Of pitch classes in the mean of each span [span, pitch class]."""
    frames = FRAMES_PER_SECOND * np.diff(edges)[:, np.newaxis]
    return pitches.between(edges[:-1], edges[1:]) / frames


def _rolled(pattern: FloatArray) -> FloatArray:
    """A pattern upon each of the twelve roots [root, pitch class]."""
    return np.stack([np.roll(pattern, root) for root in range(12)])


def _tones(intervals: Iterable[int]) -> FloatArray:
    return np.isin(np.arange(12), list(intervals)).astype(float)


def _gains(harmony: FloatArray, bass: FloatArray) -> FloatArray:
    """What speaks for each chord in half a second [span, chord], the last one being none."""
    strength = np.linalg.norm(harmony, axis=1, keepdims=True)
    harmony = strength / (strength + FAINT) * _unit(harmony**EVENNESS)
    bass = bass / (bass.sum(axis=1, keepdims=True) + FAINT)
    overtones = np.zeros(12)
    for overtone in range(OVERTONES):
        overtones[round(12 * np.log2(overtone + 1)) % 12] += DECAY**overtone
    tone = _rolled(overtones)
    chords = np.concatenate([_rolled(_tones(tones)) for tones in QUALITIES.values()])
    roots = np.tile(np.eye(12), (len(QUALITIES), 1))
    rarity = np.repeat([RARITY.get(quality, 0.0) for quality in QUALITIES], 12)
    in_bass = (ROOT_IN_BASS - TONE_IN_BASS) * roots + TONE_IN_BASS * chords
    gains = FIT * harmony @ _unit(chords @ tone).T + bass @ in_bass.T - rarity
    alone = (FIT * harmony @ _unit(tone).T + ROOT_IN_BASS * bass).max(axis=1) + LONE_TONE
    return np.concatenate([gains, np.maximum(NOTHING, alone)[:, np.newaxis]], axis=1)


def _unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9))


def _best_path(gains: FloatArray, costs: FloatArray) -> IntArray:
    """The chord of each span that gains most in all, less the costs of changes."""
    stay = np.arange(gains.shape[1])
    total, came = gains[0], np.zeros(gains.shape, int)
    for span in range(1, len(gains)):
        best = int(total.argmax())
        change = total[best] - costs[span]
        came[span] = np.where(total >= change, stay, best)
        total = np.maximum(total, change) + gains[span]
    path = [int(total.argmax())]
    for span in range(len(gains) - 1, 0, -1):
        path.append(int(came[span, path[-1]]))
    return np.array(path[::-1])


def _label(chord: int, bass: FloatArray) -> str:
    """A chord, with what its bass has if that is another of its tones most of the time."""
    quality, root = divmod(chord, 12)
    if quality == len(QUALITIES):
        return NO_CHORD
    name, intervals = list(QUALITIES.items())[quality]
    lowest = (int(bass.argmax()) - root) % 12
    inverted = lowest in intervals and bass.max() > max(2 * bass[root], 0.35 * bass.sum())
    return f"{root_name(root)}:{name}" + (f"/{DEGREES[lowest]}" if inverted and lowest else "")
