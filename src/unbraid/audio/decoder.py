"""The process that decodes a recording for `apart.ApartSource`.

It answers in messages, each after its length: a head in JSON, the samples block by block, an empty
message, and what could not be made sense of, again in JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from unbraid.audio.apart import LENGTH
from unbraid.audio.sndfile import SndfileSource
from unbraid.audio.sniff import identify


def main() -> None:
    """Decode the recording that the command names."""
    path, block_samples = Path(sys.argv[1]), int(sys.argv[2])
    _limit("RLIMIT_FSIZE")
    _limit("RLIMIT_CORE")
    with path.open("rb") as file:
        container = identify(file)
    assert container  # or the caller would not have begun
    try:
        source = SndfileSource(path, container)
    except soundfile.LibsndfileError as error:
        _tell({"error": error.code})
        return
    _limit("RLIMIT_NOFILE")
    _tell(
        {
            "codec": source.codec,
            "sample_rate": source.sample_rate,
            "channels": source.channels,
            "promised_length": source.promised_length,
        }
    )
    for block in source.blocks(block_samples):
        _send(np.ascontiguousarray(block.T, dtype="<f4").tobytes())
    _send(b"")
    _tell({"complaint": source.complaint})


def _limit(what: str) -> None:
    """Allow nothing more of something, where the system can forbid it."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(getattr(resource, what), (0, 0))


def _tell(document: dict[str, Any]) -> None:
    _send(json.dumps(document).encode())


def _send(message: bytes) -> None:
    sys.stdout.buffer.write(LENGTH.pack(len(message)) + message)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
