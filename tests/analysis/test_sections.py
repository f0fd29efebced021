from itertools import pairwise

import mir_eval
import numpy as np
import pytest
from tests.analysis.tones import RATE, heard, heard_of, noise, played, strokes

from unbraid.analysis.beats import find_beats
from unbraid.analysis.sections import Section, find_sections
from unbraid.demo import DemoSong

VERSE = [(60, 64, 67), (57, 60, 64), (65, 69, 72), (67, 71, 74)]
BRIDGE = [(62, 65, 69), (64, 67, 71)]
CHORD_S = 2.0


def score(sections: tuple[Section, ...], starts_s: list[float], end_s: float) -> float:
    """F of boundaries within three seconds, those of the song itself aside."""
    edges = np.array([*starts_s, end_s])
    found = np.array([(each.start_s, each.end_s) for each in sections])
    found[-1, 1] = end_s
    truth = np.stack([edges[:-1], edges[1:]], axis=1)
    return float(mir_eval.segment.detection(truth, found, window=3.0, trim=True)[2])


def test_a_bridge_of_other_chords_is_found_and_the_verse_comes_again() -> None:
    sections = find_sections(heard(other=played(2 * VERSE + 4 * BRIDGE + 2 * VERSE, CHORD_S)))
    assert [section.label for section in sections] == ["A", "B", "A"]
    assert score(sections, [0, 16, 32], 48) == 1


def test_drums_that_enter_and_leave_make_a_section() -> None:
    silence = np.zeros((1, 16 * RATE), np.float32)
    drums = np.concatenate([silence, strokes(16), silence], axis=1)
    sections = find_sections(heard(other=played(6 * VERSE, CHORD_S), drums=drums))
    assert [section.label for section in sections] == ["A", "B", "A"]
    assert score(sections, [0, 16, 32], 48) == 1


def test_parts_of_the_demo_begin_on_its_bars(demo: DemoSong) -> None:
    song = heard_of(demo.stems)
    beats = find_beats(song).grid
    assert beats
    sections = find_sections(song, beats)
    bars = demo.downbeats_s
    assert score(sections, [0, bars[8], bars[12]], song.duration_s) == 1
    for section in sections[1:]:
        assert min(abs(section.start_s - bar) for bar in bars) < 0.05


def test_sections_follow_each_other_from_beginning_to_end() -> None:
    song = heard(other=played(2 * VERSE + 4 * BRIDGE + 2 * VERSE, CHORD_S))
    sections = find_sections(song)
    assert sections[0].start_s == 0
    assert sections[-1].end_s == song.duration_s
    assert all(a.end_s == b.start_s for a, b in pairwise(sections))


@pytest.mark.parametrize("what", ["a loop", "noise", "strokes", "something short", "a click"])
def test_what_does_not_change_is_one_section(what: str) -> None:
    song = {
        "a loop": lambda: heard(other=played(8 * VERSE, CHORD_S)),
        "noise": lambda: heard(drums=noise(40)),
        "strokes": lambda: heard(drums=strokes(40)),
        "something short": lambda: heard(other=played(VERSE, 0.5)),
        "a click": lambda: heard(drums=noise(0.05)),
    }[what]()
    assert find_sections(song) == (Section(0.0, song.duration_s, "A"),)


def test_silence_has_no_sections() -> None:
    assert find_sections(heard(other=np.zeros((1, 160_000), np.float32))) == ()
    assert find_sections(heard(other=np.zeros((1, 0), np.float32))) == ()
