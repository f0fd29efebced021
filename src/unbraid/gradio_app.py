"""The page of a Hugging Face Space: a song in, a stem of it and the stem's notes as MIDI out.

Made with Gradio, which serves it on a machine of one's own as well, and its functions as an API.
"""

import os
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from unbraid.audio import Tags, open_writer
from unbraid.demo import demo_song
from unbraid.errors import Cancelled, InputError, UnbraidError, resource_error
from unbraid.export.analysis import read_analysis
from unbraid.pipeline import Result, process
from unbraid.separation import choose_models
from unbraid.separation.cache import FileCache
from unbraid.terminal import STAGES, facts_of
from unbraid.types import (
    STEM_NAMES,
    ProcessOptions,
    Progress,
    StemName,
    TranscriptionOptions,
)
from unbraid.weights import ModelStore, find_model

TITLE = "Audio Stem Separator & MIDI Converter"
MODELS = ("lite", "htdemucs", "htdemucs_ft", "htdemucs_6s", "hdemucs_mmi", "mdx", "mdx_extra")
MIDI_TEMPO_BPM = 120.0
NOTES = TranscriptionOptions()

MAX_DURATION_S = 15 * 60.0
TOO_LONG = (
    f"the song is longer than {MAX_DURATION_S / 60:g} minutes; cut it, or use `unbraid process` on "
    "a machine of your own, which has no such limit"
)
MAX_UPLOAD = "200mb"
MAX_WAITING = 20
CLEAN_EVERY_S, KEEP_S = 10 * 60, 60 * 60

INTRODUCTION = f"""# {TITLE}

Takes a song apart: its stems, the notes of each stem as MIDI, its tempo, key and chords. Songs of
up to {MAX_DURATION_S / 60:.0f} minutes; the files can be fetched for an hour."""
MODEL_HINT = (
    "lite is built in and fast on any machine; the others are better, but slow without a GPU"
)

THEME = gr.themes.Default(
    primary_hue="lime",
    font=["system-ui", "sans-serif"],  # nothing is fetched from elsewhere
    font_mono=["ui-monospace", "monospace"],
).set(  # what Gradio has by default is too pale to be read well
    body_text_color_subdued="*neutral_600",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_400",
    button_primary_text_color="black",
    button_primary_text_color_dark="black",
    button_primary_background_fill_dark="*primary_500",
    button_primary_background_fill_hover_dark="*primary_400",
)
CSS = ".facts textarea { font-family: var(--font-mono); }"


class Outcome(NamedTuple):
    """What the page shows of a song, in the order of its components.

    Attributes:
        audio: file of the chosen stem.
        midi: its MIDI file; None if it has none.
        files: all stems and MIDI files.
        archive: all of the result, as a ZIP file.
        facts: tempo, key and chords, a line for each, with the warnings.
    """

    audio: str | None
    midi: str | None
    files: list[str]
    archive: str
    facts: str


class Separator:
    """Separates songs for those who look at the page, one song of each at a time.

    Args:
        store: where models lie; None for the user's cache folder.
        cache: where results are kept for the next time; None for the user's.
    """

    def __init__(self, store: ModelStore | None = None, cache: FileCache | None = None) -> None:
        self._store = store or ModelStore()
        self._cache = cache or FileCache()
        self._stops: dict[str | None, threading.Event] = {}

    def separate(
        self,
        audio: str | None,
        stem: StemName,
        convert_to_midi: bool,
        model: str,
        midi_tempo: float | None,
        min_note_duration: float | None,
        min_frequency: float | None,
        max_frequency: float | None,
        onset_threshold: float | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  how Gradio is asked for one
    ) -> Iterator[Outcome]:
        """Take a song apart; Gradio copies the files of what is given before it goes on.

        Raises:
            gr.Error: what was wrong and what to do.
        """
        stop = self._stops[request.session_hash] = threading.Event()
        notes: dict[str, Any] = {
            "min_note_duration_s": min_note_duration,
            "min_frequency_hz": min_frequency,
            "max_frequency_hz": max_frequency,
            "onset_threshold": onset_threshold,
        }

        def watch(reached: Progress) -> None:
            if stop.is_set():
                raise Cancelled("cancelled")
            if reached.stage == "decode" and reached.done_s > MAX_DURATION_S:
                raise InputError(TOO_LONG)
            progress(reached.fraction, desc=STAGES[reached.stage])

        try:
            if audio is None:
                raise InputError(
                    "there is no song yet; drop a file, record one or take the example"
                )
            choose_models(model, (stem,), {}, self._store)
            options = ProcessOptions(
                model,
                midi=convert_to_midi,
                midi_tempo=midi_tempo,
                transcription=TranscriptionOptions(
                    **{name: value for name, value in notes.items() if value is not None}
                ),
            )
            with tempfile.TemporaryDirectory(prefix="unbraid-") as folder:
                result = process(
                    audio,
                    folder,
                    options,
                    store=self._store,
                    cache=self._cache,
                    on_progress=watch,
                )
                progress(1.0, desc="packing")
                yield _outcome(result, stem)
        except UnbraidError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except OSError as error:
            raise gr.Error(str(resource_error(error)), print_exception=False) from error
        finally:
            self._stops.pop(request.session_hash, None)

    def stop(self, request: gr.Request) -> None:
        """Stop the song of whoever asks, if one is being separated."""
        if stop := self._stops.get(request.session_hash):
            stop.set()


def _outcome(result: Result, stem: StemName) -> Outcome:
    manifest = result.manifest
    midi = manifest.midi.files if manifest.midi else {}
    files = [*(each.file for each in manifest.stems.values()), *midi.values()]
    return Outcome(
        audio=str(result.folder / manifest.stems[stem].file),
        midi=str(result.folder / midi[stem]) if stem in midi else None,
        files=[str(result.folder / file) for file in files],
        archive=str(_pack(result.folder)),
        facts=_facts(result),
    )


def _facts(result: Result) -> str:
    found = read_analysis(result.folder / "analysis.json")
    facts = [*facts_of(found).items()] if found else []
    facts += [("note", warning) for warning in result.manifest.warnings]
    return "\n".join(f"{name:<9}{text}" for name, text in facts)


def _pack(folder: Path) -> Path:
    """All files of a folder in a ZIP beside it, as they are: sound hardly gets smaller."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(folder.rglob("*")):
            packed.write(file, file.relative_to(folder.parent))
    return archive


def _show(stem: StemName, files: list[str] | None) -> list[str | None]:
    """Another stem of the song that is there, and its MIDI file."""
    found = {Path(file).name: file for file in files or ()}
    return [found.get(f"{stem}.wav"), found.get(f"{stem}.mid")]


def _describe(model: str, stem: StemName) -> list[gr.Radio | str]:
    """The stems of a model, and what it is."""
    entry = find_model(model)
    stems = [name for name in STEM_NAMES if name in entry.stems]
    text = f"{entry.summary} Licence: {entry.licence}. Source: {entry.source}."
    return [gr.Radio(choices=stems, value=stem if stem in stems else stems[0]), text]


def build(separator: Separator, example: Path | None = None) -> gr.Blocks:
    """Lay out the page.

    Args:
        separator: does the work.
        example: song that is offered.
    """
    page = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(CLEAN_EVERY_S, KEEP_S))
    with page:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column():
                audio = gr.Audio(type="filepath", label="Song", buttons=[])
                if example:
                    gr.Examples([[str(example)]], [audio], label="Or this one, made for it")
                model = gr.Dropdown(
                    [(f"{name} ({find_model(name).licence})", name) for name in MODELS],
                    value=MODELS[0],
                    label="Model",
                    info=MODEL_HINT,
                )
                about = gr.Markdown()
                stem = gr.Radio(list(STEM_NAMES), value=STEM_NAMES[0], label="Stem")
                convert = gr.Checkbox(True, label="Convert to MIDI")
                with gr.Accordion("MIDI options", open=False):
                    notes = _midi_options()
                with gr.Row():
                    begin = gr.Button("Separate", variant="primary")
                    cancel = gr.Button("Cancel")
            with gr.Column():
                sound = gr.Audio(label="Stem", interactive=False, buttons=["download"])
                midi = gr.File(label="MIDI of the stem")
                facts = gr.Textbox(
                    label="Tempo, key and chords", lines=8, buttons=["copy"], elem_classes="facts"
                )
                files = gr.Files(label="All stems and MIDI files", interactive=False)
                archive = gr.File(label="All of it, as ZIP")
        running = begin.click(
            separator.separate,
            [audio, stem, convert, model, *notes],
            [sound, midi, files, archive, facts],
            api_name="separate",
            concurrency_limit=1,
            show_progress_on=[sound],
        )
        cancel.click(separator.stop, queue=False, api_name="cancel")
        cancel.click(None, cancels=[running])
        page.unload(separator.stop)
        stem.input(_show, [stem, files], [sound, midi], api_visibility="private")
        for trigger in (page.load, model.change):
            trigger(_describe, [model, stem], [stem, about], api_visibility="private")
    page.queue(max_size=MAX_WAITING)
    return page


def _midi_options() -> list[gr.Number | gr.Slider]:
    return [
        gr.Number(MIDI_TEMPO_BPM, label="Tempo (BPM)", info="empty: the song's own"),
        gr.Number(NOTES.min_note_duration_s, label="Shortest note (s)", step=0.005),
        gr.Number(NOTES.min_frequency_hz, label="Lowest frequency (Hz)", step=0.1),
        gr.Number(NOTES.max_frequency_hz, label="Highest frequency (Hz)", step=0.1),
        gr.Slider(0, 1, NOTES.onset_threshold, label="Onset threshold", step=0.05),
    ]


def write_example(folder: Path) -> Path:
    """Write the demonstration song into a folder."""
    song, file = demo_song().mixture, folder / "demo.wav"
    with open_writer(file, song.sample_rate, 2, "wav", "24", Tags(title="Unbraid demo")) as writer:
        writer.write(song.samples)
    return file


def main() -> None:
    """Serve the page, on this machine alone unless Gradio's environment says otherwise."""
    with tempfile.TemporaryDirectory(prefix="gradio-") as folder:
        os.environ.setdefault("GRADIO_TEMP_DIR", folder)  # so that no song is left behind
        page = build(Separator(), write_example(Path(folder)))
        page.launch(
            share=False,
            show_error=True,
            max_file_size=MAX_UPLOAD,
            run_history=False,
            ssr_mode=False,
            theme=THEME,
            css=CSS,
        )


if __name__ == "__main__":
    main()
