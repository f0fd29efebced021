"""Audio that is made of a result when asked for: stems in other formats, together, and mixed.

What was made is kept for a while, for it is often asked for in parts. It is made in threads, for
the libraries at work let others go on meanwhile.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

import anyio
import soundfile

from unbraid.audio import read_tags
from unbraid.errors import resource_error
from unbraid.export.folder import writing
from unbraid.export.mixing import Fader, mix, write_mix
from unbraid.export.multichannel import write_multichannel
from unbraid.export.song import read_part
from unbraid.export.stems import check_options
from unbraid.service.settings import Settings
from unbraid.service.storage import Storage
from unbraid.types import AudioFormat, BitDepth, ProcessOptions, StemName

AT_ONCE = 2
IN_USE_S = 600.0  # that a client may take to fetch a file


def made_folder(settings: Settings) -> Path:
    """Where such files lie, in a folder for each job."""
    return settings.data / "made"


@dataclass(frozen=True)
class Render:
    """A file to make.

    Attributes:
        job_id: of the result.
        stems: storage keys of the stems that are heard.
        faders: how each goes into the mix; None gives each two channels of its own.
        format: of the file.
        bit_depth: of WAV and FLAC.
    """

    job_id: str
    stems: Mapping[StemName, str]
    faders: Mapping[StemName, Fader] | None
    format: AudioFormat
    bit_depth: BitDepth

    @property
    def name(self) -> str:
        """The same for the same file."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode())
        return f"{digest.hexdigest()[:32]}.{self.format}"


class Renders:
    """Makes such files, and keeps those that were asked for last."""

    def __init__(self, storage: Storage, folder: Path, max_bytes: int) -> None:
        """Make files.

        Args:
            storage: of the stems.
            folder: for what is made.
            max_bytes: of what is kept.
        """
        self.made = Storage(folder)
        self._storage, self._folder, self._max_bytes = storage, folder, max_bytes
        self._limiter: anyio.CapacityLimiter | None = None

    async def make(self, render: Render) -> int:
        """Make a file, unless it is there; gives its size in bytes.

        Raises:
            InputError: the format has no such depth.
            ResourceError: there is no room.
        """
        self._limiter = self._limiter or anyio.CapacityLimiter(AT_ONCE)
        return await anyio.to_thread.run_sync(self._make, render, limiter=self._limiter)

    def size(self, job_id: str, name: str) -> int | None:
        """The size in bytes of a file that was made; None once it is gone."""
        file = self._folder / job_id / name
        return file.stat().st_size if file.is_file() else None

    def tidy(self) -> None:
        """Remove what was not used lately, the oldest first, until the rest fits."""
        recent = time.time() - IN_USE_S
        files = [(file, file.stat()) for file in self._folder.glob("*/*")]
        files.sort(key=lambda each: each[1].st_mtime)
        size = sum(stat.st_size for _, stat in files)
        for file, stat in files:
            if size <= self._max_bytes or stat.st_mtime > recent:
                break
            file.unlink()
            size -= stat.st_size

    def _make(self, render: Render) -> int:
        options = ProcessOptions(format=render.format, bit_depth=render.bit_depth)
        check_options(options)
        file = self._folder / render.job_id / render.name
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            try:
                with writing(file, self._folder / render.job_id) as unfinished:
                    self._write(render, options, unfinished)
            except OSError as error:
                raise resource_error(error) from error
        file.touch()
        return file.stat().st_size

    def _write(self, render: Render, options: ProcessOptions, target: Path) -> None:
        with ExitStack() as stack:
            paths = {
                name: stack.enter_context(self._storage.borrowed(key, target.parent))
                for name, key in render.stems.items()
            }
            files = {
                name: stack.enter_context(soundfile.SoundFile(path)) for name, path in paths.items()
            }
            reads = {name: partial(read_part, file) for name, file in files.items()}
            length = min(map(attrgetter("frames"), files.values()))
            rate = next(iter(files.values())).samplerate
            tags = read_tags(next(iter(paths.values())))
            if render.faders is None:
                depth = render.bit_depth
                write_multichannel(target, reads, length, rate, bit_depth=depth, tags=tags)
            else:
                write_mix(target, mix(reads, render.faders), length, rate, options, tags)
