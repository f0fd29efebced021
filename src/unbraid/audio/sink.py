"""A file that remembers why writing to it failed, which the encoders in between do not."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from unbraid.errors import ResourceError


class Sink:
    """A file for an encoder to fill, after a prefix that the encoder does not see.

    Once writing has failed the file is closed, and takes what the encoder still has for nothing.

    Raises:
        ResourceError: the file cannot be made.
    """

    def __init__(self, path: Path, prefix: bytes = b"") -> None:
        self._name = path.name
        self._start = len(prefix)
        self._error: OSError | None = None
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise self._failure(error) from error
        with self.guard():
            self.write(prefix)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Raise a failure of the disk as what it is, whatever the encoder makes of it."""
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError):
            if not self._error:
                raise
        if self._error:
            self.close()
            raise self._failure(self._error) from self._error

    def _failure(self, error: OSError) -> ResourceError:
        return ResourceError(
            f"{self._name!r} cannot be written ({error.strerror}): "
            "free some space or choose another folder"
        )

    def write(self, data: bytes) -> int:
        """Write all of `data`, or as much as the disk takes."""
        view = memoryview(data)
        try:
            while view and not self._file.closed and not self._error:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._error = error
        return len(data) - len(view)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, counted from the prefix's end."""
        if self._file.closed:
            return 0
        start = self._start if whence == io.SEEK_SET else 0
        return self._file.seek(start + offset, whence) - self._start

    def tell(self) -> int:
        """The position, counted from the prefix's end."""
        return self.seek(0, io.SEEK_CUR)

    def close(self) -> None:
        """Close the file; some disks say only now that they are full."""
        try:
            self._file.close()
        except OSError as error:
            self._error = self._error or error
