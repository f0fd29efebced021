import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.separation.segments import Segment, plan, remaining, stitch
from unbraid.types import Samples

lengths = st.integers(1, 2000)
shapes = st.integers(1, 300).flatmap(
    lambda segment: st.tuples(st.just(segment), st.integers(0, segment // 2))
)


def song(length: int) -> Samples:
    return np.random.default_rng(length).uniform(-1, 1, (2, length)).astype(np.float32)


class Counted:
    """A separator that returns its input, and remembers which segments it was asked for."""

    def __init__(self, mixture: Samples) -> None:
        self.mixture = mixture
        self.ran: list[Segment] = []

    def __call__(self, segment: Segment) -> Samples:
        self.ran.append(segment)
        return self.mixture[np.newaxis, :, segment.start : segment.stop]


@given(lengths, shapes)
def test_weights_sum_to_one_on_every_sample(length: int, shape: tuple[int, int]) -> None:
    weights = np.zeros(length)
    for segment in plan(length, *shape):
        weight = np.ones(segment.stop - segment.start)
        weight[: segment.fade_in] *= segment.rising
        weight[len(weight) - segment.fade_out :] *= segment.falling
        weights[segment.start : segment.stop] += weight
    np.testing.assert_allclose(weights, 1, atol=1e-6)


@given(lengths, shapes)
def test_an_identity_separator_returns_the_mixture(length: int, shape: tuple[int, int]) -> None:
    mixture = song(length)
    stems = np.concatenate(list(stitch(plan(length, *shape), Counted(mixture))), axis=-1)
    np.testing.assert_allclose(stems[0], mixture, atol=1e-6)


@given(lengths, shapes, st.data())
def test_a_resumed_run_gives_the_same_bits(
    length: int, shape: tuple[int, int], data: st.DataObject
) -> None:
    mixture, segments = song(length), plan(length, *shape)
    written = data.draw(st.integers(0, length))
    whole = np.concatenate(list(stitch(segments, Counted(mixture))), axis=-1)
    rest = list(stitch(segments, Counted(mixture), written))
    resumed = np.concatenate([whole[..., :written], *rest], axis=-1)
    np.testing.assert_array_equal(resumed, whole)


@given(lengths, shapes, st.data())
def test_a_resumed_run_repeats_at_most_one_finished_segment(
    length: int, shape: tuple[int, int], data: st.DataObject
) -> None:
    mixture, segments = song(length), plan(length, *shape)
    done = data.draw(st.integers(0, len(segments)))
    written = segments[done].start if done < len(segments) else length
    resumed = Counted(mixture)
    list(stitch(segments, resumed, written))
    assert len(set(resumed.ran) & set(segments[:done])) <= 1
    assert resumed.ran == list(remaining(segments, written))


@given(lengths, shapes)
def test_segments_are_of_one_length_but_where_the_song_ends(
    length: int, shape: tuple[int, int]
) -> None:
    segment, overlap = shape
    segments = plan(length, segment, overlap)
    whole = [s for s in segments if s.start + segment <= length]
    assert all(s.stop - s.start == segment for s in whole)
    assert all(s.stop == length for s in segments[len(whole) :])
    assert (segments[0].start, segments[-1].stop) == (0, length)


def test_two_halves_crossfade_linearly() -> None:
    def zeros_then_ones(segment: Segment) -> Samples:
        return np.full((1, 1, segment.stop - segment.start), segment.start > 0, np.float32)

    parts = stitch(plan(6, 6, 3), zeros_then_ones)
    np.testing.assert_allclose(
        np.concatenate(list(parts), axis=-1)[0, 0], [0, 0, 0, 0.25, 0.5, 0.75]
    )


def test_nothing_is_planned_for_no_samples() -> None:
    assert plan(0, 100, 25) == []


@pytest.mark.parametrize(("segment", "overlap"), [(0, 0), (10, 6), (10, -1)])
def test_impossible_overlaps_are_refused(segment: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="half of the segment"):
        plan(100, segment, overlap)


@pytest.mark.parametrize("in_flight", [2, 3, 50])
def test_segments_at_work_at_once_give_the_same_bits(in_flight: int) -> None:
    mixture, segments = song(2000), plan(2000, 300, 75)
    one_by_one = list(stitch(segments, Counted(mixture)))
    at_once = list(stitch(segments, Counted(mixture), in_flight=in_flight))
    assert len(at_once) == len(one_by_one)
    for ours, expected in zip(at_once, one_by_one, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_no_more_segments_are_begun_than_may_be_at_work() -> None:
    separator = Counted(song(2000))
    stretches = stitch(plan(2000, 300, 75), separator, in_flight=3)
    next(stretches)
    del stretches
    assert len(separator.ran) <= 3


def test_an_error_of_a_segment_at_work_rises() -> None:
    def fail(segment: Segment) -> Samples:
        raise MemoryError

    with pytest.raises(MemoryError):
        next(stitch(plan(2000, 300, 75), fail, in_flight=2))
