"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from unbraid import types
from unbraid.presets import PresetName
from unbraid.types import (
    MAX_SWING,
    AudioFormat,
    BitDepth,
    ClipMode,
    ProcessOptions,
    ResidualMode,
    SeparationOptions,
    Subdivision,
)

Songs = Annotated[
    list[str], typer.Argument(help="Recordings, folders of them, or patterns.", metavar="SONG...")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of results.", metavar="DIR")]
Preset = Annotated[
    PresetName | None,
    typer.Option(help="For a purpose (see `unbraid models list`); other options override it."),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Separation model, or several joined by +; `unbraid models list` shows them.",
        metavar="NAME",
        show_default=ProcessOptions.model,
    ),
]
Fallback = Annotated[
    str | None,
    typer.Option(
        help="Model to take where the other is not available, such as lite.",
        metavar="NAME",
        show_default="an error",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(
        help="What each of several models counts in stems, such as vocals=2:1,drums=1:0.",
        metavar="LIST",
    ),
]
StemList = Annotated[
    str | None, typer.Option("--stems", help="Only these, such as vocals,bass.", metavar="LIST")
]
TwoStems = Annotated[
    str | None,
    typer.Option(help="Only this one, and the song without it as rest.", metavar="STEM"),
]
WithRest = Annotated[
    bool | None,
    typer.Option(
        "--with-rest/--without-rest",
        help="Also write the song without the chosen stems.",
        show_default="without",
    ),
]
Format = Annotated[AudioFormat, typer.Option(help="Audio format of the stems.")]
Depth = Annotated[BitDepth, typer.Option(help="Sample format of WAV and FLAC.")]
Clip = Annotated[
    ClipMode,
    typer.Option(help="Stems beyond full scale become float WAV, are all lowered, or limited."),
]
NameTemplate = Annotated[
    str,
    typer.Option(
        help="File names, of {stem}, {track}, {title}, {artist}, {album}, {model}.",
        metavar="TEMPLATE",
    ),
]
Residual = Annotated[
    ResidualMode,
    typer.Option(help="Where that goes which the stems leave of the song, if it can be heard."),
]
Tags = Annotated[
    str | None,
    typer.Option(
        help="Name the sounds of the song by an Audio Spectrogram Transformer: a folder with one, "
        "or its name on the hub.",
        metavar="MODEL",
        show_default="name the stems",
    ),
]
MidiTempo = Annotated[
    str, typer.Option(help="Beats per minute of the MIDI files: auto or a number.", metavar="BPM")
]
OnsetThreshold = Annotated[float, typer.Option(help="Activation that begins a note.", min=0, max=1)]
FrameThreshold = Annotated[
    float, typer.Option(help="Activation that keeps a note sounding.", min=0, max=1)
]
MinNote = Annotated[float, typer.Option(help="Shortest note in seconds.", min=0)]
MinFrequency = Annotated[float, typer.Option(help="Lowest note in Hz.", min=0)]
MaxFrequency = Annotated[float, typer.Option(help="Highest note in Hz.", min=0)]
PitchBends = Annotated[bool, typer.Option(help="Keep the bends of notes that sound alone.")]
Grid = Annotated[Subdivision, typer.Option(help="Step that notes are moved to; T is a triplet's.")]
Strength = Annotated[
    float, typer.Option(help="How much of the way to the step notes go.", min=0, max=1)
]
Swing = Annotated[
    float,
    typer.Option(
        help="How much later each second step comes, as a part of a step.", min=0, max=MAX_SWING
    ),
]
SwingGrid = Annotated[
    Subdivision | None,
    typer.Option(help="Step that swings.", show_default="that of the grid"),
]
Quantize = Annotated[
    Subdivision | None,
    typer.Option(
        help="Move the notes onto the song's beats, to steps of this length.",
        show_default="as they were played",
    ),
]
Exports = Annotated[
    str,
    typer.Option(
        "--export",
        help="Formats for other programs (see `unbraid export`), or none.",
        metavar="LIST",
    ),
]
MinVelocity = Annotated[int, typer.Option(help="Softer notes are dropped.", min=1, max=127)]
VelocityCurve = Annotated[
    float, typer.Option(help="Exponent of the velocities; below 1 soft notes become louder.")
]
Monophonic = Annotated[
    str, typer.Option(help="Stems in which one note sounds at a time.", metavar="LIST")
]
Shifts = Annotated[
    int | None,
    typer.Option(
        help="Times the song is separated, shifted, for the mean of all.",
        min=0,
        show_default=str(SeparationOptions.shifts),
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the shifts.", min=0)]
Device = Annotated[types.Device, typer.Option(help="Where the networks compute.")]
Precision = Annotated[
    types.Precision | None,
    typer.Option(
        help="Compute in float32, or in shorter numbers where it pays.",
        show_default=SeparationOptions.precision,
    ),
]
Segment = Annotated[
    float | None,
    typer.Option(help="Length of a segment.", metavar="SECONDS", show_default="the model's own"),
]
Overlap = Annotated[
    float | None,
    typer.Option(
        help="Share of a segment that neighbours share, up to 0.5.",
        metavar="SHARE",
        show_default="the model's own",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume/--overwrite", help="Go on with earlier work, or begin anew.")
]
Jobs = Annotated[int, typer.Option(help="Songs at work at once.", min=1)]
Threads = Annotated[
    int | None, typer.Option(help="Threads of the networks; by default all cores.", min=1)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document per song on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")]


def read_tempo(text: str) -> float | None:
    """A tempo in beats per minute; None for the song's own.

    Raises:
        BadParameter: it is neither `auto` nor a number.
    """
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither auto nor a number") from None
