"""Results of earlier runs, kept in the cache and handed out again without being made."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

from pydantic import ValidationError

from unbraid.audio import Tags
from unbraid.export.folder import ResultFolder
from unbraid.export.manifest import Manifest
from unbraid.separation.cache import FileCache, cache_key, copy_to
from unbraid.separation.runtime import Runtime
from unbraid.types import ProcessOptions

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Recipe:
    """All that the files of a result depend on, known before a model is loaded.

    Attributes:
        unbraid_version: of the program.
        input_sha256: hash over all samples of the recording.
        warnings: what the user should know of it and of the model, which the manifest repeats.
        tags: of the recording, which the files repeat.
        track: file name of the recording without its extension; None if no file is named by it.
        weights: SHA-256 of the weights of each of the model's networks.
        options: what to make and how to write it.
        runtimes: where and how each model computes, without the reasons.
        threads: of the networks.
        versions: of the libraries that compute.
    """

    unbraid_version: str
    input_sha256: str
    warnings: tuple[str, ...]
    tags: Tags
    track: str | None
    weights: dict[str, str]
    options: ProcessOptions
    runtimes: dict[str, Runtime]
    threads: int
    versions: dict[str, str]


@dataclass(frozen=True)
class KeptResult:
    """A result in the cache, open for reading.

    Attributes:
        manifest: of the run that made it.
        files: its content, by the names in the manifest.
    """

    manifest: Manifest
    files: Mapping[str, FileIO]

    def copy_to(self, folder: ResultFolder) -> None:
        """Put its files into a folder, all but the manifest.

        Raises:
            OSError: the folder cannot be written, or its disk is full.
        """
        folder.manifest.unlink(missing_ok=True)  # of other options, whose files are now replaced
        for name in self.manifest.files():
            with folder.writing(folder.path / name) as file:
                copy_to(self.files[name], file)


@contextmanager
def kept_result(cache: FileCache, recipe: Recipe) -> Iterator[KeptResult | None]:
    """Open the result of a recipe; None if the cache does not have it."""
    with cache.opened(cache_key(recipe)) as files:
        try:
            manifest = Manifest.model_validate_json(files[MANIFEST].read())
        except (KeyError, ValidationError):  # not there, or kept by a version in the making
            yield None
        else:
            yield KeptResult(manifest, files)


def keep_result(cache: FileCache, recipe: Recipe, folder: ResultFolder, manifest: Manifest) -> None:
    """Keep the finished result in `folder`."""
    names = (*manifest.files(), MANIFEST)
    cache.put(cache_key(recipe), {name: folder.path / name for name in names})
