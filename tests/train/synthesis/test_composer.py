import itertools
from collections import Counter

import numpy as np
import pytest
from train.synthesis.composer import (
    CONFUSED_WITHOUT_VOICE,
    TOGETHER,
    WITHOUT,
    compose,
)
from train.synthesis.grooves import GM_DRUMS, GROOVES
from train.synthesis.score import STEPS_PER_BAR, Part, Plan, Role, Score, Stem

from unbraid.demo.singer import CONSONANTS, VOWELS

LENGTH_S = 24.0


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return [compose(np.random.default_rng(seed), LENGTH_S) for seed in range(400)]


def _parts(score: Score, *roles: Role) -> list[Part]:
    return [part for part in score.parts if part.role in roles]


def _stems(score: Score) -> set[Stem]:
    return {part.stem for part in score.parts}


def test_a_seed_gives_the_same_score() -> None:
    first, second, other = (compose(np.random.default_rng(seed), 12.0) for seed in (3, 3, 4))
    assert first == second
    assert first != other


def test_stems_are_absent_as_often_as_stated(scores: list[Score]) -> None:
    for stem, chance in WITHOUT.items():
        share = np.mean([stem not in _stems(score) for score in scores])
        assert share == pytest.approx(chance, abs=4 * np.sqrt(chance / len(scores)))
    assert all(score.parts for score in scores)


def test_most_songs_without_voice_have_a_confuser(scores: list[Score]) -> None:
    silent = [score for score in scores if "vocals" not in _stems(score)]
    confused = np.mean([bool(_parts(score, "confuser")) for score in silent])
    assert confused == pytest.approx(CONFUSED_WITHOUT_VOICE, abs=0.15)


def test_confusers_mostly_play_while_no_voice_sounds(scores: list[Score]) -> None:
    both = [score for score in scores if _parts(score, "confuser") and "vocals" in _stems(score)]
    together = 0
    for score in both:
        sung = [note for part in score.parts if part.stem == "vocals" for note in part.notes]
        together += any(
            note.start_s < other.end_s and other.start_s < note.end_s
            for part in _parts(score, "confuser")
            for note in part.notes
            for other in sung
        )
    assert len(both) > 40
    assert 0 < together / len(both) < 2 * TOGETHER


def test_every_role_metre_and_drum_occurs(scores: list[Score]) -> None:
    roles = Counter(part.role for score in scores for part in score.parts)
    assert set(roles) >= {"lead", "double", "harmony", "choir", "speech", "ad-lib", "confuser"}
    assert set(roles) >= {"pad", "strings", "brass", "riff", "arpeggio", "comping", "melody"}
    assert {score.plan.metre for score in scores} == set(STEPS_PER_BAR)
    drums = {word for score in scores for part in _parts(score, "kit") for word in part.words}
    assert drums == set(GM_DRUMS)


def test_notes_lie_within_the_song_and_have_their_words(scores: list[Score]) -> None:
    for part in (part for score in scores for part in score.parts):
        starts = [note.start_s for note in part.notes]
        assert starts == sorted(starts)
        assert all(
            0 <= n.start_s < n.end_s <= LENGTH_S and 0 < n.amplitude <= 1 for n in part.notes
        )
        assert all(20 <= note.pitch <= 110 for note in part.notes)
        assert len(part.words) == (len(part.notes) if part.stem in ("vocals", "drums") else 0)
        if part.stem == "vocals":
            assert all(word[0] in CONSONANTS and word[1:] in VOWELS for word in part.words)


def test_voices_and_drums_rest_where_their_sections_do(scores: list[Score]) -> None:
    for plan, part in ((score.plan, part) for score in scores for part in score.parts):
        for section in plan.sections:
            start_s = plan.seconds(section.start * plan.bar_steps) + 0.1
            stop_s = plan.seconds(section.stop * plan.bar_steps) - 0.1
            heard = any(start_s < note.start_s < stop_s for note in part.notes)
            if part.stem == "drums":
                assert not heard or section.drums
            if part.role in ("lead", "speech"):
                assert not heard or section.voices


def test_drums_are_struck_on_the_grid(scores: list[Score]) -> None:
    for score in scores:
        plan = score.plan
        steps = len(plan.chords) * plan.bar_steps
        grid = np.array([plan.seconds(step) for step in range(steps)])
        for part in _parts(score, "kit"):
            onsets = np.array([note.start_s for note in part.notes])
            assert np.abs(onsets[:, np.newaxis] - grid).min(axis=1).max() < 0.03


def test_the_bass_plays_the_roots_of_the_chords(scores: list[Score]) -> None:
    roots = [
        note.pitch % 12 == score.plan.chords[bar].root
        for score in scores
        for part in _parts(score, "bass")
        for bar, downbeat_s in enumerate(score.plan.downbeats_s)
        for note in part.notes
        if abs(note.start_s - downbeat_s) < 0.03
    ]
    assert len(roots) > 1000
    assert np.mean(roots) > 0.85  # riffs stay where they are


def test_beats_follow_the_tempo_and_chords_leave_no_gap(scores: list[Score]) -> None:
    for plan in (score.plan for score in scores):
        np.testing.assert_allclose(np.diff(plan.beats_s), 60 / plan.tempo_bpm)
        assert set(plan.downbeats_s) <= set(plan.beats_s)
        segments = plan.chord_segments
        assert segments[0].start_s == plan.start_s
        assert segments[-1].end_s == LENGTH_S
        for segment, following in itertools.pairwise(segments):
            assert segment.end_s == following.start_s
            assert segment.label != following.label


@pytest.mark.parametrize(
    ("swing_steps", "late"), [(1, (0, 1.25, 2, 3.25)), (2, (0, 1.25, 2.5, 3.25))]
)
def test_swing_delays_the_second_of_two_notes(
    scores: list[Score], swing_steps: int, late: tuple[float, ...]
) -> None:
    plan = Plan(
        length_s=8.0,
        start_s=0.0,
        tempo_bpm=60.0,
        metre="4/4",
        swing=0.25,
        swing_steps=swing_steps,
        tonic=0,
        scale=(0, 2, 4, 5, 7, 9, 11),
        sections=(),
        chords=(),
    )
    assert [4 * plan.seconds(step) for step in range(4)] == pytest.approx(late)


def test_grooves_are_as_long_as_their_bars() -> None:
    for metre, grooves in GROOVES.items():
        for line in (line for groove in grooves.values() for line in groove.values()):
            assert len(line) == STEPS_PER_BAR[metre]
