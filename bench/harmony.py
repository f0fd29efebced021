"""Keys, chords and sections of composed songs, as Unbraid and as a textbook recipe find them."""

from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import mir_eval
import numpy as np
from train.synthesis.score import Plan

from bench.composed import LENGTH_S, SEEDS, Heard, heard_songs
from bench.results import Section, Target
from unbraid.analysis.beats import find_beats
from unbraid.analysis.chords import find_chords
from unbraid.analysis.hearing import Hearing
from unbraid.analysis.key import find_key
from unbraid.analysis.onsets import FloatArray
from unbraid.analysis.sections import find_sections
from unbraid.types import AudioSignal, ChordSegment

LEAST = {"key": 0.9, "majmin": 0.8, "sevenths": 0.65}
RULES = ("majmin", "sevenths", "thirds", "root")

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
PROFILES = {  # Krumhansl and Kessler, 1982
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}
HOP = 2048
STAYING = 0.9  # chance of a chord to sound on in the next frame
SECTION_S = 8.0  # as long as sections of these songs are, which librosa is told
NEAR_S = 0.5  # of a boundary; within 3 s, any grid of 6 s would be right


@dataclass(frozen=True)
class Harmony:
    """The key of a song, its chords, and when its sections begin."""

    key: str
    chords: Sequence[ChordSegment]
    sections_s: Sequence[float]


def bench() -> Section:
    """Find the keys and chords of songs that nothing was tuned on."""
    songs = heard_songs()
    means = np.mean([_scores_of(heard) for heard in songs], axis=0)
    names = ("key", *RULES, "sections")
    return Section(
        title="Keys and chords",
        text=(
            f"{len(songs)} composed songs of {LENGTH_S:g} s, seeds {SEEDS[0]} to {SEEDS[-1]}, "
            "stems separated by `lite`, on the beats that Unbraid finds: MIREX's weighted score of "
            "keys, the share of the time that chords are right by the rules of mir_eval, and F of "
            f"the boundaries of sections within {NEAR_S:g} s. Some of the songs have no chords "
            "that could be heard, or begin and stay away from their tonic; some sections differ "
            "in nothing from the one before. librosa hears the mixture: the mean of its chroma_cqt "
            "correlated with Krumhansl's profiles, its frames with templates of major and minor "
            "triads, smoothed by its Viterbi decoder, and chroma and MFCC clustered into as many "
            f"sections as there are {SECTION_S:g} s."
        ),
        header=("", "Unbraid", "librosa"),
        rows=[
            (name, *(f"{mean:.3f}" for mean in both))
            for name, both in zip(names, means.T, strict=True)
        ],
        targets=[
            Target(f"{name} at least {least:g}", f"{means[0, k]:.3f}", bool(means[0, k] >= least))
            for k, name in enumerate(names)
            if (least := LEAST.get(name))
        ],
    )


def _scores_of(heard: Heard) -> list[list[float]]:
    plan = heard.score.plan
    return [_scores(plan, _ours(heard.hearing)), _scores(plan, _librosas(heard.mixture))]


def _scores(plan: Plan, found: Harmony) -> list[float]:
    """Of the key, of the chords by each of `RULES`, and of the sections."""
    accuracy = mir_eval.chord.evaluate(*_columns(plan.chord_segments), *_columns(found.chords))
    key = mir_eval.key.weighted_score(plan.key, found.key)
    sections_s = [plan.seconds(each.start * plan.bar_steps) for each in plan.sections]
    boundaries = mir_eval.segment.detection(
        _spans(sections_s), _spans(found.sections_s), window=NEAR_S, trim=True
    )
    scores = (key, *(accuracy[rule] for rule in RULES), boundaries[2])
    return [float(score) for score in scores]


def _spans(starts_s: Sequence[float]) -> FloatArray:
    return np.stack([[0.0, *starts_s[1:]], [*starts_s[1:], LENGTH_S]], axis=1)


def _columns(chords: Sequence[ChordSegment]) -> tuple[FloatArray, list[str]]:
    times = np.array([(chord.start_s, chord.end_s) for chord in chords])
    return times, [chord.label for chord in chords]


def _ours(hearing: Hearing) -> Harmony:
    beats = find_beats(hearing).grid
    chords = find_chords(hearing, beats)
    key = find_key(hearing, chords)
    sections_s = [section.start_s for section in find_sections(hearing, beats)]
    return Harmony(key.name if key else "C major", chords, sections_s)


def _librosas(mixture: AudioSignal) -> Harmony:
    rate = mixture.sample_rate
    chroma = librosa.feature.chroma_cqt(y=mixture.samples[0], sr=rate, hop_length=HOP)
    salience = {
        f"{name} {mode}": float(np.corrcoef(np.roll(profile, k), chroma.mean(axis=1))[0, 1])
        for mode, profile in PROFILES.items()
        for k, name in enumerate(PITCH_CLASSES)
    }
    labels = [f"{name}:{triad}" for triad in TRIADS for name in PITCH_CLASSES]
    tones = [np.isin(np.arange(12), intervals) for intervals in TRIADS.values()]
    templates = np.array([np.roll(each, k) for each in tones for k in range(12)], float)
    chances = np.exp(templates @ librosa.util.normalize(chroma, norm=2))
    path = librosa.sequence.viterbi_discriminative(
        chances / chances.sum(axis=0), librosa.sequence.transition_loop(len(labels), STAYING)
    )
    edges_s = np.append(librosa.frames_to_time(range(len(path)), sr=rate, hop_length=HOP), LENGTH_S)
    chords = [
        ChordSegment(float(start_s), float(end_s), labels[k])
        for k, start_s, end_s in zip(path, edges_s, edges_s[1:], strict=False)
        if end_s > start_s
    ]
    mfcc = librosa.feature.mfcc(y=mixture.samples[0], sr=rate, hop_length=HOP)
    sounds = np.concatenate([librosa.util.normalize(each, axis=1) for each in (chroma, mfcc)])
    starts = librosa.segment.agglomerative(sounds, round(LENGTH_S / SECTION_S))
    sections_s = librosa.frames_to_time(starts, sr=rate, hop_length=HOP)
    return Harmony(max(salience, key=lambda name: salience[name]), chords, sections_s)
