"""Findings as Markdown, and the page that collects them."""

import datetime
import importlib.metadata
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.measuring import Runs
from unbraid.inference import available_cores

PAGE = Path(__file__).with_name("RESULTS.md")
HEAD = """\
# Speed, memory and quality

Written by `make bench`. Contenders take turns on the same machine, each run in a fresh process;
times are medians, with the fastest and the slowest run in brackets. Only ratios travel to other
machines.
"""
LIBRARIES = (
    "numpy",
    "scipy",
    "onnxruntime",
    "openvino",
    "torch",
    "demucs",
    "soundfile",
    "soxr",
    "librosa",
    "basic-pitch",
)


TIMINGS = ("", "time", "times real time", "peak memory", "time ratio", "memory ratio")


def timings(found: Mapping[str, Runs], duration_s: float) -> list[tuple[str, ...]]:
    """Rows under `TIMINGS`: contenders beside the first of them, on `duration_s` of music."""
    first = next(iter(found.values()))
    return [
        (
            name,
            str(runs),
            f"{duration_s / runs.seconds:.1f}",
            f"{runs.peak_mb:.0f} MB",
            f"{runs.seconds / first.seconds:.2f}",
            f"{runs.peak_mb / first.peak_mb:.2f}",
        )
        for name, runs in found.items()
    ]


@dataclass(frozen=True)
class Target:
    """What was aimed at, what came out, and whether that is enough."""

    aim: str
    outcome: str
    met: bool

    @classmethod
    def speed(cls, what: str, least: float, reached: float) -> Self:
        """A speed in multiples of real time."""
        return cls(f"{what} at least {least:g}x real time", f"{reached:.1f}x", reached >= least)

    def __str__(self) -> str:
        return f"- {'met' if self.met else '**missed**'}: {self.aim}: {self.outcome}"


@dataclass(frozen=True)
class Section:
    """What one bench found.

    Attributes:
        title: heading on the page.
        text: what was measured.
        header: names of the columns.
        rows: cells, those of the first column are labels.
        targets: what was aimed at.
    """

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    targets: Sequence[Target]


def markdown(section: Section, command: str) -> str:
    """A section as it stands on the page, with where it was measured."""
    table = [section.header, ["---"] + ["---:"] * (len(section.header) - 1), *section.rows]
    return "\n".join(
        [
            f"## {section.title}\n",
            f"{section.text}\n",
            *(f"| {' | '.join(row)} |" for row in table),
            "",
            *map(str, section.targets),
            f"\n`{command}`, {datetime.datetime.now(datetime.UTC).date()}. {machine()}\n",
        ]
    )


def update(section: Section, command: str) -> None:
    """Put a section on the page, in the place of an older one of its title."""
    parts = re.split(r"^(?=## )", PAGE.read_text("utf-8"), flags=re.M)[1:] if PAGE.exists() else []
    sections = {part.splitlines()[0]: part.strip() + "\n" for part in parts}
    sections[f"## {section.title}"] = markdown(section, command)
    PAGE.write_text("\n".join([HEAD, *sections.values()]), "utf-8")


def machine() -> str:
    """The machine and the libraries that a measurement belongs to."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    return (
        f"{available_cores()} cores of {_processor()}, {memory_gb:.0f} GB, {platform.system()}, "
        f"load {os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}, "
        f"{', '.join(versions)}."
    )


def _processor() -> str:
    named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return named[1] if named else platform.machine()
