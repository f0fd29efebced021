"""What downloads are called."""

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from unbraid.export.naming import safe_name
from unbraid.service.schemas import content_type

if TYPE_CHECKING:
    from obstore import Attributes


def download_name(track: str, file: str) -> str:
    """The name of a file of a result of a track."""
    return f"{track} - {PurePosixPath(file).name}"


def stored_with(recording: str, file: str) -> "Attributes":
    """What a bucket tells of a file of a result to those who get it there."""
    track = PurePosixPath(safe_name(recording)).stem
    return {
        "Content-Type": content_type(file),
        "Content-Disposition": disposition(download_name(track, file)),
    }


def disposition(name: str) -> str:
    """The header that names a download, in ASCII and in full."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
