import math

import hypothesis.strategies as st
import mir_eval
import numpy as np
import pytest
from hypothesis import given

from unbraid.scoring import NoteScore, StemScore, note_f1, score_stems, sdr
from unbraid.types import AudioSignal, NoteEvent, Read

LENGTH = 150_000
RATE = 44100


def signal(samples: np.ndarray, sample_rate: int = RATE) -> AudioSignal:
    return AudioSignal(np.atleast_2d(samples).astype(np.float32), sample_rate)


def note(start_s: float, pitch: int = 60) -> NoteEvent:
    return NoteEvent(start_s, start_s + 0.25, pitch, 0.8)


def noise(seed: int, channels: int = 2) -> AudioSignal:
    return signal(np.random.default_rng(seed).standard_normal((channels, 4096)))


@pytest.mark.parametrize(("error", "expected_db"), [(1.0, 0.0), (0.1, 20.0), (0.01, 40.0)])
def test_sdr_of_a_scaled_copy_is_known_in_closed_form(error: float, expected_db: float) -> None:
    tone = noise(0, channels=1)
    assert sdr(tone, signal(tone.samples * (1 + error))) == pytest.approx(expected_db, abs=1e-3)


def test_sdr_counts_both_channels_together() -> None:
    reference = signal(np.array([[3.0, 0.0], [0.0, 1.0]]))
    estimate = signal(np.array([[3.0, 0.0], [0.0, 0.0]]))
    assert sdr(reference, estimate) == pytest.approx(10.0)


def tone(periods: int, gain: float = 1.0) -> Read:
    """One that has no product with those of other periods."""
    wave = gain * np.sin(2 * np.pi * periods * np.arange(LENGTH) / LENGTH)
    samples = np.stack([wave, wave]).astype(np.float32)
    return lambda start, stop: samples[:, start:stop]


def total(*parts: Read) -> Read:
    return lambda start, stop: np.sum([part(start, stop) for part in parts], axis=0)


def test_interference_and_artifacts_are_known_in_closed_form() -> None:
    references = {"bass": tone(300), "drums": tone(500)}
    found = {"bass": total(tone(300, 0.9), tone(500, 0.09), tone(700, 0.01)), "flute": tone(1)}
    scores = score_stems(references, found, LENGTH)
    assert list(scores) == ["bass"]
    score = scores["bass"]
    assert score.sdr_db == pytest.approx(-10 * np.log10(0.1**2 + 0.09**2 + 0.01**2), abs=0.01)
    assert score.sir_db == pytest.approx(20, abs=0.01)
    assert score.sar_db == pytest.approx(10 * np.log10((0.9**2 + 0.09**2) / 0.01**2), abs=0.01)


def test_scores_have_an_end_and_silence_none() -> None:
    perfect = score_stems({"bass": tone(300), "drums": tone(500)}, {"bass": tone(300)}, LENGTH)
    assert perfect["bass"] == StemScore(100.0, 100.0, 100.0)
    alone = score_stems({"bass": tone(300)}, {"bass": tone(300, 0.5)}, LENGTH)
    assert alone["bass"] == StemScore(6.02, None, 100.0)
    silent = score_stems({"bass": tone(300, 0.0)}, {"bass": tone(300)}, LENGTH)
    assert silent["bass"] == StemScore(None, None, None)


def test_sdr_agrees_with_mir_eval() -> None:
    reference, distortion = noise(1, channels=1), noise(2, channels=1)
    # mir_eval forgives a filter of 512 taps: against noise it is a little kinder, never harsher.
    estimate = signal(reference.samples + 0.1 * distortion.samples)
    with pytest.warns(FutureWarning):
        theirs = mir_eval.separation.bss_eval_sources(reference.samples, estimate.samples)[0][0]
    assert sdr(reference, estimate) <= theirs
    assert sdr(reference, estimate) == pytest.approx(theirs, abs=1.0)


def test_a_perfect_estimate_has_infinite_sdr_even_of_silence() -> None:
    silence = signal(np.zeros((2, 100)))
    assert sdr(noise(0), noise(0)) == math.inf
    assert sdr(silence, silence) == math.inf


def test_sound_in_place_of_silence_has_minus_infinite_sdr() -> None:
    silence = signal(np.zeros((2, 4096)))
    assert sdr(silence, noise(0)) == -math.inf


def test_silence_in_place_of_sound_has_an_sdr_of_zero() -> None:
    assert sdr(noise(0), signal(np.zeros((2, 4096)))) == 0.0


def test_empty_signals_agree() -> None:
    assert sdr(signal(np.zeros((2, 0))), signal(np.zeros((2, 0)))) == math.inf


def test_sdr_of_different_lengths_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="cut or pad"):
        sdr(noise(0), signal(np.zeros((2, 100))))


def test_sdr_of_different_rates_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="resample"):
        sdr(noise(0), AudioSignal(noise(0).samples, 22050))


def test_the_same_notes_score_full_marks() -> None:
    notes = [note(0.0, 60), note(0.5, 64), note(0.5, 67)]
    assert note_f1(notes, notes) == NoteScore(1.0, 1.0, 1.0)


def test_an_extra_note_costs_precision_and_a_missing_one_recall() -> None:
    few, many = [note(0.0)], [note(0.0), note(1.0)]
    assert note_f1(few, many) == NoteScore(precision=0.5, recall=1.0, f1=2 / 3)
    assert note_f1(many, few) == NoteScore(precision=1.0, recall=0.5, f1=2 / 3)


@pytest.mark.parametrize(("late_s", "f1"), [(0.05, 1.0), (0.0502, 0.0), (-0.05, 1.0)])
def test_an_onset_may_stray_as_far_as_the_tolerance(late_s: float, f1: float) -> None:
    assert note_f1([note(1.0)], [note(1.0 + late_s)]).f1 == f1


def test_a_wrong_pitch_is_a_wrong_note() -> None:
    assert note_f1([note(0.0, 60)], [note(0.0, 61)]).f1 == 0.0


def test_one_note_cannot_be_right_twice() -> None:
    assert note_f1([note(0.0)], [note(0.0), note(0.01)]).precision == 0.5


def test_matching_is_the_largest_possible() -> None:
    # Greedy matching would pair 0.04 with 0.00 and leave 0.08 alone.
    assert note_f1([note(0.04), note(0.0)], [note(0.04), note(0.08)]).f1 == 1.0


def test_no_notes_where_there_are_none_is_right() -> None:
    assert note_f1([], []) == NoteScore(1.0, 1.0, 1.0)


def test_no_notes_where_there_are_some_is_wrong() -> None:
    assert note_f1([note(0.0)], []) == NoteScore(0.0, 0.0, 0.0)
    assert note_f1([], [note(0.0)]) == NoteScore(0.0, 0.0, 0.0)


note_lists = st.lists(
    st.builds(note, st.integers(0, 60).map(lambda k: k / 50), st.integers(58, 61)),
    min_size=1,
    max_size=25,
)


@given(note_lists, note_lists)
def test_note_scores_agree_with_mir_eval(
    reference: list[NoteEvent], estimate: list[NoteEvent]
) -> None:
    def intervals(notes: list[NoteEvent]) -> np.ndarray:
        return np.array([(n.start_s, n.end_s) for n in notes])

    def hertz(notes: list[NoteEvent]) -> np.ndarray:
        return np.array([mir_eval.util.midi_to_hz(n.pitch) for n in notes])

    precision, recall, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
        intervals(reference),
        hertz(reference),
        intervals(estimate),
        hertz(estimate),
        offset_ratio=None,
    )
    score = note_f1(reference, estimate)
    assert (score.precision, score.recall) == (precision, recall)
    assert score.f1 == pytest.approx(f1)
