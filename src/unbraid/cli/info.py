"""`unbraid info`."""

from unbraid import terminal
from unbraid.cli.options import Json, Songs
from unbraid.cli.running import Output, find, run


def info(recordings: Songs, as_json: Json = False) -> None:
    """Say what recordings are: format, length, loudness, tags."""
    from unbraid.recording import describe

    run(find(recordings), describe, terminal.show_description, 1, Output(as_json, quiet=False))
