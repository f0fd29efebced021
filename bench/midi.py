"""How close strokes, cleaned notes and quantised files come to the scores of composed songs."""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import mir_eval
import numpy as np
from train.synthesis.score import Score

from bench.published import published_notes
from bench.results import Section, Target
from train.synthesis import Song, song
from unbraid.demo.room import RATE
from unbraid.export.midi import MidiTrack, drum_track, stem_tracks, write_midi
from unbraid.separation import separate
from unbraid.transcription import transcribe
from unbraid.transcription.cleanup import clean_notes
from unbraid.transcription.drums import transcribe_drums
from unbraid.transcription.quantise import quantise_notes, quantise_strokes
from unbraid.types import (
    AudioSignal,
    BeatGrid,
    CleanupOptions,
    DrumStroke,
    NoteEvent,
    QuantiseOptions,
    StemName,
)

SEEDS, LENGTH_S = range(1000, 1060), 36.0  # nothing was tuned on these
NEAR_S, EXACT_S, ON_GRID_S = 0.05, 0.02, 0.001
EXACT = f"right strokes within {1000 * EXACT_S:.0f} ms"
LEAST_F1 = {"kick": 0.9, "snare": 0.85, "hi-hat": 0.75}
LEAST_GAIN, LEAST_ON_GRID = 0.05, 0.95
PITCHED: tuple[StemName, ...] = ("bass", "vocals")
DRUMS = {  # names of strokes, words of a kit's part
    "kick": ({"kick"}, {"kick"}),
    "snare": ({"snare", "side stick"}, {"snare", "rim", "clap"}),
    "hi-hat": ({"closed hi-hat", "open hi-hat"}, {"hat", "open hat"}),
    "tom": ({"low tom", "mid tom", "high tom"}, {"low tom", "tom", "high tom"}),
    "ride": ({"ride"}, {"ride"}),
    "crash": ({"crash"}, {"crash"}),
}


@dataclass
class Tally:
    """Events of all songs: those that are true, those found, and those that are both."""

    true: int = 0
    found: int = 0
    right: int = 0

    def add(self, true: int, found: int, right: int) -> None:
        """Count those of a song."""
        self.true, self.found, self.right = self.true + true, self.found + found, self.right + right

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, self.true + self.found)


Tallies = dict[tuple[str, str], Tally]  # of a row and a column
HEADER = ("", "Unbraid", "before", "basic-pitch")


def bench() -> Section:
    """Transcribe the separated stems of composed songs."""
    return of_songs(SEEDS)


def of_songs(seeds: Iterable[int]) -> Section:
    """The same of songs of other seeds."""
    tallies: Tallies = defaultdict(Tally)
    for seed in seeds:
        played = song(seed, LENGTH_S)
        stems = separate(AudioSignal(played.mixture, RATE))
        strokes = transcribe_drums([stems["drums"].samples], [played.mixture], RATE)
        notes = {name: transcribe(stems[name]) for name in PITCHED}
        _score_strokes(strokes, played.score, tallies)
        for name in PITCHED:
            _score_notes(name, notes[name], stems[name], played, tallies)
        _score_grid(strokes, notes["bass"], played.score, tallies)
    return Section(
        title="MIDI",
        text=(
            "Composed songs with known scores, separated by `lite`. F1 of strokes and notes, "
            f"{1000 * NEAR_S:.0f} ms either way: those that Unbraid writes, those before cleaning, "
            "and those of the basic-pitch package. On the grid: of the strokes and bass notes that "
            "are right, how many a quantised file, made with the true beats, has where the score "
            "has them; before, how many they were."
        ),
        header=HEADER,
        rows=[
            (row, *(_shown(tallies.get((row, column))) for column in HEADER[1:]))
            for row in dict.fromkeys(row for row, _ in tallies)
        ],
        targets=list(_targets(tallies)),
    )


def _shown(tally: Tally | None) -> str:
    return "" if tally is None else f"{tally.f1:.3f}"


def _targets(tallies: Tallies) -> Iterator[Target]:
    for drum, least in LEAST_F1.items():
        f1 = tallies[drum, "Unbraid"].f1
        yield Target(f"{drum} at least {least}", f"{f1:.3f}", f1 >= least)
    for name in PITCHED:
        ours, before = (tallies[f"{name}, onset", column].f1 for column in HEADER[1:3])
        aim = f"cleaning improves {name} by at least {LEAST_GAIN}"
        yield Target(aim, f"{ours - before:.3f}", ours - before >= LEAST_GAIN)
    share = tallies["on the grid", "Unbraid"].f1
    aim = f"at least {LEAST_ON_GRID:.0%} on the grid"
    yield Target(aim, f"{share:.1%}", share >= LEAST_ON_GRID)


def _score_strokes(strokes: Sequence[DrumStroke], score: Score, tallies: Tallies) -> None:
    late_s: list[float] = []
    for row, (drums, words) in DRUMS.items():
        true_s = np.array(
            [
                note.start_s
                for part in score.parts
                if part.role == "kit"
                for note, word in zip(part.notes, part.words, strict=True)
                if word in words
            ]
        )
        found_s = np.array([stroke.time_s for stroke in strokes if stroke.drum in drums])
        pairs = mir_eval.util.match_events(true_s, found_s, NEAR_S)
        tallies[row, "Unbraid"].add(len(true_s), len(found_s), len(pairs))
        late_s += [found_s[got] - true_s[wanted] for wanted, got in pairs]
    exact = sum(abs(each) < EXACT_S for each in late_s)
    tallies[EXACT, "Unbraid"].add(len(late_s), len(late_s), exact)


def _score_notes(
    name: StemName,
    heard: Sequence[NoteEvent],
    stem: AudioSignal,
    played: Song,
    tallies: Tallies,
) -> None:
    options = CleanupOptions()
    line, song_db = name in options.monophonic, 10 * np.log10(np.mean(np.square(played.mixture)))
    contenders = {
        "Unbraid": clean_notes(heard, options, monophonic=line, song_db=song_db),
        "before": heard,
        "basic-pitch": published_notes(stem),
    }
    true = _true_notes(name, played.score)
    for column, notes in contenders.items():
        right = len(_matched(true, notes))
        tallies[f"{name}, pitch and onset", column].add(len(true), len(notes), right)
        starts_s = [np.array([each.start_s for each in both]) for both in (true, notes)]
        right = len(mir_eval.util.match_events(*starts_s, NEAR_S))
        tallies[f"{name}, onset", column].add(len(true), len(notes), right)


def _true_notes(name: StemName, score: Score) -> list[NoteEvent]:
    """What is sung or played at a pitch; in unison, it is one note."""
    notes = sorted(
        (
            note
            for part in score.parts
            if part.stem == name and part.role != "speech"
            for note in part.notes
        ),
        key=lambda note: (note.pitch, note.start_s),
    )
    return [
        note
        for before, note in zip([None, *notes], notes, strict=False)
        if before is None or before.pitch != note.pitch or note.start_s > before.start_s + NEAR_S
    ]


def _matched(true: Sequence[NoteEvent], found: Sequence[NoteEvent]) -> list[tuple[int, int]]:
    if not true or not found:
        return []
    intervals, hertz = zip(
        *(
            (
                np.array([(note.start_s, note.start_s + 1) for note in notes]),
                mir_eval.util.midi_to_hz(np.array([note.pitch for note in notes])),
            )
            for notes in (true, found)
        ),
        strict=True,
    )
    matched: list[tuple[int, int]] = mir_eval.transcription.match_notes(
        intervals[0], hertz[0], intervals[1], hertz[1], offset_ratio=None
    )
    return matched


def _score_grid(
    strokes: Sequence[DrumStroke], bass: Sequence[NoteEvent], score: Score, tallies: Tallies
) -> None:
    """Where right strokes and notes are in a file, and whether the score has them there."""
    plan = score.plan
    grid = BeatGrid(plan.beats_s, 0, plan.metre, confidence=1.0)
    options = QuantiseOptions(
        swing=plan.swing, swing_grid="1/8" if plan.swing_steps == 2 else "1/16"
    )
    true = [note for part in score.parts if part.stem in ("drums", "bass") for note in part.notes]
    notes = clean_notes(bass, CleanupOptions(), monophonic=True)
    steps_s = np.array([plan.seconds(step) for step in range(len(plan.chords) * plan.bar_steps)])
    files = {
        "before": _read_back([*stem_tracks({"bass": notes}), drum_track(strokes)], grid),
        "Unbraid": _read_back(
            [
                *stem_tracks({"bass": quantise_notes(notes, grid, options)}),
                drum_track(quantise_strokes(strokes, grid, options)),
            ],
            grid,
        ),
    }
    for wanted, _ in _matched(true, files["before"]):
        step_s = steps_s[np.abs(steps_s - true[wanted].start_s).argmin()]
        for column, found in files.items():
            there = any(
                note.pitch == true[wanted].pitch and abs(note.start_s - step_s) < ON_GRID_S
                for note in found
            )
            tallies["on the grid", column].add(1, 1, int(there))


def _read_back(tracks: Sequence[MidiTrack], grid: BeatGrid) -> list[NoteEvent]:
    """The notes of a file of these tracks, as a reader hears them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "song.mid")
        write_midi(file, tracks, grid)
        now_s, notes = 0.0, []
        for message in mido.MidiFile(file):
            now_s += message.time
            if message.type == "note_on":
                notes.append(NoteEvent(now_s, now_s + 1, message.note, message.velocity / 127))
    return notes
