import itertools
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import mido
import mir_eval
import numpy as np
import pretty_midi
import pytest
import soundfile
from tests.hub import network_file

from unbraid import process
from unbraid.audio import load
from unbraid.demo import DemoSong
from unbraid.errors import Cancelled, InputError, ModelError, ResourceError
from unbraid.export.analysis import read_analysis
from unbraid.pipeline import Result
from unbraid.separation import MixtureStatistics
from unbraid.separation.cache import FileCache
from unbraid.separation.lite import MaskNetwork
from unbraid.types import ProcessOptions, Progress, QuantiseOptions, Samples, SeparationOptions
from unbraid.weights import ModelStore

RATE = 44_100
STEMS = ["vocals", "drums", "bass", "other"]
STAGES = ["decode", "separate", "judge", "analyse", "transcribe", "export"]


@pytest.fixture(scope="module")
def song(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song of 15 s, two segments long."""
    file = tmp_path_factory.mktemp("song") / "Für Elise – 悲愴.wav"
    soundfile.write(file, demo.mixture.samples[:, : 15 * RATE].T, RATE, "FLOAT")
    return file


@pytest.fixture(scope="module")
def result(song: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return process(song, tmp_path_factory.mktemp("out"))


def stems_of(result: Result) -> dict[str, Samples]:
    return {
        name: load(result.folder / stem.file).samples
        for name, stem in result.manifest.stems.items()
    }


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the manifest, which knows the time."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in files
        if file.name != "manifest.json"
    }


def test_stems_sum_to_the_song(song: Path, result: Result) -> None:
    total = np.sum(list(stems_of(result).values()), axis=0)
    np.testing.assert_allclose(total, load(song).samples, atol=4 * 2**-23)


def test_the_folder_holds_stems_and_midi_and_nothing_unfinished(result: Result) -> None:
    files = {str(file.relative_to(result.folder)) for file in result.folder.rglob("*.*")}
    assert files == {"manifest.json", *result.manifest.files()}
    assert {f"stems/{name}.wav" for name in STEMS} < files
    assert {f"midi/{name}.mid" for name in (*STEMS, "all")} < files
    assert {f"midi/raw/{name}.mid" for name in ("vocals", "bass", "other")} < files


def test_the_manifest_describes_the_song(song: Path, result: Result) -> None:
    manifest = result.manifest
    assert manifest.input.file == song.name
    assert manifest.input.duration_s == pytest.approx(15.0)
    assert (manifest.input.sample_rate, manifest.input.channels) == (RATE, 2)
    assert manifest.audio.sample_format == "24-bit"
    assert set(manifest.seconds) == {
        "decode",
        "separate",
        "judge",
        "analyse",
        "transcribe",
        "export",
    }
    assert manifest.reproduce.input_sha256 == manifest.input.sha256


def test_every_stem_has_a_score_and_a_bad_one_a_warning(result: Result) -> None:
    manifest = result.manifest
    assert list(manifest.quality.stems) == STEMS
    scores = {name: score or 0 for name, score in manifest.quality.stems.items()}
    assert manifest.quality.whole == pytest.approx(np.mean(list(scores.values())), abs=1e-3)
    warned = {warning.split()[0] for warning in manifest.warnings if "quality" in warning}
    assert warned == {name for name, score in scores.items() if score < 0.5}


def test_midi_files_load_in_other_programs(result: Result) -> None:
    assert result.manifest.midi is not None
    for file in result.manifest.midi.files.values():
        mido.MidiFile(result.folder / file)
        pretty_midi.PrettyMIDI(str(result.folder / file))
    everything = pretty_midi.PrettyMIDI(str(result.folder / "midi" / "all.mid"))
    assert [track.name for track in everything.instruments] == ["vocals", "bass", "other", "drums"]
    assert [track.is_drum for track in everything.instruments] == [False, False, False, True]


def test_written_notes_are_cleaned_and_the_raw_ones_stay(result: Result) -> None:
    midi = result.manifest.midi
    assert midi is not None
    clean, raw = (
        pretty_midi.PrettyMIDI(str(result.folder / files["bass"])).instruments[0].notes
        for files in (midi.files, midi.raw)
    )
    assert midi.notes["bass"] == len(clean) < len(raw)
    assert {note.pitch for note in clean} <= {note.pitch for note in raw}


def test_drums_are_written_down(demo: DemoSong, result: Result) -> None:
    (kit,) = pretty_midi.PrettyMIDI(str(result.folder / "midi" / "drums.mid")).instruments
    kicks_s = np.array([note.start for note in kit.notes if note.pitch == 36])
    bars_s = [time_s for time_s in demo.downbeats_s if time_s < 15]
    found = [np.abs(kicks_s - time_s).min() < 0.02 for time_s in bars_s]
    assert sum(found) >= 0.8 * len(bars_s)


def test_the_analysis_says_what_the_song_is(demo: DemoSong, result: Result) -> None:
    assert result.manifest.analysis == "analysis.json"
    found = read_analysis(result.folder / "analysis.json")
    assert found is not None
    assert (found.bpm, found.metre, found.tempo.steady) == (128, "4/4", True)
    assert found.key is not None
    assert (found.key.tonic, found.key.mode) == ("D", "major")
    beats_s = [time_s for time_s in demo.beats_s if time_s < 15]
    assert mir_eval.beat.f_measure(np.array(beats_s), np.array(found.beats)) > 0.9
    assert set(found.downbeats) <= set(found.beats)
    assert found.chords[0].start == 0
    assert found.chords[-1].end == pytest.approx(15.0)
    assert {"D:maj", "F#:min7", "B:min"} <= {chord.label for chord in found.chords}
    assert found.drums is not None
    assert len(found.drums) == result.manifest.midi.notes["drums"]  # type: ignore[union-attr]
    assert list(found.stems) == STEMS
    assert found.stems["drums"].sounding
    assert found.quality == result.manifest.quality


def test_midi_keeps_the_bars_of_the_song(demo: DemoSong, result: Result) -> None:
    everything = pretty_midi.PrettyMIDI(str(result.folder / "midi" / "all.mid"))
    bars_s = np.array([time_s for time_s in demo.downbeats_s if time_s < 15])
    assert mir_eval.beat.f_measure(bars_s, everything.get_downbeats()) > 0.9


def test_a_second_run_does_nothing(song: Path, result: Result) -> None:
    before = contents(result.folder)
    again = process(song, result.folder.parent)
    assert again.skipped
    assert again.folder == result.folder
    assert contents(result.folder) == before


def test_a_run_from_the_start_gives_the_same_bytes(
    song: Path, result: Result, tmp_path: Path
) -> None:
    assert contents(process(song, tmp_path).folder) == contents(result.folder)


def test_other_options_make_it_anew_in_the_same_folder(song: Path, tmp_path: Path) -> None:
    first = process(song, tmp_path, ProcessOptions(midi=False, stems=("bass",)))
    second = process(song, tmp_path, ProcessOptions(midi=False, stems=("bass",), format="flac"))
    assert not second.skipped
    assert second.folder == first.folder
    assert list(second.manifest.stems) == ["bass"]


def test_a_result_that_is_being_replaced_does_not_count_as_finished(
    song: Path, tmp_path: Path
) -> None:
    first = ProcessOptions(midi=False)
    folder = process(song, tmp_path, first).folder
    with pytest.raises(Cancelled):
        process(
            song,
            tmp_path,
            ProcessOptions(midi=False, bit_depth="16"),
            on_progress=CancelAt("export", 20),
        )
    assert soundfile.info(folder / "stems" / "vocals.wav").subtype == "PCM_16"
    assert not process(song, tmp_path, first).skipped
    assert soundfile.info(folder / "stems" / "vocals.wav").subtype == "PCM_24"


def test_what_a_run_killed_at_its_end_left_is_cleared_away(song: Path, tmp_path: Path) -> None:
    options = ProcessOptions(midi=False, stems=("bass",))
    result = process(song, tmp_path, options)
    partial = result.folder / ".partial"
    partial.mkdir()
    (partial / "bass.f32").touch()
    (partial / "reproduce.json").write_text(result.manifest.reproduce.model_dump_json())
    assert process(song, tmp_path, options).skipped
    assert not partial.exists()


def test_a_lost_file_is_made_again(song: Path, tmp_path: Path) -> None:
    options = ProcessOptions(midi=False, stems=("bass",))
    first = process(song, tmp_path, options)
    (first.folder / "stems" / "bass.wav").unlink()
    assert not process(song, tmp_path, options).skipped
    assert (first.folder / "stems" / "bass.wav").exists()


def test_the_wanted_stems_and_the_rest_sum_to_the_song(song: Path, tmp_path: Path) -> None:
    options = ProcessOptions(midi=False, stems=("vocals", "bass"), with_rest=True)
    stems = stems_of(process(song, tmp_path, options))
    assert list(stems) == ["vocals", "bass", "rest"]
    total = np.sum(list(stems.values()), axis=0)
    np.testing.assert_allclose(total, load(song).samples, atol=4 * 2**-23)


def test_files_are_named_by_the_template(song: Path, tmp_path: Path) -> None:
    options = ProcessOptions(midi=False, stems=("bass",), name="{artist} - {track} ({stem})")
    result = process(song, tmp_path, options)
    assert result.manifest.stems["bass"].file == "stems/unknown - Für Elise – 悲愴 (bass).wav"


@pytest.mark.parametrize("length", [1, 2, 5000])
def test_very_short_songs_work(tmp_path: Path, length: int) -> None:
    file = tmp_path / "click.wav"
    soundfile.write(file, np.full((length, 2), 0.5), RATE)
    result = process(file, tmp_path / "out")
    assert {stem.shape for stem in stems_of(result).values()} == {(2, length)}


def test_silence_gives_silent_stems_and_midi_without_notes(tmp_path: Path) -> None:
    file = tmp_path / "silence.wav"
    soundfile.write(file, np.zeros((2 * RATE, 1)), RATE)
    manifest = process(file, tmp_path / "out").manifest
    assert all(stem.silent for stem in manifest.stems.values())
    assert set(manifest.quality.stems.values()) == {manifest.quality.whole} == {None}
    assert manifest.midi is not None
    assert manifest.midi.notes == {"vocals": 0, "bass": 0, "other": 0, "drums": 0}
    assert manifest.midi.tempo_source == "default"


def test_many_channels_are_folded_down_and_the_manifest_says_so(tmp_path: Path) -> None:
    file = tmp_path / "surround.wav"
    soundfile.write(file, np.random.default_rng(0).uniform(-0.1, 0.1, (RATE, 6)), RATE)
    manifest = process(file, tmp_path / "out", ProcessOptions(midi=False)).manifest
    assert manifest.input.channels == 6
    assert manifest.input.downmix


def test_the_tempo_of_the_midi_files_can_be_given(song: Path, tmp_path: Path) -> None:
    result = process(song, tmp_path, ProcessOptions(midi_tempo=97.5, stems=("bass",)))
    midi = pretty_midi.PrettyMIDI(str(result.folder / "midi" / "bass.mid"))
    assert midi.get_tempo_changes()[1] == pytest.approx([97.5], rel=1e-5)


def test_notes_go_onto_the_beats_of_a_given_tempo(song: Path, tmp_path: Path) -> None:
    steps = QuantiseOptions("1/8")
    options = ProcessOptions(midi_tempo=128, stems=("bass",), quantise=steps)
    result = process(song, tmp_path, options)
    (bass,) = pretty_midi.PrettyMIDI(str(result.folder / "midi" / "bass.mid")).instruments
    eighths = np.array([note.start for note in bass.notes]) * 128 / 30
    np.testing.assert_allclose(eighths, np.round(eighths), atol=0.01)
    assert not any("quantised" in warning for warning in result.manifest.warnings)


def test_a_song_without_a_beat_is_not_quantised_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "silence.wav"
    soundfile.write(file, np.zeros((2 * RATE, 1)), RATE)
    options = ProcessOptions(stems=("bass",), quantise=QuantiseOptions())
    (warning,) = process(file, tmp_path / "out", options).manifest.warnings
    assert "not quantised" in warning


def test_progress_runs_through_all_stages_to_the_end(song: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    process(song, tmp_path, on_progress=seen.append)
    stages = [stage for stage, _ in itertools.groupby(progress.stage for progress in seen)]
    assert stages == STAGES
    for stage in stages[1:]:
        steps = [progress.done_s for progress in seen if progress.stage == stage]
        total_s = next(p.total_s for p in seen if p.stage == stage)
        assert steps == sorted(steps)
        assert steps[-1] == pytest.approx(total_s, abs=0.02)
    fractions = [p.fraction for p in seen if p.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)


class CancelAt:
    """Cancels when a stage has come so far."""

    def __init__(self, stage: str, done_s: float) -> None:
        self.stage, self.done_s = stage, done_s

    def __call__(self, progress: Progress) -> None:
        if progress.stage == self.stage and progress.done_s >= self.done_s:
            raise Cancelled("enough")


@pytest.mark.parametrize(
    ("stage", "done_s"),
    [("separate", 0), ("separate", 5), ("judge", 20), ("transcribe", 20), ("export", 20)],
)
def test_a_cancelled_run_goes_on_to_the_same_bytes(
    song: Path, result: Result, tmp_path: Path, stage: str, done_s: float
) -> None:
    with pytest.raises(Cancelled):
        process(song, tmp_path, on_progress=CancelAt(stage, done_s))
    assert not (tmp_path / song.stem / "manifest.json").exists()
    seen: list[Progress] = []
    resumed = process(song, tmp_path, on_progress=seen.append)
    assert contents(resumed.folder) == contents(result.folder)
    assert resumed.manifest.quality == result.manifest.quality
    separated_s = [p.done_s for p in seen if p.stage == "separate"]
    assert separated_s[1] >= (0 if done_s == 0 else 5)


def test_unfinished_work_of_other_stems_is_not_taken_up(song: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        process(song, tmp_path, on_progress=CancelAt("separate", 5))
    result = process(song, tmp_path, ProcessOptions(stems=("bass",), midi=False))
    assert list(result.manifest.stems) == ["bass"]
    assert list(stems_of(result)["bass"].shape) == [2, 15 * RATE]


def test_a_resumed_run_keeps_its_number_of_threads(song: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        process(song, tmp_path, threads=1, on_progress=CancelAt("separate", 5))
    assert process(song, tmp_path, threads=2).manifest.reproduce.threads == 1


def test_work_begun_in_another_way_begins_anew(song: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        process(song, tmp_path, on_progress=CancelAt("separate", 5))
    short = ProcessOptions(separation=SeparationOptions(segment_s=5), midi=False)
    seen: list[Progress] = []
    manifest = process(song, tmp_path, short, on_progress=seen.append).manifest
    assert [p.done_s for p in seen if p.stage == "separate"][1] < 5
    assert manifest.reproduce.runtimes["lite"].segment_s == 5
    assert manifest.reproduce.runtimes["lite"].reasons


def test_a_song_begins_anew_in_smaller_segments_when_the_memory_does_not_suffice(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = MaskNetwork.run

    def run_out_once(self: MaskNetwork, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        calls.append(mixture.shape[1])
        if len(calls) == 2:
            raise RuntimeError("std::bad_alloc")
        return run(self, mixture, statistics)

    calls: list[int] = []
    monkeypatch.setattr(MaskNetwork, "run", run_out_once)
    result = process(song, tmp_path, ProcessOptions(midi=False))
    assert calls[0] == calls[1] == 2 * calls[2]
    assert result.manifest.reproduce.runtimes["lite"].segment_s == pytest.approx(5.94, abs=0.01)
    (warning,) = result.manifest.warnings
    assert warning.startswith("lite computes in segments of 5.94 s: the memory did not suffice")
    total = np.sum(list(stems_of(result).values()), axis=0)
    np.testing.assert_allclose(total, load(song).samples, atol=6 * 2**-23)


def test_a_song_for_which_no_segment_is_small_enough_is_refused(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(self: MaskNetwork, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        raise MemoryError

    monkeypatch.setattr(MaskNetwork, "run", run)
    with pytest.raises(ResourceError, match="the memory does not suffice for lite"):
        process(song, tmp_path)


def test_overwriting_begins_anew(song: Path, tmp_path: Path) -> None:
    options = ProcessOptions(stems=("bass",), midi=False)
    process(song, tmp_path, options)
    assert not process(song, tmp_path, options, overwrite=True).skipped


def test_a_killed_run_goes_on_to_the_same_bytes(demo: DemoSong, tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    soundfile.write(file, np.tile(demo.mixture.samples, 3).T, RATE)
    script = (
        f"import unbraid; unbraid.process({str(file)!r}, {str(tmp_path / 'killed')!r}, threads=2)"
    )
    run = subprocess.Popen([sys.executable, "-c", script])
    grown = tmp_path / "killed" / "long" / ".partial" / "other.f32"
    deadline = time.monotonic() + 60
    while not (grown.exists() and grown.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "long" / "stems").exists()
    written_s = grown.stat().st_size / 8 / RATE
    seen: list[Progress] = []
    killed = process(file, tmp_path / "killed", threads=2, on_progress=seen.append)
    assert [p.done_s for p in seen if p.stage == "separate"][1] == pytest.approx(written_s)
    assert contents(killed.folder) == contents(process(file, tmp_path / "whole", threads=2).folder)


def test_a_full_disk_is_reported_and_leaves_nothing(song: Path, tmp_path: Path) -> None:
    script = f"""
import resource, signal, unbraid
resource.setrlimit(resource.RLIMIT_FSIZE, ({4 << 20}, {4 << 20}))
try:
    unbraid.process({str(song)!r}, {str(tmp_path / "out")!r})
except unbraid.ResourceError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "the disk is full" in run.stdout
    assert not [file for file in (tmp_path / "out").rglob("*") if file.is_file()]


def test_a_folder_that_cannot_be_made_is_reported(song: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="choose another folder"):
        process(song, tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (ProcessOptions(model="heavy"), ModelError),
        (ProcessOptions(stems=("kazoo",)), InputError),
        (ProcessOptions(name="{title}"), InputError),
        (ProcessOptions(midi_tempo=0), InputError),
    ],
)
def test_impossible_wishes_are_refused_before_any_work(
    tmp_path: Path, options: ProcessOptions, error: type[Exception]
) -> None:
    with pytest.raises(error):
        process("no such file", tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_a_song_taken_apart_before_is_copied_from_the_cache(song: Path, tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache")
    made = process(song, tmp_path / "1", cache=cache)
    renamed = tmp_path / "another name.wav"
    renamed.write_bytes(song.read_bytes())
    seen: list[Progress] = []
    copied = process(renamed, tmp_path / "2", cache=cache, on_progress=seen.append)
    assert (made.manifest.from_cache, copied.manifest.from_cache) == (False, True)
    assert copied.manifest.input.file == renamed.name
    assert contents(copied.folder) == contents(made.folder)
    assert set(copied.manifest.seconds) == {"decode", "export"}
    assert seen[-1].fraction == pytest.approx(1)
    assert process(renamed, tmp_path / "2", cache=cache).skipped


def test_only_the_same_work_comes_from_the_cache(song: Path, tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache")
    options = ProcessOptions(stems=("bass",), midi=False)
    process(song, tmp_path / "0", options, threads=1, cache=cache)
    louder = tmp_path / "louder.wav"
    samples = load(song).samples
    samples[0, 100] += 0.25
    soundfile.write(louder, samples.T, RATE, "FLOAT")
    flac = replace(options, format="flac")
    named = replace(options, name="{track} {stem}")
    others = [
        process(louder, tmp_path / "1", options, threads=1, cache=cache),
        process(song, tmp_path / "2", flac, threads=1, cache=cache),
        process(song, tmp_path / "3", named, threads=1, cache=cache),
        process(song, tmp_path / "4", options, threads=2, cache=cache),
        process(song, tmp_path / "5", options, threads=1, cache=cache, overwrite=True),
        process(song, tmp_path / "6", options, threads=1),
    ]
    assert not any(result.manifest.from_cache for result in others)
    assert process(song, tmp_path / "7", options, threads=1, cache=cache).manifest.from_cache


def test_a_fallback_is_recorded_and_redone_when_the_model_is_there(
    song: Path, tmp_path: Path
) -> None:
    store = ModelStore(tmp_path / "models", offline=True)
    options = ProcessOptions(model="htdemucs", stems=("bass",), midi=False)

    def run(options: ProcessOptions, fallback: str | None) -> Result:
        return process(song, tmp_path / "out", options, fallback=fallback, store=store)

    with pytest.raises(ModelError, match="htdemucs is not complete"):
        run(options, None)
    first = run(options, "lite")
    missed = first.manifest.model.fallback_from
    assert missed
    assert (first.manifest.model.name, missed.name) == ("lite", "htdemucs")
    assert missed.reason in first.manifest.warnings[0]
    assert run(options, "lite").skipped
    asked_for = run(replace(options, model="lite"), None)
    assert (asked_for.skipped, asked_for.manifest.model.fallback_from) == (False, None)
    assert not run(options, "lite").skipped


def test_a_model_whose_package_is_missing_is_replaced(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models" / "hdemucs_mmi" / "75fc33f5.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(network_file(["bass"], "demucs.hdemucs.HDemucs"))
    monkeypatch.setitem(sys.modules, "demucs.apply", None)
    options = ProcessOptions(model="hdemucs_mmi", stems=("bass",), midi=False)
    store = ModelStore(tmp_path / "models", offline=True)
    result = process(song, tmp_path / "out", options, fallback="lite", store=store)
    missed = result.manifest.model.fallback_from
    assert missed
    assert "pip install 'unbraid[demucs]'" in missed.reason


def test_a_fallback_must_have_the_stems(song: Path, tmp_path: Path) -> None:
    options = ProcessOptions(model="htdemucs_6s", stems=("guitar",))
    with pytest.raises(InputError, match="lite has no stem guitar"):
        process(song, tmp_path / "out", options, fallback="lite")
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_has_no_fallback(song: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model 'htdemux'"):
        process(song, tmp_path / "out", ProcessOptions(model="htdemux"), fallback="lite")


def test_an_edited_result_does_not_reach_the_cache(song: Path, tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache")
    options = ProcessOptions(stems=("bass",), midi=False)
    made = process(song, tmp_path / "1", options, cache=cache)
    before = contents(made.folder)
    for folder in (tmp_path / "1", tmp_path / "2"):
        result = process(song, folder, options, cache=cache)
        with (result.folder / "stems" / "bass.wav").open("r+b") as file:
            file.write(b"edited")
    assert contents(process(song, tmp_path / "3", options, cache=cache).folder) == before


def test_a_resumed_run_is_kept_under_its_own_number_of_threads(song: Path, tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache")
    options = ProcessOptions(stems=("bass",), midi=False)
    with pytest.raises(Cancelled):
        process(song, tmp_path / "1", options, threads=1, on_progress=CancelAt("separate", 5))
    process(song, tmp_path / "1", options, threads=2, cache=cache)
    for threads in (1, 2):
        result = process(song, tmp_path / str(threads * 10), options, threads=threads, cache=cache)
        assert result.manifest.reproduce.threads == threads
