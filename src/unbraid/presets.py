"""Presets: what to ask for, by what it is for.

    preview   to listen soon: htdemucs, once through the song. Its transformer hears 7.8 seconds
              whatever the segment, so the whole of that is also the fastest.
    render    the best stems: htdemucs_ft, a network for each, in its longest segments, shifted once
    fast      all stems in half the time: htdemucs in short numbers, on CPUs and GPUs that have them
    karaoke   to sing to: the voice and the song without it, by one network of htdemucs_ft
    bass      to learn a bass line: the bass alone, by one network of htdemucs_ft

>>> preset("karaoke").stems
('vocals',)
"""

from dataclasses import dataclass
from typing import Literal

from unbraid.errors import InputError
from unbraid.types import ProcessOptions, SeparationOptions

PresetName = Literal["preview", "render", "fast", "karaoke", "bass"]
"""Those of `PRESETS`."""


@dataclass(frozen=True)
class Preset:
    """Options for a purpose.

    Attributes:
        purpose: one line for a list.
        options: those that serve it.
    """

    purpose: str
    options: ProcessOptions


PRESETS: dict[str, Preset] = {
    "preview": Preset(
        "To listen soon: htdemucs, once through the song.",
        ProcessOptions("htdemucs"),
    ),
    "render": Preset(
        "The best stems: htdemucs_ft, shifted once.",
        ProcessOptions("htdemucs_ft", SeparationOptions(shifts=1)),
    ),
    "fast": Preset(
        "All stems in half the time: htdemucs in short numbers, where the machine has them.",
        ProcessOptions("htdemucs", SeparationOptions(precision="fast")),
    ),
    "karaoke": Preset(
        "To sing to: the voice by htdemucs_ft, and the song without it.",
        ProcessOptions("htdemucs_ft", stems=("vocals",), with_rest=True),
    ),
    "bass": Preset(
        "To learn a bass line: the bass alone by htdemucs_ft.",
        ProcessOptions("htdemucs_ft", stems=("bass",)),
    ),
}


def preset(name: str) -> ProcessOptions:
    """The options of a preset, for `process`; `dataclasses.replace` changes some of them.

    Raises:
        InputError: there is no such preset.
    """
    if name not in PRESETS:
        raise InputError(f"there is no preset {name!r}; choose one of: {', '.join(PRESETS)}")
    return PRESETS[name].options
