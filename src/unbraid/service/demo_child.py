"""The process that the demonstration song is made in, for that takes much memory: writes FLAC."""

import io
import sys

import soundfile

from unbraid.demo import demo_song


def main() -> None:
    """Make the song."""
    song, file = demo_song().mixture, io.BytesIO()
    soundfile.write(file, song.samples.T, song.sample_rate, "PCM_16", format="FLAC")
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main()
