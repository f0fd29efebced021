"""The notes of a recording, heard by Basic Pitch's network and decoded to the published method."""

from unbraid.transcription.streaming import transcribe, transcribe_blocks

__all__ = ["transcribe", "transcribe_blocks"]
