"""A result compared with the true stems of its song."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from unbraid.audio import AudioReader, open_audio
from unbraid.errors import InputError
from unbraid.export.song import open_song
from unbraid.scoring import StemScore, score_stems
from unbraid.separation import MixtureFile
from unbraid.types import OnProgress, Progress, Read, Samples, StemName


def compare_result(
    folder: Path | str,
    truth: Mapping[StemName, Path],
    on_progress: OnProgress | None = None,
    open_recording: Callable[[Path], AudioReader] = open_audio,
) -> dict[StemName, StemScore]:
    """Score the stems of a result against true ones.

    Args:
        folder: of the result.
        truth: recordings of true stems, the more of them the better: what is heard of one in
            another's place counts as interference only if it is here. They begin with the song;
            where they end early, there is silence.
        on_progress: called between blocks; may raise `Cancelled` to stop.
        open_recording: opens a true stem for decoding.

    Raises:
        InputError: there is no finished result, or none of its stems is among the true ones.
        AudioError: a recording is missing or unreadable.
    """
    with open_song(Path(folder)) as song, ExitStack() as stack:
        if not set(truth) & set(song.stems):
            there = ", ".join(song.stems)
            raise InputError(f"none of these stems is in the result; there are {there}")
        scratch = Path(stack.enter_context(TemporaryDirectory(dir=folder)))
        references = {}
        for name, path in truth.items():

            def report(done_s: float) -> None:
                if on_progress:
                    on_progress(Progress("decode", done_s, None))

            with open_recording(path) as reader:
                references[name] = stack.enter_context(
                    MixtureFile(reader, song.sample_rate, scratch, report)
                )
        if on_progress:
            on_progress(Progress("judge", 0.0, song.length / song.sample_rate))
        return score_stems(
            {name: _silent_after(each.read, each.length) for name, each in references.items()},
            song.stems,
            song.length,
        )


def _silent_after(read: Read, length: int) -> Read:
    """A recording that goes on with silence."""

    def longer(start: int, stop: int) -> Samples:
        sounding = read(min(start, length), min(stop, length))
        return np.pad(sounding, ((0, 0), (0, stop - start - sounding.shape[1])))

    return longer
