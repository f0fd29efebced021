"""Takes a song apart: stems, the notes of each stem as MIDI, tempo, key and chords.

stems = unbraid.separate("song.mp3")
notes = unbraid.transcribe(stems["bass"])
result = unbraid.process("song.mp3", "out")
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from unbraid.audio import load as load
    from unbraid.correcting import Correction as Correction
    from unbraid.correcting import correct_result as correct_result
    from unbraid.demo import demo_song as demo_song
    from unbraid.errors import AudioError as AudioError
    from unbraid.errors import Cancelled as Cancelled
    from unbraid.errors import InputError as InputError
    from unbraid.errors import MissingExtraError as MissingExtraError
    from unbraid.errors import ModelError as ModelError
    from unbraid.errors import ResourceError as ResourceError
    from unbraid.errors import UnbraidError as UnbraidError
    from unbraid.export.analysis import AnalysisRecord as AnalysisRecord
    from unbraid.export.manifest import Manifest as Manifest
    from unbraid.exporting import export_result as export_result
    from unbraid.listening import analyze as analyze
    from unbraid.pipeline import Result as Result
    from unbraid.pipeline import process as process
    from unbraid.presets import preset as preset
    from unbraid.retranscribing import transcribe_result as transcribe_result
    from unbraid.separation import LiveSeparator as LiveSeparator
    from unbraid.separation import Separator as Separator
    from unbraid.separation import separate as separate
    from unbraid.transcription import transcribe as transcribe
    from unbraid.types import AudioSignal as AudioSignal
    from unbraid.types import NoteEvent as NoteEvent
    from unbraid.types import ProcessOptions as ProcessOptions
    from unbraid.types import Progress as Progress
    from unbraid.types import SeparationOptions as SeparationOptions
    from unbraid.types import Stems as Stems
    from unbraid.types import TranscriptionOptions as TranscriptionOptions

# Where the public names live; a module is imported when one of its names is first used.
_HOMES = {
    "unbraid.audio": ("load",),
    "unbraid.correcting": ("Correction", "correct_result"),
    "unbraid.demo": ("demo_song",),
    "unbraid.errors": (
        "AudioError",
        "Cancelled",
        "InputError",
        "MissingExtraError",
        "ModelError",
        "ResourceError",
        "UnbraidError",
    ),
    "unbraid.export.analysis": ("AnalysisRecord",),
    "unbraid.export.manifest": ("Manifest",),
    "unbraid.exporting": ("export_result",),
    "unbraid.listening": ("analyze",),
    "unbraid.pipeline": ("Result", "process"),
    "unbraid.presets": ("preset",),
    "unbraid.retranscribing": ("transcribe_result",),
    "unbraid.separation": ("LiveSeparator", "Separator", "separate"),
    "unbraid.transcription": ("transcribe",),
    "unbraid.types": (
        "AudioSignal",
        "NoteEvent",
        "ProcessOptions",
        "Progress",
        "SeparationOptions",
        "Stems",
        "TranscriptionOptions",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'unbraid' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
