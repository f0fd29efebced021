"""Decoding by libsndfile in a process of its own, for recordings that strangers sent.

What a fault of a decoder lets a recording do, it does there: without the caller's memory and
environment, with little memory and time, and, once the recording is open, without a way to any
other file, program or machine, for the process can open nothing more.
"""

import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from unbraid.audio.process import BoundedProcess
from unbraid.audio.sniff import Container, Decoder
from unbraid.errors import AudioError
from unbraid.types import Samples

LENGTH = struct.Struct("<I")
"""Of a message of the process, which comes before it."""

_MAX_JSON_BYTES = 1 << 16


class ApartSource:
    """A recording that libsndfile decodes in another process; see `decode.Source`."""

    decoder: Decoder = "libsndfile"

    def __init__(self, path: Path, container: Container, block_samples: int) -> None:
        """Start decoding `path`.

        Raises:
            soundfile.LibsndfileError: libsndfile cannot read it.
            AudioError: the process ended without a word.
        """
        self._path = path
        self._process = BoundedProcess(
            [
                sys.executable,
                "-m",
                "unbraid.audio.decoder",
                os.fspath(path.absolute()),
                str(block_samples),
            ],
            environment={
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "OPENBLAS_NUM_THREADS": "1",  # each thread would take of the memory
            },
        )
        head = self._document()
        if "error" in head:
            self._process.kill()
            raise soundfile.LibsndfileError(head["error"])
        self.container = container.name
        self.codec = str(head["codec"])
        self.sample_rate, self.channels = int(head["sample_rate"]), int(head["channels"])
        self.promised_length: int | None = head["promised_length"]
        self.complaint: str | None = None
        self._max_block_bytes = 4 * self.channels * block_samples

    def blocks(self, block_samples: int) -> Iterator[Samples]:
        """Decode to float32 [channel, time] of as many samples as were asked for at the start."""
        while block := self._message(self._max_block_bytes):
            interleaved = np.frombuffer(block, "<f4").reshape(-1, self.channels)
            yield np.ascontiguousarray(interleaved.T, dtype=np.float32)
        self.complaint = self._document()["complaint"]

    def close(self) -> None:
        """End the process."""
        self._process.kill()

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._message(_MAX_JSON_BYTES) or b"{}")
        return document

    def _message(self, max_bytes: int) -> bytes:
        head = self._process.read(LENGTH.size)
        size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else max_bytes + 1
        message = self._process.read(size) if size <= max_bytes else b""
        if len(message) < size:
            reason = self._process.finish() or "the decoder ended early"
            raise AudioError(
                f"{self._path.name!r} cannot be decoded ({reason}): it is damaged, or asks for "
                "too much memory or time; export it again"
            )
        return message
