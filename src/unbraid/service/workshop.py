"""What a worker works with."""

from dataclasses import dataclass
from pathlib import Path

from unbraid.audio import AudioReader, open_audio
from unbraid.errors import AudioError
from unbraid.service.claims import Claims
from unbraid.service.fetching import Fetcher
from unbraid.service.settings import Settings
from unbraid.service.storage import Storage


@dataclass(frozen=True)
class Workshop:
    """What a worker works with."""

    settings: Settings
    claims: Claims
    storage: Storage
    fetcher: Fetcher

    def open_recording(self, path: Path) -> AudioReader:
        """Open a recording that a stranger sent, to be decoded in a process of its own.

        Raises:
            AudioError: it is no recording, or says itself that it is too long.
            MissingExtraError: it needs ffmpeg, which is not installed.
        """
        reader = open_audio(path, apart=True)
        longest_s = self.settings.max_duration_s
        if (reader.promised_length or 0) > longest_s * reader.sample_rate:
            reader.close()
            raise too_long(longest_s)
        return reader


def too_long(longest_s: float) -> AudioError:
    """What is told of a recording with more seconds than are allowed."""
    return AudioError(f"the recording is longer than the {longest_s:g} s that are allowed")


def work_folder(settings: Settings) -> Path:
    """Where workers keep what is unfinished, from which a later attempt goes on."""
    return settings.data / "work"
